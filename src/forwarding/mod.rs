//! Callbacks out: endpoints of customers, and the deliveries of events to them.
//!
//! The router's transaction plans deliveries (`plan.rs`); a dispatcher, in one process at a time, makes the calls
//! (`dispatcher/`). What is sent is made at the moment of the call (`format/`).

mod bells;
mod cache;
mod dispatcher;
mod endpoint;
mod endpoint_form;
mod endpoint_list;
mod endpoint_page;
mod endpoint_save;
mod endpoint_secret;
mod endpoint_view;
mod endpoint_watch;
mod event_pages;
mod export;
mod files;
pub mod format;
mod formats_page;
mod handshake;
mod jobs;
mod mail;
mod page_queries;
mod pages;
mod plan;
mod plan_queries;
mod queries;
mod reads;
mod receipts;
mod receiver;
mod receiver_page;
mod receiver_queries;
mod receiver_writer;
mod replay;
mod rotation;
mod schedule;
mod secrets;
mod service;
mod staff_pages;
mod states;
mod upkeep;
mod upkeep_queries;

use crate::{sealed_column, store::SealedColumn};

pub use endpoint::{Cause, Delivery, DeliveryState, Endpoint, EndpointState, Format};
pub use event_pages::{EventPages, Health, Places, Totals, routes as event_routes};
pub use files::MetaFiles;
pub use jobs::handlers;
pub use pages::{EndpointPages, endpoint_api_routes, endpoint_routes, machine_routes};
pub use queries::UnwellEndpoint;
pub use queries::{Attempt, ENDPOINTS};
pub use receipts::AWAITED_FOR;
pub use replay::{MAX_CHOSEN, Replay, Replayed};
pub use schedule::{LONGEST_WAIT, TRIED_FOR};
pub use service::{Forwarding, ForwardingError, MAX_ENDPOINTS, NewEndpoint, OLD_SECRET_FOR};

/// The kind of the job that makes what waits for a resumed endpoint due; its subject is the endpoint's ID.
const RESUME_JOB: &str = "forwarding.resume";
/// The kind of the job that removes an endpoint's rows; its subject is its ID.
const REMOVE_JOB: &str = "forwarding.remove";
/// The kind of the job that cancels what waits for an endpoint that is gone; its subject is the endpoint's ID.
const CANCEL_JOB: &str = "forwarding.cancel";
/// The kind of the job that tells members that an endpoint is not called any more; its subject is its ID.
const MAIL_JOB: &str = "forwarding.mail";
/// The kind of the job that sends events again; its subject is how far it is.
const REPLAY_JOB: &str = "forwarding.replay";
/// The jobs whose subject is an endpoint's ID.
const JOBS_OF_ENDPOINTS: [&str; 4] = [RESUME_JOB, REMOVE_JOB, CANCEL_JOB, MAIL_JOB];

/// What of this feature is sealed at rest.
pub const SEALED: &[SealedColumn] = &[
    sealed_column!("endpoints", "secret_sealed"),
    sealed_column!("endpoints", "old_secret_sealed"),
    sealed_column!("endpoints", "verify_token_sealed"),
];
