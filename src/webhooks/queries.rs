//! All SQL of `webhook_deliveries`.

use crate::{
    base::ids::WabaId,
    store::{Reads, Result, WriteTx, query},
};
use time::OffsetDateTime;

pub(super) async fn insert(tx: &mut WriteTx, id: &str, body: &str, at: OffsetDateTime) -> Result<()> {
    query("INSERT INTO webhook_deliveries (id, received_at, body) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(at)
        .bind(body)
        .execute(tx)
        .await?;
    Ok(())
}

/// Removes what was read and came before then, a thousand at most; tells how many.
pub(super) async fn prune(tx: &mut WriteTx, before: OffsetDateTime) -> Result<u64> {
    query(
        "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries \
         WHERE processed_at IS NOT NULL AND received_at < $1 ORDER BY received_at LIMIT 1000)",
    )
    .bind(before)
    .execute(tx)
    .await
}

/// Marks one as processed, and gives its body; `None` where that was done before, or it is gone. Whoever takes
/// something out of it meanwhile waits, or has done so.
pub(super) async fn take(tx: &mut WriteTx, id: &str, at: OffsetDateTime) -> Result<Option<String>> {
    query("UPDATE webhook_deliveries SET processed_at = $1 WHERE id = $2 AND processed_at IS NULL RETURNING body")
        .bind(at)
        .bind(id)
        .optional(tx, |row| row.text("body"))
        .await
}

pub(super) async fn set_error(tx: &mut WriteTx, id: &str, error: &str) -> Result<()> {
    query("UPDATE webhook_deliveries SET error = $1 WHERE id = $2").bind(error).bind(id).execute(tx).await?;
    Ok(())
}

/// Those in whose body a WABA's ID stands, wherever, after this one: ID, when it came, body.
pub(super) async fn naming(
    db: &mut impl Reads,
    waba: &WabaId,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, OffsetDateTime, String)>> {
    query("SELECT id, received_at, body FROM webhook_deliveries WHERE id > $1 AND body LIKE $2 ORDER BY id LIMIT $3")
        .bind(after)
        .bind(format!("%{waba}%"))
        .bind(limit)
        .all(db, |row| Ok((row.text("id")?, row.time("received_at")?, row.text("body")?)))
        .await
}

pub(super) async fn set_body(tx: &mut WriteTx, id: &str, body: &str) -> Result<()> {
    query("UPDATE webhook_deliveries SET body = $1 WHERE id = $2").bind(body).bind(id).execute(tx).await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut WriteTx, id: &str) -> Result<()> {
    query("DELETE FROM webhook_deliveries WHERE id = $1").bind(id).execute(tx).await?;
    Ok(())
}
