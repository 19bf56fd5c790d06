//! Reading events, the newest first: of all, or of some routes. A customer's events are those of its routes, which are
//! read side by side along their index, so that it does not matter how many others have.

use super::{
    Webhooks,
    change::{Change, EventId},
    kept_queries as kept, queries,
    queries::Event,
    route::Route,
};
use crate::{
    base::ids::CustomerId,
    store::{Reads, Result, Store, query},
};
use std::collections::{HashMap, VecDeque};
use time::OffsetDateTime;

/// How many events of one source are read at once: first few, as a page holds 50, then more.
const FIRST: i64 = 51;
const MORE: i64 = 500;

/// Whose events are meant.
#[derive(Clone, Debug)]
pub enum Of {
    /// Everybody's, and nobody's.
    All,
    /// Those of these routes.
    Routes(Vec<Route>),
}

/// Where events are read from: one route, or all.
struct Source {
    route: Option<Route>,
    before: i64,
    read: VecDeque<Event>,
    at_once: i64,
    is_over: bool,
}

/// Events, the newest first.
pub struct Newest {
    store: Store,
    sources: Vec<Source>,
}

impl Newest {
    /// The next one.
    ///
    /// # Errors
    /// The database's.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        for source in self.sources.iter_mut().filter(|source| source.read.is_empty() && !source.is_over) {
            let mut db = self.store.read().await?;
            let some = match &source.route {
                Some(route) => events_of(&mut db, route, source.before, source.at_once).await?,
                None => events(&mut db, source.before, source.at_once).await?,
            };
            source.is_over = (some.len() as i64) < source.at_once;
            source.before = some.last().map_or(source.before, |last| last.id.0);
            source.at_once = MORE;
            source.read = some.into();
        }
        let newest = self.sources.iter_mut().max_by_key(|source| source.read.front().map(|event| event.id));
        Ok(newest.and_then(|source| source.read.pop_front()))
    }
}

async fn events(db: &mut impl Reads, before: i64, limit: i64) -> Result<Vec<Event>> {
    query(
        "SELECT e.id, e.received_at, e.kind, e.detail, e.stale, r.id AS route_id, r.waba_id, r.phone_number_id, \
         r.customer_id, r.connection_id FROM (SELECT id, received_at, kind, detail, stale, route_id FROM events \
         WHERE id < $1 ORDER BY id DESC LIMIT $2) e JOIN event_routes r ON r.id = e.route_id ORDER BY e.id DESC",
    )
    .bind(before)
    .bind(limit)
    .all(db, |row| kept::event(row, kept::route(row)?))
    .await
}

async fn events_of(db: &mut impl Reads, route: &Route, before: i64, limit: i64) -> Result<Vec<Event>> {
    query(
        "SELECT id, received_at, kind, detail, stale FROM events WHERE route_id = $1 AND id < $2 \
         ORDER BY id DESC LIMIT $3",
    )
    .bind(route.id)
    .bind(before)
    .bind(limit)
    .all(db, |row| kept::event(row, route.clone()))
    .await
}

async fn following(db: &mut impl Reads, route: Option<&Route>, after: EventId) -> Result<Option<EventId>> {
    let sql = match route {
        Some(_) => "SELECT id FROM events WHERE route_id = $2 AND id > $1 ORDER BY id LIMIT 1",
        None => "SELECT id FROM events WHERE id > $1 AND $2 = 0 ORDER BY id LIMIT 1",
    };
    let found = query(sql).bind(after.0).bind(route.map_or(0, |route| route.id));
    found.optional(db, |row| Ok(EventId(row.int("id")?))).await
}

impl Webhooks {
    /// A customer's routes: of what belongs to it now, and of what came for it before.
    ///
    /// # Errors
    /// The database's.
    pub async fn routes_of(&self, customer: CustomerId) -> Result<Vec<Route>> {
        kept::routes_of(&mut self.store.read().await?, customer).await
    }

    /// The routes of what is nobody's.
    ///
    /// # Errors
    /// The database's.
    pub async fn nobodys_routes(&self) -> Result<Vec<Route>> {
        query(
            "SELECT id AS route_id, waba_id, phone_number_id, customer_id, connection_id FROM event_routes \
             WHERE customer_id IS NULL ORDER BY id",
        )
        .all(&mut self.store.read().await?, kept::route)
        .await
    }

    /// Events before this one, the newest first.
    #[must_use]
    pub fn newest(&self, of: &Of, before: Option<EventId>) -> Newest {
        let source = |route: Option<Route>, at_once: i64| Source {
            route,
            before: before.map_or(i64::MAX, |id| id.0),
            read: VecDeque::new(),
            at_once,
            is_over: false,
        };
        let sources = match of {
            Of::All => vec![source(None, FIRST)],
            // Of many routes each gives little to a page.
            Of::Routes(routes) => {
                let at_once = (4 * FIRST / (routes.len().max(1) as i64)).clamp(8, FIRST);
                routes.iter().map(|route| source(Some(route.clone()), at_once)).collect()
            }
        };
        Newest { store: self.store.clone(), sources }
    }

    /// The event that came next after this one.
    ///
    /// # Errors
    /// The database's.
    pub async fn next_event(&self, of: &Of, after: EventId) -> Result<Option<EventId>> {
        let mut db = self.store.read().await?;
        let mut next = None;
        match of {
            Of::All => next = following(&mut db, None, after).await?,
            Of::Routes(routes) => {
                for route in routes {
                    let id = following(&mut db, Some(route), after).await?;
                    next = [next, id].into_iter().flatten().min();
                }
            }
        }
        Ok(next)
    }

    /// A number that changes whenever there are new events.
    ///
    /// # Errors
    /// The database's.
    pub async fn routed_until(&self) -> Result<i64> {
        super::router::ROUTED.value(&mut self.store.read().await?).await
    }

    /// What `with` makes of these events' changes; without those whose bodies are not kept any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn changes<T>(
        &self,
        ids: &[EventId],
        mut with: impl FnMut(EventId, &Change<'_>) -> T,
    ) -> Result<HashMap<EventId, T>> {
        let mut by_body: HashMap<i64, Vec<EventId>> = HashMap::new();
        for id in ids {
            by_body.entry(id.seq()).or_default().push(*id);
        }
        let mut made = HashMap::new();
        for (seq, ids) in by_body {
            let Some(body) = queries::body(&mut self.store.read().await?, seq).await? else { continue };
            for change in Change::all(&body) {
                let id = EventId::new(seq, change.place);
                if ids.contains(&id) {
                    made.insert(id, with(id, &change));
                }
            }
        }
        Ok(made)
    }
}

/// The number of the first body that came then or later.
pub(super) async fn first_body_since(db: &mut impl Reads, at: OffsetDateTime) -> Result<i64> {
    let (mut low, mut high) = (0, super::intake::LAST.value(db).await? + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match kept::first_from(db, middle).await? {
            Some((seq, came)) if came < at => low = seq + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// What came in a minute.
#[derive(Clone, Debug)]
pub struct Minute {
    /// Minutes since the epoch.
    pub minute: i64,
    /// An event's kind, or `duplicate`, `refused`, `problem`.
    pub kind: String,
    /// How many.
    pub n: i64,
}

impl Webhooks {
    /// What came for a customer since this minute; `None`: for all.
    ///
    /// # Errors
    /// The database's.
    pub async fn minutes(&self, customer: Option<CustomerId>, since: i64) -> Result<Vec<Minute>> {
        let sql = match customer {
            Some(_) => {
                "SELECT minute, kind, n FROM event_minutes WHERE customer_id = $2 AND minute >= $1 ORDER BY minute"
            }
            None => {
                "SELECT minute, kind, CAST(sum(n) AS BIGINT) AS n FROM event_minutes WHERE minute >= $1 AND $2 = '' \
                 GROUP BY minute, kind ORDER BY minute"
            }
        };
        let customer = customer.map(|id| id.to_string()).unwrap_or_default();
        let minute = |row: &crate::store::Row| {
            Ok(Minute { minute: row.int("minute")?, kind: row.text("kind")?, n: row.int("n")? })
        };
        query(sql).bind(since).bind(customer).all(&mut self.store.read().await?, minute).await
    }
}
