//! Asks Meta whether a connection's access still stands, after a webhook or a refused call that may mean its end. The
//! webhook alone ends nothing: it may come late, when the customer has long connected again.

use super::{
    permissions::{Cause, RECHECK_JOB},
    service::Connections,
};
use crate::{
    base::ids::ConnectionId,
    graph::Setup,
    jobs::{JobError, Outcome},
};
use time::Duration;

/// The pause before the next look where Meta could not be asked.
const PAUSE: Duration = Duration::minutes(1);

impl Connections {
    /// Looks at a connection's permissions anew. Where none of its accounts opens any more, the customer must connect
    /// again; one of several that is closed sends us nothing any more. Bears being run twice.
    ///
    /// # Errors
    /// The database's; Meta's trouble is waited out.
    pub async fn check_access(&self, setup: &Setup, id: ConnectionId) -> Result<Outcome, JobError> {
        if let Some(until) = self.must_wait(setup, id).await? {
            return Ok(Outcome::Again(until));
        }
        let looked = self.look_at(setup, id, Cause::Doubt, None).await?;
        if looked.is_some_and(|looked| looked.is_partial) {
            // From here on it is the scheduled look's, which does not hurry where Meta goes on like that.
            let mut tx = self.store.write().await?;
            self.queue.enqueue(&mut tx, RECHECK_JOB, &id.to_string(), self.clock.now() + PAUSE).await?;
            tx.commit().await?;
        }
        Ok(Outcome::Done)
    }
}
