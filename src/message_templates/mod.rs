//! Message templates: all of an account read from Meta, what webhooks tell of them, and the pages on which they are
//! made, edited and deleted.
//! What webhooks tell is taken in the transaction that makes events of it ([`MessageTemplates::take`]).

mod components;
mod model;
mod queries;
mod service;
mod sync;
mod sync_queries;

pub use model::{Template, language_code};
pub use service::MessageTemplates;
pub use sync::{PLAN_JOB, SYNC_JOB, Sync, handlers};
