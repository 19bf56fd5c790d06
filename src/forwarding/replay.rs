//! Sending again on request: one event, a selection, or all since a time.

use super::{
    REPLAY_JOB,
    cache::Wish,
    endpoint::{Cause, EndpointState},
    plan::Plan,
    queries,
    service::{Forwarding, ForwardingError},
};
use crate::{
    accounts::{User, audit, lock_customer},
    base::ids::{CustomerId, EndpointId},
    jobs::{JobError, Outcome},
    store::{Reads, StoreError, WriteTx},
    webhooks::{EventId, Told, Webhooks},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::OffsetDateTime;

/// How many events can be chosen one by one.
pub const MAX_CHOSEN: usize = 500;
/// How many events one step takes.
const STEP: usize = 100;
/// The rest between two steps.
const REST: Duration = Duration::from_millis(15);
/// How many steps are taken before other jobs get their turn.
const AT_ONCE: usize = 10;
/// When the next step is taken by another process, where this one ends.
const TAKEN_OVER_AFTER: time::Duration = time::Duration::minutes(1);

/// What is to be sent again.
#[derive(Clone, Debug)]
pub enum Replay {
    /// These, to all of the customer's endpoints that want them.
    Events(Vec<EventId>),
    /// These, to one endpoint, whatever it chose.
    To {
        /// Which.
        endpoint: EndpointId,
        /// Which events.
        events: Vec<EventId>,
    },
    /// All since a time, to one endpoint or to all, as far as they want them.
    Since {
        /// `None`: all.
        endpoint: Option<EndpointId>,
        /// Events that came then or later.
        time: OffsetDateTime,
    },
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// So many deliveries are on their way.
    Planned(i64),
    /// They follow in the background.
    Begun,
}

/// Where a replay that goes on in the background is. It is a job's subject.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Progress {
    customer: CustomerId,
    endpoint: Option<EndpointId>,
    /// From this event on.
    from: i64,
    /// Until before this one.
    before: i64,
    /// The route that is gone through, and the event it is at.
    route: i64,
    at: i64,
    /// What tells it from another of the same.
    begun: i64,
}

impl Progress {
    /// How the subjects of a customer's replays begin.
    fn of(customer: CustomerId) -> String {
        format!("{{\"customer\":\"{customer}\",")
    }

    fn subject(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|_| StoreError::Value("a replay".to_owned()))
    }
}

impl Forwarding {
    /// Sends events of a customer again, as new deliveries with new numbers. What is another customer's is left out.
    ///
    /// # Errors
    /// [`ForwardingError::NotFound`], [`ForwardingError::NotActive`] where the one endpoint is disabled,
    /// [`ForwardingError::TooManyEvents`], [`ForwardingError::Replaying`] where all since a time is being sent to it
    /// already, or the database's.
    pub async fn replay(
        &self,
        webhooks: &Webhooks,
        actor: &User,
        customer: CustomerId,
        replay: Replay,
    ) -> Result<Replayed, ForwardingError> {
        let (endpoint, events) = match replay {
            Replay::Since { endpoint, time } => {
                self.check_target(customer, endpoint).await?;
                let begun = self.begin(webhooks, actor, customer, endpoint, time).await;
                return begun.map(|()| Replayed::Begun);
            }
            Replay::Events(events) => (None, events),
            Replay::To { endpoint, events } => (Some(endpoint), events),
        };
        if events.len() > MAX_CHOSEN {
            return Err(ForwardingError::TooManyEvents(MAX_CHOSEN));
        }
        self.check_target(customer, endpoint).await?;
        let mut planned = 0;
        for (at, some) in events.chunks(STEP).enumerate() {
            let told = in_order(webhooks, some).await?;
            let mut tx = self.store.write().await?;
            let plan = self.again(&mut tx, customer, endpoint, endpoint.is_some(), &told).await?;
            let taken = self.number(&mut tx, plan).await?;
            if at == 0 {
                let detail = format!("{} events", events.len());
                self.note_replay(&mut tx, actor, customer, endpoint, detail).await?;
            }
            tx.commit().await?;
            planned += taken.values().sum::<i64>();
            taken.into_keys().for_each(|endpoint| self.bells.ring_for(endpoint));
        }
        Ok(Replayed::Planned(planned))
    }

    /// Whether all since a time is being sent again to an endpoint, or to all of a customer's (`None`).
    ///
    /// # Errors
    /// The database's.
    pub async fn is_replaying(&self, customer: CustomerId, endpoint: Option<EndpointId>) -> Result<bool, StoreError> {
        replaying(&mut self.store.read().await?, customer, endpoint).await
    }

    async fn check_target(&self, customer: CustomerId, endpoint: Option<EndpointId>) -> Result<(), ForwardingError> {
        let Some(id) = endpoint else { return Ok(()) };
        let row = queries::endpoint_of(&mut self.store.read().await?, customer, id).await?;
        match row.map(|row| row.state) {
            None => Err(ForwardingError::NotFound),
            Some(EndpointState::Disabled) => Err(ForwardingError::NotActive),
            Some(_) => Ok(()),
        }
    }

    async fn note_replay(
        &self,
        tx: &mut WriteTx,
        actor: &User,
        customer: CustomerId,
        endpoint: Option<EndpointId>,
        detail: String,
    ) -> Result<(), StoreError> {
        let (subject, action) = (endpoint.map(|id| id.to_string()), "endpoint.replayed");
        let (actor, customer) = (Some(actor.id), Some(customer));
        let entry = audit::Entry { actor, customer, action, subject: subject.as_deref(), detail: Some(detail) };
        audit::record(tx, &self.clock, entry).await
    }

    async fn begin(
        &self,
        webhooks: &Webhooks,
        actor: &User,
        customer: CustomerId,
        endpoint: Option<EndpointId>,
        time: OffsetDateTime,
    ) -> Result<(), ForwardingError> {
        let now = self.clock.now();
        let from = webhooks.first_since(time).await?;
        let before = webhooks.first_since(now + time::Duration::DAY).await?;
        let begun = self.clock.now_ms();
        let progress = Progress { customer, endpoint, from: from.0, before: before.0, route: 0, at: from.0, begun };
        let mut tx = self.store.write().await?;
        // Two at the same moment would each see none.
        lock_customer(&mut tx, customer).await?;
        if replaying(&mut tx, customer, endpoint).await? {
            return Err(ForwardingError::Replaying);
        }
        self.note_replay(&mut tx, actor, customer, endpoint, crate::base::clock::rfc3339(time)).await?;
        self.queue.enqueue(&mut tx, REPLAY_JOB, &progress.subject()?, now).await?;
        tx.commit().await?;
        self.queue.wake();
        Ok(())
    }

    /// Carries a replay on. Each step's transaction puts the next step in the place of this one's job, so each is
    /// done once, also when the process is killed. After [`AT_ONCE`] steps it stands in line again, behind other jobs
    /// that are due: a long replay holds none of them up.
    pub(super) async fn carry_on(&self, webhooks: &Webhooks, subject: &str) -> Result<Outcome, JobError> {
        let mut here: Progress = serde_json::from_str(subject)?;
        let routes = webhooks.route_ids(here.customer).await?;
        let mut steps = 0;
        for route in routes {
            if route < here.route {
                continue;
            }
            if route > here.route {
                here = self.step(&here, Progress { route, at: here.from, ..here.clone() }, &[]).await?;
            }
            loop {
                if steps == AT_ONCE {
                    return self.give_way(&here).await;
                }
                steps += 1;
                let (at, before) = (EventId(here.at), EventId(here.before));
                let some = webhooks.events_between(route, at, before, STEP as i64).await?;
                let Some(last) = some.last() else { break };
                let told = in_order(webhooks, &some).await?;
                here = self.step(&here, Progress { at: last.0 + 1, ..here.clone() }, &told).await?;
                tokio::time::sleep(REST).await;
            }
        }
        let mut tx = self.store.write().await?;
        self.queue.cancel(&mut tx, REPLAY_JOB, &here.subject()?).await?;
        tx.commit().await?;
        Ok(Outcome::Done)
    }

    /// Lets other jobs go first.
    async fn give_way(&self, here: &Progress) -> Result<Outcome, JobError> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        self.queue.enqueue(&mut tx, REPLAY_JOB, &here.subject()?, now).await?;
        tx.commit().await?;
        self.queue.wake();
        Ok(Outcome::Again(now))
    }

    async fn step(&self, here: &Progress, next: Progress, told: &[Told]) -> Result<Progress, StoreError> {
        let mut tx = self.store.write().await?;
        let plan = self.again(&mut tx, here.customer, here.endpoint, false, told).await?;
        let taken = self.number(&mut tx, plan).await?;
        self.queue.cancel(&mut tx, REPLAY_JOB, &here.subject()?).await?;
        self.queue.enqueue(&mut tx, REPLAY_JOB, &next.subject()?, self.clock.now() + TAKEN_OVER_AFTER).await?;
        tx.commit().await?;
        taken.into_keys().for_each(|endpoint| self.bells.ring_for(endpoint));
        Ok(next)
    }

    /// Who gets what of these again; `all`: whatever they chose.
    async fn again(
        &self,
        tx: &mut WriteTx,
        customer: CustomerId,
        endpoint: Option<EndpointId>,
        all: bool,
        told: &[Told],
    ) -> Result<Plan, StoreError> {
        let wishes = self.wishes.now(tx).await?;
        let meant = |wish: &&Wish| endpoint.is_none_or(|id| id == wish.id);
        let mut plan = Plan::default();
        for routed in told.iter().filter_map(Told::routed).filter(|routed| routed.customer() == Some(customer)) {
            for wish in wishes.of(customer).iter().filter(meant) {
                match wish.wants(&routed) {
                    true => plan.add(wish, &routed, Cause::Replay, false),
                    false if all => plan.add(wish, &routed, Cause::Replay, true),
                    false => {}
                }
            }
        }
        Ok(plan)
    }
}

async fn replaying(
    db: &mut impl Reads,
    customer: CustomerId,
    endpoint: Option<EndpointId>,
) -> Result<bool, StoreError> {
    let subjects = queries::jobs_like(db, REPLAY_JOB, &format!("{}%", Progress::of(customer))).await?;
    let mut going_on = subjects.iter().filter_map(|subject| serde_json::from_str::<Progress>(subject).ok());
    Ok(going_on.any(|one| endpoint.is_none() || one.endpoint.is_none() || one.endpoint == endpoint))
}

/// What events tell, in their order.
async fn in_order(webhooks: &Webhooks, ids: &[EventId]) -> Result<Vec<Told>, StoreError> {
    let mut told: Vec<Told> = webhooks.told(ids).await?.into_values().collect();
    told.sort_by_key(|told| told.event.id);
    Ok(told)
}
