//! SQL of how far the reading of an account's templates is.

use super::{sync::Sync, sync_queries::Tally};
use crate::{
    base::{clock::to_ms, ids::WabaId},
    graph::GraphError,
    store::{Reads, Result, WriteTx, query},
};
use time::OffsetDateTime;

/// Marks an account as asked for.
pub(super) async fn queued(tx: &mut WriteTx, waba: &WabaId, now: OffsetDateTime) -> Result<()> {
    query(
        "INSERT INTO template_syncs (waba_id, state, next_at) SELECT waba_id, 'queued', $2 FROM wabas WHERE waba_id = $1 \
         ON CONFLICT (waba_id) DO UPDATE SET \
         state = CASE WHEN template_syncs.state = 'reading' THEN 'reading' ELSE 'queued' END, failures = 0",
    )
    .bind(waba)
    .bind(to_ms(now))
    .execute(tx)
    .await?;
    Ok(())
}

/// Marks an account as planned, so that it is not planned again.
pub(super) async fn planned(tx: &mut WriteTx, waba: &WabaId, next: OffsetDateTime) -> Result<()> {
    query(
        "INSERT INTO template_syncs (waba_id, state, next_at) VALUES ($1, 'queued', $2) \
         ON CONFLICT (waba_id) DO UPDATE SET next_at = excluded.next_at, failures = 0",
    )
    .bind(waba)
    .bind(next)
    .execute(tx)
    .await?;
    Ok(())
}

/// Accounts that are due: those that were never read, and those whose time has come.
pub(super) async fn due(db: &mut impl Reads, now: OffsetDateTime, limit: i64) -> Result<Vec<WabaId>> {
    query(
        "SELECT w.waba_id FROM wabas w LEFT JOIN template_syncs s ON s.waba_id = w.waba_id \
         WHERE s.waba_id IS NULL OR s.next_at <= $1 ORDER BY coalesce(s.next_at, 0), w.waba_id LIMIT $2",
    )
    .bind(now)
    .bind(limit)
    .all(db, |row| row.parse("waba_id"))
    .await
}

/// Begins; false where the account is nobody's any more.
pub(super) async fn begin(tx: &mut WriteTx, waba: &WabaId, now: OffsetDateTime, next: OffsetDateTime) -> Result<bool> {
    let begun = query(
        "INSERT INTO template_syncs (waba_id, state, started_at, next_at, expected) \
         SELECT waba_id, 'reading', $2, $3, (SELECT count(*) FROM message_templates t WHERE t.waba_id = $1) \
         FROM wabas WHERE waba_id = $1 \
         ON CONFLICT (waba_id) DO UPDATE SET state = 'reading', started_at = excluded.started_at, read_count = 0, \
         expected = excluded.expected, next_at = excluded.next_at",
    )
    .bind(waba)
    .bind(to_ms(now))
    .bind(to_ms(next))
    .execute(tx)
    .await?;
    Ok(begun == 1)
}

/// Holds the account's readings until this transaction ends: what is deleted here and what a page brings come one after
/// the other.
pub(super) async fn lock(tx: &mut WriteTx, waba: &WabaId) -> Result<()> {
    query("UPDATE template_syncs SET read_count = read_count WHERE waba_id = $1").bind(waba).execute(tx).await?;
    Ok(())
}

pub(super) async fn progress(tx: &mut WriteTx, waba: &WabaId, tally: &Tally) -> Result<()> {
    query("UPDATE template_syncs SET read_count = $1 WHERE waba_id = $2")
        .bind(tally.read)
        .bind(waba)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn finish(
    tx: &mut WriteTx,
    waba: &WabaId,
    tally: &Tally,
    now: OffsetDateTime,
    next: OffsetDateTime,
) -> Result<()> {
    query(
        "UPDATE template_syncs SET state = 'done', finished_at = $1, read_count = $2, added = $3, changed = $4, gone = $5, \
         error = NULL, failures = 0, next_at = $6 WHERE waba_id = $7",
    )
    .bind(now)
    .bind(tally.read)
    .bind(tally.added)
    .bind(tally.changed)
    .bind(tally.gone)
    .bind(next)
    .bind(waba)
    .execute(tx)
    .await?;
    Ok(())
}

/// Says why it did not come to its end; how often that was so one after the other.
pub(super) async fn fail(tx: &mut WriteTx, waba: &WabaId, error: Option<&GraphError>) -> Result<i64> {
    let error = error.and_then(|error| serde_json::to_string(error).ok());
    let failures = query(
        "UPDATE template_syncs SET state = 'failed', error = $1, failures = failures + 1 WHERE waba_id = $2 \
         RETURNING failures",
    )
    .bind(error)
    .bind(waba)
    .optional(tx, |row| row.int("failures"))
    .await?;
    Ok(failures.unwrap_or(1))
}

/// It waits for Meta's limits, and begins again then.
pub(super) async fn wait(tx: &mut WriteTx, waba: &WabaId, until: OffsetDateTime) -> Result<()> {
    query("UPDATE template_syncs SET state = 'waiting', next_at = $1 WHERE waba_id = $2")
        .bind(until)
        .bind(waba)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn sync(db: &mut impl Reads, waba: &WabaId) -> Result<Option<Sync>> {
    query("SELECT * FROM template_syncs WHERE waba_id = $1")
        .bind(waba)
        .optional(db, |row| {
            Ok(Sync {
                state: row.text("state")?,
                next_at: row.time("next_at")?,
                finished_at: row.opt_time("finished_at")?,
                read: row.int("read_count")?,
                known: row.int("expected")?,
                added: row.int("added")?,
                changed: row.int("changed")?,
                gone: row.int("gone")?,
                error: row.opt_json("error")?,
            })
        })
        .await
}
