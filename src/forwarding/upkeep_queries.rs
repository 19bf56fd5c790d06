//! SQL that goes through many deliveries, in small steps.

use crate::{
    base::ids::EndpointId,
    store::{Reads, Result, WriteTx, query},
};
use time::OffsetDateTime;

/// How many deliveries one step takes.
pub(super) const STEP: i64 = 500;

/// The last of the next pending ones after this number; `None` where there is none.
pub(super) async fn pending_until(db: &mut impl Reads, endpoint: EndpointId, after: i64) -> Result<Option<i64>> {
    query(
        "SELECT max(number) AS number FROM (SELECT number FROM deliveries WHERE endpoint_id = $1 \
         AND state = 'pending' AND number > $2 ORDER BY number LIMIT $3) ones",
    )
    .bind(endpoint)
    .bind(after)
    .bind(STEP)
    .one(db, |row| row.opt_int("number"))
    .await
}

/// Makes the pending ones after this number and up to that one due at once.
pub(super) async fn set_due(tx: &mut WriteTx, endpoint: EndpointId, after: i64, until: i64) -> Result<()> {
    query(
        "UPDATE deliveries SET next_at = 0 WHERE endpoint_id = $1 AND state = 'pending' AND number > $2 \
         AND number <= $3 AND next_at > 0",
    )
    .bind(endpoint)
    .bind(after)
    .bind(until)
    .execute(tx)
    .await?;
    Ok(())
}

/// Cancels the pending ones up to this number, where the endpoint is still disabled.
pub(super) async fn cancel(tx: &mut WriteTx, endpoint: EndpointId, until: i64, now: OffsetDateTime) -> Result<()> {
    query(
        "UPDATE deliveries SET state = 'cancelled', next_at = NULL, done_at = $1 WHERE endpoint_id = $2 \
         AND state = 'pending' AND number <= $3 \
         AND EXISTS (SELECT 1 FROM endpoints WHERE id = $2 AND state = 'disabled')",
    )
    .bind(now)
    .bind(endpoint)
    .bind(until)
    .execute(tx)
    .await?;
    Ok(())
}

/// The first deliveries: their numbers and when they were planned.
pub(super) async fn first(db: &mut impl Reads, endpoint: EndpointId) -> Result<Vec<(i64, OffsetDateTime)>> {
    query("SELECT number, created_at FROM deliveries WHERE endpoint_id = $1 ORDER BY number LIMIT $2")
        .bind(endpoint)
        .bind(STEP)
        .all(db, |row| Ok((row.int("number")?, row.time("created_at")?)))
        .await
}

/// Removes the deliveries up to this number with their attempts.
pub(super) async fn remove_until(tx: &mut WriteTx, endpoint: EndpointId, until: i64) -> Result<()> {
    for sql in [
        "DELETE FROM delivery_attempts WHERE endpoint_id = $1 AND number <= $2",
        "DELETE FROM deliveries WHERE endpoint_id = $1 AND number <= $2",
    ] {
        query(sql).bind(endpoint).bind(until).execute(tx).await?;
    }
    Ok(())
}

/// Removes some of what else is kept about an endpoint; how many rows.
pub(super) async fn remove_rest(tx: &mut WriteTx, endpoint: EndpointId) -> Result<u64> {
    let mut gone = 0;
    for sql in [
        "DELETE FROM delivery_minutes WHERE endpoint_id = $1 AND minute IN (SELECT minute FROM delivery_minutes \
         WHERE endpoint_id = $1 ORDER BY minute LIMIT $2)",
        "DELETE FROM awaited_receipts WHERE endpoint_id = $1 AND message_id IN (SELECT message_id \
         FROM awaited_receipts WHERE endpoint_id = $1 ORDER BY message_id LIMIT $2)",
        "DELETE FROM received_calls WHERE id IN (SELECT id FROM received_calls WHERE endpoint_id = $1 \
         ORDER BY id LIMIT $2)",
    ] {
        gone += query(sql).bind(endpoint).bind(STEP).execute(tx).await?;
    }
    Ok(gone)
}

/// Removes an endpoint, and with it what is left of it.
pub(super) async fn remove(tx: &mut WriteTx, endpoint: EndpointId) -> Result<()> {
    query("DELETE FROM endpoints WHERE id = $1").bind(endpoint).execute(tx).await?;
    Ok(())
}

/// Removes some of the sums before this minute; how many rows.
pub(super) async fn prune_minutes(tx: &mut WriteTx, before: i64) -> Result<u64> {
    query(
        "DELETE FROM delivery_minutes WHERE minute < $1 AND minute <= (SELECT max(minute) FROM \
         (SELECT minute FROM delivery_minutes WHERE minute < $1 ORDER BY minute LIMIT $2) ones)",
    )
    .bind(before)
    .bind(STEP)
    .execute(tx)
    .await
}

/// How many calls to the built-in receiver one step takes: each holds up to 64 KiB.
const RECEIVED: i64 = 50;

/// Removes some of what the built-in receiver got before then; how many calls.
pub(super) async fn prune_received(tx: &mut WriteTx, before: OffsetDateTime) -> Result<u64> {
    query("DELETE FROM received_calls WHERE id IN (SELECT id FROM received_calls WHERE at < $1 ORDER BY at LIMIT $2)")
        .bind(before)
        .bind(RECEIVED)
        .execute(tx)
        .await
}
