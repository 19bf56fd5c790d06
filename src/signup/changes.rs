//! Tells open pages of this process that an attempt has changed. Pages of other processes find out by
//! looking at its version.

use crate::base::ids::AttemptId;
use tokio::sync::broadcast;

/// A bell for all attempts. Cloning shares it.
#[derive(Clone, Debug)]
pub(super) struct Changes(broadcast::Sender<AttemptId>);

impl Changes {
    pub(super) fn new() -> Self {
        Self(broadcast::channel(256).0)
    }

    /// Rings for an attempt; nobody need be listening.
    pub(super) fn ring(&self, id: AttemptId) {
        let _ = self.0.send(id);
    }

    /// Returns when this attempt's bell rings, or bells were missed.
    pub(super) async fn heard(receiver: &mut broadcast::Receiver<AttemptId>, id: AttemptId) {
        loop {
            match receiver.recv().await {
                Ok(rung) if rung != id => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The service is gone: nothing will ring again.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<AttemptId> {
        self.0.subscribe()
    }
}
