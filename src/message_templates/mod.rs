//! Message templates, as far as webhooks tell of them: status, category, quality.
//! What they tell is taken in the transaction that makes events of them ([`MessageTemplates::take`]).

mod model;
mod queries;
mod service;

pub use model::{Template, language_code};
pub use service::MessageTemplates;
