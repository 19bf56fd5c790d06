//! Stand-in until the forwarding engine offers it.

use crate::{
    accounts::User,
    base::ids::{CustomerId, EndpointId},
    forwarding::{Forwarding, ForwardingError},
    webhooks::EventId,
};
use time::OffsetDateTime;

/// What is to be sent again.
pub enum Replay {
    /// These events.
    Events {
        /// Which.
        events: Vec<EventId>,
        /// To this endpoint; `None`: to all that want them.
        endpoint: Option<EndpointId>,
    },
    /// All that came since.
    Since {
        /// To whom.
        endpoint: EndpointId,
        /// Since when.
        time: OffsetDateTime,
    },
}

impl Forwarding {
    /// Sends again.
    ///
    /// # Errors
    /// Always.
    pub async fn replay(&self, _: &User, _: CustomerId, _: Replay) -> Result<usize, ForwardingError> {
        Err(ForwardingError::NotFound)
    }
}
