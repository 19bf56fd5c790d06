//! What was nobody's becomes somebody's: when a WABA is connected, the events that came before are its customer's, and
//! what follows from them follows then. What came after another customer had it stays nobody's, for support.

use super::{
    batch::{Failure, How, follow, guarded, understand},
    change::{Change, EventId},
    link_queries::{self as links, Backlog},
    queries::{self, Counts},
    route::{Place, Route, RoutedChange},
    router::{Desk, ROUTED, Router, Step},
    understand::Address,
};
use crate::store::counters;
use std::sync::Arc;

/// How many routes are looked at in one transaction.
const ROUTES: i64 = 100;
/// How many events of the past are acted on in one transaction.
const EVENTS: i64 = 100;

/// How far the linking is.
#[derive(Default)]
pub(super) struct Links {
    /// The version of who owns what for which all routes were looked at.
    looked: i64,
    /// The version for which they are being looked at, and the last route that was.
    looking: (i64, i64),
    /// Until which route each is looked at alone, as one of those before made the rest fail.
    alone: i64,
    /// Whether no route has a backlog.
    caught_up: bool,
}

impl Links {
    /// Does a little of it.
    pub async fn step(&mut self, router: &Router, desk: &mut Desk) -> Result<Step, Failure> {
        let version = match desk.known.version {
            // Where nothing came there may be news all the same.
            0 => counters::ROUTING.value(&mut router.store.read().await?).await?,
            version => version,
        };
        if version == self.looked && self.caught_up {
            let now = counters::ROUTING.value(&mut router.store.read().await?).await?;
            if now == version {
                return Ok(Step::Done);
            }
            desk.known.version = 0;
            return Ok(Step::More);
        }
        if !desk.hold().await? {
            return Ok(Step::Done);
        }
        if version == self.looked { self.act(router, desk).await } else { self.look(router, desk, version).await }
    }

    /// Looks at some routes; where that fails for what one of them is, at each alone, and leaves out that one.
    async fn look(&mut self, router: &Router, desk: &Desk, version: i64) -> Result<Step, Failure> {
        if self.looking.0 != version {
            (self.looking, self.alone) = ((version, 0), 0);
        }
        let many = if self.looking.1 < self.alone { 1 } else { ROUTES };
        let routes = links::ownerless(&mut router.store.read().await?, self.looking.1, many).await?;
        let Some((last, _)) = routes.last() else {
            (self.looked, self.caught_up) = (version, false);
            return Ok(Step::More);
        };
        let last = *last;
        match guarded(link(router, desk, &routes)).await {
            Err(failure) if !failure.is_transient() && routes.len() > 1 => {
                tracing::warn!(%failure, "some routes can't be looked at together");
                self.alone = last;
            }
            Err(failure) if !failure.is_transient() => {
                tracing::error!(%failure, route = last, "it can't be told whose a route is");
                self.looking.1 = last;
            }
            Ok(Step::More) => self.looking.1 = last,
            other => return other,
        }
        Ok(Step::More)
    }

    /// Acts on some events that came before it was known whose they are.
    async fn act(&mut self, router: &Router, desk: &Desk) -> Result<Step, Failure> {
        let mut db = router.store.read().await?;
        let Some(backlog) = links::backlog(&mut db).await? else {
            self.caught_up = true;
            return Ok(Step::Done);
        };
        let events = links::events(&mut db, &backlog, EVENTS).await?;
        drop(db);
        let mut done = Err(Failure::Panic);
        for how in [How::Together, How::Apart, How::Apart, How::Bare] {
            done = act_on(router, desk, &backlog, &events, how).await;
            match &done {
                Err(failure) if !failure.is_transient() => {
                    tracing::warn!(%failure, route = backlog.route.id, "what came before can't be acted on at once");
                }
                _ => break,
            }
        }
        done
    }
}

/// Gives those of these routes an owner that have one now.
async fn link(router: &Router, desk: &Desk, routes: &[(i64, Address)]) -> Result<Step, Failure> {
    let mut tx = router.store.write().await?;
    if !desk.lease.confirm(&mut tx).await? {
        return Ok(Step::Elsewhere);
    }
    let until = EventId::new(ROUTED.value(&mut tx).await? + 1, 0).0 - 1;
    let mut linked = 0;
    for (id, address) in routes {
        let place = router.consequences.place(&mut tx, address).await?;
        let Some(owner) = place.owner else { continue };
        let last = links::last_use(&mut tx, *id).await?;
        if router.consequences.may_have(&mut tx, address, &place, last).await? {
            links::link(&mut tx, *id, owner, until).await?;
            linked += 1;
        }
    }
    if linked > 0 {
        tx.commit().await?;
        tracing::info!(routes = linked, "webhooks that came before their account was connected have an owner now");
    }
    Ok(Step::More)
}

/// One transaction: what follows from these events, and that it did.
async fn act_on(
    router: &Router,
    desk: &Desk,
    backlog: &Backlog,
    events: &[links::Past],
    how: How,
) -> Result<Step, Failure> {
    let mut bodies = Vec::new();
    let mut db = router.store.read().await?;
    for event in events {
        // Several events may be of one body.
        if bodies.last().is_none_or(|(seq, _)| *seq != event.id.seq()) {
            let body = queries::body(&mut db, event.id.seq()).await?;
            bodies.push((event.id.seq(), body));
        }
    }
    drop(db);
    let mut tx = router.store.write().await?;
    if !desk.lease.confirm(&mut tx).await? {
        return Ok(Step::Elsewhere);
    }
    let after = events.last().map(|last| last.id.0);
    if !links::acted(&mut tx, backlog, after).await? {
        return Ok(Step::More);
    }
    let mut changes = Vec::new();
    for event in events {
        let body = bodies.iter().find(|(seq, _)| *seq == event.id.seq()).and_then(|(_, body)| body.as_deref());
        // What is not kept any more is history.
        let change = body.and_then(|body| Change::all(body).into_iter().find(|one| one.place == event.id.place()));
        let Some(change) = change else { continue };
        let understood = understand(&change);
        // The number may have been unknown then.
        let place = router.consequences.place(&mut tx, &understood.address).await?;
        let owner = backlog.route.place.owner;
        let place = if place.owner == owner { place } else { backlog.route.place.clone() };
        changes.push(RoutedChange {
            id: event.id,
            received_at: event.received_at,
            // What was nobody's came to the operator's address: customers' own apps make no events of that.
            sender: None,
            route: Arc::new(Route { id: backlog.route.id, place: Place { owner, ..place } }),
            kind: event.kind,
            detail: event.detail.clone(),
            change,
            items: understood.items,
            stale: event.stale.clone(),
        });
    }
    let mut counts = Counts::new();
    follow(&mut tx, router.consequences.as_ref(), &changes, (how, true), &mut counts).await?;
    queries::count(&mut tx, counts).await?;
    tx.commit().await?;
    router.consequences.committed();
    Ok(Step::More)
}

/// What a route says of where its events come from.
pub(super) fn address(place: &Place) -> Address {
    Address { waba: place.waba.clone(), phone_number: place.phone_number.clone(), ..Address::default() }
}
