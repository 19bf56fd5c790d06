//! Durable background work: queued in the transaction that causes it, done at least once.
//!
//! A job is a kind and a subject (such as the ID of a signup attempt); there is at most one of each, so
//! asking twice does not do it twice at once. A worker claims a job with a lease that it keeps alive
//! while it works: when the process dies, the lease runs out and another does the job again. Handlers
//! must therefore bear being run twice. See `docs/decisions/0002-jobs.md`.

mod lease;
mod worker;

pub use lease::Lease;
pub use worker::Worker;

use crate::{
    base::{clock::Clock, ids},
    store::{Reads, Result, WriteTx, query},
};
use futures_util::future::BoxFuture;
use std::{collections::HashMap, sync::Arc};
use time::OffsetDateTime;
use tokio::sync::Notify;

/// Puts jobs into the queue. Cloning shares the bell that wakes the worker.
#[derive(Clone)]
pub struct Queue {
    clock: Clock,
    bell: Arc<Notify>,
}

/// What a handler says when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is left to do.
    Done,
    /// To be run again at this time.
    Again(OffsetDateTime),
}

/// What a handler fails with: logged and kept beside the job, which is tried again later.
pub type JobError = Box<dyn std::error::Error + Send + Sync>;

/// Does the jobs of one kind; it is given the subject.
pub type Handler = Arc<dyn Fn(String) -> BoxFuture<'static, std::result::Result<Outcome, JobError>> + Send + Sync>;

/// The handlers by kind.
pub type Handlers = HashMap<&'static str, Handler>;

/// Makes a [`Handler`] of an async function.
pub fn handler<F, Fut>(function: F) -> Handler
where
    F: Fn(String) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = std::result::Result<Outcome, JobError>> + Send + 'static,
{
    Arc::new(move |subject| Box::pin(function(subject)))
}

impl Queue {
    /// A queue in the database.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, bell: Arc::new(Notify::new()) }
    }

    /// Asks for a job at this time, in the caller's transaction. One that is waiting comes forward if
    /// it was to run later; one that is being done is done again afterwards.
    /// After the commit, [`Queue::wake`] lets it start at once.
    ///
    /// # Errors
    /// The database's.
    pub async fn enqueue(&self, tx: &mut WriteTx, kind: &'static str, subject: &str, at: OffsetDateTime) -> Result<()> {
        query(
            "INSERT INTO jobs (id, kind, subject, run_at, created_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (kind, subject) DO UPDATE SET \
             run_at = CASE WHEN excluded.run_at < jobs.run_at THEN excluded.run_at ELSE jobs.run_at END, \
             again = (jobs.lease_owner IS NOT NULL)",
        )
        .bind(ids::new_uuid().to_string())
        .bind(kind)
        .bind(subject)
        .bind(at)
        .bind(self.clock.now())
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Takes a job out of the queue, in the caller's transaction: what it was about is gone. One that is being done
    /// is not stopped.
    ///
    /// # Errors
    /// The database's.
    pub async fn cancel(&self, tx: &mut WriteTx, kind: &str, subject: &str) -> Result<()> {
        query("DELETE FROM jobs WHERE kind = $1 AND subject = $2").bind(kind).bind(subject).execute(tx).await?;
        Ok(())
    }

    /// Lets the worker look at once instead of at its next tick.
    pub fn wake(&self) {
        self.bell.notify_one();
    }

    /// How many jobs of a kind are waiting or under way.
    ///
    /// # Errors
    /// The database's.
    pub async fn count(&self, db: &mut impl Reads, kind: &str) -> Result<i64> {
        query("SELECT count(*) AS n FROM jobs WHERE kind = $1").bind(kind).one(db, |row| row.int("n")).await
    }
}
