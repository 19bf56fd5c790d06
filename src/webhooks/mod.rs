//! Meta's webhooks: one address for the whole app, and one for each connection through an app of the customer's. What comes is verified on its raw bytes, kept, and only then
//! answered; afterwards each change in it becomes an event of the customer whose it is. What it means for other
//! features is wired in `app` ([`Consequences`]).
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint>

mod api;
mod batch;
mod change;
mod course;
mod cut;
mod erase;
mod export;
mod flow;
mod intake;
mod kept_queries;
mod kind;
mod link_queries;
mod links;
mod list;
mod marks;
mod own;
mod own_api;
mod prune;
mod queries;
mod route;
mod router;
mod service;
mod signature;
mod told;
mod understand;
mod whose;
mod young;

pub use api::routes;
pub use change::{Change, EventId};
pub use course::{Course, is_message_id};
pub use export::{ExportError, Places, Wanted, export};
pub use intake::NotKept;
pub use kind::Kind;
pub use list::{Minute, Newest, Of};
pub use own::{OwnApp, OwnApps, OwnNews};
pub use queries::Event;
pub use route::{Consequences, Owner, Place, Route, RoutedChange};
pub use service::Webhooks;
pub use told::{OwnChange, Told};
pub use understand::{Address, Item, Understood, told_at};
