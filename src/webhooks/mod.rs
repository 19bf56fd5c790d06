//! Meta's webhooks: one address for the whole app. What comes is verified on its raw bytes, kept, and
//! only then answered; what it means for other features is wired in `app.rs`.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint>

mod api;
mod erase;
mod model;
mod queries;
mod service;

pub use api::routes;
pub use model::{Change, Payload};
pub use service::{ChangeHandler, PROCESS_JOB, Webhooks};
