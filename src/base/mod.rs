//! What every other part may use and what itself uses none of them: the clock, IDs, secrets at
//! rest, outbound HTTP.

pub mod clock;
pub mod http;
pub mod ids;
pub mod sealed;
pub mod text;
