//! All SQL of `reconnect_links`.

use super::link::ReconnectLink;
use crate::{
    base::ids::{ConnectionId, CustomerId, UserId},
    store::{Reads, Result, Row, WriteTx, query},
};
use time::OffsetDateTime;

fn link(row: &Row) -> Result<ReconnectLink> {
    Ok(ReconnectLink {
        id: row.text("id")?,
        connection: row.parse("connection_id")?,
        customer: row.parse("customer_id")?,
        created_by: row.parse("created_by")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        used_at: row.opt_time("used_at")?,
        revoked_at: row.opt_time("revoked_at")?,
        email: row.opt_text("email")?,
        mail_state: row.opt_text("mail_state")?,
        mail_error: row.opt_text("mail_error")?,
    })
}

/// A new link, as the row wants it.
pub(super) struct NewLink<'a> {
    pub id: &'a str,
    pub connection: ConnectionId,
    pub customer: CustomerId,
    pub hash: &'a str,
    pub sealed: &'a str,
    pub by: UserId,
    pub at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub email: Option<&'a str>,
}

pub(super) async fn insert(tx: &mut WriteTx, new: NewLink<'_>) -> Result<()> {
    query(
        "INSERT INTO reconnect_links (id, connection_id, customer_id, token_hash, token_sealed, created_by, created_at, \
         expires_at, email, mail_state, mail_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(new.id)
    .bind(new.connection)
    .bind(new.customer)
    .bind(new.hash)
    .bind(new.sealed)
    .bind(new.by)
    .bind(new.at)
    .bind(new.expires_at)
    .bind(new.email)
    .bind(new.email.map(|_| "queued"))
    .bind(new.email.map(|_| new.at))
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn by_id(db: &mut impl Reads, id: &str) -> Result<Option<ReconnectLink>> {
    query("SELECT * FROM reconnect_links WHERE id = $1").bind(id).optional(db, link).await
}

pub(super) async fn by_hash(db: &mut impl Reads, hash: &str) -> Result<Option<ReconnectLink>> {
    query("SELECT * FROM reconnect_links WHERE token_hash = $1").bind(hash).optional(db, link).await
}

pub(super) async fn sealed(db: &mut impl Reads, id: &str) -> Result<Option<String>> {
    let found = query("SELECT token_sealed FROM reconnect_links WHERE id = $1").bind(id);
    Ok(found.optional(db, |row| row.opt_text("token_sealed")).await?.flatten())
}

/// The last links of a connection, the newest first.
pub(super) async fn list(db: &mut impl Reads, connection: ConnectionId, limit: i64) -> Result<Vec<ReconnectLink>> {
    query("SELECT * FROM reconnect_links WHERE connection_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2")
        .bind(connection)
        .bind(limit)
        .all(db, link)
        .await
}

/// Takes one back; false where it is used or taken back already.
pub(super) async fn revoke(tx: &mut WriteTx, id: &str, at: OffsetDateTime) -> Result<bool> {
    let revoked = query(
        "UPDATE reconnect_links SET revoked_at = $1, token_sealed = NULL \
         WHERE id = $2 AND used_at IS NULL AND revoked_at IS NULL",
    );
    Ok(revoked.bind(at).bind(id).execute(tx).await? == 1)
}

/// Uses a link up; false where it is not good any more. The first of two at once wins.
pub(super) async fn claim(tx: &mut WriteTx, id: &str, by: UserId, at: OffsetDateTime) -> Result<bool> {
    let claimed = query(
        "UPDATE reconnect_links SET used_at = $1, used_by = $2, token_sealed = NULL \
         WHERE id = $3 AND used_at IS NULL AND revoked_at IS NULL",
    );
    Ok(claimed.bind(at).bind(by).bind(id).execute(tx).await? == 1)
}

/// Notes how far the mail is.
pub(super) async fn set_mail(
    tx: &mut WriteTx,
    id: &str,
    state: &str,
    at: OffsetDateTime,
    error: Option<&str>,
) -> Result<()> {
    query("UPDATE reconnect_links SET mail_state = $1, mail_at = $2, mail_error = $3 WHERE id = $4")
        .bind(state)
        .bind(at)
        .bind(error)
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
}

/// Drops the secrets of expired links.
pub(in crate::connections) async fn prune(tx: &mut WriteTx, now: OffsetDateTime) -> Result<()> {
    query("UPDATE reconnect_links SET token_sealed = NULL WHERE token_sealed IS NOT NULL AND expires_at <= $1")
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

pub(in crate::connections) async fn export(
    db: &mut impl Reads,
    customer: CustomerId,
) -> Result<Vec<serde_json::Value>> {
    query(
        "SELECT id, connection_id, created_at, expires_at, used_at, revoked_at, email, mail_state \
         FROM reconnect_links WHERE customer_id = $1 ORDER BY created_at, id",
    )
    .bind(customer)
    .all(db, |row| row.to_json(&[]))
    .await
}
