//! All SQL of `permission_checks`, and of what a look at permissions changes in `connections` and `wabas`.

use super::{
    check::{Cause, Check},
    standing::{Change, Standing},
};
use crate::{
    base::ids::{ConnectionId, CustomerId, UserId, WabaId, new_uuid},
    store::{Reads, Result, Row, StoreError, WriteTx, query},
    web::Before,
};
use serde::Serialize;
use time::OffsetDateTime;

fn json<T: Serialize>(column: &str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| StoreError::Value(column.to_owned()))
}

/// A check as the row wants it.
pub(super) struct NewCheck<'a> {
    pub connection: ConnectionId,
    pub customer: CustomerId,
    pub at: OffsetDateTime,
    pub by: Option<UserId>,
    pub cause: Cause,
    pub before: &'a Standing,
    pub after: Option<&'a Standing>,
    pub changes: &'a [Change],
}

pub(super) async fn insert(tx: &mut WriteTx, new: NewCheck<'_>) -> Result<String> {
    let id = new_uuid().to_string();
    query(
        "INSERT INTO permission_checks (id, connection_id, customer_id, at, by_user, cause, before, after, changes) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&id)
    .bind(new.connection)
    .bind(new.customer)
    .bind(new.at)
    .bind(new.by)
    .bind(new.cause.as_str())
    .bind(json("before", new.before)?)
    .bind(new.after.map(|after| json("after", after)).transpose()?)
    .bind(json("changes", &new.changes)?)
    .execute(tx)
    .await?;
    Ok(id)
}

fn check(row: &Row) -> Result<Check> {
    Ok(Check {
        id: row.text("id")?,
        connection: row.parse("connection_id")?,
        at: row.time("at")?,
        by: row.opt_parse("by_user")?,
        cause: row.parse("cause")?,
        before: row.json("before")?,
        after: row.opt_json("after")?,
        changes: row.json("changes")?,
    })
}

pub(super) async fn get(db: &mut impl Reads, connection: ConnectionId, id: &str) -> Result<Option<Check>> {
    query("SELECT * FROM permission_checks WHERE id = $1 AND connection_id = $2")
        .bind(id)
        .bind(connection)
        .optional(db, check)
        .await
}

pub(super) async fn list(db: &mut impl Reads, connection: ConnectionId, limit: i64) -> Result<Vec<Check>> {
    query("SELECT * FROM permission_checks WHERE connection_id = $1 ORDER BY at DESC, id DESC LIMIT $2")
        .bind(connection)
        .bind(limit)
        .all(db, check)
        .await
}

/// A customer's checks before this one, the last first, each with its connection's name; those apart that only say that
/// somebody connected again: the log does.
pub(in crate::connections) async fn before(
    db: &mut impl Reads,
    customer: CustomerId,
    before: &Before,
    limit: i64,
) -> Result<Vec<(String, Check)>> {
    query(
        "SELECT k.*, c.name AS connection_name FROM permission_checks k JOIN connections c ON c.id = k.connection_id \
         WHERE k.customer_id = $1 AND k.cause <> 'reconnect' AND (k.at, k.id) < ($2, $3) \
         ORDER BY k.at DESC, k.id DESC LIMIT $4",
    )
    .bind(customer)
    .bind(before.at)
    .bind(&before.id)
    .bind(limit)
    .all(db, |row| Ok((row.text("connection_name")?, check(row)?)))
    .await
}

/// All but the last so many that found nothing, and all that are too old.
pub(super) async fn prune(tx: &mut WriteTx, connection: ConnectionId, before: OffsetDateTime) -> Result<()> {
    query("DELETE FROM permission_checks WHERE connection_id = $1 AND at < $2")
        .bind(connection)
        .bind(before)
        .execute(tx)
        .await?;
    Ok(())
}

pub(in crate::connections) async fn export(
    db: &mut impl Reads,
    customer: CustomerId,
) -> Result<Vec<serde_json::Value>> {
    query("SELECT * FROM permission_checks WHERE customer_id = $1 ORDER BY at, id")
        .bind(customer)
        .all(db, |row| row.to_json(&["before", "after", "changes"]))
        .await
}

/// The permissions as they were told last.
pub(super) async fn scopes(db: &mut impl Reads, id: ConnectionId) -> Result<Vec<String>> {
    let scopes = query("SELECT scopes FROM connections WHERE id = $1").bind(id);
    Ok(scopes.optional(db, |row| row.opt_json("scopes")).await?.flatten().unwrap_or_default())
}

/// What a token's inspection told. Ends that it does not tell stay.
pub(super) async fn set_told(
    tx: &mut WriteTx,
    id: ConnectionId,
    scopes: &[String],
    ends: (Option<Option<OffsetDateTime>>, Option<Option<OffsetDateTime>>),
) -> Result<()> {
    query(
        "UPDATE connections SET scopes = $1, token_expires_at = CASE WHEN $2 THEN $3 ELSE token_expires_at END, \
         data_access_expires_at = CASE WHEN $4 THEN $5 ELSE data_access_expires_at END WHERE id = $6",
    )
    .bind(json("scopes", &scopes)?)
    .bind(ends.0.is_some())
    .bind(ends.0.flatten())
    .bind(ends.1.is_some())
    .bind(ends.1.flatten())
    .bind(id)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn set_checked(tx: &mut WriteTx, id: ConnectionId, at: OffsetDateTime) -> Result<()> {
    query("UPDATE connections SET checked_at = $1 WHERE id = $2").bind(at).bind(id).execute(tx).await?;
    Ok(())
}

/// Since when an account does not open; the first time counts.
pub(super) async fn set_closed(tx: &mut WriteTx, waba: &WabaId, at: Option<OffsetDateTime>) -> Result<()> {
    let closed = "UPDATE wabas SET closed_at = CASE WHEN $1 IS NULL THEN NULL ELSE coalesce(closed_at, $1) END \
                  WHERE waba_id = $2";
    query(closed).bind(at).bind(waba).execute(tx).await?;
    Ok(())
}
