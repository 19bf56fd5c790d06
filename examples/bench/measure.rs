//! Single measurements.

use super::{
    Outcome,
    data::{self, Owners},
    load::{self, Answered},
    server::Server,
};
use doorway::store::Store;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Numbers of requests that no run had before.
static NEXT: AtomicU64 = AtomicU64::new(0);

pub fn fresh() -> u64 {
    // A multiple of what makes a block of messages, so that each message's statuses are within one run.
    NEXT.fetch_add(900_000_000, Ordering::Relaxed)
}

pub struct Bench<'a> {
    pub url: &'a str,
    pub store: &'a Store,
    pub owners: &'a Owners,
}

/// Load with routing going on.
#[derive(Clone, Copy, Debug)]
pub struct Sustained {
    pub answered: Answered,
    /// Bodies routed a second while the load lasted.
    pub routed: f64,
    /// The largest backlog seen, and the one when the load ended; in requests.
    pub backlog: (i64, i64),
    /// How long it took then until all was routed, in seconds.
    pub caught_up: f64,
    /// The server's processor time for each event, in microseconds.
    pub cpu_us: f64,
    /// The most memory that the server had, in MB.
    pub peak_mb: u64,
    /// Whether the events are exactly those that were sent, those that came twice once.
    pub exact: bool,
}

impl Bench<'_> {
    /// As fast as it is answered, with nothing in the background.
    pub async fn burst(&self, mode: &str, time: Duration, updates: u64) -> Outcome<Answered> {
        let server = Server::start(self.url, mode)?;
        load::run(server.port, self.owners, fresh(), updates, Duration::from_secs(1), None).await?;
        let answered = load::run(server.port, self.owners, fresh(), updates, time, None).await?;
        eprintln!("{mode}, {updates} a request: {answered:?}; {:.1} s of processor time in all", server.cpu()?);
        Ok(answered)
    }

    async fn all_routed(&self) -> Outcome<()> {
        loop {
            let (kept, routed) = data::progress(self.store).await?;
            if kept == routed {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// As fast as it is answered, for a while.
    pub async fn sustained(&self, time: Duration, updates: u64) -> Outcome<Sustained> {
        self.with_routing(time, updates, None).await
    }

    /// So many a second.
    pub async fn paced(&self, rate: u64, time: Duration) -> Outcome<Sustained> {
        self.with_routing(time, 1, Some(rate)).await
    }

    async fn with_routing(&self, time: Duration, updates: u64, rate: Option<u64>) -> Outcome<Sustained> {
        let server = Server::start(self.url, "all")?;
        let (first, _) = data::progress(self.store).await?;
        let cpu = server.cpu()?;
        let load = load::run(server.port, self.owners, fresh(), updates, time, rate);
        tokio::pin!(load);
        let mut largest = 0;
        let mut every = tokio::time::interval(Duration::from_secs(1));
        let answered = loop {
            tokio::select! {
                answered = &mut load => break answered?,
                _ = every.tick() => {
                    let (kept, routed) = data::progress(self.store).await?;
                    largest = largest.max(kept - routed);
                }
            }
        };
        let (kept, routed) = data::progress(self.store).await?;
        let ended = Instant::now();
        self.all_routed().await?;
        let caught_up = ended.elapsed().as_secs_f64();
        let events = data::events_after(self.store, first).await?;
        let wanted = (answered.requests - answered.twice) * updates;
        let cpu_us = (server.cpu()? - cpu) * 1e6 / (answered.requests * updates) as f64;
        eprintln!(
            "routed {:.0} a second, {cpu_us:.1} µs each: {answered:?}",
            (routed - first) as f64 / answered.elapsed
        );
        Ok(Sustained {
            answered,
            routed: (routed - first) as f64 / answered.elapsed,
            backlog: (largest.max(kept - routed), kept - routed),
            caught_up,
            cpu_us,
            peak_mb: server.peak_mb()?,
            exact: events == wanted as i64,
        })
    }
}
