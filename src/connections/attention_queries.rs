//! SQL for what needs attention. Each finds few among many: what is well is left to the engine.

use super::{attention::MOST, model::Connection, queries::connection};
use crate::{
    base::ids::{CustomerId, WabaId},
    store::{Reads, Result, query},
};
use std::collections::HashMap;
use time::OffsetDateTime;

fn id(customer: Option<CustomerId>) -> String {
    customer.map(|id| id.to_string()).unwrap_or_default()
}

/// Those whose access ended, with since when.
pub(super) async fn stale(
    db: &mut impl Reads,
    customer: Option<CustomerId>,
) -> Result<Vec<(Connection, OffsetDateTime)>> {
    query(
        "SELECT c.*, coalesce(c.stale_since, c.connected_at) AS noticed_at FROM connections c \
         WHERE c.state = 'needs_reconnect' AND ($1 = '' OR c.customer_id = $1) ORDER BY noticed_at LIMIT $2",
    )
    .bind(id(customer))
    .bind(MOST)
    .all(db, |row| Ok((connection(row)?, row.time("noticed_at")?)))
    .await
}

/// Those that work, and whose token ends before then.
pub(super) async fn ending(
    db: &mut impl Reads,
    customer: Option<CustomerId>,
    before: OffsetDateTime,
) -> Result<Vec<(Connection, OffsetDateTime)>> {
    query(
        "SELECT * FROM connections WHERE state = 'active' AND token_expires_at < $3 \
         AND ($1 = '' OR customer_id = $1) ORDER BY token_expires_at LIMIT $2",
    )
    .bind(id(customer))
    .bind(MOST)
    .bind(before)
    .all(db, |row| Ok((connection(row)?, row.time("token_expires_at")?)))
    .await
}

/// Accounts whose webhooks Meta does not send, of connections that work, with since when: when that was found, or
/// the account was connected without.
pub(super) async fn unsubscribed(
    db: &mut impl Reads,
    customer: Option<CustomerId>,
) -> Result<Vec<(Connection, String, OffsetDateTime)>> {
    query(
        "SELECT c.*, w.name AS waba_name, coalesce(w.unsubscribed_at, w.updated_at) AS waba_at FROM wabas w JOIN connections c ON c.id = w.connection_id \
         WHERE w.subscribed_at IS NULL AND w.closed_at IS NULL AND c.state = 'active' \
         AND ($1 = '' OR c.customer_id = $1) ORDER BY waba_at LIMIT $2",
    )
    .bind(id(customer))
    .bind(MOST)
    .all(db, |row| Ok((connection(row)?, row.text("waba_name")?, row.time("waba_at")?)))
    .await
}

/// Accounts of connections that work which the token does not open, with since when.
pub(super) async fn closed(
    db: &mut impl Reads,
    customer: Option<CustomerId>,
) -> Result<Vec<(Connection, String, OffsetDateTime)>> {
    query(
        "SELECT c.*, w.name AS waba_name, w.closed_at AS waba_at FROM wabas w JOIN connections c ON c.id = w.connection_id \
         WHERE w.closed_at IS NOT NULL AND c.state = 'active' AND ($1 = '' OR c.customer_id = $1) \
         ORDER BY waba_at LIMIT $2",
    )
    .bind(id(customer))
    .bind(MOST)
    .all(db, |row| Ok((connection(row)?, row.text("waba_name")?, row.time("waba_at")?)))
    .await
}

/// Accounts of connections that work which have a number that is not as it should be.
pub(super) async fn with_numbers_unwell(
    db: &mut impl Reads,
    customer: Option<CustomerId>,
) -> Result<Vec<(Connection, WabaId)>> {
    query(
        "SELECT c.*, w.waba_id AS held_waba FROM wabas w JOIN connections c ON c.id = w.connection_id \
         WHERE c.state = 'active' AND ($1 = '' OR c.customer_id = $1) AND EXISTS (SELECT 1 FROM phone_numbers p \
         WHERE p.waba_id = w.waba_id AND (coalesce(p.status, '') NOT IN ('CONNECTED', 'LINKED') \
         OR p.quality_rating = 'RED' OR p.health LIKE '%BLOCKED%' OR p.health LIKE '%LIMITED%')) \
         ORDER BY w.waba_id LIMIT $2",
    )
    .bind(id(customer))
    .bind(MOST)
    .all(db, |row| Ok((connection(row)?, row.parse("held_waba")?)))
    .await
}

/// The connections that hold accounts of which a template may be unwell.
pub(super) async fn holders(db: &mut impl Reads, customer: Option<CustomerId>) -> Result<HashMap<WabaId, Connection>> {
    let rows = query(
        "SELECT c.*, w.waba_id AS held_waba FROM wabas w JOIN connections c ON c.id = w.connection_id \
         WHERE ($1 = '' OR c.customer_id = $1) AND EXISTS \
         (SELECT 1 FROM message_templates t WHERE t.waba_id = w.waba_id)",
    )
    .bind(id(customer))
    .all(db, |row| Ok((row.parse("held_waba")?, connection(row)?)))
    .await?;
    Ok(rows.into_iter().collect())
}
