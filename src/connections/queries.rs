//! All SQL of `connections` and `wabas`.

use super::{
    model::{Connection, ConnectionState, Owner, WabaRecord},
    own_app_queries,
};
use crate::{
    base::ids::{BusinessId, ConnectionId, CustomerId, WabaId},
    graph,
    store::{Reads, Result, Row, WriteTx, counters::ROUTING, query},
};
use time::OffsetDateTime;

pub(super) fn connection(row: &Row) -> Result<Connection> {
    Ok(Connection {
        id: row.parse("id")?,
        customer_id: row.parse("customer_id")?,
        name: row.text("name")?,
        business_id: row.opt_parse("business_id")?,
        business_name: row.opt_text("business_name")?,
        state: row.parse("state")?,
        token_expires_at: row.opt_time("token_expires_at")?,
        connected_at: row.time("connected_at")?,
        checked_at: row.opt_time("checked_at")?,
        token_renewed_at: row.opt_time("token_renewed_at")?,
        renewal_trouble: match row.opt_text("renewal_error")? {
            Some(text) => Some((row.int("renewal_tries")?, text)),
            None => None,
        },
        is_own_app: row.bool("is_own_app")?,
    })
}

fn waba(row: &Row) -> Result<WabaRecord> {
    Ok(WabaRecord {
        id: row.parse("waba_id")?,
        connection_id: row.parse("connection_id")?,
        name: row.text("name")?,
        business_id: row.opt_parse("business_id")?,
        business_name: row.opt_text("business_name")?,
        business_verification_status: row.opt_text("business_verification_status")?,
        review_status: row.opt_text("review_status")?,
        subscribed_at: row.opt_time("subscribed_at")?,
        closed_at: row.opt_time("closed_at")?,
        may_unsubscribe: row.opt_bool("own_app_subscribed_here")?.unwrap_or(true),
    })
}

/// A connection's own columns, as the row wants them.
pub(super) struct TokenRow<'a> {
    pub id: ConnectionId,
    pub sealed: &'a str,
    pub expires_at: Option<OffsetDateTime>,
    pub data_access_expires_at: Option<OffsetDateTime>,
    pub scopes: String,
    pub now: OffsetDateTime,
}

pub(super) async fn insert(
    tx: &mut WriteTx,
    token: &TokenRow<'_>,
    customer: CustomerId,
    name: &str,
    business: Option<&(BusinessId, String)>,
) -> Result<()> {
    query(
        "INSERT INTO connections (id, customer_id, name, business_id, business_name, state, token_sealed, \
         token_expires_at, data_access_expires_at, scopes, created_at, connected_at) \
         VALUES ($1, $2, $3, $4, $5, 'active', $6, $7, $8, $9, $10, $10)",
    )
    .bind(token.id)
    .bind(customer)
    .bind(name)
    .bind(business.map(|(id, _)| id.clone()))
    .bind(business.map(|(_, name)| name.clone()))
    .bind(token.sealed)
    .bind(token.expires_at)
    .bind(token.data_access_expires_at)
    .bind(token.scopes.clone())
    .bind(token.now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Gives a connection a new token; what made it stale is over.
pub(super) async fn renew(tx: &mut WriteTx, token: &TokenRow<'_>) -> Result<()> {
    query(
        "UPDATE connections SET state = 'active', stale_since = NULL, token_sealed = $1, token_expires_at = $2, \
         data_access_expires_at = $3, scopes = $4, connected_at = $5, disconnecting = NULL, disconnected_at = NULL, \
         renewal_tries = 0, renewal_error = NULL, token_renewed_at = NULL WHERE id = $6",
    )
    .bind(token.sealed)
    .bind(token.expires_at)
    .bind(token.data_access_expires_at)
    .bind(token.scopes.clone())
    .bind(token.now)
    .bind(token.id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes to which business a connection belongs now.
pub(super) async fn set_business(
    tx: &mut WriteTx,
    id: ConnectionId,
    business: Option<&(BusinessId, String)>,
) -> Result<()> {
    query("UPDATE connections SET business_id = $1, business_name = $2 WHERE id = $3")
        .bind(business.map(|(id, _)| id.clone()))
        .bind(business.map(|(_, name)| name.clone()))
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
}

/// When the token ends, as Meta says now.
pub(super) async fn set_token_ends(
    tx: &mut WriteTx,
    id: ConnectionId,
    expires_at: Option<OffsetDateTime>,
    data_access_expires_at: Option<OffsetDateTime>,
) -> Result<()> {
    query("UPDATE connections SET token_expires_at = $1, data_access_expires_at = $2 WHERE id = $3")
        .bind(expires_at)
        .bind(data_access_expires_at)
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
}

/// Makes the WABA this customer's, unless it is another's: the primary key decides, also between two
/// who come at the same moment.
pub(super) async fn claim(tx: &mut WriteTx, waba: &graph::Waba, owner: Owner, now: OffsetDateTime) -> Result<bool> {
    let business = waba.owner_business_info.as_ref();
    let claimed = query(
        "INSERT INTO wabas (waba_id, connection_id, customer_id, name, currency, review_status, business_id, \
         business_name, business_verification_status, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) \
         ON CONFLICT (waba_id) DO UPDATE SET connection_id = excluded.connection_id, name = excluded.name, \
         currency = excluded.currency, review_status = excluded.review_status, business_id = excluded.business_id, \
         business_name = excluded.business_name, \
         business_verification_status = excluded.business_verification_status, updated_at = excluded.updated_at, \
         closed_at = NULL \
         WHERE wabas.customer_id = excluded.customer_id RETURNING waba_id",
    )
    .bind(&waba.id)
    .bind(owner.connection)
    .bind(owner.customer)
    .bind(&waba.name)
    .bind(waba.currency.clone())
    .bind(waba.account_review_status.clone())
    .bind(business.map(|business| business.id.clone()))
    .bind(business.map(|business| business.name.clone()))
    .bind(waba.business_verification_status.clone())
    .bind(now)
    .optional(tx, |row| row.text("waba_id"))
    .await?;
    ROUTING.advance(tx, 1).await?;
    Ok(claimed.is_some())
}

pub(super) async fn owner(db: &mut impl Reads, waba: &WabaId) -> Result<Option<Owner>> {
    query("SELECT customer_id, connection_id FROM wabas WHERE waba_id = $1")
        .bind(waba)
        .optional(db, |row| Ok(Owner { customer: row.parse("customer_id")?, connection: row.parse("connection_id")? }))
        .await
}

/// The customer's connection to this business, if there is one that is not over.
pub(super) async fn by_business(
    db: &mut impl Reads,
    customer: CustomerId,
    business: &BusinessId,
) -> Result<Option<ConnectionId>> {
    query(
        "SELECT id FROM connections WHERE customer_id = $1 AND business_id = $2 \
         AND state IN ('active', 'needs_reconnect') AND NOT is_own_app ORDER BY created_at LIMIT 1",
    )
    .bind(customer)
    .bind(business)
    .optional(db, |row| row.parse("id"))
    .await
}

/// Whether a connection of another customer belongs, or belonged, to this business.
pub(super) async fn is_business_of_others(
    db: &mut impl Reads,
    customer: CustomerId,
    business: &BusinessId,
) -> Result<bool> {
    let found = query("SELECT id FROM connections WHERE business_id = $1 AND customer_id <> $2 LIMIT 1")
        .bind(business)
        .bind(customer)
        .optional(db, |row| row.text("id"))
        .await?;
    Ok(found.is_some())
}

/// All that are not over, the newest first.
pub(super) async fn list(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<Connection>> {
    query(
        "SELECT * FROM connections WHERE customer_id = $1 AND state <> 'disconnected' \
         ORDER BY created_at DESC, id DESC",
    )
    .bind(customer)
    .all(db, connection)
    .await
}

pub(super) async fn get(db: &mut impl Reads, id: ConnectionId) -> Result<Option<Connection>> {
    query("SELECT * FROM connections WHERE id = $1").bind(id).optional(db, connection).await
}

pub(super) async fn sealed_token(db: &mut impl Reads, id: ConnectionId) -> Result<Option<String>> {
    let sealed = query("SELECT token_sealed FROM connections WHERE id = $1")
        .bind(id)
        .optional(db, |row| row.opt_text("token_sealed"))
        .await?;
    Ok(sealed.flatten())
}

pub(super) async fn wabas(db: &mut impl Reads, id: ConnectionId) -> Result<Vec<WabaRecord>> {
    query("SELECT * FROM wabas WHERE connection_id = $1 ORDER BY name, waba_id").bind(id).all(db, waba).await
}

/// Meta sends us its webhooks since then.
pub(super) async fn set_subscribed(tx: &mut WriteTx, waba: &WabaId, at: OffsetDateTime) -> Result<()> {
    query("UPDATE wabas SET subscribed_at = $1, unsubscribed_at = NULL WHERE waba_id = $2")
        .bind(at)
        .bind(waba)
        .execute(tx)
        .await?;
    Ok(())
}

/// Meta does not send us its webhooks any more; when that was found first counts.
pub(super) async fn set_unsubscribed(tx: &mut WriteTx, waba: &WabaId, at: OffsetDateTime) -> Result<()> {
    query("UPDATE wabas SET subscribed_at = NULL, unsubscribed_at = coalesce(unsubscribed_at, $1) WHERE waba_id = $2")
        .bind(at)
        .bind(waba)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn rename(tx: &mut WriteTx, customer: CustomerId, id: ConnectionId, name: &str) -> Result<bool> {
    let changed = query("UPDATE connections SET name = $1 WHERE id = $2 AND customer_id = $3")
        .bind(name)
        .bind(id)
        .bind(customer)
        .execute(tx)
        .await?;
    Ok(changed == 1)
}

/// Marks a connection as one that must be connected again.
pub(super) async fn set_stale(tx: &mut WriteTx, id: ConnectionId, now: OffsetDateTime) -> Result<()> {
    query(
        "UPDATE connections SET state = $1, stale_since = CASE WHEN state = $1 THEN stale_since ELSE $2 END \
         WHERE id = $3 AND state IN ('active', 'needs_reconnect')",
    )
    .bind(ConnectionState::NeedsReconnect.as_str())
    .bind(now)
    .bind(id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Its token works after all.
pub(super) async fn restore(tx: &mut WriteTx, id: ConnectionId) -> Result<()> {
    query("UPDATE connections SET state = 'active', stale_since = NULL WHERE id = $1").bind(id).execute(tx).await?;
    Ok(())
}

/// Marks a connection as being undone, unless it is already.
pub(super) async fn begin_disconnect(
    tx: &mut WriteTx,
    customer: CustomerId,
    id: ConnectionId,
    request: &str,
) -> Result<bool> {
    let changed = query(
        "UPDATE connections SET state = 'disconnecting', disconnecting = $1 \
         WHERE id = $2 AND customer_id = $3 AND state IN ('active', 'needs_reconnect')",
    )
    .bind(request)
    .bind(id)
    .bind(customer)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// What was asked for when it was disconnected.
pub(super) async fn disconnect_request(db: &mut impl Reads, id: ConnectionId) -> Result<Option<String>> {
    let request = query("SELECT disconnecting FROM connections WHERE id = $1 AND state = 'disconnecting'")
        .bind(id)
        .optional(db, |row| row.opt_text("disconnecting"))
        .await?;
    Ok(request.flatten())
}

/// Takes a WABA out; its numbers go with it.
pub(super) async fn remove_waba(tx: &mut WriteTx, waba: &WabaId) -> Result<()> {
    query("DELETE FROM wabas WHERE waba_id = $1").bind(waba).execute(tx).await?;
    ROUTING.advance(tx, 1).await?;
    Ok(())
}

/// Takes a WABA out, if this connection still holds it; its numbers go with it.
pub(super) async fn remove_waba_of(tx: &mut WriteTx, waba: &WabaId, holder: ConnectionId) -> Result<()> {
    query("DELETE FROM wabas WHERE waba_id = $1 AND connection_id = $2").bind(waba).bind(holder).execute(tx).await?;
    ROUTING.advance(tx, 1).await?;
    Ok(())
}

/// Ends a connection that is being undone by this very request; false where it is not any more.
pub(super) async fn end_if(tx: &mut WriteTx, id: ConnectionId, request: &str, now: OffsetDateTime) -> Result<bool> {
    let ended = query(
        "UPDATE connections SET state = 'disconnected', token_sealed = NULL, disconnecting = NULL, \
         disconnected_at = $1 WHERE id = $2 AND state = 'disconnecting' AND disconnecting = $3",
    )
    .bind(now)
    .bind(id)
    .bind(request)
    .execute(tx)
    .await?;
    if ended == 1 {
        own_app_queries::remove(tx, id).await?;
    }
    Ok(ended == 1)
}

/// Ends a connection: the token is deleted.
pub(super) async fn end(tx: &mut WriteTx, id: ConnectionId, now: OffsetDateTime) -> Result<()> {
    query(
        "UPDATE connections SET state = 'disconnected', token_sealed = NULL, disconnecting = NULL, \
         disconnected_at = $1 WHERE id = $2",
    )
    .bind(now)
    .bind(id)
    .execute(tx)
    .await?;
    own_app_queries::remove(tx, id).await
}

/// How many customers connected for the first time since then: what Meta's onboarding limit counts.
pub(super) async fn onboarded_since(db: &mut impl Reads, since: OffsetDateTime) -> Result<i64> {
    query(
        "SELECT count(DISTINCT customer_id) AS n FROM connections c WHERE c.created_at >= $1 AND NOT c.is_own_app \
         AND NOT EXISTS (SELECT 1 FROM connections o WHERE o.customer_id = c.customer_id AND o.created_at < $1 \
         AND NOT o.is_own_app)",
    )
    .bind(since)
    .one(db, |row| row.int("n"))
    .await
}

/// How many connections there are in this state.
pub(super) async fn count_in(db: &mut impl Reads, state: ConnectionState) -> Result<i64> {
    query("SELECT count(*) AS n FROM connections WHERE state = $1")
        .bind(state.as_str())
        .one(db, |row| row.int("n"))
        .await
}
