//! What the built-in receiver keeps.

use crate::{
    base::ids::{self, EndpointId},
    store::{Arg, Reads, Result, Rows, WriteTx, query},
};
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// How many calls are kept of each endpoint.
pub(super) const KEPT: i64 = 50;

/// A call that the built-in receiver got.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub id: String,
    pub at: OffsetDateTime,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub answered: i64,
}

/// A call that is to be kept.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub endpoint: EndpointId,
    pub at: OffsetDateTime,
    /// JSON: names and values.
    pub headers: String,
    pub body: String,
}

/// Keeps these calls, in their order, each with what it is answered; not those for whose endpoint there is nothing to
/// answer.
pub(super) async fn keep(
    tx: &mut WriteTx,
    calls: Vec<Call>,
    answered: impl Fn(EndpointId) -> Option<i64>,
) -> Result<()> {
    static INSERT: Rows =
        Rows::new("INSERT INTO received_calls (id, endpoint_id, at, headers, body, answered) VALUES", 6, "");
    let values = calls.into_iter().filter_map(|call| {
        let id = Arg::from(ids::new_uuid().to_string());
        let answered = answered(call.endpoint)?;
        Some([id, call.endpoint.into(), call.at.into(), call.headers.into(), call.body.into(), answered.into()])
    });
    INSERT.execute(tx, values.flatten().collect()).await
}

/// Removes what an endpoint got before its last [`KEPT`] calls.
pub(super) async fn trim(tx: &mut WriteTx, endpoint: EndpointId) -> Result<()> {
    query(
        "DELETE FROM received_calls WHERE endpoint_id = $1 AND id <= (SELECT id FROM received_calls \
         WHERE endpoint_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
    )
    .bind(endpoint)
    .bind(KEPT)
    .execute(tx)
    .await?;
    Ok(())
}

/// The newest first.
pub(super) async fn received(db: &mut impl Reads, endpoint: EndpointId) -> Result<Vec<Received>> {
    query("SELECT id, at, headers, body, answered FROM received_calls WHERE endpoint_id = $1 ORDER BY id DESC")
        .bind(endpoint)
        .all(db, |row| {
            Ok(Received {
                id: row.text("id")?,
                at: row.time("at")?,
                headers: row.json("headers")?,
                body: row.text("body")?,
                answered: row.int("answered")?,
            })
        })
        .await
}

pub(super) async fn answers(db: &mut impl Reads, endpoint: EndpointId) -> Result<i64> {
    query("SELECT receiver_answers FROM endpoints WHERE id = $1")
        .bind(endpoint)
        .one(db, |row| row.int("receiver_answers"))
        .await
}

/// What those of these endpoints that are there answer.
pub(super) async fn answers_of(
    db: &mut impl Reads,
    endpoints: impl Iterator<Item = EndpointId>,
) -> Result<Vec<(EndpointId, i64)>> {
    static FIND: Rows = Rows::new("SELECT id, receiver_answers FROM endpoints WHERE id IN (", 0, ")");
    let ids: Vec<Arg> = endpoints.collect::<BTreeSet<_>>().into_iter().map(Arg::from).collect();
    FIND.all(db, &ids, |row| Ok((row.parse("id")?, row.int("receiver_answers")?))).await
}

pub(super) async fn set_answers(tx: &mut WriteTx, endpoint: EndpointId, answers: i64) -> Result<()> {
    query("UPDATE endpoints SET receiver_answers = $1 WHERE id = $2").bind(answers).bind(endpoint).execute(tx).await?;
    Ok(())
}

pub(super) async fn forget(tx: &mut WriteTx, endpoint: EndpointId) -> Result<()> {
    query("DELETE FROM received_calls WHERE endpoint_id = $1").bind(endpoint).execute(tx).await?;
    Ok(())
}
