//! Makes events of what was taken in, in order, each exactly once: the events, what follows from them, and how far
//! the router is are one transaction. One process at a time does it.

use super::{
    change::{Change, EventId},
    marks, queries,
    queries::Kept,
    route::{Consequences, Route, RoutedChange},
    understand::{Address, Understood},
};
use crate::{
    base::clock::{self, Clock},
    jobs::Lease,
    store::{Result, Store, WriteTx, counters, counters::Counter},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How many bodies one transaction routes at most.
const TOGETHER: i64 = 200;
/// How often it looks when no bell rings.
const TICK: Duration = Duration::from_millis(500);

/// The name of the lease under which one process routes.
pub(super) const LEASE: &str = "webhooks.router";

/// The number of the last body that was routed.
pub(super) const ROUTED: Counter = Counter("routed");

pub(super) struct Router {
    pub store: Store,
    pub clock: Clock,
    pub bell: Arc<Notify>,
    pub consequences: Arc<dyn Consequences>,
}

/// Whose what is, as long as nothing changes in who owns what.
#[derive(Default)]
struct Known {
    version: i64,
    routes: HashMap<Address, Arc<Route>>,
}

impl Router {
    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let lease = Lease::new(LEASE, self.store.clone(), self.clock.clone());
        let mut known = Known::default();
        while !stop.is_cancelled() {
            match self.work(&lease, &mut known).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "webhooks could not be routed; it is tried again"),
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.bell.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Routes some; whether there was any.
    async fn work(&self, lease: &Lease, known: &mut Known) -> Result<bool> {
        let mut db = self.store.read().await?;
        let from = ROUTED.value(&mut db).await?;
        let version = counters::ROUTING.value(&mut db).await?;
        let bodies = queries::after(&mut db, from, TOGETHER).await?;
        drop(db);
        let Some(last) = bodies.last().map(|last| last.seq) else { return Ok(false) };
        if !lease.hold().await? {
            return Ok(false);
        }
        let mut tx = self.store.write().await?;
        // Where somebody was erased meanwhile, the bodies may not be what they were.
        if !lease.confirm(&mut tx).await?
            || ROUTED.value(&mut tx).await? != from
            || counters::ROUTING.value(&mut tx).await? != version
        {
            return Ok(true);
        }
        self.make_events(&mut tx, known, &bodies).await?;
        ROUTED.set(&mut tx, last).await?;
        tx.commit().await?;
        self.consequences.committed();
        Ok(true)
    }

    async fn make_events(&self, tx: &mut WriteTx, known: &mut Known, bodies: &[Kept]) -> Result<()> {
        let version = counters::ROUTING.value(tx).await?;
        if known.version != version {
            *known = Known { version, ..Known::default() };
        }
        let mut routed = Vec::new();
        let mut counts = BTreeMap::new();
        for kept in bodies {
            for change in Change::all(&kept.body) {
                let understood = Understood::of(&change);
                let route = self.whose(tx, known, &understood.address).await?;
                let Some(change) = self.fresh(tx, kept, change, understood, route, &mut counts).await? else {
                    continue;
                };
                let stale = (!change.stale.is_empty()).then(|| serde_json::json!(change.stale).to_string());
                let (id, at) = (change.id, change.received_at);
                queries::insert_event(tx, id, at, change.route.id, change.kind, &change.detail, stale).await?;
                routed.push(change);
            }
        }
        for ((minute, customer, kind), n) in counts {
            queries::count(tx, minute, &customer, kind, n).await?;
        }
        self.consequences.follow(tx, &routed).await
    }

    async fn whose(&self, tx: &mut WriteTx, known: &mut Known, address: &Address) -> Result<Arc<Route>> {
        if let Some(route) = known.routes.get(address) {
            return Ok(route.clone());
        }
        let place = self.consequences.place(tx, address).await?;
        let route = Arc::new(queries::route(tx, &place, self.clock.now()).await?);
        known.routes.insert(address.clone(), route.clone());
        Ok(route)
    }

    /// The change with what of it had come before; `None` where all of it had.
    async fn fresh<'a>(
        &self,
        tx: &mut WriteTx,
        kept: &Kept,
        change: Change<'a>,
        understood: Understood,
        route: Arc<Route>,
        counts: &mut BTreeMap<(i64, String, &'static str), i64>,
    ) -> Result<Option<RoutedChange<'a>>> {
        let id = EventId::new(kept.seq, change.place);
        let ms = clock::to_ms(kept.received_at);
        let (day, minute) = (ms / 86_400_000, ms / 60_000);
        let Understood { kind, detail, items, .. } = understood;
        let mut marked: Vec<(i64, i64)> =
            items.iter().map(|item| (marks::of_item(&route.place, item), item.bit)).collect();
        if marked.is_empty() {
            marked.push((marks::of_change(&change), 1));
        }
        let mut stale = Vec::new();
        for (index, (digest, bit)) in marked.iter().enumerate() {
            if queries::seen(tx, *digest, day - marks::KEPT_DAYS).await? & bit == *bit {
                stale.push(index);
            } else {
                queries::mark(tx, *digest, *bit, id, day).await?;
            }
        }
        let all = stale.len() == marked.len();
        let customer = route.place.owner.map(|owner| owner.customer.to_string()).unwrap_or_default();
        *counts.entry((minute, customer, if all { "duplicate" } else { kind.name() })).or_default() += 1;
        let received_at = kept.received_at;
        Ok((!all).then_some(RoutedChange { id, received_at, route, kind, detail, change, items, stale }))
    }
}
