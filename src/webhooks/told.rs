//! What events tell, read again: for those who act on them later than the router.

use super::{
    Webhooks,
    change::{Change, EventId},
    queries::Event,
    route::{Owner, Place, Route, RoutedChange},
    understand::Understood,
};
use crate::{
    base::ids::CustomerId,
    store::{Arg, Result, Row, Rows, query},
};
use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    ops::Range,
    sync::Arc,
};
use time::OffsetDateTime;

/// A change that stands on its own, without the body that it came in.
#[derive(Clone, Debug)]
pub struct OwnChange {
    place: u32,
    entry_id: String,
    time: Option<i64>,
    field: String,
    members: Vec<(String, String)>,
    raw: String,
    /// Where in `raw` the value stands.
    value: Option<Range<usize>>,
}

impl OwnChange {
    fn of(change: &Change<'_>) -> Self {
        let begin = (change.value.as_ptr() as usize).checked_sub(change.raw.as_ptr() as usize);
        let value = begin.map(|begin| begin..begin + change.value.len());
        Self {
            place: change.place,
            entry_id: change.entry_id.to_string(),
            time: change.time,
            field: change.field.to_string(),
            members: change.members.iter().map(|(name, json)| (name.to_string(), (*json).to_owned())).collect(),
            raw: change.raw.to_owned(),
            value: value.filter(|at| change.raw.get(at.clone()) == Some(change.value)),
        }
    }

    /// It.
    #[must_use]
    pub fn change(&self) -> Change<'_> {
        Change {
            place: self.place,
            entry_id: Cow::Borrowed(&self.entry_id),
            time: self.time,
            field: Cow::Borrowed(&self.field),
            members: self.members.iter().map(|(name, json)| (Cow::Borrowed(name.as_str()), json.as_str())).collect(),
            raw: &self.raw,
            value: self.value.clone().and_then(|at| self.raw.get(at)).unwrap_or("null"),
        }
    }
}

/// An event with what it tells.
#[derive(Clone, Debug)]
pub struct Told {
    /// The event.
    pub event: Event,
    /// Its change; `None` where its body is not kept any more.
    pub change: Option<OwnChange>,
}

impl Told {
    /// How many bytes it takes in memory, about.
    #[must_use]
    pub fn size(&self) -> usize {
        let members =
            |change: &OwnChange| change.members.iter().map(|(name, json)| name.len() + json.len()).sum::<usize>();
        200 + self.change.as_ref().map_or(0, |change| change.raw.len() + members(change))
    }

    /// As the router had it, when it came.
    #[must_use]
    pub fn routed(&self) -> Option<RoutedChange<'_>> {
        let change = self.change.as_ref()?.change();
        Some(RoutedChange {
            id: self.event.id,
            received_at: self.event.received_at,
            // Whoever sent it, its place is its sender's.
            sender: None,
            route: Arc::new(self.event.route.clone()),
            kind: self.event.kind,
            detail: self.event.detail.clone(),
            items: Understood::of(&change).items,
            change,
            stale: self.event.stale.clone(),
        })
    }
}

static EVENTS: Rows = Rows::new(
    "SELECT e.id, e.received_at, e.kind, e.detail, e.stale, r.id AS route_id, r.waba_id, r.phone_number_id, \
     r.customer_id, r.connection_id FROM events e JOIN event_routes r ON r.id = e.route_id WHERE e.id IN (",
    0,
    ")",
);
static BODIES: Rows = Rows::new("SELECT seq, body FROM intake WHERE seq IN (", 0, ")");
/// How many bodies are read at once; each has up to 3 MB.
const BODIES_AT_ONCE: usize = 16;

fn event(row: &Row) -> Result<Event> {
    let owner = match (row.opt_parse("customer_id")?, row.opt_parse("connection_id")?) {
        (Some(customer), Some(connection)) => Some(Owner { customer, connection }),
        _ => None,
    };
    let (waba, phone_number) = (row.text("waba_id")?.parse().ok(), row.text("phone_number_id")?.parse().ok());
    Ok(Event {
        id: EventId(row.int("id")?),
        received_at: row.time("received_at")?,
        route: Route { id: row.int("route_id")?, place: Place { waba, phone_number, owner } },
        kind: row.parse("kind")?,
        detail: row.text("detail")?,
        stale: row.opt_json("stale")?.unwrap_or_default(),
    })
}

impl Webhooks {
    /// These events, as far as they are there, by ID.
    ///
    /// # Errors
    /// The database's.
    pub async fn told(&self, ids: &[EventId]) -> Result<HashMap<EventId, Told>> {
        let mut told = HashMap::new();
        if ids.is_empty() {
            return Ok(told);
        }
        let mut db = self.store.read().await?;
        let wanted: Vec<Arg> = ids.iter().map(|id| Arg::from(id.0)).collect();
        for event in EVENTS.all(&mut db, &wanted, event).await? {
            told.insert(event.id, Told { event, change: None });
        }
        let seqs: BTreeSet<i64> = told.keys().map(|id| id.seq()).collect();
        let seqs: Vec<Arg> = seqs.into_iter().map(Arg::from).collect();
        for some in seqs.chunks(BODIES_AT_ONCE) {
            for (seq, body) in BODIES.all(&mut db, some, |row| Ok((row.int("seq")?, row.text("body")?))).await? {
                for change in Change::all(&body) {
                    if let Some(told) = told.get_mut(&EventId::new(seq, change.place)) {
                        told.change = Some(OwnChange::of(&change));
                    }
                }
            }
        }
        Ok(told)
    }

    /// The ID that the first event since then can have.
    ///
    /// # Errors
    /// The database's.
    pub async fn first_since(&self, time: OffsetDateTime) -> Result<EventId> {
        let mut db = self.store.read().await?;
        let ends = query("SELECT coalesce(min(seq), 0) AS low, coalesce(max(seq), -1) AS high FROM intake");
        let (mut low, mut high) = ends.one(&mut db, |row| Ok((row.int("low")?, row.int("high")? + 1))).await?;
        // They grow together: looked for by halves, as there is no index by time.
        while low < high {
            let middle = low + (high - low) / 2;
            let next = query("SELECT seq, received_at FROM intake WHERE seq >= $1 ORDER BY seq LIMIT 1")
                .bind(middle)
                .optional(&mut db, |row| Ok((row.int("seq")?, row.time("received_at")?)))
                .await?;
            match next {
                Some((seq, at)) if at < time => low = seq + 1,
                _ => high = middle,
            }
        }
        Ok(EventId::new(low, 0))
    }

    /// The IDs of routes that are a customer's, the oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn route_ids(&self, customer: CustomerId) -> Result<Vec<i64>> {
        query("SELECT id FROM event_routes WHERE customer_id = $1 ORDER BY id")
            .bind(customer)
            .all(&mut self.store.read().await?, |row| row.int("id"))
            .await
    }

    /// The next events of a route, from this one on until before that one, in order.
    ///
    /// # Errors
    /// The database's.
    pub async fn events_between(&self, route: i64, from: EventId, before: EventId, limit: i64) -> Result<Vec<EventId>> {
        query("SELECT id FROM events WHERE route_id = $1 AND id >= $2 AND id < $3 ORDER BY id LIMIT $4")
            .bind(route)
            .bind(from.0)
            .bind(before.0)
            .bind(limit)
            .all(&mut self.store.read().await?, |row| Ok(EventId(row.int("id")?)))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_stands_on_its_own() {
        let body = r#"{"entry":[{"id":"1","time":12,"changes":[{"field":"messages","value":{"a":"\u00e9"}},7,{"field":"x"}]}]}"#;
        for change in Change::all(body).iter().chain(&Change::all("no JSON")) {
            assert_eq!(OwnChange::of(change).change(), *change);
        }
    }
}
