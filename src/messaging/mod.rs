//! The people whom a customer's numbers exchange messages with, and until when one may write to them freely.
//! What webhooks tell of them is taken in the transaction that makes events of them ([`Messaging::take`]).

mod model;
mod queries;
mod said;
mod service;

pub use model::{Contact, normal_phone};
pub use service::{Messaging, WINDOW};
