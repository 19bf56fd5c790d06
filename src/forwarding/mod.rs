//! Callbacks out: endpoints of customers, and the deliveries of events to them.
//!
//! The router's transaction plans deliveries (`plan.rs`); a dispatcher, in one process at a time, makes the calls
//! (`dispatcher/`). What is sent is made at the moment of the call (`format/`).

mod bells;
mod cache;
mod dispatcher;
mod endpoint;
mod event_pages;
pub mod format;
mod plan;
mod plan_queries;
mod prune;
mod queries;
mod receipts;
mod schedule;
mod secrets;
mod service;

use crate::{sealed_column, store::SealedColumn};

pub use endpoint::{Cause, Delivery, DeliveryState, Endpoint, EndpointState, Format};
pub use event_pages::{EventPages, Replay, routes as event_routes};
pub use queries::{Attempt, ENDPOINTS};
pub use service::{Forwarding, ForwardingError, MAX_ENDPOINTS, NewEndpoint, OLD_SECRET_FOR};

/// The kind of the job that makes what waits for a resumed endpoint due; its subject is the endpoint's ID.
const RESUME_JOB: &str = "forwarding.resume";
/// The kind of the job that removes an endpoint's rows; its subject is its ID.
const REMOVE_JOB: &str = "forwarding.remove";

/// The kind of the job that cancels what waits for an endpoint that is gone; its subject is the endpoint's ID.
const CANCEL_JOB: &str = "forwarding.cancel";
/// The kind of the job that tells members that an endpoint is not called any more; its subject is its ID.
const MAIL_JOB: &str = "forwarding.mail";

/// What of this feature is sealed at rest.
pub const SEALED: &[SealedColumn] = &[
    sealed_column!("endpoints", "secret_sealed"),
    sealed_column!("endpoints", "old_secret_sealed"),
    sealed_column!("endpoints", "verify_token_sealed"),
];
