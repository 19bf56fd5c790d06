//! What is too old goes, from the old end, in transactions so small and so far apart that the intake does not notice.

use super::{Webhooks, kept_queries as queries, marks, router::ROUTED};
use crate::{
    base::clock,
    store::{Result, WriteTx},
};
use futures_util::future::BoxFuture;
use std::time::Duration;
use time::OffsetDateTime;

/// How many bodies go in one transaction; each has up to 3 MB.
const BODIES: i64 = 100;
/// How many rows of others.
const ROWS: i64 = 500;
/// How many marks are looked at in one transaction.
const MARKS: i64 = 2_000;
/// What others get between two transactions.
const PAUSE: Duration = Duration::from_millis(10);

impl Webhooks {
    /// Removes bodies, events and counts from before these times. A body that is not
    /// routed yet stays, however old it is.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune(&self, bodies: OffsetDateTime, events: OffsetDateTime, counts: OffsetDateTime) -> Result<()> {
        let minute = clock::to_ms(counts) / 60_000;
        self.in_steps(|tx| {
            Box::pin(async move {
                let routed = ROUTED.value(tx).await?;
                queries::prune_bodies(tx, routed, bodies, BODIES).await
            })
        })
        .await?;
        self.in_steps(|tx| Box::pin(queries::prune_events(tx, events, ROWS))).await?;
        self.in_steps(|tx| Box::pin(queries::prune_minutes(tx, minute, ROWS))).await
    }

    /// Forgets what had come too long ago to come again. Marks lie in the order of their digests, so that the old ones
    /// are everywhere among them: all are walked through. Once a day will do, since they have no time but their day.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune_marks(&self) -> Result<()> {
        let before = clock::to_ms(self.clock.now()) / 86_400_000 - marks::KEPT_DAYS;
        let mut after = i64::MIN;
        loop {
            let up_to = queries::digest_after(&mut self.store.read().await?, after, MARKS).await?;
            let mut tx = self.store.write().await?;
            queries::prune_marks(&mut tx, before, after, up_to.unwrap_or(i64::MAX)).await?;
            tx.commit().await?;
            let Some(up_to) = up_to else { return Ok(()) };
            after = up_to;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn in_steps(&self, step: impl for<'a> Fn(&'a mut WriteTx) -> BoxFuture<'a, Result<u64>>) -> Result<()> {
        loop {
            let mut tx = self.store.write().await?;
            let gone = step(&mut tx).await?;
            tx.commit().await?;
            if gone == 0 {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
