//! What an attempt came to, and what follows from it.

use super::{caller::Answered, due::Due};
use crate::{
    base::ids::EndpointId,
    forwarding::{
        endpoint::{Cause, Delivery, DeliveryState, Endpoint},
        format::Uncallable,
        queries::Attempt,
        schedule,
    },
};
use time::{Duration, OffsetDateTime};
use tokio::sync::mpsc;

/// After how long of failures alone an endpoint is paused.
pub(super) const FAILING_FOR: Duration = Duration::days(3);
/// How many failures in a row there must have been, at least, since this process began.
pub(super) const FAILURES: u32 = 5;

/// What becomes of an endpoint by an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It fails now, since this moment.
    Fails(OffsetDateTime),
    /// It answers again.
    Recovers,
    /// It has failed for days.
    Pause,
    /// It answered that it is gone.
    Gone,
}

/// What is to be written.
pub(super) struct Outcome {
    /// As it is now.
    pub delivery: Delivery,
    pub attempt: Attempt,
    /// From Meta's webhook (else from when it was planned) to the answer.
    pub latency: Duration,
    pub turn: Option<Turn>,
    /// Told the number when it is written.
    pub written: mpsc::UnboundedSender<i64>,
}

impl Outcome {
    pub fn endpoint(&self) -> EndpointId {
        self.delivery.endpoint
    }
}

/// An attempt that has ended.
pub(super) struct Ended {
    pub due: Due,
    pub at: OffsetDateTime,
    pub received_at: Option<OffsetDateTime>,
    pub result: Result<Answered, Uncallable>,
}

impl Ended {
    /// What kind of end it was.
    pub fn succeeded(&self) -> bool {
        self.result.as_ref().is_ok_and(|answered| answered.is_success())
    }

    /// What is to be written: the delivery as it is now, and what becomes of the endpoint. `failures` counts those in a
    /// row, this one included.
    pub fn outcome(
        self,
        endpoint: &Endpoint,
        failures: u32,
        random: f64,
        written: mpsc::UnboundedSender<i64>,
    ) -> Outcome {
        let Self { due, at, received_at, result } = self;
        let mut delivery = due.delivery;
        delivery.attempts += 1;
        let answered = match &result {
            Ok(answered) => answered.clone(),
            // Another attempt would find no more.
            Err(_) => Answered { error: Some("nothing_to_send"), ..Answered::default() },
        };
        let ended_at = at + answered.took;
        let first_at = due.first_at.unwrap_or(at);
        let (state, next_at) = if answered.is_success() {
            (DeliveryState::Delivered, None)
        } else if result.is_err() || answered.is_gone() {
            (DeliveryState::Failed, None)
        } else {
            match schedule::next(due.made + 1, first_at, ended_at, answered.retry_after, random) {
                Some(at) => (DeliveryState::Pending, Some(at)),
                None => (DeliveryState::Failed, None),
            }
        };
        let turn = match (&result, endpoint.failing_since) {
            (Err(_), _) => None,
            (Ok(answered), _) if answered.is_gone() => Some(Turn::Gone),
            (Ok(answered), Some(_)) if answered.is_success() => Some(Turn::Recovers),
            (Ok(answered), None) if answered.is_success() => None,
            (Ok(_), None) => Some(Turn::Fails(at)),
            (Ok(_), Some(since)) if ended_at - since >= FAILING_FOR && failures >= FAILURES => Some(Turn::Pause),
            (Ok(_), Some(_)) => None,
        };
        let base = received_at.filter(|_| delivery.cause == Cause::Event).unwrap_or(delivery.created_at);
        let attempt = Attempt {
            attempt: delivery.attempts,
            at,
            duration_ms: i64::try_from(answered.took.whole_milliseconds()).unwrap_or(i64::MAX),
            status: answered.status.map(i64::from),
            error: answered.error.map(str::to_owned),
            answer: answered.answer,
        };
        delivery.state = state;
        delivery.next_at = next_at;
        delivery.done_at = next_at.is_none().then_some(ended_at);
        Outcome { delivery, attempt, latency: (ended_at - base).max(Duration::ZERO), turn, written }
    }
}
