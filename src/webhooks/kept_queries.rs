//! SQL for what is looked at long after it came: erasing, handing out, tidying up. Each statement follows a key, so
//! that none walks a whole table.

use super::{
    change::EventId,
    kind::Kind,
    queries::{Event, Kept},
    route::{Owner, Place, Route},
};
use crate::{
    base::ids::{CustomerId, WabaId},
    store::{Reads, Result, Row, WriteTx, query},
};
use time::OffsetDateTime;

/// A row of `event_routes`, as far as it stands in the columns of that name.
pub(super) fn route(row: &Row) -> Result<Route> {
    let owner = match (row.opt_parse("customer_id")?, row.opt_parse("connection_id")?) {
        (Some(customer), Some(connection)) => Some(Owner { customer, connection }),
        _ => None,
    };
    let (waba, phone_number) = (row.text("waba_id")?.parse().ok(), row.text("phone_number_id")?.parse().ok());
    Ok(Route { id: row.int("route_id")?, place: Place { waba, phone_number, owner } })
}

/// The routes of the events of some bodies: from the first until before the second.
pub(super) async fn routes_between(
    db: &mut impl Reads,
    from: EventId,
    before: EventId,
) -> Result<Vec<(EventId, Route)>> {
    query(
        "SELECT e.id, r.id AS route_id, r.waba_id, r.phone_number_id, r.customer_id, r.connection_id \
         FROM events e JOIN event_routes r ON r.id = e.route_id WHERE e.id >= $1 AND e.id < $2",
    )
    .bind(from.0)
    .bind(before.0)
    .all(db, |row| Ok((EventId(row.int("id")?), route(row)?)))
    .await
}

/// The routes that a place had, the newest first, each with when it was first taken.
pub(super) async fn routes_of_place(
    db: &mut impl Reads,
    waba: &str,
    phone_number: &str,
) -> Result<Vec<(Route, OffsetDateTime)>> {
    query(
        "SELECT id AS route_id, waba_id, phone_number_id, customer_id, connection_id, created_at FROM event_routes \
         WHERE waba_id = $1 AND phone_number_id = $2 ORDER BY created_at DESC, id DESC",
    )
    .bind(waba)
    .bind(phone_number)
    .all(db, |row| Ok((route(row)?, row.time("created_at")?)))
    .await
}

/// A customer's routes.
pub(super) async fn routes_of(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<Route>> {
    query(
        "SELECT id AS route_id, waba_id, phone_number_id, customer_id, connection_id FROM event_routes \
         WHERE customer_id = $1 ORDER BY id",
    )
    .bind(customer)
    .all(db, route)
    .await
}

/// The routes of a WABA that are nobody's.
pub(super) async fn unowned_routes(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<Route>> {
    query(
        "SELECT id AS route_id, waba_id, phone_number_id, customer_id, connection_id FROM event_routes \
         WHERE waba_id = $1 AND customer_id IS NULL ORDER BY id",
    )
    .bind(waba)
    .all(db, route)
    .await
}

/// The next events of a route after this one, in order.
pub(super) async fn events_of(db: &mut impl Reads, of: &Route, after: EventId, limit: i64) -> Result<Vec<Event>> {
    query(
        "SELECT id, received_at, kind, detail, stale FROM events WHERE route_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(of.id)
    .bind(after.0)
    .bind(limit)
    .all(db, |row| event(row, of.clone()))
    .await
}

/// An event of this route.
pub(super) fn event(row: &Row, route: Route) -> Result<Event> {
    Ok(Event {
        id: EventId(row.int("id")?),
        received_at: row.time("received_at")?,
        route,
        kind: row.parse::<Kind>("kind")?,
        detail: row.text("detail")?,
        stale: row.opt_json("stale")?.unwrap_or_default(),
    })
}

/// One body.
pub(super) async fn kept(db: &mut impl Reads, seq: i64) -> Result<Option<Kept>> {
    query("SELECT seq, received_at, body, own_customer_id, own_connection_id FROM intake WHERE seq = $1")
        .bind(seq)
        .optional(db, super::queries::kept)
        .await
}

/// The first body that has this number or a higher one, and when it came.
pub(super) async fn first_from(db: &mut impl Reads, seq: i64) -> Result<Option<(i64, OffsetDateTime)>> {
    query("SELECT seq, received_at FROM intake WHERE seq >= $1 ORDER BY seq LIMIT 1")
        .bind(seq)
        .optional(db, |row| Ok((row.int("seq")?, row.time("received_at")?)))
        .await
}

pub(super) async fn delete_event(tx: &mut WriteTx, id: EventId) -> Result<()> {
    query("DELETE FROM events WHERE id = $1").bind(id.0).execute(tx).await?;
    Ok(())
}

/// Removes the oldest events of a route; tells how many.
pub(super) async fn delete_events_of(tx: &mut WriteTx, route: i64, limit: i64) -> Result<u64> {
    query("DELETE FROM events WHERE id IN (SELECT id FROM events WHERE route_id = $1 ORDER BY id LIMIT $2)")
        .bind(route)
        .bind(limit)
        .execute(tx)
        .await
}

pub(super) async fn delete_route(tx: &mut WriteTx, route: i64) -> Result<()> {
    query("DELETE FROM event_routes WHERE id = $1").bind(route).execute(tx).await?;
    Ok(())
}

pub(super) async fn delete_minutes_of(tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
    query("DELETE FROM event_minutes WHERE customer_id = $1").bind(customer).execute(tx).await?;
    Ok(())
}

/// Makes the router wait for the end of this transaction, after the one that it is in.
pub(super) async fn hold_router(tx: &mut WriteTx) -> Result<()> {
    let routed = super::router::ROUTED.0;
    query("UPDATE counters SET value = value WHERE name = $1").bind(routed).execute(tx).await?;
    Ok(())
}

/// Removes the oldest bodies that are routed and came before then; tells how many.
pub(super) async fn prune_bodies(tx: &mut WriteTx, routed: i64, before: OffsetDateTime, limit: i64) -> Result<u64> {
    query(
        "DELETE FROM intake WHERE seq IN (SELECT seq FROM (SELECT seq, received_at FROM intake WHERE seq <= $1 \
         ORDER BY seq LIMIT $3) oldest WHERE received_at < $2)",
    )
    .bind(routed)
    .bind(before)
    .bind(limit)
    .execute(tx)
    .await
}

/// Removes the oldest events that came before then; tells how many.
pub(super) async fn prune_events(tx: &mut WriteTx, before: OffsetDateTime, limit: i64) -> Result<u64> {
    query(
        "DELETE FROM events WHERE id IN (SELECT id FROM (SELECT id, received_at FROM events ORDER BY id LIMIT $2) \
         oldest WHERE received_at < $1)",
    )
    .bind(before)
    .bind(limit)
    .execute(tx)
    .await
}

/// The digest that is so many further than this one, of those that are kept; `None`: there are no more than that.
pub(super) async fn digest_after(db: &mut impl Reads, digest: i64, so_many: i64) -> Result<Option<i64>> {
    query("SELECT digest FROM event_marks WHERE digest > $1 ORDER BY digest LIMIT 1 OFFSET $2")
        .bind(digest)
        .bind(so_many - 1)
        .optional(db, |row| row.int("digest"))
        .await
}

/// Forgets what had come before this day, of the marks after one digest up to another.
pub(super) async fn prune_marks(tx: &mut WriteTx, before: i64, after: i64, up_to: i64) -> Result<u64> {
    query("DELETE FROM event_marks WHERE digest > $1 AND digest <= $2 AND day < $3")
        .bind(after)
        .bind(up_to)
        .bind(before)
        .execute(tx)
        .await
}

/// Removes the oldest counts from before this minute; tells how many.
pub(super) async fn prune_minutes(tx: &mut WriteTx, before: i64, limit: i64) -> Result<u64> {
    query(
        "DELETE FROM event_minutes WHERE (customer_id, minute, kind) IN (SELECT customer_id, minute, kind \
         FROM event_minutes WHERE minute < $1 ORDER BY minute LIMIT $2)",
    )
    .bind(before)
    .bind(limit)
    .execute(tx)
    .await
}
