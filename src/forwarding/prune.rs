//! Deliveries that are over go after some time, with their attempts: endpoint by endpoint, from the old end, in
//! transactions so small and so far apart that nobody notices.

use super::Forwarding;
use crate::{
    base::clock,
    store::{Reads, Result, WriteTx, query},
};
use std::time::Duration;
use time::OffsetDateTime;

/// How many rows go in one transaction.
const ROWS: i64 = 300;
/// What others get between two transactions.
const PAUSE: Duration = Duration::from_millis(10);

impl Forwarding {
    /// Removes deliveries that were planned before then and are over, and counts from before then. One that still
    /// waits stays, however old it is.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune(&self, deliveries: OffsetDateTime, counts: OffsetDateTime) -> Result<()> {
        let endpoints =
            query("SELECT id FROM endpoints").all(&mut self.store.read().await?, |row| row.text("id")).await?;
        for endpoint in endpoints {
            let mut after = i64::MIN;
            while let Some(until) = old(&mut self.store.read().await?, &endpoint, after, deliveries).await? {
                let mut tx = self.store.write().await?;
                remove(&mut tx, &endpoint, after, until).await?;
                tx.commit().await?;
                after = until;
                tokio::time::sleep(PAUSE).await;
            }
        }
        loop {
            let mut tx = self.store.write().await?;
            let gone = query(
                "DELETE FROM delivery_minutes WHERE (minute, endpoint_id) IN (SELECT minute, endpoint_id \
                 FROM delivery_minutes WHERE minute < $1 ORDER BY minute LIMIT $2)",
            )
            .bind(clock::to_ms(counts) / 60_000)
            .bind(ROWS)
            .execute(&mut tx)
            .await?;
            tx.commit().await?;
            if gone == 0 {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The number of the last of the next few deliveries that were planned before then.
async fn old(db: &mut impl Reads, endpoint: &str, after: i64, before: OffsetDateTime) -> Result<Option<i64>> {
    query(
        "SELECT max(number) AS number FROM (SELECT number, created_at FROM deliveries WHERE endpoint_id = $1 \
         AND number > $2 ORDER BY number LIMIT $3) oldest WHERE created_at < $4",
    )
    .bind(endpoint)
    .bind(after)
    .bind(ROWS)
    .bind(before)
    .one(db, |row| row.opt_int("number"))
    .await
}

async fn remove(tx: &mut WriteTx, endpoint: &str, after: i64, until: i64) -> Result<()> {
    query(
        "DELETE FROM delivery_attempts WHERE endpoint_id = $1 AND number > $2 AND number <= $3 AND number IN \
         (SELECT number FROM deliveries WHERE endpoint_id = $1 AND number > $2 AND number <= $3 AND state <> 'pending')",
    )
    .bind(endpoint)
    .bind(after)
    .bind(until)
    .execute(tx)
    .await?;
    query("DELETE FROM deliveries WHERE endpoint_id = $1 AND number > $2 AND number <= $3 AND state <> 'pending'")
        .bind(endpoint)
        .bind(after)
        .bind(until)
        .execute(tx)
        .await?;
    Ok(())
}
