//! All SQL of `intake`, `events`, `event_routes`, `event_marks` and `event_minutes`.

use super::{
    change::EventId,
    kind::Kind,
    route::{Owner, Place, Route},
};
use crate::store::{Reads, Result, Row, WriteTx, query};
use time::OffsetDateTime;

pub(super) async fn insert(tx: &mut WriteTx, seq: i64, body: &str, at: OffsetDateTime) -> Result<()> {
    query("INSERT INTO intake (seq, received_at, body) VALUES ($1, $2, $3)")
        .bind(seq)
        .bind(at)
        .bind(body)
        .execute(tx)
        .await?;
    Ok(())
}

/// A body that was kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub seq: i64,
    pub received_at: OffsetDateTime,
    pub body: String,
}

/// The next bodies after this number.
pub(super) async fn after(db: &mut impl Reads, seq: i64, limit: i64) -> Result<Vec<Kept>> {
    query("SELECT seq, received_at, body FROM intake WHERE seq > $1 ORDER BY seq LIMIT $2")
        .bind(seq)
        .bind(limit)
        .all(db, kept)
        .await
}

fn kept(row: &Row) -> Result<Kept> {
    Ok(Kept { seq: row.int("seq")?, received_at: row.time("received_at")?, body: row.text("body")? })
}

pub(super) async fn set_body(tx: &mut WriteTx, seq: i64, body: &str) -> Result<()> {
    query("UPDATE intake SET body = $1 WHERE seq = $2").bind(body).bind(seq).execute(tx).await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut WriteTx, seq: i64) -> Result<()> {
    query("DELETE FROM intake WHERE seq = $1").bind(seq).execute(tx).await?;
    Ok(())
}

/// The route of a place as it is owned now, made where it is not there yet. `last` numbers routes.
pub(super) async fn route(tx: &mut WriteTx, place: &Place, now: OffsetDateTime) -> Result<Route> {
    let text = |id: Option<&str>| id.unwrap_or_default().to_owned();
    let waba = text(place.waba.as_ref().map(|id| id.as_str()));
    let number = text(place.phone_number.as_ref().map(|id| id.as_str()));
    let connection = place.owner.map(|owner| owner.connection);
    let found = query(
        "SELECT id FROM event_routes WHERE waba_id = $1 AND phone_number_id = $2 \
         AND coalesce(connection_id, '') = coalesce($3, '')",
    )
    .bind(&waba)
    .bind(&number)
    .bind(connection)
    .optional(tx, |row| row.int("id"))
    .await?;
    let id = match found {
        Some(id) => id,
        None => {
            let id = crate::store::counters::Counter("event_routes").advance(tx, 1).await?;
            query(
                "INSERT INTO event_routes (id, waba_id, phone_number_id, customer_id, connection_id, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(id)
            .bind(waba)
            .bind(number)
            .bind(place.owner.map(|owner| owner.customer))
            .bind(connection)
            .bind(now)
            .execute(tx)
            .await?;
            id
        }
    };
    Ok(Route { id, place: place.clone() })
}

/// What was seen of this digest.
pub(super) async fn seen(db: &mut impl Reads, digest: i64, since_day: i64) -> Result<i64> {
    query("SELECT seen FROM event_marks WHERE digest = $1 AND day >= $2")
        .bind(digest)
        .bind(since_day)
        .optional(db, |row| row.int("seen"))
        .await
        .map(Option::unwrap_or_default)
}

pub(super) async fn mark(tx: &mut WriteTx, digest: i64, bit: i64, event: EventId, day: i64) -> Result<()> {
    query(
        "INSERT INTO event_marks (digest, seen, event_id, day) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (digest) DO UPDATE SET seen = event_marks.seen | excluded.seen, \
         event_id = excluded.event_id, day = excluded.day",
    )
    .bind(digest)
    .bind(bit)
    .bind(event.0)
    .bind(day)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn insert_event(
    tx: &mut WriteTx,
    id: EventId,
    at: OffsetDateTime,
    route: i64,
    kind: Kind,
    detail: &str,
    stale: Option<String>,
) -> Result<()> {
    query("INSERT INTO events (id, received_at, route_id, kind, detail, stale) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id.0)
        .bind(at)
        .bind(route)
        .bind(kind.name())
        .bind(detail)
        .bind(stale)
        .execute(tx)
        .await?;
    Ok(())
}

/// Counts what came in a minute.
pub(super) async fn count(tx: &mut WriteTx, minute: i64, customer: &str, kind: &str, n: i64) -> Result<()> {
    query(
        "INSERT INTO event_minutes (minute, customer_id, kind, n) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (minute, customer_id, kind) DO UPDATE SET n = event_minutes.n + excluded.n",
    )
    .bind(minute)
    .bind(customer)
    .bind(kind)
    .bind(n)
    .execute(tx)
    .await?;
    Ok(())
}

/// An event as it is shown in lists.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its ID.
    pub id: EventId,
    /// When it came.
    pub received_at: OffsetDateTime,
    /// Whose it is.
    pub route: Route,
    /// What it is about.
    pub kind: Kind,
    /// The type of a message, the status of a status, the event of an account update.
    pub detail: String,
    /// Which of its messages and statuses had come before.
    pub stale: Vec<usize>,
}

/// One event.
pub(super) async fn event(db: &mut impl Reads, id: EventId) -> Result<Option<Event>> {
    query(
        "SELECT e.id, e.received_at, e.kind, e.detail, e.stale, r.id AS route_id, r.waba_id, r.phone_number_id, \
         r.customer_id, r.connection_id FROM events e JOIN event_routes r ON r.id = e.route_id WHERE e.id = $1",
    )
    .bind(id.0)
    .optional(db, |row| {
        let owner = match (row.opt_parse("customer_id")?, row.opt_parse("connection_id")?) {
            (Some(customer), Some(connection)) => Some(Owner { customer, connection }),
            _ => None,
        };
        let place = Place {
            waba: row.text("waba_id")?.parse().ok(),
            phone_number: row.text("phone_number_id")?.parse().ok(),
            owner,
        };
        Ok(Event {
            id: EventId(row.int("id")?),
            received_at: row.time("received_at")?,
            route: Route { id: row.int("route_id")?, place },
            kind: row.parse("kind")?,
            detail: row.text("detail")?,
            stale: row.opt_json("stale")?.unwrap_or_default(),
        })
    })
    .await
}

/// The body of this number.
pub(super) async fn body(db: &mut impl Reads, seq: i64) -> Result<Option<String>> {
    query("SELECT body FROM intake WHERE seq = $1").bind(seq).optional(db, |row| row.text("body")).await
}
