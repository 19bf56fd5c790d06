//! What the built-in receiver keeps.

use crate::{
    base::ids::{self, EndpointId},
    store::{Reads, Result, WriteTx, query},
};
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

pub(super) async fn keep(
    tx: &mut WriteTx,
    endpoint: EndpointId,
    at: OffsetDateTime,
    headers: String,
    body: String,
    answered: i64,
) -> Result<()> {
    query("INSERT INTO received_calls (id, endpoint_id, at, headers, body, answered) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(ids::new_uuid().to_string())
        .bind(endpoint)
        .bind(at)
        .bind(headers)
        .bind(body)
        .bind(answered)
        .execute(tx)
        .await?;
    query(
        "DELETE FROM received_calls WHERE endpoint_id = $1 AND id NOT IN \
         (SELECT id FROM received_calls WHERE endpoint_id = $1 ORDER BY id DESC LIMIT $2)",
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

pub(super) async fn set_answers(tx: &mut WriteTx, endpoint: EndpointId, answers: i64) -> Result<()> {
    query("UPDATE endpoints SET receiver_answers = $1 WHERE id = $2").bind(answers).bind(endpoint).execute(tx).await?;
    Ok(())
}

pub(super) async fn forget(tx: &mut WriteTx, endpoint: EndpointId) -> Result<()> {
    query("DELETE FROM received_calls WHERE endpoint_id = $1").bind(endpoint).execute(tx).await?;
    Ok(())
}
