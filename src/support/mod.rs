//! For the operator's staff: who is here, what stands with them, and who needs help.

mod attention;
mod pages;

pub use pages::{Support, routes};
