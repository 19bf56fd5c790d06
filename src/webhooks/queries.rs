//! All SQL of `webhook_deliveries`.

use crate::store::{Reads, Result, WriteTx, query};
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

/// ID and body of one that is not processed yet.
pub(super) async fn unprocessed(db: &mut impl Reads, id: &str) -> Result<Option<String>> {
    query("SELECT body FROM webhook_deliveries WHERE id = $1 AND processed_at IS NULL")
        .bind(id)
        .optional(db, |row| row.text("body"))
        .await
}

pub(super) async fn mark_processed(tx: &mut WriteTx, id: &str, at: OffsetDateTime, error: Option<&str>) -> Result<()> {
    query("UPDATE webhook_deliveries SET processed_at = $1, error = $2 WHERE id = $3")
        .bind(at)
        .bind(error.map(str::to_owned))
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
}
