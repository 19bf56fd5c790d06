//! What the pages of endpoints read beside the endpoints themselves.

use super::queries::Attempt;
use crate::{
    base::ids::{CustomerId, EndpointId},
    store::{Reads, Result, query},
};
use std::collections::HashMap;
use time::OffsetDateTime;

/// How many of the latest deliveries are looked at for the last success and the last failure.
const LOOKED_AT: i64 = 200;

/// When an endpoint answered well and when it did not, among its latest deliveries.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Last {
    pub success: Option<OffsetDateTime>,
    pub failure: Option<OffsetDateTime>,
}

pub(super) async fn last(db: &mut impl Reads, endpoint: EndpointId) -> Result<Last> {
    query(
        "SELECT max(CASE WHEN status BETWEEN 200 AND 299 THEN at END) AS success, \
         max(CASE WHEN status BETWEEN 200 AND 299 THEN NULL ELSE at END) AS failure FROM delivery_attempts \
         WHERE endpoint_id = $1 AND number > (SELECT last_number - $2 FROM endpoints WHERE id = $1)",
    )
    .bind(endpoint)
    .bind(LOOKED_AT)
    .one(db, |row| Ok(Last { success: row.opt_time("success")?, failure: row.opt_time("failure")? }))
    .await
}

/// How many deliveries succeeded and how many attempts failed since a minute, by endpoint.
pub(super) async fn since(
    db: &mut impl Reads,
    customer: CustomerId,
    minute: i64,
) -> Result<HashMap<EndpointId, (i64, i64)>> {
    let lines = query(
        "SELECT endpoint_id, CAST(sum(delivered) AS BIGINT) AS delivered, CAST(sum(failed) AS BIGINT) AS failed \
         FROM delivery_minutes WHERE minute >= $1 AND endpoint_id IN (SELECT id FROM endpoints WHERE customer_id = $2) \
         GROUP BY endpoint_id",
    )
    .bind(minute)
    .bind(customer)
    .all(db, |row| Ok((row.parse("endpoint_id")?, (row.int("delivered")?, row.int("failed")?))))
    .await?;
    Ok(lines.into_iter().collect())
}

/// The attempts of the deliveries from this number on, by number.
pub(super) async fn attempts_from(
    db: &mut impl Reads,
    endpoint: EndpointId,
    number: i64,
) -> Result<HashMap<i64, Vec<Attempt>>> {
    let all = query(
        "SELECT number, attempt, at, duration_ms, status, error, answer FROM delivery_attempts \
         WHERE endpoint_id = $1 AND number >= $2 ORDER BY number, attempt",
    )
    .bind(endpoint)
    .bind(number)
    .all(db, |row| {
        let attempt = Attempt {
            attempt: row.int("attempt")?,
            at: row.time("at")?,
            duration_ms: row.int("duration_ms")?,
            status: row.opt_int("status")?,
            error: row.opt_text("error")?,
            answer: row.opt_text("answer")?,
        };
        Ok((row.int("number")?, attempt))
    })
    .await?;
    let mut by_number = HashMap::<i64, Vec<Attempt>>::new();
    for (number, attempt) in all {
        by_number.entry(number).or_default().push(attempt);
    }
    Ok(by_number)
}

/// A word that changes whenever the pages of an endpoint would look different; `None` where it is not there.
pub(super) async fn version(db: &mut impl Reads, endpoint: EndpointId) -> Result<Option<String>> {
    query(
        "SELECT state, last_number, updated_at, receiver_answers, \
         (SELECT CAST(coalesce(sum(attempts * 4 + CASE WHEN done_at IS NULL THEN 1 ELSE 2 END), 0) AS BIGINT) FROM \
         (SELECT attempts, done_at FROM deliveries WHERE endpoint_id = $1 ORDER BY number DESC LIMIT 50) latest) AS tried, \
         (SELECT max(id) FROM received_calls WHERE endpoint_id = $1) AS received FROM endpoints WHERE id = $1",
    )
    .bind(endpoint)
    .optional(db, |row| {
        Ok(format!(
            "{}.{}.{}.{}.{}.{}",
            row.text("state")?,
            row.int("last_number")?,
            row.int("updated_at")?,
            row.int("receiver_answers")?,
            row.int("tried")?,
            row.opt_text("received")?.unwrap_or_default(),
        ))
    })
    .await
}
