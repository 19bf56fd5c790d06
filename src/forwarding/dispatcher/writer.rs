//! Writes outcomes: many in one short transaction, and no more of the time than a share, since SQLite has one
//! writer, which the intake needs.

use super::outcome::{Outcome, Turn};
use crate::{
    accounts::audit,
    base::{clock, ids::EndpointId},
    forwarding::{
        CANCEL_JOB, MAIL_JOB,
        endpoint::EndpointState,
        plan_queries::item,
        queries::{self, ENDPOINTS},
        service::Forwarding,
    },
    jobs::Lease,
    store::{Arg, Result, Rows, WriteTx, query},
};
use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many outcomes one transaction takes at most: a few milliseconds.
const TOGETHER: usize = 128;
/// How long outcomes are collected at least.
const COLLECT: Duration = Duration::from_millis(8);
/// After a transaction it rests so many times as long as that took, as far as [`LONGEST_REST`].
const REST: u32 = 2;
const LONGEST_REST: Duration = Duration::from_millis(100);
/// How long it waits after the database failed.
const TROUBLE: Duration = Duration::from_millis(500);

static DELIVERIES: Rows = Rows::new(
    "INSERT INTO deliveries (endpoint_id, number, event_id, item, cause, state, lane, attempts, next_at, created_at, \
     done_at) VALUES",
    11,
    // What was cancelled during the call is not tried again.
    " ON CONFLICT (endpoint_id, number) DO UPDATE SET attempts = excluded.attempts, \
     state = CASE WHEN deliveries.state = 'cancelled' AND excluded.state = 'pending' THEN deliveries.state \
     ELSE excluded.state END, \
     next_at = CASE WHEN deliveries.state = 'cancelled' AND excluded.state = 'pending' THEN NULL \
     ELSE excluded.next_at END, \
     done_at = CASE WHEN deliveries.state = 'cancelled' AND excluded.state = 'pending' THEN deliveries.done_at \
     ELSE excluded.done_at END",
);
static ATTEMPTS: Rows = Rows::new(
    "INSERT INTO delivery_attempts (endpoint_id, number, attempt, at, duration_ms, status, error, answer) VALUES",
    8,
    " ON CONFLICT (endpoint_id, number, attempt) DO NOTHING",
);
static MINUTES: Rows = Rows::new(
    "INSERT INTO delivery_minutes (minute, endpoint_id, delivered, failed, latency_ms_sum, latency_ms_max) VALUES",
    6,
    " ON CONFLICT (minute, endpoint_id) DO UPDATE SET delivered = delivery_minutes.delivered + excluded.delivered, \
     failed = delivery_minutes.failed + excluded.failed, \
     latency_ms_sum = delivery_minutes.latency_ms_sum + excluded.latency_ms_sum, latency_ms_max = \
     CASE WHEN excluded.latency_ms_max > delivery_minutes.latency_ms_max THEN excluded.latency_ms_max \
     ELSE delivery_minutes.latency_ms_max END",
);
static THERE: Rows = Rows::new("SELECT id FROM endpoints WHERE id IN (", 0, ")");

/// Writes what comes until nobody sends any more, or the lease is another's; then `lost` ends all tasks.
pub(super) async fn run(
    forwarding: Forwarding,
    lease: Lease,
    mut waiting: mpsc::Receiver<Outcome>,
    lost: CancellationToken,
) {
    let mut some = Vec::with_capacity(TOGETHER);
    while waiting.recv_many(&mut some, TOGETHER).await > 0 {
        if some.len() < TOGETHER && !lost.is_cancelled() {
            tokio::time::sleep(COLLECT).await;
            while some.len() < TOGETHER
                && let Ok(one) = waiting.try_recv()
            {
                some.push(one);
            }
        }
        let took = loop {
            match forwarding.write_outcomes(&lease, &some).await {
                Ok(Some(took)) => break took,
                Ok(None) => {
                    tracing::warn!("the lease of forwarding was lost; another process calls again");
                    lost.cancel();
                    return;
                }
                Err(error) if lost.is_cancelled() => {
                    tracing::error!(%error, "outcomes of calls could not be kept; they are called again");
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, "outcomes of calls could not be kept yet");
                    tokio::time::sleep(TROUBLE).await;
                }
            }
        };
        for one in some.drain(..) {
            // Its task may have gone.
            let _ = one.written.send(one.delivery.number);
        }
        if !lost.is_cancelled() {
            tokio::time::sleep((took * REST).min(LONGEST_REST)).await;
        }
    }
}

impl Forwarding {
    /// Writes outcomes. How long the transaction took, from when it had the writer; `None` where the lease is
    /// another's, and nothing was written.
    async fn write_outcomes(&self, lease: &Lease, all: &[Outcome]) -> Result<Option<Duration>> {
        let mut tx = self.store.write().await?;
        let began = Instant::now();
        if !lease.confirm(&mut tx).await? {
            return Ok(None);
        }
        // An endpoint may have been removed meanwhile.
        let ids: HashSet<EndpointId> = all.iter().map(Outcome::endpoint).collect();
        let ids: Vec<Arg> = ids.into_iter().map(Arg::from).collect();
        let there = THERE.all(&mut tx, &ids, |row| row.parse::<EndpointId>("id")).await?;
        let there: HashSet<EndpointId> = there.into_iter().collect();
        let all: Vec<&Outcome> = all.iter().filter(|one| there.contains(&one.endpoint())).collect();
        let turned = self.turn(&mut tx, &all).await?;
        let (mut deliveries, mut attempts) = (Vec::new(), Vec::new());
        for one in &all {
            push_rows(&mut deliveries, &mut attempts, one);
        }
        DELIVERIES.execute(&mut tx, deliveries).await?;
        ATTEMPTS.execute(&mut tx, attempts).await?;
        MINUTES.execute(&mut tx, minutes(&all)).await?;
        tx.commit().await?;
        let took = began.elapsed();
        tracing::debug!(outcomes = all.len(), ?took, "outcomes written");
        if turned {
            self.queue.wake();
            self.wake();
        }
        Ok(Some(took))
    }

    /// What becomes of endpoints, in the order of their IDs; whether one is not called any more.
    async fn turn(&self, tx: &mut WriteTx, all: &[&Outcome]) -> Result<bool> {
        let now = self.clock.now();
        let mut turns: BTreeMap<EndpointId, Vec<Turn>> = BTreeMap::new();
        for one in all {
            if let Some(turn) = one.turn {
                turns.entry(one.endpoint()).or_default().push(turn);
            }
        }
        let mut stopped = Vec::new();
        for (id, turns) in turns {
            for turn in turns {
                let (state, reason, action) = match turn {
                    Turn::Fails(since) => {
                        set_failing(tx, id, Some(since)).await?;
                        continue;
                    }
                    Turn::Recovers => {
                        set_failing(tx, id, None).await?;
                        continue;
                    }
                    Turn::Pause => (EndpointState::Paused, "failing", "endpoint.failing"),
                    Turn::Gone => (EndpointState::Disabled, "gone", "endpoint.disabled"),
                };
                if queries::set_state(tx, id, [EndpointState::Active; 2], state, Some(reason), now).await? {
                    stopped.push((id, state, action));
                }
            }
        }
        if stopped.is_empty() {
            return Ok(false);
        }
        ENDPOINTS.advance(tx, 1).await?;
        for (id, state, action) in stopped {
            let subject = id.to_string();
            let customer = queries::by_id(tx, id).await?.map(|row| row.customer);
            let entry = audit::Entry { actor: None, customer, action, subject: Some(&subject), detail: None };
            audit::record(tx, &self.clock, entry).await?;
            self.queue.enqueue(tx, MAIL_JOB, &subject, now).await?;
            if state == EndpointState::Disabled {
                self.queue.enqueue(tx, CANCEL_JOB, &subject, now).await?;
            }
        }
        Ok(true)
    }
}

async fn set_failing(tx: &mut WriteTx, id: EndpointId, since: Option<OffsetDateTime>) -> Result<()> {
    query("UPDATE endpoints SET failing_since = $1 WHERE id = $2").bind(since).bind(id).execute(tx).await?;
    Ok(())
}

fn push_rows(deliveries: &mut Vec<Arg>, attempts: &mut Vec<Arg>, one: &Outcome) {
    let (delivery, attempt) = (&one.delivery, &one.attempt);
    deliveries.extend([
        delivery.endpoint.into(),
        delivery.number.into(),
        delivery.event.map_or(0, |event| event.0).into(),
        item(delivery.item).into(),
        delivery.cause.as_str().into(),
        delivery.state.as_str().into(),
        delivery.lane.into(),
        delivery.attempts.into(),
        delivery.next_at.into(),
        delivery.created_at.into(),
        delivery.done_at.into(),
    ]);
    attempts.extend([
        delivery.endpoint.into(),
        delivery.number.into(),
        attempt.attempt.into(),
        attempt.at.into(),
        attempt.duration_ms.into(),
        attempt.status.into(),
        attempt.error.clone().into(),
        attempt.answer.clone().into(),
    ]);
}

/// How they went, by minute and endpoint.
fn minutes(all: &[&Outcome]) -> Vec<Arg> {
    let mut of: BTreeMap<(i64, EndpointId), [i64; 4]> = BTreeMap::new();
    for one in all {
        let sums = of.entry((clock::to_ms(one.attempt.at) / 60_000, one.endpoint())).or_default();
        let succeeded = one.attempt.error.is_none() && one.attempt.status.is_some_and(|s| (200..300).contains(&s));
        if succeeded {
            let latency = i64::try_from(one.latency.whole_milliseconds()).unwrap_or(i64::MAX);
            sums[0] += 1;
            sums[2] = sums[2].saturating_add(latency);
            sums[3] = sums[3].max(latency);
        } else {
            sums[1] += 1;
        }
    }
    of.into_iter()
        .flat_map(|((minute, endpoint), [delivered, failed, sum, max])| {
            [minute.into(), endpoint.into(), delivered.into(), failed.into(), sum.into(), max.into()]
        })
        .collect()
}
