//! All SQL of `signup_attempts` and `partner_events`.

use super::{attempt::Attempt, model::Step};
use crate::{
    base::{
        clock::to_ms,
        ids::{AttemptId, BusinessId, CustomerId, WabaId},
    },
    store::{Reads, Result, Row, StoreError, WriteTx, query},
    web::Before,
};
use serde::Serialize;
use time::OffsetDateTime;

fn attempt(row: &Row) -> Result<Attempt> {
    Ok(Attempt {
        id: row.parse("id")?,
        customer_id: row.parse("customer_id")?,
        user_id: row.parse("user_id")?,
        flow: row.parse("flow")?,
        coexistence: row.bool("coexistence")?,
        step: row.parse("step")?,
        version: row.int("version")?,
        step_since: row.time("step_since")?,
        code_sealed: row.opt_text("code_sealed")?,
        code_received_at: row.opt_time("code_received_at")?,
        window_closed_at: row.opt_time("window_closed_at")?,
        token_sealed: row.opt_text("token_sealed")?,
        hint: row.opt_json("hint")?,
        hint_at: row.opt_time("hint_at")?,
        grant: row.opt_json("grant_info")?,
        candidates: row.opt_json("candidates")?.unwrap_or_default(),
        chosen: row.opt_json("chosen")?.unwrap_or_default(),
        failure: row.opt_json("failure")?,
        trouble: row.opt_json("trouble")?,
        connections: row.opt_json("connections")?.unwrap_or_default(),
        reconnect: row.opt_json("reconnect")?,
        created_at: row.time("created_at")?,
    })
}

fn json<T: Serialize>(column: &str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| StoreError::Value(column.to_owned()))
}

/// Makes an attempt, and says whether it did; one that is there already (a repeated request) is left as it is.
pub(super) async fn insert(
    tx: &mut WriteTx,
    new: &Attempt,
    state_hash: Option<String>,
    es_config_id: Option<&str>,
) -> Result<bool> {
    let made = query(
        "INSERT INTO signup_attempts (id, customer_id, user_id, flow, coexistence, step, step_since, state_hash, \
         es_config_id, reconnect, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $7, $7) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(new.id)
    .bind(new.customer_id)
    .bind(new.user_id)
    .bind(new.flow.as_str())
    .bind(new.coexistence)
    .bind(new.step.as_str())
    .bind(new.created_at)
    .bind(state_hash)
    .bind(es_config_id.map(str::to_owned))
    .bind(new.reconnect.as_ref().map(|reconnect| json("reconnect", reconnect)).transpose()?)
    .execute(tx)
    .await?;
    Ok(made == 1)
}

/// Whether a customer was ever connected through this configuration.
pub(super) async fn config_worked(db: &mut impl Reads, es_config_id: &str) -> Result<bool> {
    let found = query("SELECT 1 AS n FROM signup_attempts WHERE es_config_id = $1 AND step = 'done' LIMIT 1");
    Ok(found.bind(es_config_id).optional(db, |_| Ok(())).await?.is_some())
}

/// How many attempts failed since then.
pub(super) async fn failed_since(db: &mut impl Reads, since: OffsetDateTime) -> Result<i64> {
    query("SELECT count(*) AS n FROM signup_attempts WHERE created_at >= $1 AND step = 'failed'")
        .bind(since)
        .one(db, |row| row.int("n"))
        .await
}

pub(super) async fn get(db: &mut impl Reads, id: AttemptId) -> Result<Option<Attempt>> {
    query("SELECT * FROM signup_attempts WHERE id = $1").bind(id).optional(db, attempt).await
}

/// How far an attempt has changed, and its step; `None` where it is not this customer's.
pub(super) async fn version(db: &mut impl Reads, customer: CustomerId, id: AttemptId) -> Result<Option<(i64, Step)>> {
    query("SELECT version, step FROM signup_attempts WHERE id = $1 AND customer_id = $2")
        .bind(id)
        .bind(customer)
        .optional(db, |row| Ok((row.int("version")?, row.parse("step")?)))
        .await
}

pub(super) async fn by_state(db: &mut impl Reads, hash: &str) -> Result<Option<Attempt>> {
    query("SELECT * FROM signup_attempts WHERE state_hash = $1").bind(hash).optional(db, attempt).await
}

/// Writes an attempt back as a whole, unless somebody else has changed it since it was read.
/// A `state` works once: it goes with the first change.
pub(super) async fn update(tx: &mut WriteTx, changed: &Attempt, now: OffsetDateTime) -> Result<bool> {
    let hint = changed.hint.as_ref().map(|hint| json("hint", hint)).transpose()?;
    let grant = changed.grant.as_ref().map(|grant| json("grant_info", grant)).transpose()?;
    let failure = changed.failure.as_ref().map(|failure| json("failure", failure)).transpose()?;
    let trouble = changed.trouble.as_ref().map(|trouble| json("trouble", trouble)).transpose()?;
    let rows = query(
        "UPDATE signup_attempts SET step = $1, step_since = $2, code_sealed = $3, code_received_at = $4, \
         window_closed_at = $5, token_sealed = $6, hint = $7, hint_at = $8, grant_info = $9, candidates = $10, \
         chosen = $11, failure = $12, trouble = $13, connections = $14, finished_at = $15, updated_at = $16, \
         ended_as = $17, reconnect = $18, version = version + 1, state_hash = NULL WHERE id = $19 AND version = $20",
    )
    .bind(changed.step.as_str())
    .bind(changed.step_since)
    .bind(changed.code_sealed.clone())
    .bind(changed.code_received_at)
    .bind(changed.window_closed_at)
    .bind(changed.token_sealed.clone())
    .bind(hint)
    .bind(changed.hint_at)
    .bind(grant)
    .bind(json("candidates", &changed.candidates)?)
    .bind(json("chosen", &changed.chosen)?)
    .bind(failure)
    .bind(trouble)
    .bind(json("connections", &changed.connections)?)
    .bind(changed.step.is_final().then(|| to_ms(now)))
    .bind(now)
    .bind(super::funnel::End::of(changed).map(|end| end.as_word()))
    .bind(changed.reconnect.as_ref().map(|reconnect| json("reconnect", reconnect)).transpose()?)
    .bind(changed.id)
    .bind(changed.version)
    .execute(tx)
    .await?;
    Ok(rows == 1)
}

/// Attempts that are waiting for Facebook's window and began since then.
pub(super) async fn open_since(db: &mut impl Reads, since: OffsetDateTime) -> Result<Vec<Attempt>> {
    query("SELECT * FROM signup_attempts WHERE step = 'launched' AND created_at > $1 ORDER BY created_at")
        .bind(since)
        .all(db, attempt)
        .await
}

/// Attempts of other customers that began since then, wherever they stand.
pub(super) async fn of_others(
    db: &mut impl Reads,
    customer: CustomerId,
    since: OffsetDateTime,
) -> Result<Vec<Attempt>> {
    query("SELECT * FROM signup_attempts WHERE customer_id <> $1 AND created_at > $2")
        .bind(customer)
        .bind(since)
        .all(db, attempt)
        .await
}

/// A customer's attempts, the newest first.
pub(super) async fn recent(db: &mut impl Reads, customer: CustomerId, limit: i64) -> Result<Vec<Attempt>> {
    query("SELECT * FROM signup_attempts WHERE customer_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2")
        .bind(customer)
        .bind(limit)
        .all(db, attempt)
        .await
}

/// A customer's attempts that began before this one, the newest first.
pub(super) async fn before(
    db: &mut impl Reads,
    customer: CustomerId,
    before: &Before,
    limit: i64,
) -> Result<Vec<Attempt>> {
    query(
        "SELECT * FROM signup_attempts WHERE customer_id = $1 AND (created_at, id) < ($2, $3) \
         ORDER BY created_at DESC, id DESC LIMIT $4",
    )
    .bind(customer)
    .bind(before.at)
    .bind(&before.id)
    .bind(limit)
    .all(db, attempt)
    .await
}

/// Customers' newest attempts that failed or are unfinished, the newest first.
pub(super) async fn recent_unfinished(db: &mut impl Reads, limit: i64) -> Result<Vec<Attempt>> {
    query(
        "SELECT * FROM signup_attempts a WHERE step <> 'done' AND NOT EXISTS (SELECT 1 FROM signup_attempts newer \
         WHERE newer.customer_id = a.customer_id AND newer.created_at > a.created_at) \
         ORDER BY created_at DESC, id DESC LIMIT $1",
    )
    .bind(limit)
    .all(db, attempt)
    .await
}

pub(super) async fn insert_partner_event(
    tx: &mut WriteTx,
    event: &str,
    waba: &WabaId,
    business: Option<&BusinessId>,
    (told_at, now): (OffsetDateTime, OffsetDateTime),
) -> Result<()> {
    query(
        "INSERT INTO partner_events (id, event, waba_id, business_id, told_at, received_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(crate::base::ids::new_uuid().to_string())
    .bind(event)
    .bind(waba)
    .bind(business.cloned())
    .bind(told_at)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// The business that shared a WABA with us last, by Meta's webhook, and when.
pub(super) async fn partner_added(
    db: &mut impl Reads,
    waba: &WabaId,
) -> Result<Option<(Option<BusinessId>, OffsetDateTime)>> {
    query(
        "SELECT business_id, told_at FROM partner_events WHERE waba_id = $1 \
         AND event IN ('PARTNER_ADDED', 'PARTNER_APP_INSTALLED') ORDER BY told_at DESC LIMIT 1",
    )
    .bind(waba)
    .optional(db, |row| Ok((row.opt_parse("business_id")?, row.time("told_at")?)))
    .await
}

/// WABAs that were shared with us since then, by Meta's webhook.
pub(super) async fn partners_since(db: &mut impl Reads, since: OffsetDateTime, limit: i64) -> Result<Vec<WabaId>> {
    query(
        "SELECT DISTINCT waba_id FROM partner_events WHERE told_at >= $1 \
         AND event IN ('PARTNER_ADDED', 'PARTNER_APP_INSTALLED') ORDER BY waba_id LIMIT $2",
    )
    .bind(since)
    .bind(limit)
    .all(db, |row| row.parse("waba_id"))
    .await
}

pub(super) async fn unfinished_of(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<AttemptId>> {
    query("SELECT id FROM signup_attempts WHERE customer_id = $1 AND step NOT IN ('done', 'failed')")
        .bind(customer)
        .all(db, |row| row.parse("id"))
        .await
}

pub(super) async fn ids_of(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<AttemptId>> {
    query("SELECT id FROM signup_attempts WHERE customer_id = $1").bind(customer).all(db, |row| row.parse("id")).await
}

/// The WABAs that a token of this customer's attempts opened.
pub(super) async fn proven_wabas(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<WabaId>> {
    let lists = query("SELECT candidates FROM signup_attempts WHERE customer_id = $1 AND candidates IS NOT NULL")
        .bind(customer)
        .all(db, |row| row.json::<Vec<super::attempt::Candidate>>("candidates"))
        .await?;
    Ok(lists.into_iter().flatten().map(|candidate| candidate.waba.id).collect())
}

/// Forgets a customer's attempts, and what Meta told of these WABAs.
pub(super) async fn erase(tx: &mut WriteTx, customer: CustomerId, wabas: &[WabaId]) -> Result<()> {
    query("DELETE FROM signup_attempts WHERE customer_id = $1").bind(customer).execute(tx).await?;
    for waba in wabas {
        query("DELETE FROM partner_events WHERE waba_id = $1").bind(waba).execute(tx).await?;
    }
    Ok(())
}

/// Attempts as they are kept, to be handed out, each with its ID; those after `last`.
pub(super) async fn export(
    db: &mut impl Reads,
    customer: CustomerId,
    last: &str,
    limit: i64,
) -> Result<Vec<(String, serde_json::Value)>> {
    let json = ["hint", "grant_info", "candidates", "chosen", "failure", "trouble", "connections", "reconnect"];
    query("SELECT * FROM signup_attempts WHERE customer_id = $1 AND id > $2 ORDER BY id LIMIT $3")
        .bind(customer)
        .bind(last)
        .bind(limit)
        .all(db, |row| Ok((row.text("id")?, row.to_json(&json)?)))
        .await
}

pub(super) async fn export_partner_events(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<serde_json::Value>> {
    query("SELECT * FROM partner_events WHERE waba_id = $1 ORDER BY told_at, id")
        .bind(waba)
        .all(db, |row| row.to_json(&[]))
        .await
}
