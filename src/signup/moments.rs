//! What a customer's timeline tells of attempts to connect, and which attempts somebody is stuck in.

use super::{Attempt, Flow, Signup, Step, queries, service::SignupError};
use crate::{
    base::ids::CustomerId,
    web::{Badge, Before, Moment},
};
use time::{Duration, OffsetDateTime};

/// After which time an attempt that waits for Facebook's window, or for the customer, hangs.
const HANGS: Duration = Duration::minutes(15);
/// After which time one that should go on by itself hangs.
const HANGS_HERE: Duration = Duration::minutes(5);
/// How long somebody is taken to be stuck: who has not come back by then has given up.
const STUCK: Duration = Duration::days(30);
/// How many are looked at.
const MOST: i64 = 200;

/// Where somebody is stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// It failed.
    Failed,
    /// It should go on by itself, and does not.
    Hangs,
    /// The customer must choose something.
    Waits,
    /// Facebook's window was opened, and nothing came of it.
    Left,
}

/// An attempt in which a customer is stuck: its newest, and not followed by a success.
#[derive(Clone, Debug)]
pub struct StuckAttempt {
    /// The attempt.
    pub attempt: Attempt,
    /// How.
    pub how: Stuck,
    /// Since when.
    pub since: OffsetDateTime,
}

impl Signup {
    /// A customer's attempts that began before this one, with what came of them; `operator`: what customers call the
    /// operator.
    ///
    /// # Errors
    /// The database's.
    pub async fn moments(
        &self,
        customer: CustomerId,
        before: &Before,
        limit: i64,
        operator: &str,
    ) -> Result<Vec<Moment>, SignupError> {
        let found = queries::before(&mut self.store.read().await?, customer, before, limit).await?;
        Ok(found.iter().map(|attempt| of_attempt(attempt, operator)).collect())
    }

    /// The attempts in which customers are stuck, or this one is.
    ///
    /// # Errors
    /// The database's.
    pub async fn stuck(&self, customer: Option<CustomerId>) -> Result<Vec<StuckAttempt>, SignupError> {
        let now = self.clock.now();
        let mut db = self.store.read().await?;
        let newest = match customer {
            Some(customer) => queries::recent(&mut db, customer, 1).await?,
            None => queries::recent_unfinished(&mut db, MOST).await?,
        };
        drop(db);
        let stuck = newest.into_iter().filter_map(|attempt| {
            let rests = now - attempt.step_since;
            let how = match attempt.step {
                Step::Done => None,
                Step::Failed => Some(Stuck::Failed),
                Step::Launched => (rests > HANGS).then_some(Stuck::Left),
                step if step.waits_for_customer() => (rests > HANGS).then_some(Stuck::Waits),
                _ => (rests > HANGS_HERE || attempt.trouble.is_some()).then_some(Stuck::Hangs),
            };
            let since = attempt.step_since;
            how.filter(|_| rests < STUCK).map(|how| StuckAttempt { attempt, how, since })
        });
        Ok(stuck.collect())
    }
}

fn of_attempt(attempt: &Attempt, operator: &str) -> Moment {
    let way = match (attempt.flow, attempt.coexistence) {
        (Flow::Embedded, false) => "Facebook’s window",
        (Flow::Embedded, true) => "Facebook’s window, keeping the app",
        (Flow::OAuth, _) => "Facebook’s page",
    };
    let what = match &attempt.reconnect {
        Some(_) => "Tried to connect again",
        None => "Tried to connect WhatsApp",
    };
    let failure = attempt.failure.as_ref().filter(|_| attempt.step == Step::Failed);
    let (badge, came) = match (attempt.step, failure) {
        (Step::Done, _) => (Badge::new("good", "Connected"), "it worked".to_owned()),
        (Step::Failed, Some(failure)) => {
            (Badge::new("problem", "Failed"), format!("“{}”", failure.words(operator).title))
        }
        (Step::Failed, None) => (Badge::new("problem", "Failed"), "it failed".to_owned()),
        (Step::Launched, _) => (Badge::new("waiting", "Open"), "Facebook has not answered yet".to_owned()),
        (step, _) if step.waits_for_customer() => {
            (Badge::new("waiting", "Open"), "it waits for the customer’s choice".to_owned())
        }
        _ => (Badge::new("waiting", "Open"), "it is under way".to_owned()),
    };
    let took = attempt.step_since - attempt.created_at;
    let mut details = vec![format!("Attempt {}", attempt.id), format!("Last step: {}", attempt.step.as_str())];
    if attempt.step.is_final() {
        details.push(format!("Took {} s", took.whole_seconds()));
    }
    if let Some(failure) = failure {
        details.push(format!("{} at {}", failure.reason.as_str(), failure.at.as_str()));
        details.extend(failure.detail.clone());
        details.extend(failure.graph.as_ref().map(ToString::to_string));
    }
    Moment {
        at: attempt.created_at,
        id: attempt.id.to_string(),
        badge: Some(badge),
        what: format!("{what} by {way}: {came}."),
        details,
    }
}
