//! SQL that finds what is due.

use crate::{
    base::{clock, ids::EndpointId},
    forwarding::{endpoint::Delivery, queries},
    store::{Reads, Result, query},
};
use time::OffsetDateTime;

/// A delivery to be begun.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub delivery: Delivery,
    /// When its first attempt began; `None` where there was none.
    pub first_at: Option<OffsetDateTime>,
}

/// The endpoints that are called and have something due.
pub(super) async fn endpoints(db: &mut impl Reads, now: OffsetDateTime) -> Result<Vec<EndpointId>> {
    query(
        "SELECT e.id FROM endpoints e WHERE e.state = 'active' AND EXISTS (SELECT 1 FROM deliveries d \
         WHERE d.endpoint_id = e.id AND d.next_at IS NOT NULL AND d.next_at <= $1)",
    )
    .bind(now)
    .all(db, |row| row.parse("id"))
    .await
}

/// What is due at once after this number, in the order of the numbers.
pub(super) async fn fresh(db: &mut impl Reads, endpoint: EndpointId, after: i64, limit: i64) -> Result<Vec<Due>> {
    query(
        "SELECT d.*, a.at AS first_at FROM deliveries d LEFT JOIN delivery_attempts a \
         ON a.endpoint_id = d.endpoint_id AND a.number = d.number AND a.attempt = 1 AND d.attempts > 0 \
         WHERE d.endpoint_id = $1 AND d.next_at IS NOT NULL AND d.next_at = 0 AND d.number > $2 \
         ORDER BY d.number LIMIT $3",
    )
    .bind(endpoint)
    .bind(after)
    .bind(limit)
    .all(db, |row| Ok(Due { delivery: queries::delivery(row)?, first_at: row.opt_time("first_at")? }))
    .await
}

/// What is due to be tried again, the longest due first.
pub(super) async fn retries(
    db: &mut impl Reads,
    endpoint: EndpointId,
    now: OffsetDateTime,
    limit: i64,
) -> Result<Vec<Due>> {
    query(
        "SELECT d.*, a.at AS first_at FROM deliveries d LEFT JOIN delivery_attempts a \
         ON a.endpoint_id = d.endpoint_id AND a.number = d.number AND a.attempt = 1 \
         WHERE d.endpoint_id = $1 AND d.next_at IS NOT NULL AND d.next_at > 0 AND d.next_at <= $2 \
         ORDER BY d.next_at, d.number LIMIT $3",
    )
    .bind(endpoint)
    .bind(clock::to_ms(now))
    .bind(limit)
    .all(db, |row| Ok(Due { delivery: queries::delivery(row)?, first_at: row.opt_time("first_at")? }))
    .await
}
