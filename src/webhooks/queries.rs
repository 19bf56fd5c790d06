//! All SQL of `intake`, `events`, `event_routes`, `event_marks`, `young_marks` and `event_minutes`.

use super::{
    change::EventId,
    kind::Kind,
    marks::Mark,
    route::{Owner, Place, Route, RoutedChange},
};
use crate::store::{Arg, Reads, Result, Row, Rows, WriteTx, query};
use time::OffsetDateTime;

/// A body that was kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub seq: i64,
    pub received_at: OffsetDateTime,
    pub body: String,
    /// To whose own app's address it came; `None`: to the operator's.
    pub sender: Option<Owner>,
}

/// The next bodies after this number: so many, and about so many bytes, at most, but one in any case.
pub(super) async fn after(db: &mut impl Reads, seq: i64, limit: i64, bytes: i64) -> Result<Vec<Kept>> {
    let sizes = query(
        "SELECT seq, CAST(octet_length(body) AS BIGINT) AS size FROM intake WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(seq)
    .bind(limit)
    .all(db, |row| Ok((row.int("seq")?, row.int("size")?)))
    .await?;
    let mut sum = 0;
    let fit = sizes.iter().take_while(|(_, size)| {
        sum += size;
        sum <= bytes
    });
    let Some(last) = fit.last().or(sizes.first()) else { return Ok(Vec::new()) };
    query(
        "SELECT seq, received_at, body, own_customer_id, own_connection_id FROM intake WHERE seq > $1 AND seq <= $2 \
         ORDER BY seq",
    )
    .bind(seq)
    .bind(last.0)
    .all(db, kept)
    .await
}

/// A row of `intake`.
pub(super) fn kept(row: &Row) -> Result<Kept> {
    let (customer, connection) = (row.opt_parse("own_customer_id")?, row.opt_parse("own_connection_id")?);
    let sender = customer.zip(connection).map(|(customer, connection)| Owner { customer, connection });
    Ok(Kept { seq: row.int("seq")?, received_at: row.time("received_at")?, body: row.text("body")?, sender })
}

/// Keeps bodies that came to addresses of customers' own apps; gives the number of the first.
pub(super) async fn keep_own(tx: &mut WriteTx, at: OffsetDateTime, bodies: Vec<(String, Owner)>) -> Result<i64> {
    static KEEP: Rows =
        Rows::new("INSERT INTO intake (seq, received_at, body, own_customer_id, own_connection_id) VALUES", 5, "");
    let count = bodies.len() as i64;
    let first = super::intake::LAST.advance(tx, count).await? - count + 1;
    let values = (first..).zip(bodies).flat_map(|(seq, (body, sender))| {
        [seq.into(), at.into(), body.into(), sender.customer.into(), sender.connection.into()]
    });
    KEEP.execute(tx, values.collect()).await?;
    Ok(first)
}

pub(super) async fn set_body(tx: &mut WriteTx, seq: i64, body: &str) -> Result<()> {
    query("UPDATE intake SET body = $1 WHERE seq = $2").bind(body).bind(seq).execute(tx).await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut WriteTx, seq: i64) -> Result<()> {
    query("DELETE FROM intake WHERE seq = $1").bind(seq).execute(tx).await?;
    Ok(())
}

/// The route of a place as it is owned now, made where it is not there yet. What is nobody's takes the last route
/// that is nobody's only where none came after it: what came before somebody had the place, and what came after, are
/// not the same.
pub(super) async fn route(tx: &mut WriteTx, place: &Place, now: OffsetDateTime) -> Result<Route> {
    let text = |id: Option<&str>| id.unwrap_or_default().to_owned();
    let waba = text(place.waba.as_ref().map(|id| id.as_str()));
    let number = text(place.phone_number.as_ref().map(|id| id.as_str()));
    let connection = place.owner.map(|owner| owner.connection);
    let found = match connection {
        Some(connection) => {
            query(
                "SELECT id FROM event_routes WHERE waba_id = $1 AND phone_number_id = $2 AND connection_id = $3 \
                 ORDER BY id LIMIT 1",
            )
            .bind(&waba)
            .bind(&number)
            .bind(connection)
            .optional(tx, |row| row.int("id"))
            .await?
        }
        None => query(
            "SELECT CASE WHEN customer_id IS NULL THEN id END AS unowned FROM event_routes \
                 WHERE waba_id = $1 AND phone_number_id = $2 ORDER BY id DESC LIMIT 1",
        )
        .bind(&waba)
        .bind(&number)
        .optional(tx, |row| row.opt_int("unowned"))
        .await?
        .flatten(),
    };
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

/// The marks of these digests that are not young.
pub(super) async fn marks(db: &mut impl Reads, digests: &[i64]) -> Result<Vec<(i64, Mark)>> {
    static FIND: Rows = Rows::new("SELECT digest, seen, event_id, day FROM event_marks WHERE digest IN (", 0, ")");
    let digests: Vec<Arg> = digests.iter().map(|digest| Arg::from(*digest)).collect();
    FIND.all(db, &digests, |row| {
        let mark = Mark::kept(row.int("seen")?, EventId(row.int("event_id")?), row.int("day")?);
        Ok((row.int("digest")?, mark))
    })
    .await
}

/// Writes marks to their places, each once; in the order of their digests neighbours share pages.
pub(super) async fn set_marks(tx: &mut WriteTx, marks: Vec<(i64, Mark)>) -> Result<()> {
    static SET: Rows = Rows::new(
        "INSERT INTO event_marks (digest, seen, event_id, day) VALUES",
        4,
        " ON CONFLICT (digest) DO UPDATE SET seen = excluded.seen, event_id = excluded.event_id, day = excluded.day",
    );
    let values = |(digest, mark): (i64, Mark)| [digest.into(), mark.seen.into(), mark.event.0.into(), mark.day.into()];
    SET.execute(tx, marks.into_iter().flat_map(values).collect()).await
}

/// The next rows of young marks after this one.
pub(super) async fn young(db: &mut impl Reads, after: i64, limit: i64) -> Result<Vec<(i64, String)>> {
    query("SELECT at, marks FROM young_marks WHERE at > $1 ORDER BY at LIMIT $2")
        .bind(after)
        .bind(limit)
        .all(db, |row| Ok((row.int("at")?, row.text("marks")?)))
        .await
}

/// Keeps the marks of the transaction that routed up to this body.
pub(super) async fn keep_young(tx: &mut WriteTx, at: i64, marks: &str) -> Result<()> {
    query("INSERT INTO young_marks (at, marks) VALUES ($1, $2)").bind(at).bind(marks).execute(tx).await?;
    Ok(())
}

/// Removes the oldest rows of young marks up to this one; tells how many.
pub(super) async fn remove_young(tx: &mut WriteTx, up_to: i64, limit: i64) -> Result<u64> {
    query("DELETE FROM young_marks WHERE at IN (SELECT at FROM young_marks WHERE at <= $1 ORDER BY at LIMIT $2)")
        .bind(up_to)
        .bind(limit)
        .execute(tx)
        .await
}

/// Makes events of changes.
pub(super) async fn insert_events(tx: &mut WriteTx, changes: &[RoutedChange<'_>]) -> Result<()> {
    static INSERT: Rows =
        Rows::new("INSERT INTO events (id, received_at, route_id, kind, detail, stale) VALUES", 6, "");
    let values = changes.iter().flat_map(|change| {
        let stale = (!change.stale.is_empty()).then(|| serde_json::json!(change.stale).to_string());
        let (id, route, kind) = (change.id.0, change.route.id, change.kind.name());
        [id.into(), change.received_at.into(), route.into(), kind.into(), change.detail.as_str().into(), stale.into()]
    });
    INSERT.execute(tx, values.collect()).await
}

/// Notes why nothing followed from an event.
pub(super) async fn set_problem(tx: &mut WriteTx, event: EventId, why: &str) -> Result<()> {
    query("UPDATE events SET problem = $1 WHERE id = $2").bind(why).bind(event.0).execute(tx).await?;
    Ok(())
}

/// What came in a minute: by minute, customer ('' for nobody's), and kind.
pub(super) type Counts = std::collections::BTreeMap<(i64, String, &'static str), i64>;

/// Counts what came.
pub(super) async fn count(tx: &mut WriteTx, counts: Counts) -> Result<()> {
    static COUNT: Rows = Rows::new(
        "INSERT INTO event_minutes (minute, customer_id, kind, n) VALUES",
        4,
        " ON CONFLICT (minute, customer_id, kind) DO UPDATE SET n = event_minutes.n + excluded.n",
    );
    let values = |((minute, customer, kind), n): ((i64, String, &str), i64)| {
        [Arg::from(minute), customer.into(), kind.into(), n.into()]
    };
    COUNT.execute(tx, counts.into_iter().flat_map(values).collect()).await
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
