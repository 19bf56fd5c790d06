//! Makes events of what was taken in, in order, each exactly once: the events, what follows from them, and how far
//! the router is are one transaction. One process at a time does it.
//!
//! Nothing may hold up the line. What fails for the database's sake is tried until it succeeds; what fails for what a
//! body says is tried alone, and in the end kept as an event that names its problem.

use super::{
    batch::{Batch, Failure, How, Known, follow, guarded},
    flow::Flow,
    intake,
    links::Links,
    queries::{self, Kept},
    route::Consequences,
    young::Young,
};
use crate::{
    base::clock::{self, Clock},
    jobs::Lease,
    store::{Result, Store, counters, counters::Counter},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How many bodies one transaction routes at most. Whoever else wants to write waits for it: a few milliseconds.
const TOGETHER: usize = 400;
/// How many bytes they have at most, unless one alone has more.
const BYTES: usize = 400 << 10;
/// How long it lets bodies gather where few come.
const GATHER: Duration = Duration::from_millis(10);
/// How often it looks when no bell rings.
const TICK: Duration = Duration::from_millis(500);
/// How often its lease is renewed while there is work.
const RENEW: Duration = Duration::from_secs(2);
/// How long nothing must have come for young marks to be folded, some with each look.
const LEISURE: Duration = Duration::from_secs(3);
/// How often refused requests are counted.
const COUNT: Duration = Duration::from_secs(5);
/// How often a body alone is tried, and how.
const TRIES: [How; 4] = [How::Together, How::Apart, How::Apart, How::Bare];

/// The number of the last body that was routed.
pub(super) const ROUTED: Counter = Counter("routed");

pub(super) struct Router {
    pub store: Store,
    pub clock: Clock,
    pub flow: Arc<Flow>,
    pub young: Arc<Young>,
    pub consequences: Arc<dyn Consequences>,
}

/// What came of some work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is more.
    More,
    /// There is no more for now.
    Done,
    /// Another process does it.
    Elsewhere,
}

/// What one router knows between its transactions.
pub(super) struct Desk {
    pub lease: Lease,
    pub known: Known,
    /// When the lease was written last; `None`: it is not known to be ours.
    renewed: Option<Instant>,
    /// How far it is, where it knows.
    routed: Option<i64>,
}

impl Desk {
    /// Whether the lease is ours. While it is not used it may run out and be taken; whoever relies on it confirms it.
    pub async fn hold(&mut self) -> Result<bool> {
        if self.renewed.is_none() && self.lease.hold().await? {
            self.renewed = Some(Instant::now());
            self.routed = None;
        }
        Ok(self.renewed.is_some())
    }
}

impl Router {
    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let lease = Lease::new("webhooks.router", self.store.clone(), self.clock.clone());
        let mut desk = Desk { lease, known: Known::default(), renewed: None, routed: None };
        let mut links = Links::default();
        let mut counted = Instant::now();
        let mut idle = (self.young.until(), Instant::now());
        while !stop.is_cancelled() {
            let worked = guarded(self.work(&mut desk)).await;
            let linked = match worked {
                Ok(Step::Elsewhere) | Err(_) => Ok(Step::Done),
                _ => guarded(links.step(&self, &mut desk)).await,
            };
            if counted.elapsed() > COUNT {
                counted = Instant::now();
                self.count_refused().await;
            }
            let until = self.young.until();
            if until != idle.0 {
                idle = (until, Instant::now());
            }
            let linked = match linked {
                Ok(Step::Done) if idle.1.elapsed() > LEISURE => guarded(self.fold(&mut desk)).await,
                linked => linked,
            };
            let pause = match (worked, linked) {
                (Err(failure), _) | (_, Err(failure)) => {
                    tracing::error!(%failure, "webhooks could not be routed; it is tried again");
                    (desk.known, desk.renewed, desk.routed) = (Known::default(), None, None);
                    self.flow.elsewhere();
                    self.young.forget();
                    TICK
                }
                (Ok(Step::Elsewhere), _) | (_, Ok(Step::Elsewhere)) => {
                    self.flow.elsewhere();
                    self.young.forget();
                    desk.renewed = None;
                    TICK
                }
                (Ok(Step::More), _) | (_, Ok(Step::More)) => continue,
                _ => {
                    tokio::select! {
                        () = stop.cancelled() => break,
                        () = self.flow.kept.notified() => {}
                        () = tokio::time::sleep(TICK) => {}
                    }
                    GATHER
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.count_refused().await;
        if let Err(error) = desk.lease.release().await {
            tracing::debug!(%error, "the router's lease is kept until it runs out");
        }
    }

    /// Routes some.
    async fn work(&self, desk: &mut Desk) -> std::result::Result<Step, Failure> {
        let from = match desk.routed {
            Some(from) => from,
            None => ROUTED.value(&mut self.store.read().await?).await?,
        };
        let bodies = match self.flow.after(from, BYTES, TOGETHER) {
            Ok(bodies) => bodies,
            Err(next) => {
                let mut db = self.store.read().await?;
                // Cheaper than to look for bodies, where there is none.
                if next.is_none() && intake::LAST.value(&mut db).await? == from {
                    return Ok(Step::Done);
                }
                queries::after(&mut db, from, TOGETHER as i64, BYTES as i64).await?
            }
        };
        let Some(last) = bodies.last().map(|last| last.seq) else { return Ok(Step::Done) };
        if !desk.hold().await? {
            return Ok(Step::Elsewhere);
        }
        desk.routed = None;
        let bytes: usize = bodies.iter().map(|kept| kept.body.len()).sum();
        let step = self.carry(desk, from, &bodies).await?;
        if step == Step::Done {
            desk.routed = Some(last);
            self.flow.routed(bytes);
        }
        // A batch that is not full was all there was.
        let full = bodies.len() >= TOGETHER || bytes >= BYTES / 2;
        Ok(if step == Step::Done && full { Step::More } else { step })
    }

    /// Routes these together, or, where that does not go, each alone.
    async fn carry(&self, desk: &mut Desk, from: i64, bodies: &[Kept]) -> std::result::Result<Step, Failure> {
        match guarded(self.attempt(desk, from, bodies, How::Together)).await {
            Err(failure) if !failure.is_transient() => {
                tracing::warn!(%failure, bodies = bodies.len(), "some webhooks could not be routed together");
            }
            step => return step,
        }
        let mut from = from;
        for body in bodies {
            let mut tries = TRIES.iter();
            loop {
                let Some(how) = tries.next() else { return Err(Failure::Panic) };
                // What a failed transaction knew is not so.
                desk.known = Known::default();
                let step = match guarded(self.attempt(desk, from, std::slice::from_ref(body), *how)).await {
                    // The first attempt learns who owns what.
                    Ok(Step::More) => guarded(self.attempt(desk, from, std::slice::from_ref(body), *how)).await,
                    step => step,
                };
                match step {
                    Ok(Step::Done) => break,
                    Ok(other) => return Ok(other),
                    Err(failure) if failure.is_transient() || *how == How::Bare => return Err(failure),
                    Err(failure) => tracing::error!(%failure, body = body.seq, "a webhook could not be routed"),
                }
            }
            from = body.seq;
        }
        Ok(Step::Done)
    }

    /// One transaction; `More` where it must be done again from the beginning.
    async fn attempt(
        &self,
        desk: &mut Desk,
        from: i64,
        bodies: &[Kept],
        how: How,
    ) -> std::result::Result<Step, Failure> {
        let mut db = self.store.read().await?;
        self.young.be_whole(&mut db, from).await?;
        let batch = Batch::of(&mut db, &self.young, bodies, how).await?;
        drop(db);
        let to = bodies.last().map_or(from, |last| last.seq);
        let consequences = self.consequences.as_ref();
        let mut tx = self.store.write().await?;
        // Whoever else routes waits here, and finds that it was done.
        if !ROUTED.move_on(&mut tx, from, to).await? {
            desk.renewed = None;
            return Ok(Step::More);
        }
        let renews = desk.renewed.is_none_or(|at| at.elapsed() > RENEW);
        if renews && !desk.lease.confirm(&mut tx).await? {
            return Ok(Step::Elsewhere);
        }
        let version = counters::ROUTING.value(&mut tx).await?;
        if desk.known.version != version {
            // Bodies in memory may be gone from the database since, with the customer whose they were.
            desk.known = Known::at(version);
            self.flow.forget();
            return Ok(Step::More);
        }
        let routed = batch.routed(&mut tx, &mut desk.known, consequences, self.clock.now()).await?;
        let mut counts = routed.counts;
        queries::insert_events(&mut tx, &routed.changes).await?;
        routed.left_out.cut(&mut tx, consequences, bodies).await?;
        let marks = routed.marks.changed();
        let fold = self.young.keep(&mut tx, to, &marks).await?;
        follow(&mut tx, consequences, &routed.changes, (how, false), &mut counts).await?;
        queries::count(&mut tx, counts).await?;
        tx.commit().await?;
        self.young.committed(to, marks, fold);
        if renews {
            desk.renewed = Some(Instant::now());
        }
        consequences.committed();
        Ok(Step::Done)
    }

    /// Brings some young marks to their places while nothing else is to do.
    async fn fold(&self, desk: &mut Desk) -> std::result::Result<Step, Failure> {
        let Some(until) = self.young.until().filter(|_| !self.young.is_settled()) else { return Ok(Step::Done) };
        let mut tx = self.store.write().await?;
        // Nobody else has routed since, and whoever wants to waits.
        if !ROUTED.move_on(&mut tx, until, until).await? || !desk.lease.confirm(&mut tx).await? {
            return Ok(Step::Elsewhere);
        }
        let fold = self.young.at_leisure(&mut tx).await?;
        tx.commit().await?;
        self.young.committed(until, Vec::new(), fold);
        desk.renewed = Some(Instant::now());
        Ok(Step::Done)
    }

    /// Counts what was refused since, by the minute in which it is counted.
    async fn count_refused(&self) {
        let n = self.flow.take_refused();
        if n == 0 {
            return;
        }
        tracing::warn!(requests = n, "webhooks were refused: their signature is not that of the app's secret");
        let minute = clock::to_ms(self.clock.now()) / 60_000;
        let count = async {
            let mut tx = self.store.write().await?;
            queries::count(&mut tx, [((minute, String::new(), "refused"), n)].into()).await?;
            tx.commit().await
        };
        if let Err(error) = count.await {
            tracing::warn!(%error, "refused webhooks could not be counted");
        }
    }
}
