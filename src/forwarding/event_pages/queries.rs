//! SQL of the event pages: how deliveries stand.

use super::words::Outcome;
use crate::{
    base::ids::{CustomerId, EndpointId},
    forwarding::DeliveryState,
    store::{Reads, Result, Row, query},
    webhooks::EventId,
};
use std::collections::HashMap;

/// How many events are asked for at once.
const AT_ONCE: usize = 25;
const OF_EVENTS: &str = "SELECT event_id, endpoint_id, item, state, attempts FROM deliveries WHERE event_id IN \
     ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25) \
     ORDER BY number";

/// How the deliveries of these events stand: for each endpoint and part, the last one counts.
pub(super) async fn outcomes(db: &mut impl Reads, events: &[EventId]) -> Result<HashMap<EventId, Outcome>> {
    let mut latest: HashMap<(EventId, String, i64), (DeliveryState, i64)> = HashMap::new();
    for some in events.chunks(AT_ONCE) {
        let mut asked = query(OF_EVENTS);
        for place in 0..AT_ONCE {
            asked = asked.bind(some.get(place).map_or(-1, |id| id.0));
        }
        let rows = asked
            .all(db, |row| {
                let of = (EventId(row.int("event_id")?), row.text("endpoint_id")?, row.int("item")?);
                let state = row.parse("state")?;
                Ok((of, (state, row.int("attempts")?)))
            })
            .await?;
        latest.extend(rows);
    }
    let mut outcomes = HashMap::new();
    for ((event, ..), (state, attempts)) in latest {
        let outcome = match state {
            DeliveryState::Failed => Outcome::Failed,
            DeliveryState::Pending if attempts > 0 => Outcome::Retrying,
            DeliveryState::Pending => Outcome::Waiting,
            DeliveryState::Delivered => Outcome::Delivered,
            DeliveryState::Cancelled => Outcome::Cancelled,
        };
        let worst = outcomes.entry(event).or_insert(outcome);
        if (outcome as u8) < (*worst as u8) {
            *worst = outcome;
        }
    }
    Ok(outcomes)
}

/// How deliveries went in a minute.
#[derive(Clone, Debug)]
pub(super) struct DeliveryMinute {
    pub minute: i64,
    pub delivered: i64,
    pub failed: i64,
    pub latency_ms_sum: i64,
    pub latency_ms_max: i64,
}

fn delivery_minute(row: &Row) -> Result<DeliveryMinute> {
    Ok(DeliveryMinute {
        minute: row.int("minute")?,
        delivered: row.int("delivered")?,
        failed: row.int("failed")?,
        latency_ms_sum: row.int("latency_ms_sum")?,
        latency_ms_max: row.int("latency_ms_max")?,
    })
}

/// How deliveries to a customer's endpoints went since this minute.
pub(super) async fn delivery_minutes(
    db: &mut impl Reads,
    customer: CustomerId,
    since: i64,
) -> Result<Vec<DeliveryMinute>> {
    query(
        "SELECT minute, CAST(sum(delivered) AS BIGINT) AS delivered, CAST(sum(failed) AS BIGINT) AS failed, \
         CAST(sum(latency_ms_sum) AS BIGINT) AS latency_ms_sum, max(latency_ms_max) AS latency_ms_max \
         FROM delivery_minutes WHERE endpoint_id IN (SELECT id FROM endpoints WHERE customer_id = $2) \
         AND minute >= $1 GROUP BY minute ORDER BY minute",
    )
    .bind(since)
    .bind(customer)
    .all(db, delivery_minute)
    .await
}

/// How deliveries to all endpoints went since this minute.
pub(super) async fn delivery_minutes_of_all(db: &mut impl Reads, since: i64) -> Result<Vec<DeliveryMinute>> {
    query(
        "SELECT minute, CAST(sum(delivered) AS BIGINT) AS delivered, CAST(sum(failed) AS BIGINT) AS failed, \
         CAST(sum(latency_ms_sum) AS BIGINT) AS latency_ms_sum, max(latency_ms_max) AS latency_ms_max \
         FROM delivery_minutes WHERE minute >= $1 GROUP BY minute ORDER BY minute",
    )
    .bind(since)
    .all(db, delivery_minute)
    .await
}

/// The names of endpoints.
pub(super) async fn endpoint_name(db: &mut impl Reads, id: EndpointId) -> Result<Option<String>> {
    query("SELECT name FROM endpoints WHERE id = $1").bind(id).optional(db, |row| row.text("name")).await
}
