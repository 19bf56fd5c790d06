//! Claims jobs that are due and runs them.

use super::{Handlers, JobError, Outcome, Queue};
use crate::{
    base::{clock::Clock, ids, text},
    store::{Result, Store, query},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// How long a claim holds without a sign of life. A killed process's jobs wait this long.
const LEASE: time::Duration = time::Duration::seconds(15);
/// How often a claim is renewed while its job runs.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How often the queue is looked at when no bell rings.
const TICK: Duration = Duration::from_millis(500);
/// How many jobs run side by side.
const PARALLEL: usize = 16;
/// The longest pause between two tries of a job that fails.
const MAX_BACKOFF_SECONDS: i64 = 300;

/// Runs jobs until told to stop.
pub struct Worker {
    store: Store,
    clock: Clock,
    queue: Queue,
    handlers: Arc<Handlers>,
}

/// SQL: nobody is at the job. What this process has claimed is under way however late it is: when the clock jumps (a
/// machine that slept, a time that was set right), a lease that ran out says nothing of those who hold it.
macro_rules! free {
    ($now:literal, $owner:literal) => {
        concat!("(lease_owner IS NULL OR (leased_until < ", $now, " AND lease_owner <> ", $owner, "))")
    };
}

/// SQL: takes the job that is due longest.
macro_rules! claiming {
    ($locking:literal) => {
        concat!(
            "UPDATE jobs SET lease_owner = $1, leased_until = $2, again = FALSE, attempts = attempts + 1 \
             WHERE id = (SELECT id FROM jobs WHERE run_at <= $3 AND ",
            free!("$3", "$1"),
            " ORDER BY run_at LIMIT 1",
            $locking,
            ") RETURNING id, kind, subject, attempts"
        )
    };
}

struct Claim {
    owner: String,
    id: String,
    kind: String,
    subject: String,
    attempts: i64,
}

impl Worker {
    /// A worker with a handler for each kind it does; jobs of other kinds are left for others.
    #[must_use]
    pub fn new(store: Store, clock: Clock, queue: Queue, handlers: Handlers) -> Self {
        Self { store, clock, queue, handlers: Arc::new(handlers) }
    }

    /// Works until `stop`; jobs under way then get a moment to finish.
    ///
    /// # Errors
    /// Only where the first look at the database fails; later failures are logged and tried again.
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        self.release_abandoned().await?;
        let worker = Arc::new(self);
        let room = Arc::new(Semaphore::new(PARALLEL));
        let mut running = JoinSet::new();
        let mut owner = ids::new_uuid().to_string();
        while !stop.is_cancelled() {
            while running.try_join_next().is_some() {}
            let permit = tokio::select! {
                () = stop.cancelled() => break,
                permit = room.clone().acquire_owned() => permit.expect("the semaphore is never closed"),
            };
            match worker.claim(&owner).await {
                Ok(Some(claim)) => {
                    let worker = worker.clone();
                    running.spawn(async move {
                        worker.perform(claim).await;
                        drop(permit);
                    });
                    continue;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, "the job queue could not be read");
                    // The claim may have been kept all the same: its lease then runs out as anybody's.
                    owner = ids::new_uuid().to_string();
                }
            }
            drop(permit);
            tokio::select! {
                () = stop.cancelled() => break,
                () = worker.queue.bell.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
        // What does not finish in time is done again by the next process.
        let _ =
            tokio::time::timeout(Duration::from_millis(800), async { while running.join_next().await.is_some() {} })
                .await;
        Ok(())
    }

    /// One server process has an SQLite database to itself: whatever is claimed there when it starts was
    /// claimed by one that died. On PostgreSQL other processes may be at work, so leases must run out.
    async fn release_abandoned(&self) -> Result<()> {
        if self.store.is_sqlite() {
            let mut tx = self.store.write().await?;
            query("UPDATE jobs SET lease_owner = NULL, leased_until = NULL WHERE lease_owner IS NOT NULL")
                .execute(&mut tx)
                .await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn claim(&self, owner: &str) -> Result<Option<Claim>> {
        let now = self.clock.now();
        // Looking costs no write lock; most looks find nothing.
        let mut db = self.store.read().await?;
        let due = query(concat!("SELECT 1 AS n FROM jobs WHERE run_at <= $1 AND ", free!("$1", "$2"), " LIMIT 1"))
            .bind(now)
            .bind(owner)
            .optional(&mut db, |_| Ok(()))
            .await?;
        drop(db);
        if due.is_none() {
            return Ok(None);
        }
        let mut tx = self.store.write().await?;
        // The one dialect branch: several PostgreSQL workers must not wait for each other's rows.
        let sql = if tx.is_sqlite() { claiming!("") } else { claiming!(" FOR UPDATE SKIP LOCKED") };
        let claim = query(sql)
            .bind(owner)
            .bind(now + LEASE)
            .bind(now)
            .optional(&mut tx, |row| {
                Ok(Claim {
                    owner: owner.to_owned(),
                    id: row.text("id")?,
                    kind: row.text("kind")?,
                    subject: row.text("subject")?,
                    attempts: row.int("attempts")?,
                })
            })
            .await?;
        tx.commit().await?;
        Ok(claim)
    }

    async fn perform(&self, claim: Claim) {
        let Some(handler) = self.handlers.get(claim.kind.as_str()).cloned() else {
            tracing::warn!(kind = claim.kind, "no handler for a job; left for a newer Doorway");
            self.finish(&claim, Ok(Outcome::Again(self.clock.now() + time::Duration::minutes(5)))).await;
            return;
        };
        let mut task = tokio::spawn(handler(claim.subject.clone()));
        let result = loop {
            tokio::select! {
                joined = &mut task => break joined.unwrap_or_else(|panic| Err(Box::new(panic) as JobError)),
                () = tokio::time::sleep(HEARTBEAT) => self.renew(&claim).await,
            }
        };
        if let Err(error) = &result {
            tracing::error!(kind = claim.kind, subject = claim.subject, attempts = claim.attempts, %error, "a job failed");
        }
        self.finish(&claim, result).await;
    }

    async fn renew(&self, claim: &Claim) {
        let renewed = async {
            let mut tx = self.store.write().await?;
            query("UPDATE jobs SET leased_until = $1 WHERE id = $2 AND lease_owner = $3")
                .bind(self.clock.now() + LEASE)
                .bind(&claim.id)
                .bind(&claim.owner)
                .execute(&mut tx)
                .await?;
            tx.commit().await
        };
        if let Err(error) = renewed.await {
            tracing::warn!(kind = claim.kind, %error, "a job's lease could not be renewed");
        }
    }

    async fn finish(&self, claim: &Claim, result: std::result::Result<Outcome, JobError>) {
        let now = self.clock.now();
        let (next, error) = match result {
            Ok(Outcome::Done) => (None, None),
            Ok(Outcome::Again(at)) => (Some(at), None),
            Err(error) => {
                let seconds = 1i64.checked_shl(u32::try_from(claim.attempts.min(20)).unwrap_or(20)).unwrap_or(i64::MAX);
                let at = now + time::Duration::seconds(seconds.min(MAX_BACKOFF_SECONDS));
                (Some(at), Some(text::shorten(&error.to_string(), 500)))
            }
        };
        // Until it is kept the job stays claimed. Where this process ends before, the lease runs out and the job is
        // done again, which its handler bears.
        while let Err(trouble) = self.record(claim, next, error.as_deref()).await {
            tracing::error!(kind = claim.kind, error = %trouble, "a job's outcome could not be kept");
            tokio::time::sleep(TICK).await;
        }
    }

    async fn record(&self, claim: &Claim, next: Option<time::OffsetDateTime>, error: Option<&str>) -> Result<()> {
        let mut tx = self.store.write().await?;
        if let Some(at) = next {
            let succeeded = error.is_none();
            query(
                "UPDATE jobs SET lease_owner = NULL, leased_until = NULL, last_error = $1, \
                 attempts = CASE WHEN $2 THEN 0 ELSE attempts END, \
                 run_at = CASE WHEN again THEN $3 ELSE $4 END, again = FALSE WHERE id = $5 AND lease_owner = $6",
            )
            .bind(error)
            .bind(succeeded)
            .bind(self.clock.now())
            .bind(at)
            .bind(&claim.id)
            .bind(&claim.owner)
            .execute(&mut tx)
            .await?;
        } else {
            query("DELETE FROM jobs WHERE id = $1 AND lease_owner = $2 AND NOT again")
                .bind(&claim.id)
                .bind(&claim.owner)
                .execute(&mut tx)
                .await?;
            query(
                "UPDATE jobs SET lease_owner = NULL, leased_until = NULL, again = FALSE, attempts = 0, run_at = $1 \
                 WHERE id = $2 AND lease_owner = $3",
            )
            .bind(self.clock.now())
            .bind(&claim.id)
            .bind(&claim.owner)
            .execute(&mut tx)
            .await?;
        }
        tx.commit().await
    }
}
