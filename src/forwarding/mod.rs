//! Callbacks out: endpoints of customers, and the deliveries of events to them.
//!
//! The router's transaction plans deliveries (`plan.rs`); a dispatcher, in one process at a time, makes the calls
//! (`dispatcher/`). What is sent is made at the moment of the call (`format/`).

mod bells;
mod endpoint;
pub mod format;
mod queries;
mod secrets;
mod service;

use crate::{sealed_column, store::SealedColumn};

pub use endpoint::{Cause, Delivery, DeliveryState, Endpoint, EndpointState, Format};
pub use queries::{Attempt, ENDPOINTS};
pub use service::{Forwarding, ForwardingError, MAX_ENDPOINTS, NewEndpoint, OLD_SECRET_FOR};

/// The kind of the job that makes what waits for a resumed endpoint due; its subject is the endpoint's ID.
const RESUME_JOB: &str = "forwarding.resume";
/// The kind of the job that removes an endpoint's rows; its subject is its ID.
const REMOVE_JOB: &str = "forwarding.remove";

/// What of this feature is sealed at rest.
pub const SEALED: &[SealedColumn] = &[
    sealed_column!("endpoints", "secret_sealed"),
    sealed_column!("endpoints", "old_secret_sealed"),
    sealed_column!("endpoints", "verify_token_sealed"),
];
