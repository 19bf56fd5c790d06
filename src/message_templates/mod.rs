//! Message templates: all of an account read from Meta, what webhooks tell of them, and the pages on which they are
//! made, edited and deleted.
//! What webhooks tell is taken in the transaction that makes events of it ([`MessageTemplates::take`]).

mod button;
mod check;
mod code;
mod components;
mod decisions;
mod desk;
mod draft;
mod form;
mod form_page;
mod glance;
mod languages;
mod markup;
mod model;
mod names;
mod one_page;
mod page_queries;
mod pages;
mod places;
mod preview;
mod queries;
mod refusal;
mod sample;
mod service;
mod state_queries;
mod sync;
mod sync_queries;
mod variables;
mod words;

pub use desk::TemplateDesk;
pub use glance::{TemplatesGlance, TroubledTemplate};
pub use model::{Template, language_code};
pub use pages::routes;
pub use service::MessageTemplates;
pub use sync::{PLAN_JOB, SYNC_JOB, Sync, handlers};
