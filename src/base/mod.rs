//! What every other part may use and what itself uses none of them: the clock, IDs, secrets at
//! rest, outbound HTTP, outgoing mail.

pub mod clock;
pub mod http;
pub mod ids;
pub mod mail;
pub mod sealed;
pub mod text;
