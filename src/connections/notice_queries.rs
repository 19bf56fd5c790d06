//! All SQL of `account_notices`, and of what webhooks tell of `wabas`.

use super::{model::Notice, notices::Told};
use crate::{
    base::{ids::WabaId, ids::new_uuid},
    store::{Reads, Result, Row, WriteTx, query},
    web::Before,
};
use time::OffsetDateTime;

/// Keeps it, where the account is still this connection's.
pub(super) async fn insert(tx: &mut WriteTx, told: &Told<'_>, event: &str, detail: &str) -> Result<bool> {
    let kept = query(
        "INSERT INTO account_notices (id, waba_id, phone_number_id, event_id, field, event, told_at, detail) \
         SELECT $1, waba_id, $3, $4, $5, $6, $7, $8 FROM wabas WHERE waba_id = $2 AND connection_id = $9",
    )
    .bind(new_uuid().to_string())
    .bind(told.waba)
    .bind(told.phone_number.cloned())
    .bind(told.event_id)
    .bind(told.field)
    .bind(event)
    .bind(told.at)
    .bind(detail)
    .bind(told.connection)
    .execute(tx)
    .await?;
    Ok(kept == 1)
}

pub(super) async fn prune(tx: &mut WriteTx, waba: &WabaId, before: OffsetDateTime) -> Result<()> {
    query("DELETE FROM account_notices WHERE waba_id = $1 AND told_at < $2")
        .bind(waba)
        .bind(before)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn set_review(tx: &mut WriteTx, waba: &WabaId, decision: &str, at: OffsetDateTime) -> Result<()> {
    query(
        "UPDATE wabas SET review_status = $1, review_told_at = $2 \
         WHERE waba_id = $3 AND coalesce(review_told_at, 0) <= $2",
    )
    .bind(decision)
    .bind(at)
    .bind(waba)
    .execute(tx)
    .await?;
    Ok(())
}

fn notice(row: &Row) -> Result<Notice> {
    Ok(Notice {
        waba_id: row.parse("waba_id")?,
        phone_number: row.opt_parse("phone_number_id")?,
        event_id: row.int("event_id")?,
        field: row.text("field")?,
        event: row.text("event")?,
        told_at: row.time("told_at")?,
        detail: row.json("detail")?,
    })
}

pub(super) async fn list(db: &mut impl Reads, waba: &WabaId, limit: i64) -> Result<Vec<Notice>> {
    query("SELECT * FROM account_notices WHERE waba_id = $1 ORDER BY told_at DESC, event_id DESC LIMIT $2")
        .bind(waba)
        .bind(limit)
        .all(db, notice)
        .await
}

/// A WABA's notices before this one, the newest first, each with its ID.
pub(super) async fn before(
    db: &mut impl Reads,
    waba: &WabaId,
    before: &Before,
    limit: i64,
) -> Result<Vec<(String, Notice)>> {
    query(
        "SELECT * FROM account_notices WHERE waba_id = $1 AND (told_at, id) < ($2, $3) \
         ORDER BY told_at DESC, id DESC LIMIT $4",
    )
    .bind(waba)
    .bind(before.at)
    .bind(&before.id)
    .bind(limit)
    .all(db, |row| Ok((row.text("id")?, notice(row)?)))
    .await
}

/// A WABA's notices as they are kept, to be handed out.
pub(super) async fn export(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<serde_json::Value>> {
    query("SELECT * FROM account_notices WHERE waba_id = $1 ORDER BY told_at, id")
        .bind(waba)
        .all(db, |row| row.to_json(&["detail"]))
        .await
}
