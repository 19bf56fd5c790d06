//! All SQL of `own_apps`.

use super::model::Owner;
use crate::{
    base::ids::{AppId, ConnectionId, CustomerId, WabaId},
    store::{Reads, Result, Row, WriteTx, query},
};
use time::OffsetDateTime;

pub(super) struct OwnAppRow {
    pub connection: ConnectionId,
    pub callback_key: String,
    pub verify_token_sealed: String,
    pub app_id: Option<AppId>,
    pub app_secret_sealed: Option<String>,
    pub old_secret_sealed: Option<String>,
    pub old_secret_until: Option<OffsetDateTime>,
    pub handshake_at: Option<OffsetDateTime>,
    pub refused_at: Option<OffsetDateTime>,
    pub left_out_at: Option<OffsetDateTime>,
}

fn own_app(row: &Row) -> Result<OwnAppRow> {
    Ok(OwnAppRow {
        connection: row.parse("id")?,
        callback_key: row.text("callback_key")?,
        verify_token_sealed: row.text("verify_token_sealed")?,
        app_id: row.opt_parse("app_id")?,
        app_secret_sealed: row.opt_text("app_secret_sealed")?,
        old_secret_sealed: row.opt_text("old_secret_sealed")?,
        old_secret_until: row.opt_time("old_secret_until")?,
        handshake_at: row.opt_time("handshake_at")?,
        refused_at: row.opt_time("refused_at")?,
        left_out_at: row.opt_time("left_out_at")?,
    })
}

pub(super) async fn get(db: &mut impl Reads, id: ConnectionId) -> Result<Option<OwnAppRow>> {
    query("SELECT * FROM own_apps WHERE id = $1").bind(id).optional(db, own_app).await
}

pub(super) async fn by_key(db: &mut impl Reads, key: &str) -> Result<Option<(OwnAppRow, Owner)>> {
    query(
        "SELECT o.*, c.customer_id FROM own_apps o JOIN connections c ON c.id = o.id \
         WHERE o.callback_key = $1",
    )
    .bind(key)
    .optional(db, |row| {
        let app = own_app(row)?;
        let owner = Owner { customer: row.parse("customer_id")?, connection: app.connection };
        Ok((app, owner))
    })
    .await
}

/// Makes the row of a new connection.
pub(super) async fn insert(
    tx: &mut WriteTx,
    id: ConnectionId,
    (callback_key, verify_token_sealed): (&str, &str),
    app_id: Option<&AppId>,
    app_secret_sealed: Option<&str>,
    now: OffsetDateTime,
) -> Result<()> {
    query(
        "INSERT INTO own_apps (id, callback_key, verify_token_sealed, app_id, app_secret_sealed, \
         created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(id)
    .bind(callback_key)
    .bind(verify_token_sealed)
    .bind(app_id.map(ToString::to_string))
    .bind(app_secret_sealed.map(str::to_owned))
    .bind(now)
    .execute(tx)
    .await?;
    query("UPDATE connections SET is_own_app = TRUE WHERE id = $1").bind(id).execute(tx).await?;
    Ok(())
}

/// Changes the app and its secret; what was refused until now says nothing of the new one.
pub(super) async fn set_app(
    tx: &mut WriteTx,
    id: ConnectionId,
    (app_id, app_secret_sealed): (&AppId, &str),
    old: Option<(&str, OffsetDateTime)>,
    now: OffsetDateTime,
) -> Result<()> {
    query(
        "UPDATE own_apps SET app_id = $1, app_secret_sealed = $2, old_secret_sealed = $3, old_secret_until = $4, \
         refused_at = NULL, updated_at = $5 WHERE id = $6",
    )
    .bind(app_id.to_string())
    .bind(app_secret_sealed)
    .bind(old.map(|(sealed, _)| sealed.to_owned()))
    .bind(old.map(|(_, until)| until))
    .bind(now)
    .bind(id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets the app with its secrets and its callback: the connection is over, or goes through the operator's app now.
pub(super) async fn remove(tx: &mut WriteTx, id: ConnectionId) -> Result<()> {
    query("DELETE FROM own_apps WHERE id = $1").bind(id).execute(tx).await?;
    Ok(())
}

/// The connection goes through the operator's app now.
pub(super) async fn becomes_ours(tx: &mut WriteTx, id: ConnectionId) -> Result<()> {
    remove(tx, id).await?;
    query("UPDATE connections SET is_own_app = FALSE WHERE id = $1 AND is_own_app").bind(id).execute(tx).await?;
    query("UPDATE wabas SET own_app_subscribed_here = NULL WHERE connection_id = $1").bind(id).execute(tx).await?;
    Ok(())
}

/// Forgets secrets that count no more.
pub(super) async fn drop_old_secrets(tx: &mut WriteTx, now: OffsetDateTime) -> Result<()> {
    query(
        "UPDATE own_apps SET old_secret_sealed = NULL, old_secret_until = NULL \
         WHERE old_secret_until IS NOT NULL AND old_secret_until <= $1",
    )
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn note_handshake(tx: &mut WriteTx, id: ConnectionId, now: OffsetDateTime) -> Result<()> {
    query("UPDATE own_apps SET handshake_at = $1 WHERE id = $2").bind(now).bind(id).execute(tx).await?;
    Ok(())
}

pub(super) async fn note_refused(tx: &mut WriteTx, id: ConnectionId, now: OffsetDateTime) -> Result<()> {
    query("UPDATE own_apps SET refused_at = $1 WHERE id = $2").bind(now).bind(id).execute(tx).await?;
    Ok(())
}

pub(super) async fn note_left_out(tx: &mut WriteTx, id: ConnectionId, now: OffsetDateTime) -> Result<()> {
    query("UPDATE own_apps SET left_out_at = $1 WHERE id = $2").bind(now).bind(id).execute(tx).await?;
    Ok(())
}

/// Notes that the customer's app gets an account's webhooks, and whether that was begun here.
pub(super) async fn set_subscribed(tx: &mut WriteTx, waba: &WabaId, here: bool, now: OffsetDateTime) -> Result<()> {
    query(
        "UPDATE wabas SET subscribed_at = $1, unsubscribed_at = NULL, own_app_subscribed_here = coalesce(own_app_subscribed_here, $2) \
         WHERE waba_id = $3",
    )
    .bind(now)
    .bind(here)
    .bind(waba)
    .execute(tx)
    .await?;
    Ok(())
}

/// Whether the end of a connection ends a subscription: not that of an app which the customer had subscribed before.
pub(super) async fn may_unsubscribe(db: &mut impl Reads, waba: &WabaId) -> Result<bool> {
    let here = query("SELECT own_app_subscribed_here AS here FROM wabas WHERE waba_id = $1")
        .bind(waba)
        .optional(db, |row| row.opt_bool("here"))
        .await?;
    Ok(here.flatten().unwrap_or(true))
}

/// All of a customer, for export: without secrets.
pub(super) async fn export(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<serde_json::Value>> {
    query(
        "SELECT o.* FROM own_apps o JOIN connections c ON c.id = o.id WHERE c.customer_id = $1 \
         ORDER BY o.created_at, o.id",
    )
    .bind(customer)
    .all(db, |row| row.to_json(&[]))
    .await
}
