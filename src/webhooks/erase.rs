//! What the intake holds of a customer who is deleted or wants to see it.
//!
//! One body may hold changes of several customers, and what concerns others must stay. A change is a customer's where
//! its event says so; one that is nobody's goes with the customer whose WABA it names.

use super::{
    Webhooks,
    change::{Change, EventId},
    cut::{Rest, without},
    intake, kept_queries as queries,
    queries::{self as bodies, Kept},
    route::Route,
    whose::Whose,
};
use crate::{
    base::{
        clock,
        ids::{CustomerId, WabaId},
    },
    store::{Reads, Result, WriteTx, counters::ROUTING},
    web::download::{DownloadError, JsonFile},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

/// How many bodies are read at once, and how many bytes.
const AT_ONCE: i64 = 50;
const BYTES: i64 = 8 << 20;
/// How many events go in one transaction.
const EVENTS_AT_ONCE: i64 = 500;
/// What may be left to the last transaction, in bodies, and how often it is tried to come down to that.
const LITTLE: i64 = 200;
const PASSES: usize = 8;
/// What others get between two transactions.
const PAUSE: Duration = Duration::from_millis(5);

/// Whose data is meant, and by what it is found.
struct Scope {
    customer: CustomerId,
    wabas: Vec<WabaId>,
    /// IDs of which one stands in every body of the operator's app that holds something of the customer's.
    names: BTreeSet<String>,
}

impl Scope {
    async fn new(db: &mut impl Reads, customer: CustomerId, wabas: &[WabaId]) -> Result<Self> {
        let mut names: BTreeSet<String> = wabas.iter().map(ToString::to_string).collect();
        for route in queries::routes_of(db, customer).await? {
            names.extend(route.place.waba.map(|id| id.to_string()));
            names.extend(route.place.phone_number.map(|id| id.to_string()));
        }
        Ok(Self { customer, wabas: wabas.to_vec(), names })
    }

    fn may_be_in(&self, kept: &Kept) -> bool {
        match kept.sender {
            Some(sender) => sender.customer == self.customer,
            None => self.names.iter().any(|name| kept.body.contains(name.as_str())),
        }
    }

    fn has(&self, waba: Option<&WabaId>) -> bool {
        waba.is_some_and(|waba| self.wabas.contains(waba))
    }

    fn owns(&self, route: &Route) -> bool {
        match route.place.owner {
            Some(owner) => owner.customer == self.customer,
            None => self.has(route.place.waba.as_ref()),
        }
    }

    /// The places of the customer's changes in a body.
    async fn places(&self, db: &mut impl Reads, kept: &Kept) -> Result<BTreeSet<u32>> {
        // What their own app sent is theirs, whatever it names; what another's sent never is.
        if let Some(sender) = kept.sender {
            let all = Change::all(&kept.body).into_iter().map(|change| change.place);
            return Ok(all.filter(|_| sender.customer == self.customer).collect());
        }
        let mut whose = Whose::default();
        whose.read(db, std::slice::from_ref(kept)).await?;
        let mut places = BTreeSet::new();
        for change in Change::all(&kept.body) {
            let is_theirs = match whose.of_event(EventId::new(kept.seq, change.place)) {
                // What nobody can read is nobody's: where it names them, it goes as a whole.
                Some(route) => self.owns(route) || (is_unreadable(&change, kept) && route.place.owner.is_none()),
                None if is_unreadable(&change, kept) => true,
                None => {
                    let (address, route) = whose.of_place(db, &change, kept.received_at).await?;
                    route.map_or_else(|| self.has(address.waba.as_ref()), |route| self.owns(&route))
                }
            };
            if is_theirs {
                places.insert(change.place);
            }
        }
        Ok(places)
    }

    /// Takes the customer's changes out of a body, with their events.
    async fn erase_from(&self, tx: &mut WriteTx, seq: i64) -> Result<()> {
        let Some(kept) = queries::kept(tx, seq).await? else { return Ok(()) };
        let places = self.places(tx, &kept).await?;
        match without(&kept.body, &self.wabas, |place| places.contains(&place)) {
            Rest::Untouched => {}
            Rest::Less(body) => bodies::set_body(tx, seq, &body).await?,
            Rest::Nothing => bodies::delete(tx, seq).await?,
        }
        for place in places {
            queries::delete_event(tx, EventId::new(seq, place)).await?;
        }
        Ok(())
    }

    /// The customer's routes, and nobody's of its WABAs.
    async fn routes(&self, db: &mut impl Reads) -> Result<Vec<Route>> {
        let mut all = queries::routes_of(db, self.customer).await?;
        for waba in &self.wabas {
            all.extend(queries::unowned_routes(db, waba).await?);
        }
        Ok(all)
    }
}

fn is_unreadable(change: &Change<'_>, kept: &Kept) -> bool {
    change.raw.len() == kept.body.len()
}

impl Webhooks {
    /// Takes a customer's changes out of all bodies, and its events away, in small transactions. Gives the number of
    /// the body after which [`Webhooks::erase_since`] must look again. `wabas`: those that are or were its own, and
    /// are nobody else's now.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase(&self, customer: CustomerId, wabas: &[WabaId]) -> Result<i64> {
        let scope = Scope::new(&mut self.store.read().await?, customer, wabas).await?;
        let mut last = i64::MIN;
        for _ in 0..PASSES {
            let until = intake::LAST.value(&mut self.store.read().await?).await?;
            if until.saturating_sub(last) < LITTLE {
                break;
            }
            while last < until {
                let some = bodies::after(&mut self.store.read().await?, last, AT_ONCE, BYTES).await?;
                let Some(end) = some.last() else { break };
                last = end.seq;
                let named: Vec<i64> = some.iter().filter(|kept| scope.may_be_in(kept)).map(|kept| kept.seq).collect();
                drop(some);
                if named.is_empty() {
                    continue;
                }
                let mut tx = self.store.write().await?;
                for seq in named {
                    scope.erase_from(&mut tx, seq).await?;
                }
                tx.commit().await?;
                tokio::time::sleep(PAUSE).await;
            }
            last = last.max(until);
        }
        let routes = scope.routes(&mut self.store.read().await?).await?;
        for route in routes {
            loop {
                let mut tx = self.store.write().await?;
                let gone = queries::delete_events_of(&mut tx, route.id, EVENTS_AT_ONCE).await?;
                tx.commit().await?;
                if gone == 0 {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(last)
    }

    /// The same for what has come since, and the rest: routes and counts. In the caller's transaction, whose end the
    /// router waits for. Digests of what had come (`event_marks`) tell nothing, and go with time.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase_since(
        &self,
        tx: &mut WriteTx,
        customer: CustomerId,
        wabas: &[WabaId],
        since: i64,
    ) -> Result<()> {
        queries::hold_router(tx).await?;
        let scope = Scope::new(tx, customer, wabas).await?;
        let mut last = since;
        loop {
            let some = bodies::after(tx, last, AT_ONCE, BYTES).await?;
            let Some(end) = some.last() else { break };
            last = end.seq;
            for kept in some.iter().filter(|kept| scope.may_be_in(kept)) {
                scope.erase_from(tx, kept.seq).await?;
            }
        }
        for route in scope.routes(tx).await? {
            while queries::delete_events_of(tx, route.id, EVENTS_AT_ONCE).await? > 0 {}
            queries::delete_route(tx, route.id).await?;
        }
        queries::delete_minutes_of(tx, customer).await?;
        // The router knows routes that are gone now, and may have read bodies as they were before.
        ROUTING.advance(tx, 1).await?;
        Ok(())
    }

    /// Writes what is kept here of a customer: its events, each with its change as Meta sent it. What is nobody's is
    /// not in it, also where it names an account of theirs: it may have come after another had that.
    ///
    /// # Errors
    /// The database's, and where nobody reads it any more.
    pub async fn export(&self, customer: CustomerId, file: &mut JsonFile) -> std::result::Result<(), DownloadError> {
        let routes = queries::routes_of(&mut self.store.read().await?, customer).await?;
        file.begin_list("events");
        for route in routes {
            let mut last = EventId(i64::MIN);
            loop {
                let some = queries::events_of(&mut self.store.read().await?, &route, last, AT_ONCE).await?;
                let Some(end) = some.last() else { break };
                last = end.id;
                for event in &some {
                    let change = self
                        .change(event.id, |change| {
                            let raw = serde_json::from_str::<Value>(change.raw);
                            raw.unwrap_or_else(|_| change.raw.into())
                        })
                        .await?;
                    let item = json!({
                        "id": event.id.0,
                        "received_at": clock::rfc3339(event.received_at),
                        "kind": event.kind.name(),
                        "waba_id": route.place.waba,
                        "phone_number_id": route.place.phone_number,
                        "change": change,
                    });
                    file.item(&item).await?;
                }
            }
        }
        file.end_list();
        Ok(())
    }
}
