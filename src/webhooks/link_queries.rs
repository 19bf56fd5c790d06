//! SQL about routes that had no owner, and the events that came by them.

use super::{
    change::EventId,
    kind::Kind,
    links,
    route::{Owner, Place, Route},
    understand::Address,
};
use crate::store::{Reads, Result, Row, WriteTx, query};
use time::OffsetDateTime;

/// Routes that are nobody's, after this one.
pub(super) async fn ownerless(db: &mut impl Reads, after: i64, limit: i64) -> Result<Vec<(i64, Address)>> {
    query(
        "SELECT id, waba_id, phone_number_id FROM event_routes WHERE customer_id IS NULL AND id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .all(db, |row| Ok((row.int("id")?, links::address(&place(row, None)?))))
    .await
}

fn place(row: &Row, owner: Option<Owner>) -> Result<Place> {
    let (waba, phone_number) = (row.text("waba_id")?.parse().ok(), row.text("phone_number_id")?.parse().ok());
    Ok(Place { waba, phone_number, owner })
}

/// When the last event came by a route; when it was made, where none did.
pub(super) async fn last_use(db: &mut impl Reads, route: i64) -> Result<OffsetDateTime> {
    query(
        "SELECT coalesce((SELECT e.received_at FROM events e WHERE e.route_id = r.id ORDER BY e.id DESC LIMIT 1), \
         r.created_at) AS at FROM event_routes r WHERE r.id = $1",
    )
    .bind(route)
    .one(db, |row| row.time("at"))
    .await
}

/// A route gets its owner; its events up to this one are to be acted on.
pub(super) async fn link(tx: &mut WriteTx, route: i64, owner: Owner, until: i64) -> Result<()> {
    query(
        "UPDATE event_routes SET customer_id = $1, connection_id = $2, backlog_until = $3, backlog_after = 0 \
         WHERE id = $4 AND customer_id IS NULL",
    )
    .bind(owner.customer)
    .bind(owner.connection)
    .bind(until)
    .bind(route)
    .execute(tx)
    .await?;
    Ok(())
}

/// A route whose past is to be acted on.
pub(super) struct Backlog {
    pub route: Route,
    until: i64,
    after: i64,
}

/// The first of them.
pub(super) async fn backlog(db: &mut impl Reads) -> Result<Option<Backlog>> {
    query(
        "SELECT id, waba_id, phone_number_id, customer_id, connection_id, backlog_until, backlog_after \
         FROM event_routes WHERE backlog_until IS NOT NULL ORDER BY id LIMIT 1",
    )
    .optional(db, |row| {
        let owner = Owner { customer: row.parse("customer_id")?, connection: row.parse("connection_id")? };
        Ok(Backlog {
            route: Route { id: row.int("id")?, place: place(row, Some(owner))? },
            until: row.int("backlog_until")?,
            after: row.opt_int("backlog_after")?.unwrap_or(0),
        })
    })
    .await
}

/// An event of the past.
pub(super) struct Past {
    pub id: EventId,
    pub received_at: OffsetDateTime,
    pub kind: Kind,
    pub detail: String,
    pub stale: Vec<usize>,
}

/// The next of a route that are to be acted on.
pub(super) async fn events(db: &mut impl Reads, backlog: &Backlog, limit: i64) -> Result<Vec<Past>> {
    query(
        "SELECT id, received_at, kind, detail, stale FROM events WHERE route_id = $1 AND id > $2 AND id <= $3 \
         ORDER BY id LIMIT $4",
    )
    .bind(backlog.route.id)
    .bind(backlog.after)
    .bind(backlog.until)
    .bind(limit)
    .all(db, |row| {
        Ok(Past {
            id: EventId(row.int("id")?),
            received_at: row.time("received_at")?,
            kind: row.parse("kind")?,
            detail: row.text("detail")?,
            stale: row.opt_json("stale")?.unwrap_or_default(),
        })
    })
    .await
}

/// Those up to this one are acted on; all of them for `None`. `false` where somebody else did it.
pub(super) async fn acted(tx: &mut WriteTx, backlog: &Backlog, after: Option<i64>) -> Result<bool> {
    let until = after.map(|_| backlog.until);
    let acted = query(
        "UPDATE event_routes SET backlog_until = $1, backlog_after = $2 \
         WHERE id = $3 AND backlog_after = $4 AND backlog_until IS NOT NULL",
    )
    .bind(until)
    .bind(after)
    .bind(backlog.route.id)
    .bind(backlog.after)
    .execute(tx)
    .await?;
    Ok(acted == 1)
}
