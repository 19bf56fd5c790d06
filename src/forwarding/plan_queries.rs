//! SQL that plans deliveries, and what is awaited of messages.

use super::endpoint::Cause;
use crate::{
    base::ids::EndpointId,
    store::{Arg, Reads, Result, Rows, StoreError, WriteTx, query},
    webhooks::EventId,
};
use time::OffsetDateTime;

/// A delivery that has no number yet.
#[derive(Clone, Debug)]
pub(super) struct NewDelivery {
    /// 0 for a test.
    pub event: EventId,
    pub item: Option<usize>,
    pub lane: i64,
    pub more_lanes: Vec<i64>,
    pub cause: Cause,
    pub report: Option<String>,
}

impl NewDelivery {
    /// Whether it has something that few have.
    pub fn has_more(&self) -> bool {
        self.report.is_some() || !self.more_lanes.is_empty()
    }
}

pub(super) static INSERT: Rows = Rows::new(
    "INSERT INTO deliveries (endpoint_id, number, event_id, item, cause, state, lane, attempts, next_at, created_at) VALUES",
    10,
    "",
);
/// The same with what few have.
pub(super) static INSERT_WITH_MORE: Rows = Rows::new(
    "INSERT INTO deliveries (endpoint_id, number, event_id, item, cause, state, lane, attempts, next_at, created_at, \
     more_lanes, report) VALUES",
    12,
    "",
);

/// The values of one row. Its time is 0: due at once, in the order of the numbers.
pub(super) fn row(rows: &mut Vec<Arg>, endpoint: EndpointId, number: i64, new: &NewDelivery, now: OffsetDateTime) {
    rows.extend([
        endpoint.into(),
        number.into(),
        new.event.0.into(),
        item(new.item).into(),
        new.cause.as_str().into(),
        "pending".into(),
        new.lane.into(),
        0_i64.into(),
        0_i64.into(),
        now.into(),
    ]);
}

/// The values of what few have, behind those of [`row`].
pub(super) fn more(rows: &mut Vec<Arg>, new: &NewDelivery) -> Result<()> {
    let lanes = (!new.more_lanes.is_empty()).then(|| serde_json::to_string(&new.more_lanes)).transpose();
    let lanes = lanes.map_err(|_| StoreError::Value("more_lanes".to_owned()))?;
    rows.extend([lanes.into(), new.report.clone().into()]);
    Ok(())
}

/// An item as it is kept.
pub(super) fn item(item: Option<usize>) -> i64 {
    item.and_then(|item| i64::try_from(item).ok()).unwrap_or(-1)
}

/// Takes so many numbers for an endpoint; the last of them. `None` where it is disabled.
pub(super) async fn take_numbers(tx: &mut WriteTx, endpoint: EndpointId, n: i64) -> Result<Option<i64>> {
    query(
        "UPDATE endpoints SET last_number = last_number + $1 WHERE id = $2 AND state <> 'disabled' \
         RETURNING last_number",
    )
    .bind(n)
    .bind(endpoint)
    .optional(tx, |row| row.int("last_number"))
    .await
}

/// What is awaited: the first word of it stays.
pub(super) static AWAIT: Rows = Rows::new(
    "INSERT INTO awaited_receipts (endpoint_id, message_id, event_id, item, expires_at, report) VALUES",
    6,
    " ON CONFLICT (endpoint_id, message_id) DO NOTHING",
);

/// What is awaited no longer. The row stays for a while, as what Meta sent first may come last.
pub(super) static SETTLE: Rows = Rows::new(
    "INSERT INTO awaited_receipts (endpoint_id, message_id, event_id, item, expires_at, report) VALUES",
    6,
    " ON CONFLICT (endpoint_id, message_id) DO UPDATE SET event_id = 0, item = -1, expires_at = excluded.expires_at, \
     report = NULL",
);

/// A message whose time is over.
pub(super) struct Overdue {
    pub endpoint: EndpointId,
    pub message: String,
    /// 0 where it was settled.
    pub event: EventId,
    pub item: i64,
    /// What is then told; `None` where it is to be made of the event.
    pub report: Option<String>,
}

/// Those whose time is over, the oldest first.
pub(super) async fn overdue(db: &mut impl Reads, now: OffsetDateTime, limit: i64) -> Result<Vec<Overdue>> {
    query(
        "SELECT endpoint_id, message_id, event_id, item, report FROM awaited_receipts WHERE expires_at <= $1 \
         ORDER BY expires_at LIMIT $2",
    )
    .bind(now)
    .bind(limit)
    .all(db, |row| {
        Ok(Overdue {
            endpoint: row.parse("endpoint_id")?,
            message: row.text("message_id")?,
            event: EventId(row.int("event_id")?),
            item: row.int("item")?,
            report: row.opt_text("report")?,
        })
    })
    .await
}

/// Takes one out; whether it still stood so.
pub(super) async fn take_overdue(tx: &mut WriteTx, overdue: &Overdue, now: OffsetDateTime) -> Result<bool> {
    let taken = query(
        "DELETE FROM awaited_receipts WHERE endpoint_id = $1 AND message_id = $2 AND event_id = $3 \
         AND expires_at <= $4",
    )
    .bind(overdue.endpoint)
    .bind(&overdue.message)
    .bind(overdue.event.0)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(taken == 1)
}
