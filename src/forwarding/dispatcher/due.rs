//! SQL that finds what is due.

use crate::{
    base::{clock, ids::EndpointId},
    forwarding::{
        endpoint::{Delivery, Endpoint},
        queries,
    },
    store::{Reads, Result, Row, query},
};
use time::OffsetDateTime;

/// A delivery to be begun.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub delivery: Delivery,
    /// When its first attempt began since the endpoint was resumed last; `None` where there was none.
    pub first_at: Option<OffsetDateTime>,
    /// How many attempts there were since then: after a pause the schedule begins anew.
    pub made: i64,
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

fn due(row: &Row) -> Result<Due> {
    Ok(Due { delivery: queries::delivery(row)?, first_at: row.opt_time("first_at")?, made: row.int("made")? })
}

/// What is due at once after this number, in the order of the numbers.
pub(super) async fn fresh(db: &mut impl Reads, endpoint: &Endpoint, after: i64, limit: i64) -> Result<Vec<Due>> {
    query(
        "SELECT d.*, CASE WHEN d.attempts > 0 THEN (SELECT min(a.at) FROM delivery_attempts a \
         WHERE a.endpoint_id = d.endpoint_id AND a.number = d.number AND a.at >= $2) END AS first_at, \
         CASE WHEN d.attempts > 0 THEN (SELECT count(*) FROM delivery_attempts a \
         WHERE a.endpoint_id = d.endpoint_id AND a.number = d.number AND a.at >= $2) ELSE 0 END AS made \
         FROM deliveries d \
         WHERE d.endpoint_id = $1 AND d.next_at IS NOT NULL AND d.next_at = 0 AND d.number > $3 \
         ORDER BY d.number LIMIT $4",
    )
    .bind(endpoint.id)
    .bind(endpoint.state_since)
    .bind(after)
    .bind(limit)
    .all(db, due)
    .await
}

/// What is due to be tried again, the longest due first.
pub(super) async fn retries(
    db: &mut impl Reads,
    endpoint: &Endpoint,
    now: OffsetDateTime,
    limit: i64,
) -> Result<Vec<Due>> {
    query(
        "SELECT d.*, (SELECT min(a.at) FROM delivery_attempts a \
         WHERE a.endpoint_id = d.endpoint_id AND a.number = d.number AND a.at >= $2) AS first_at, \
         (SELECT count(*) FROM delivery_attempts a \
         WHERE a.endpoint_id = d.endpoint_id AND a.number = d.number AND a.at >= $2) AS made \
         FROM deliveries d \
         WHERE d.endpoint_id = $1 AND d.next_at IS NOT NULL AND d.next_at > 0 AND d.next_at <= $3 \
         ORDER BY d.next_at, d.number LIMIT $4",
    )
    .bind(endpoint.id)
    .bind(endpoint.state_since)
    .bind(clock::to_ms(now))
    .bind(limit)
    .all(db, due)
    .await
}
