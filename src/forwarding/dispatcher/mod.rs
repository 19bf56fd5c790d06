//! Makes the calls, in one process at a time: a task for each endpoint that has something due, none for the others.
//!
//! What tasks share can't be used up by an endpoint that is dead or slow: each connection belongs to one call, the
//! database is read in short moments, and outcomes are written together by a writer of its own.

mod caller;
mod due;
mod health;
mod outcome;
mod queue;
mod runner;
mod writer;

use super::{bells::Rung, format::Formats, service::Forwarding};
use crate::{base::ids::EndpointId, jobs::Lease, store::Result, webhooks::Webhooks};
use caller::Caller;
use health::Health;
use outcome::Outcome;
use runner::{Ended, Poke};
use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// How often it is looked for what is due without a bell: retries, and what another process planned.
const SCAN: Duration = Duration::from_millis(500);
/// How often the lease is renewed.
const RENEW: Duration = Duration::from_millis(1_500);
/// How often it is looked for messages whose time is over.
const EXPIRE: Duration = Duration::from_secs(20);
/// How many tasks read from the database at once: the pool is others' too.
const READERS: usize = 2;
/// How many outcomes wait for the writer.
const WAITING: usize = 1_024;
/// How long calls under way get when the process ends; what is not kept by then is called again by the next.
const DRAIN: Duration = Duration::from_millis(900);

/// What the tasks share.
struct Shared {
    forwarding: Forwarding,
    webhooks: Webhooks,
    formats: Formats,
    caller: Caller,
    reading: Semaphore,
    outcomes: mpsc::Sender<Outcome>,
}

/// An endpoint with a task, or with something to be remembered of its last one.
#[derive(Default)]
struct Line {
    poke: Option<Arc<Poke>>,
    health: Health,
}

/// What is going on.
struct Board {
    shared: Arc<Shared>,
    lines: HashMap<EndpointId, Line>,
    tasks: JoinSet<Ended>,
    stop: CancellationToken,
}

impl Forwarding {
    /// Makes the calls until `stop`. `own` is where this process listens: there is the built-in receiver.
    pub async fn run(self, webhooks: Webhooks, formats: Formats, own: SocketAddr, stop: CancellationToken) {
        let lease = Lease::new("forwarding", self.store.clone(), self.clock.clone());
        while !stop.is_cancelled() {
            match lease.hold().await {
                Ok(true) => self.lead(&webhooks, &formats, own, &lease, &stop).await,
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "the lease of forwarding could not be had"),
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(RENEW) => {}
            }
        }
        if let Err(error) = lease.release().await {
            tracing::debug!(%error, "the lease of forwarding is kept until it runs out");
        }
    }

    /// Makes the calls as long as the lease is held.
    async fn lead(
        &self,
        webhooks: &Webhooks,
        formats: &Formats,
        own: SocketAddr,
        lease: &Lease,
        stop: &CancellationToken,
    ) {
        let lost = stop.child_token();
        let (outcomes, waiting) = mpsc::channel(WAITING);
        let writer = tokio::spawn(writer::run(self.clone(), lease.clone(), waiting, lost.clone()));
        let shared = Shared {
            forwarding: self.clone(),
            webhooks: webhooks.clone(),
            formats: formats.clone(),
            caller: Caller::new(self.private, own, self.clock.clone()),
            reading: Semaphore::new(READERS),
            outcomes,
        };
        let board =
            Board { shared: Arc::new(shared), lines: HashMap::new(), tasks: JoinSet::new(), stop: lost.clone() };
        let expiring = tokio::spawn(expire(self.clone(), lease.clone(), lost.clone()));
        board.run(lease).await;
        lost.cancel();
        // Nobody hands in outcomes any more; it writes those that came.
        let _ = tokio::join!(writer, expiring);
    }
}

/// Tells of messages whose time is over, until `stop`.
async fn expire(forwarding: Forwarding, lease: Lease, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let more = forwarding.expire(&lease).await.unwrap_or_else(|error| {
            tracing::error!(%error, "messages whose time is over could not be told");
            false
        });
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(if more { Duration::from_millis(50) } else { EXPIRE }) => {}
        }
    }
}

impl Board {
    async fn run(mut self, lease: &Lease) {
        let (mut renewed, mut scan_at) = (Instant::now(), Instant::now());
        while !self.stop.is_cancelled() {
            if renewed.elapsed() >= RENEW {
                renewed = Instant::now();
                match lease.hold().await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => tracing::warn!(%error, "the lease of forwarding could not be renewed"),
                }
            }
            let Rung { endpoints, all } = self.shared.forwarding.bells.take();
            if all {
                // They may have been paused, or changed: tasks read them anew.
                self.lines.values().filter_map(|line| line.poke.as_ref()).for_each(|poke| poke.ring());
            }
            endpoints.into_iter().for_each(|endpoint| self.poke(endpoint));
            if all || Instant::now() >= scan_at {
                let began = Instant::now();
                match self.scan().await {
                    Ok(due) => due.into_iter().for_each(|endpoint| self.poke(endpoint)),
                    Err(error) => tracing::error!(%error, "what is due could not be looked for"),
                }
                // Where it takes long it is done less often.
                scan_at = Instant::now() + SCAN.max(began.elapsed() * 20);
            }
            let wait = scan_at.saturating_duration_since(Instant::now()).min(RENEW);
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = self.shared.forwarding.bells.rung() => {}
                Some(ended) = self.tasks.join_next() => self.ended(ended),
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.stop.cancel();
        let _ = tokio::time::timeout(DRAIN, async { while self.tasks.join_next().await.is_some() {} }).await;
        self.tasks.shutdown().await;
    }

    /// The endpoints that have something due and no task.
    async fn scan(&self) -> Result<HashSet<EndpointId>> {
        let forwarding = &self.shared.forwarding;
        let due = due::endpoints(&mut forwarding.store.read().await?, forwarding.clock.now()).await?;
        Ok(due.into_iter().filter(|id| self.lines.get(id).is_none_or(|line| line.poke.is_none())).collect())
    }

    /// Something may be due for this endpoint.
    fn poke(&mut self, endpoint: EndpointId) {
        let line = self.lines.entry(endpoint).or_default();
        match &line.poke {
            Some(poke) => poke.ring(),
            None => {
                let poke = Arc::new(Poke::default());
                line.poke = Some(poke.clone());
                let (shared, health, stop) = (self.shared.clone(), line.health, self.stop.clone());
                self.tasks.spawn(runner::run(shared, endpoint, poke, health, stop));
            }
        }
    }

    fn ended(&mut self, ended: std::result::Result<Ended, tokio::task::JoinError>) {
        let Ended { endpoint, health } = match ended {
            Ok(ended) => ended,
            Err(error) => {
                // Which one is not known; whoever has no task gets one when it is looked for what is due.
                tracing::error!(%error, "a task of forwarding ended");
                self.lines.retain(|_, line| line.poke.as_ref().is_none_or(|poke| Arc::strong_count(poke) > 1));
                return;
            }
        };
        let Some(line) = self.lines.get_mut(&endpoint) else { return };
        line.health = health;
        let rung = line.poke.take().is_some_and(|poke| poke.take());
        if rung {
            self.poke(endpoint);
        } else if health == Health::default() {
            self.lines.remove(&endpoint);
        }
    }
}
