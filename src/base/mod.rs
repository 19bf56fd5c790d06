//! What every other part may use and what itself uses none of them: the clock, IDs, secrets at
//! rest, outbound HTTP, outgoing mail, texts and phone numbers.

pub mod clock;
pub mod http;
pub mod ids;
pub mod mail;
pub mod phone;
pub mod sealed;
pub mod text;
