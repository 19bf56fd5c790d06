//! Asks Meta whether a connection's access still stands, after a webhook or a refused call that may mean its end. The
//! webhook alone ends nothing: it may come late, when the customer has long connected again.

use super::{permissions::Cause, service::Connections};
use crate::{
    base::ids::ConnectionId,
    graph::Setup,
    jobs::{JobError, Outcome},
};
use time::Duration;

/// The pause between two tries while Meta can't be asked.
const PAUSE: Duration = Duration::minutes(1);

impl Connections {
    /// Looks at a connection's permissions anew. Where none of its accounts opens any more, the customer must connect
    /// again; one of several that is closed sends us nothing any more. Bears being run twice.
    ///
    /// # Errors
    /// The database's; Meta's trouble is waited out.
    pub async fn check_access(&self, setup: &Setup, id: ConnectionId) -> Result<Outcome, JobError> {
        let looked = self.look_at(setup, id, Cause::Doubt, None).await?;
        let unknown = looked.is_some_and(|looked| looked.is_partial);
        Ok(if unknown { Outcome::Again(self.clock.now() + PAUSE) } else { Outcome::Done })
    }
}
