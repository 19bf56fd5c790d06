//! The people whom a customer's numbers exchange messages with, and until when one may write to them freely.
//! What webhooks tell of them is taken in the transaction that makes events of them ([`Messaging::take`]).

mod model;
mod queries;
mod said;
mod service;
mod synced;

pub use model::Contact;
pub use service::{Messaging, WINDOW};
