//! For the operator's staff: who is here, what stands with them, and who needs help.

mod attention;
mod customer_page;
mod log_moments;
mod pages;
mod search;
mod timeline;

pub use pages::{Support, routes};
