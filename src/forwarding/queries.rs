//! SQL of endpoints, and of what pages read of deliveries.

use super::endpoint::{Delivery, EndpointState, Format};
use crate::{
    base::{
        clock,
        ids::{CustomerId, EndpointId},
    },
    store::{Reads, Result, Row, StoreError, WriteTx, counters::Counter, query},
    webhooks::EventId,
};
use time::OffsetDateTime;

/// The version of what endpoints there are and what they want: moves in the transaction that changes one.
pub const ENDPOINTS: Counter = Counter("endpoints");

/// An endpoint as it stands in its row, secrets sealed.
#[derive(Clone, Debug)]
pub(super) struct EndpointRow {
    pub id: EndpointId,
    pub customer: CustomerId,
    pub name: String,
    pub url: String,
    pub format: Format,
    pub kinds: Option<Vec<String>>,
    pub wabas: Option<Vec<String>>,
    pub numbers: Option<Vec<String>>,
    pub secret: String,
    pub old_secret: Option<(String, OffsetDateTime)>,
    pub verify_token: Option<String>,
    pub state: EndpointState,
    pub state_reason: Option<String>,
    pub state_since: OffsetDateTime,
    pub failing_since: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
}

fn endpoint(row: &Row) -> Result<EndpointRow> {
    let old = (row.opt_text("old_secret_sealed")?, row.opt_time("old_secret_until")?);
    Ok(EndpointRow {
        id: row.parse("id")?,
        customer: row.parse("customer_id")?,
        name: row.text("name")?,
        url: row.text("url")?,
        format: row.parse("format")?,
        kinds: row.opt_json("kinds")?,
        wabas: row.opt_json("waba_ids")?,
        numbers: row.opt_json("phone_number_ids")?,
        secret: row.text("secret_sealed")?,
        old_secret: if let (Some(secret), Some(until)) = old { Some((secret, until)) } else { None },
        verify_token: row.opt_text("verify_token_sealed")?,
        state: row.parse("state")?,
        state_reason: row.opt_text("state_reason")?,
        state_since: row.time("state_since")?,
        failing_since: row.opt_time("failing_since")?,
        created_at: row.time("created_at")?,
    })
}

/// An endpoint that is not called, or does not answer well.
#[derive(Clone, Debug)]
pub struct UnwellEndpoint {
    /// Whose it is.
    pub customer: CustomerId,
    /// Its name.
    pub name: String,
    /// Whether it is called.
    pub state: EndpointState,
    /// Since when it is unwell.
    pub since: OffsetDateTime,
}

/// Those of one customer, or of all for `None`; the longest unwell first.
pub(super) async fn unwell(db: &mut impl Reads, customer: Option<CustomerId>) -> Result<Vec<UnwellEndpoint>> {
    query(
        "SELECT customer_id, name, state, CASE WHEN state = 'active' THEN coalesce(failing_since, state_since) \
         ELSE state_since END AS unwell_since FROM endpoints WHERE (state <> 'active' OR failing_since IS NOT NULL) \
         AND coalesce(state_reason, '') <> $1 AND ($2 = '' OR customer_id = $2) ORDER BY unwell_since LIMIT 200",
    )
    .bind(DELETED)
    .bind(customer.map(|id| id.to_string()).unwrap_or_default())
    .all(db, |row| {
        Ok(UnwellEndpoint {
            customer: row.parse("customer_id")?,
            name: row.text("name")?,
            state: row.parse("state")?,
            since: row.time("unwell_since")?,
        })
    })
    .await
}

/// Why an endpoint is disabled whose rows are being removed: it is there no longer, for everybody else.
pub(super) const DELETED: &str = "deleted";

/// All of a customer's, the oldest first.
pub(super) async fn endpoints(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<EndpointRow>> {
    query(
        "SELECT * FROM endpoints WHERE customer_id = $1 AND coalesce(state_reason, '') <> $2 \
         ORDER BY created_at, id",
    )
    .bind(customer)
    .bind(DELETED)
    .all(db, endpoint)
    .await
}

/// One of a customer's.
pub(super) async fn endpoint_of(
    db: &mut impl Reads,
    customer: CustomerId,
    id: EndpointId,
) -> Result<Option<EndpointRow>> {
    query("SELECT * FROM endpoints WHERE id = $1 AND customer_id = $2 AND coalesce(state_reason, '') <> $3")
        .bind(id)
        .bind(customer)
        .bind(DELETED)
        .optional(db, endpoint)
        .await
}

/// One, whosesoever.
pub(super) async fn by_id(db: &mut impl Reads, id: EndpointId) -> Result<Option<EndpointRow>> {
    query("SELECT * FROM endpoints WHERE id = $1").bind(id).optional(db, endpoint).await
}

/// All of a customer's, also those that are being removed.
pub(super) async fn all_of(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<EndpointRow>> {
    query("SELECT * FROM endpoints WHERE customer_id = $1 ORDER BY created_at, id")
        .bind(customer)
        .all(db, endpoint)
        .await
}

/// All that there are.
pub(super) async fn all(db: &mut impl Reads) -> Result<Vec<EndpointRow>> {
    query("SELECT * FROM endpoints").all(db, endpoint).await
}

fn list(all: Option<&Vec<String>>) -> Result<Option<String>> {
    all.map(|all| serde_json::to_string(all).map_err(|_| StoreError::Value("a list".to_owned()))).transpose()
}

pub(super) async fn insert(tx: &mut WriteTx, row: &EndpointRow) -> Result<()> {
    query(
        "INSERT INTO endpoints (id, customer_id, name, url, format, kinds, waba_ids, phone_number_ids, \
         secret_sealed, verify_token_sealed, state, state_since, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $12)",
    )
    .bind(row.id)
    .bind(row.customer)
    .bind(&row.name)
    .bind(&row.url)
    .bind(row.format.as_str())
    .bind(list(row.kinds.as_ref())?)
    .bind(list(row.wabas.as_ref())?)
    .bind(list(row.numbers.as_ref())?)
    .bind(&row.secret)
    .bind(row.verify_token.clone())
    .bind(row.state.as_str())
    .bind(row.created_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// What its owner chose anew; the format stays.
pub(super) async fn update(tx: &mut WriteTx, row: &EndpointRow, now: OffsetDateTime) -> Result<()> {
    query(
        "UPDATE endpoints SET name = $1, url = $2, kinds = $3, waba_ids = $4, phone_number_ids = $5, \
         verify_token_sealed = $6, updated_at = $7 WHERE id = $8",
    )
    .bind(&row.name)
    .bind(&row.url)
    .bind(list(row.kinds.as_ref())?)
    .bind(list(row.wabas.as_ref())?)
    .bind(list(row.numbers.as_ref())?)
    .bind(row.verify_token.clone())
    .bind(now)
    .bind(row.id)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn set_secrets(
    tx: &mut WriteTx,
    id: EndpointId,
    secret: &str,
    old: Option<(String, OffsetDateTime)>,
    now: OffsetDateTime,
) -> Result<()> {
    let (old, until) = old.unzip();
    query(
        "UPDATE endpoints SET secret_sealed = $1, old_secret_sealed = $2, old_secret_until = $3, updated_at = $4 \
         WHERE id = $5",
    )
    .bind(secret)
    .bind(old)
    .bind(until)
    .bind(now)
    .bind(id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Whether it went from one of these states into that one. What failed before counts no longer.
pub(super) async fn set_state(
    tx: &mut WriteTx,
    id: EndpointId,
    from: [EndpointState; 2],
    state: EndpointState,
    reason: Option<&str>,
    now: OffsetDateTime,
) -> Result<bool> {
    let changed = query(
        "UPDATE endpoints SET state = $1, state_reason = $2, state_since = $3, updated_at = $3, \
         failing_since = CASE WHEN $1 = 'active' THEN NULL ELSE failing_since END \
         WHERE id = $4 AND state IN ($5, $6) AND coalesce(state_reason, '') <> $7",
    )
    .bind(state.as_str())
    .bind(reason)
    .bind(now)
    .bind(id)
    .bind(from[0].as_str())
    .bind(from[1].as_str())
    .bind(DELETED)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// One try of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The first is 1.
    pub attempt: i64,
    /// When it began.
    pub at: OffsetDateTime,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// HTTP's status; `None` where there was no answer.
    pub status: Option<i64>,
    /// Why it failed, in a word, where the status does not say it.
    pub error: Option<String>,
    /// The start of the answer.
    pub answer: Option<String>,
}

pub(super) fn delivery(row: &Row) -> Result<Delivery> {
    let (created_at, item) = (row.time("created_at")?, row.int("item")?);
    Ok(Delivery {
        endpoint: row.parse("endpoint_id")?,
        number: row.int("number")?,
        event: Some(row.int("event_id")?).filter(|id| *id != 0).map(EventId),
        item: usize::try_from(item).ok(),
        cause: row.parse("cause")?,
        state: row.parse("state")?,
        lane: row.int("lane")?,
        more_lanes: row.opt_json("more_lanes")?.unwrap_or_default(),
        attempts: row.int("attempts")?,
        // What is due at once, in the order of the numbers, has the time 0.
        next_at: row.opt_time("next_at")?.map(|at| if clock::to_ms(at) == 0 { created_at } else { at }),
        created_at,
        done_at: row.opt_time("done_at")?,
        report: row.opt_text("report")?,
    })
}

/// Those of an event that are this customer's, by endpoint and number.
pub(super) async fn deliveries_of(
    db: &mut impl Reads,
    event: EventId,
    customer: Option<CustomerId>,
) -> Result<Vec<Delivery>> {
    query(
        "SELECT d.* FROM deliveries d JOIN endpoints e ON e.id = d.endpoint_id \
         WHERE d.event_id = $1 AND ($2 = '' OR e.customer_id = $2) AND coalesce(e.state_reason, '') <> $3 \
         ORDER BY d.created_at, d.endpoint_id, d.number",
    )
    .bind(event.0)
    .bind(customer.map(|id| id.to_string()).unwrap_or_default())
    .bind(DELETED)
    .all(db, delivery)
    .await
}

/// One delivery.
pub(super) async fn delivery_of(db: &mut impl Reads, endpoint: EndpointId, number: i64) -> Result<Option<Delivery>> {
    query("SELECT * FROM deliveries WHERE endpoint_id = $1 AND number = $2")
        .bind(endpoint)
        .bind(number)
        .optional(db, delivery)
        .await
}

/// Those of an endpoint before this number, the newest first.
pub(super) async fn latest(
    db: &mut impl Reads,
    endpoint: EndpointId,
    before: i64,
    limit: i64,
) -> Result<Vec<Delivery>> {
    query("SELECT * FROM deliveries WHERE endpoint_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3")
        .bind(endpoint)
        .bind(before)
        .bind(limit)
        .all(db, delivery)
        .await
}

pub(super) async fn attempts_of(db: &mut impl Reads, endpoint: EndpointId, number: i64) -> Result<Vec<Attempt>> {
    query(
        "SELECT attempt, at, duration_ms, status, error, answer FROM delivery_attempts \
         WHERE endpoint_id = $1 AND number = $2 ORDER BY attempt",
    )
    .bind(endpoint)
    .bind(number)
    .all(db, |row| {
        Ok(Attempt {
            attempt: row.int("attempt")?,
            at: row.time("at")?,
            duration_ms: row.int("duration_ms")?,
            status: row.opt_int("status")?,
            error: row.opt_text("error")?,
            answer: row.opt_text("answer")?,
        })
    })
    .await
}

/// How many are pending, by endpoint; at most a thousand are counted.
pub(super) async fn pending(db: &mut impl Reads, endpoint: EndpointId) -> Result<i64> {
    query(
        "SELECT count(*) AS n FROM (SELECT 1 AS one FROM deliveries WHERE endpoint_id = $1 AND next_at IS NOT NULL \
         LIMIT 1000) ones",
    )
    .bind(endpoint)
    .one(db, |row| row.int("n"))
    .await
}

/// The subjects of jobs of a kind that look so.
pub(super) async fn jobs_like(db: &mut impl Reads, kind: &str, like: &str) -> Result<Vec<String>> {
    query("SELECT subject FROM jobs WHERE kind = $1 AND subject LIKE $2")
        .bind(kind)
        .bind(like)
        .all(db, |row| row.text("subject"))
        .await
}
