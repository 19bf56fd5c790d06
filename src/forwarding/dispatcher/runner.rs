//! The task of one endpoint, as long as it has something due: reads it in small portions, makes several calls at once,
//! and hands their outcomes to the writer.

use super::{
    Shared,
    caller::Answered,
    due::{self, Due},
    health::Health,
    outcome::{Ended as Call, Turn},
    queue::Queue,
};
use crate::{
    base::ids::EndpointId,
    forwarding::{
        endpoint::{Endpoint, EndpointState},
        format,
        queries::{self, ENDPOINTS},
        service::ForwardingError,
    },
    webhooks::{EventId, Told},
};
use futures_util::FutureExt;
use std::{
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// How many deliveries wait in memory at most.
const AHEAD: usize = 128;
/// How many bytes of what deliveries tell are read ahead, about.
const MEMORY: usize = 1 << 20;
/// How many outcomes may wait to be written before no further call is begun.
const UNWRITTEN: usize = 256;
/// How often it looks for retries that have become due.
const LOOK: Duration = Duration::from_millis(500);
/// The shortest time between two looks for what is new.
const REST: Duration = Duration::from_millis(10);
/// How long it rests where the database failed.
const TROUBLE: Duration = Duration::from_secs(1);

/// Tells a task that something may be due.
#[derive(Default)]
pub(super) struct Poke {
    rung: AtomicBool,
    bell: Notify,
}

impl Poke {
    pub fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.bell.notify_one();
    }

    /// Whether it was rung since it was asked last.
    pub fn take(&self) -> bool {
        self.rung.swap(false, Ordering::AcqRel)
    }
}

/// A task that has nothing to do any more.
pub(super) struct Ended {
    pub endpoint: EndpointId,
    pub health: Health,
}

struct Runner {
    shared: Arc<Shared>,
    endpoint: Arc<Endpoint>,
    version: i64,
    health: Health,
    queue: Queue,
    /// What deliveries tell that begin soon.
    told: HashMap<EventId, Arc<Told>>,
    /// Of how many that is read ahead at most, so that it takes about [`MEMORY`].
    ahead: usize,
    calls: JoinSet<(Vec<i64>, Call)>,
    /// Begun and not written yet.
    unwritten: HashSet<i64>,
    written: (mpsc::UnboundedSender<i64>, mpsc::UnboundedReceiver<i64>),
    /// The number up to which what is new was read.
    cursor: i64,
    look_new: bool,
    look_retries: bool,
    looked: Instant,
    /// It is not called any more.
    closing: bool,
}

/// Works until nothing is due, or until `stop`; calls under way are then waited for.
pub(super) async fn run(
    shared: Arc<Shared>,
    id: EndpointId,
    poke: Arc<Poke>,
    health: Health,
    stop: CancellationToken,
) -> Ended {
    let runner = match Runner::new(shared, id, health).await {
        Ok(Some(runner)) => runner,
        Ok(None) => return Ended { endpoint: id, health },
        Err(error) => {
            tracing::error!(%error, endpoint = %id, "an endpoint could not be read");
            tokio::time::sleep(TROUBLE).await;
            return Ended { endpoint: id, health };
        }
    };
    Ended { endpoint: id, health: runner.work(&poke, &stop).await }
}

impl Runner {
    async fn new(shared: Arc<Shared>, id: EndpointId, health: Health) -> Result<Option<Self>, ForwardingError> {
        let forwarding = &shared.forwarding;
        let mut db = forwarding.store.read().await?;
        let version = ENDPOINTS.value(&mut db).await?;
        let row = queries::by_id(&mut db, id).await?.filter(|row| row.state == EndpointState::Active);
        drop(db);
        let Some(endpoint) = row.map(|row| forwarding.open(row)).transpose()? else { return Ok(None) };
        Ok(Some(Self {
            endpoint: Arc::new(endpoint),
            shared,
            version,
            health,
            queue: Queue::default(),
            told: HashMap::new(),
            ahead: AHEAD,
            calls: JoinSet::new(),
            unwritten: HashSet::new(),
            written: mpsc::unbounded_channel(),
            cursor: 0,
            look_new: true,
            look_retries: true,
            looked: Instant::now(),
            closing: false,
        }))
    }

    async fn work(mut self, poke: &Poke, stop: &CancellationToken) -> Health {
        loop {
            if !stop.is_cancelled() && !self.closing {
                self.look_new |= poke.take();
                if let Err(error) = self.step().await {
                    tracing::error!(%error, endpoint = %self.endpoint.id, "deliveries could not be begun");
                    tokio::time::sleep(TROUBLE).await;
                }
            }
            let idle = self.calls.is_empty() && self.unwritten.is_empty();
            if idle && (stop.is_cancelled() || self.closing || (self.queue.is_empty() && !self.look_new)) {
                if self.cursor == 0 || stop.is_cancelled() || self.closing {
                    return self.health;
                }
                // What was set back to be due at once lies before it.
                (self.cursor, self.look_new) = (0, true);
                continue;
            }
            let wait = if self.look_new { REST.saturating_sub(self.looked.elapsed()) } else { LOOK };
            let ready = self.look_new && self.wants_more();
            tokio::select! {
                Some(ended) = self.calls.join_next() => self.ended(ended).await,
                Some(number) = self.written.1.recv() => {
                    self.unwritten.remove(&number);
                }
                () = poke.bell.notified() => {}
                () = stop.cancelled(), if !stop.is_cancelled() => {}
                () = tokio::time::sleep(wait), if ready || !self.look_new => {
                    self.look_retries |= !self.look_new;
                }
            }
        }
    }

    /// Whether there is room for more in memory.
    fn wants_more(&self) -> bool {
        self.queue.len() < AHEAD / 2 && self.unwritten.len() < UNWRITTEN
    }

    /// Reads what is due, as far as there is room, and begins what may begin.
    async fn step(&mut self) -> Result<(), ForwardingError> {
        let rested = self.cursor == 0 || self.looked.elapsed() >= REST;
        if self.wants_more() && ((self.look_new && rested) || self.look_retries) {
            self.read().await?;
        }
        let room = self.health.limit().saturating_sub(self.calls.len());
        let room = room.min(UNWRITTEN.saturating_sub(self.unwritten.len()));
        let begun = self.queue.take(room);
        if begun.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.tell(&begun).await {
            self.queue.give_back(begun);
            return Err(error);
        }
        begun.into_iter().for_each(|due| self.begin(due));
        Ok(())
    }

    async fn read(&mut self) -> Result<(), ForwardingError> {
        let shared = self.shared.clone();
        let _turn = shared.reading.acquire().await;
        let forwarding = &shared.forwarding;
        let mut db = forwarding.store.read().await?;
        let id = self.endpoint.id;
        let version = ENDPOINTS.value(&mut db).await?;
        if version != self.version {
            let row = queries::by_id(&mut db, id).await?.filter(|row| row.state == EndpointState::Active);
            let Some(row) = row else {
                self.close();
                return Ok(());
            };
            let mut endpoint = forwarding.open(row)?;
            if endpoint.state_since == self.endpoint.state_since {
                // Ours is younger than what is written.
                endpoint.failing_since = self.endpoint.failing_since;
            }
            (self.endpoint, self.version, self.cursor, self.look_new) = (Arc::new(endpoint), version, 0, true);
        }
        let known = |number: i64, runner: &Self| runner.unwritten.contains(&number) || runner.queue.holds(number);
        if self.look_new {
            // Those that are known and lie after the cursor come again only where it was set back.
            let limit = AHEAD + if self.cursor == 0 { self.unwritten.len() + self.queue.len() } else { 0 };
            let new =
                due::fresh(&mut db, &self.endpoint, self.cursor, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
            self.look_new = new.len() == limit;
            self.cursor = new.last().map_or(self.cursor, |last| last.delivery.number);
            for due in new {
                if !known(due.delivery.number, self) {
                    self.queue.add_new(due);
                }
            }
            self.looked = Instant::now();
        }
        if self.look_retries {
            let limit = AHEAD / 2 + self.unwritten.len() + self.queue.len();
            let now = forwarding.clock.now();
            let retries = due::retries(&mut db, &self.endpoint, now, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
            for due in retries.into_iter().take(AHEAD / 2 + self.unwritten.len()) {
                if !known(due.delivery.number, self) {
                    self.queue.add_retry(due);
                }
            }
            self.look_retries = false;
        }
        Ok(())
    }

    fn close(&mut self) {
        self.closing = true;
        self.queue = Queue::default();
    }

    /// Reads what these deliveries tell, and with it what those tell that follow soon: one body may hold a thousand.
    async fn tell(&mut self, begun: &[Due]) -> Result<(), ForwardingError> {
        let wanted: HashSet<EventId> = begun.iter().filter_map(|due| due.delivery.event).collect();
        if wanted.iter().all(|id| self.told.contains_key(id)) {
            return Ok(());
        }
        let ahead = (self.health.limit() * 4).min(self.ahead);
        let soon: HashSet<EventId> = wanted.iter().copied().chain(self.queue.soon(ahead)).collect();
        self.told.retain(|id, _| soon.contains(id));
        let ids: Vec<EventId> = soon.into_iter().filter(|id| !self.told.contains_key(id)).collect();
        let _turn = self.shared.reading.acquire().await;
        let told = self.shared.webhooks.told(&ids).await?;
        let size: usize = told.values().map(Told::size).sum();
        self.ahead = (MEMORY * told.len() / size.max(1)).clamp(1, AHEAD);
        self.told.extend(told.into_iter().map(|(id, told)| (id, Arc::new(told))));
        Ok(())
    }

    fn begin(&mut self, due: Due) {
        let (shared, endpoint) = (self.shared.clone(), self.endpoint.clone());
        let told = due.delivery.event.and_then(|id| self.told.get(&id).cloned());
        self.unwritten.insert(due.delivery.number);
        self.calls.spawn(async move {
            let clock = &shared.forwarding.clock;
            let change = told.as_ref().and_then(|told| told.change.as_ref()).map(|change| change.change());
            let event = told.as_ref().zip(change.as_ref()).map(|(told, change)| (&told.event, change));
            let made = format::call(&shared.formats, &endpoint, &due.delivery, event);
            // A fault of ours is a failure like any other: it must not be met again and again.
            let made = AssertUnwindSafe(made).catch_unwind().await;
            let at = clock.now();
            let result = match made {
                Ok(Ok(call)) => Ok(shared.caller.call(&endpoint, &due.delivery, call).await),
                Ok(Err(why)) => Err(why),
                Err(_) => Ok(Answered { error: Some("internal"), ..Answered::default() }),
            };
            let received_at = told.as_ref().map(|told| told.event.received_at);
            (due.delivery.lanes().collect(), Call { due, at, received_at, result })
        });
    }

    async fn ended(&mut self, ended: Result<(Vec<i64>, Call), tokio::task::JoinError>) {
        let (lanes, call) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                // Its delivery stays in `unwritten`: it is called again by the next task, or the next process.
                tracing::error!(%error, endpoint = %self.endpoint.id, "a call broke off");
                self.closing = true;
                self.unwritten.clear();
                return;
            }
        };
        self.queue.free(lanes);
        if let Ok(answered) = &call.result {
            self.health.learn(answered.is_success(), answered.took);
        }
        let (succeeded, failures) = (call.succeeded(), self.health.failures);
        let outcome = call.outcome(&self.endpoint, failures, rand::random(), self.written.0.clone());
        let mut endpoint = None;
        match outcome.turn {
            Some(Turn::Fails(at)) => endpoint = Some(Some(at)),
            Some(Turn::Recovers) => endpoint = Some(None),
            Some(Turn::Pause | Turn::Gone) => self.close(),
            None => {}
        }
        if let Some(failing_since) = endpoint {
            self.endpoint = Arc::new(Endpoint { failing_since, ..(*self.endpoint).clone() });
        }
        tracing::debug!(
            endpoint = %self.endpoint.id, number = outcome.delivery.number, attempt = outcome.attempt.attempt,
            status = outcome.attempt.status, error = outcome.attempt.error, succeeded, "called"
        );
        if self.shared.outcomes.send(outcome).await.is_err() {
            // The lease is lost.
            self.closing = true;
            self.unwritten.clear();
        }
    }
}
