//! Keeping what Meta posts before it is answered: many requests share one transaction.

use super::{
    flow::Flow,
    queries::{self, Kept},
    route::Owner,
};
use crate::{
    base::{clock::Clock, text},
    store::{Log, Result, Store, counters::Counter},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use time::OffsetDateTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// How many requests may wait for a transaction; further ones are told to come again.
const WAITING: usize = 4_096;
/// How many KiB they may hold together.
const WAITING_KIB: usize = 64 << 10;
/// How many KiB those of customers' own apps may hold together: they must not take the others' room.
const WAITING_KIB_OWN: usize = 8 << 10;
/// As how many KiB the smallest of those counts: so they take an eighth of the places at most.
const LEAST_KIB_OWN: u32 = 16;
/// How many share one transaction at most.
const TOGETHER: usize = Log::MOST;

/// The number given last.
pub(super) const LAST: Counter = Counter("intake");

static LOG: Log = Log::new(LAST, "intake (seq, received_at, body)");

/// Why a body was not kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// Too much is waiting, or the database failed: Meta must come again.
    #[error("the intake is full, or the database does not take anything")]
    Unavailable,
}

struct Waiting {
    body: String,
    sender: Option<Owner>,
    kept: oneshot::Sender<()>,
    _room: OwnedSemaphorePermit,
}

/// Takes bodies in. Cloning shares it.
#[derive(Clone)]
pub(super) struct Intake {
    sender: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    room_own: Arc<Semaphore>,
    idle: Arc<AtomicBool>,
}

impl Intake {
    /// Begins to work when the first body comes; hands what is committed on to `flow`.
    pub fn new(store: Store, clock: Clock, flow: Arc<Flow>) -> Self {
        let (sender, waiting) = mpsc::channel(WAITING);
        if tokio::runtime::Handle::try_current().is_ok() {
            let (committed, to_answer) = mpsc::unbounded_channel();
            tokio::spawn(answer(to_answer, flow.clone()));
            tokio::spawn(Writer { store, clock, flow, committed }.write(waiting));
        }
        let [room, room_own] = [WAITING_KIB, WAITING_KIB_OWN].map(|kib| Arc::new(Semaphore::new(kib)));
        Self { sender, room, room_own, idle: Arc::default() }
    }

    /// From now on nothing is kept: see [`super::Webhooks::keep_nothing`].
    pub fn keep_nothing(&self) {
        self.idle.store(true, Ordering::Relaxed);
    }

    /// Keeps a body, and to whose own app's address it came, in one: it is never taken for one of the operator's.
    /// When this returns, it is committed.
    ///
    /// # Errors
    /// See [`NotKept`].
    pub async fn keep(&self, body: String, sender: Option<Owner>) -> std::result::Result<(), NotKept> {
        if self.idle.load(Ordering::Relaxed) {
            return Ok(());
        }
        let kib = u32::try_from(body.len() / 1024 + 1).unwrap_or(u32::MAX);
        let (kib, room) = match sender {
            Some(_) => (kib.max(LEAST_KIB_OWN), &self.room_own),
            None => (kib, &self.room),
        };
        let room = room.clone().try_acquire_many_owned(kib).map_err(|_| NotKept::Unavailable)?;
        let (kept, done) = oneshot::channel();
        self.sender.try_send(Waiting { body, sender, kept, _room: room }).map_err(|_| NotKept::Unavailable)?;
        done.await.map_err(|_| NotKept::Unavailable)
    }
}

struct Writer {
    store: Store,
    clock: Clock,
    flow: Arc<Flow>,
    committed: mpsc::UnboundedSender<Committed>,
}

impl Writer {
    async fn write(self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::with_capacity(TOGETHER);
        while waiting.recv_many(&mut batch, TOGETHER).await > 0 {
            self.flow.pace().await;
            let mut together: Vec<Waiting> = std::mem::take(&mut batch);
            if !self.store.is_sqlite() {
                // PostgreSQL keeps no NUL; what is handed on must be what is kept.
                for one in together.iter_mut().filter(|one| one.body.contains('\0')) {
                    one.body = text::without_nul(&one.body);
                }
            }
            let own: Vec<Waiting> = together.extract_if(.., |one| one.sender.is_some()).collect();
            for batch in [together, own] {
                self.keep_or_tell(batch).await;
            }
        }
    }

    /// Keeps these, of one kind of sender; what can't be kept is told in the log.
    async fn keep_or_tell(&self, batch: Vec<Waiting>) {
        if batch.is_empty() {
            return;
        }
        let Err((error, batch)) = self.keep(batch).await else { return };
        // Meta sends again what is not answered, in a while.
        tracing::error!(%error, requests = batch.len(), "webhooks could not be kept");
        if error.is_transient() || batch.len() == 1 {
            return;
        }
        // One of them may be the cause; it must not be the others' bad luck.
        for alone in batch {
            if let Err((error, _)) = self.keep(vec![alone]).await {
                tracing::error!(%error, "a webhook could not be kept");
            }
        }
    }

    /// Commits all of them, and has them answered then.
    async fn keep(&self, batch: Vec<Waiting>) -> std::result::Result<(), (crate::store::StoreError, Vec<Waiting>)> {
        let received_at = self.clock.now();
        let senders: Option<Vec<Owner>> = batch.iter().map(|one| one.sender).collect();
        let bodies: Vec<String> = batch.iter().map(|one| one.body.clone()).collect();
        let kept = match senders {
            Some(senders) => self.keep_own(received_at, bodies.into_iter().zip(senders).collect()).await,
            None => LOG.append(&self.store, received_at, bodies).await,
        };
        match kept {
            Ok(first) => {
                // It ends after this task.
                let _ = self.committed.send(Committed { first, received_at, batch });
                Ok(())
            }
            Err(error) => Err((error, batch)),
        }
    }
}

impl Writer {
    async fn keep_own(&self, at: OffsetDateTime, bodies: Vec<(String, Owner)>) -> Result<i64> {
        let mut tx = self.store.write().await?;
        let first = queries::keep_own(&mut tx, at, bodies).await?;
        tx.commit().await?;
        Ok(first)
    }
}

/// A batch that is in the database, numbered from `first`.
struct Committed {
    first: i64,
    received_at: OffsetDateTime,
    batch: Vec<Waiting>,
}

/// Answers what is committed, and hands it on, while the next batch is under way.
async fn answer(mut committed: mpsc::UnboundedReceiver<Committed>, flow: Arc<Flow>) {
    while let Some(Committed { first, received_at, batch }) = committed.recv().await {
        let mut kept = Vec::with_capacity(batch.len());
        for (seq, one) in (first..).zip(batch) {
            kept.push(Kept { seq, received_at, body: one.body, sender: one.sender });
            // Whoever asked may have gone.
            let _ = one.kept.send(());
        }
        flow.hand_on(kept);
    }
}
