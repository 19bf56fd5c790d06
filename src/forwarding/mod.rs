//! Callbacks out: endpoints of customers, and the deliveries of events to them.

pub mod format;
mod model;

pub use model::{Cause, Delivery, DeliveryState, Endpoint, EndpointState, Format};
