//! Keeping what Meta posts before it is answered: many requests share one transaction.

use super::queries;
use crate::{
    base::clock::Clock,
    store::{Result, Store, counters::Counter},
};
use tokio::sync::{mpsc, oneshot};

/// How many requests may wait for a transaction; further ones are told to come again.
const WAITING: usize = 4_096;
/// How many share one at most.
const TOGETHER: usize = 256;

/// The number given last.
pub(super) const LAST: Counter = Counter("intake");

/// Why a body was not kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// Too much is waiting, or the database failed: Meta must come again.
    #[error("the intake is full, or the database does not take anything")]
    Unavailable,
}

struct Waiting {
    body: String,
    kept: oneshot::Sender<()>,
}

/// Takes bodies in. Cloning shares it.
#[derive(Clone)]
pub(super) struct Intake(mpsc::Sender<Waiting>);

impl Intake {
    /// Begins to work when the first body comes; tells each commit to `committed`.
    pub fn new(store: Store, clock: Clock, committed: impl Fn() + Send + Sync + 'static) -> Self {
        let (sender, waiting) = mpsc::channel(WAITING);
        if tokio::runtime::Handle::try_current().is_ok() {
            tokio::spawn(write(store, clock, waiting, committed));
        }
        Self(sender)
    }

    /// Keeps a body; when this returns, it is committed.
    ///
    /// # Errors
    /// See [`NotKept`].
    pub async fn keep(&self, body: String) -> std::result::Result<(), NotKept> {
        let (kept, done) = oneshot::channel();
        self.0.try_send(Waiting { body, kept }).map_err(|_| NotKept::Unavailable)?;
        done.await.map_err(|_| NotKept::Unavailable)
    }
}

async fn write(store: Store, clock: Clock, mut waiting: mpsc::Receiver<Waiting>, committed: impl Fn()) {
    let mut batch = Vec::with_capacity(TOGETHER);
    while waiting.recv_many(&mut batch, TOGETHER).await > 0 {
        match keep(&store, &clock, &batch).await {
            Ok(()) => {
                for one in batch.drain(..) {
                    // Whoever asked may have gone.
                    let _ = one.kept.send(());
                }
                committed();
            }
            Err(error) => {
                tracing::error!(%error, "webhooks could not be kept; Meta will send them again");
                batch.clear();
            }
        }
    }
}

async fn keep(store: &Store, clock: &Clock, batch: &[Waiting]) -> Result<()> {
    let mut tx = store.write().await?;
    let now = clock.now();
    let n = i64::try_from(batch.len()).unwrap_or(i64::MAX);
    let last = LAST.advance(&mut tx, n).await?;
    for (seq, one) in (last - n + 1..).zip(batch) {
        queries::insert(&mut tx, seq, &one.body, now).await?;
    }
    tx.commit().await
}
