//! The state machine: each step does one thing at Meta, or none, and keeps what came of it before the
//! next begins. Every step bears being repeated.
//!
//! From code to subscribed, one WABA with one number takes four round trips: exchange, inspection,
//! proof (account and numbers side by side), subscription.

use super::{
    attempt::{Attempt, Reconnect, Trouble},
    failure::{Failure, Reason},
    inspect,
    model::{Flow, Step},
    queries,
    service::{CODE_COLUMN, Change, Signup, SignupError, TOKEN_COLUMN, fail},
};
use crate::{
    base::ids::AttemptId,
    connections::{Grant, SaveError},
    graph::{Access, AppCredentials, ErrorClass, GraphError},
    jobs::{JobError, Outcome},
};
use secrecy::SecretString;
use time::{Duration, OffsetDateTime};

/// The kind of the job; its subject is the attempt's ID.
pub const ADVANCE_JOB: &str = "signup.advance";
/// How often is looked while waiting.
pub(super) const LOOK: Duration = Duration::seconds(1);
/// How long trouble at Meta is waited out before the customer is asked to come back.
const PATIENCE: Duration = Duration::minutes(5);
/// How long a token is kept for a customer whose turn it is.
const TURN: Duration = Duration::hours(24);
/// A code lives 30 seconds. <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/implementation>
const CODE_LIFE: Duration = Duration::seconds(30);
/// How many WABAs are proven side by side.
pub(super) const PARALLEL: usize = 6;

/// What a step came to.
pub(super) enum Next {
    /// It was kept; the next may follow.
    Kept,
    /// Nothing to do before then.
    Wait(OffsetDateTime),
    /// It is over, or the customer's turn.
    Stop,
}

impl Signup {
    /// Carries an attempt on as far as it goes.
    ///
    /// # Errors
    /// The database's, and sealed values that do not open.
    pub async fn advance(&self, id: AttemptId) -> Result<Outcome, JobError> {
        loop {
            let Some(attempt) = queries::get(&mut self.store.read().await?, id).await? else {
                return Ok(Outcome::Done);
            };
            if let Some(trouble) = &attempt.trouble {
                let next = crate::base::clock::from_ms(trouble.next_ms);
                if next > self.clock.now() {
                    return Ok(Outcome::Again(next));
                }
            }
            if let Some(outcome) = self.is_halted(&attempt).await? {
                return Ok(outcome);
            }
            let next = match self.step(&attempt).await {
                Ok(next) => next,
                // Trying again would find the same: the customer is told, and support.
                Err(error @ (SignupError::Seal(_) | SignupError::NotConfigured)) => {
                    tracing::error!(attempt = %id, %error, "a signup attempt can't go on");
                    self.fail_with(&attempt, Failure::new(Reason::Internal)).await?
                }
                Err(error) => return Err(error.into()),
            };
            match next {
                Next::Kept => {}
                Next::Wait(at) => return Ok(Outcome::Again(at)),
                Next::Stop => return Ok(Outcome::Done),
            }
        }
    }

    async fn step(&self, attempt: &Attempt) -> Result<Next, SignupError> {
        match attempt.step {
            Step::Launched => self.wait_for_code(attempt).await,
            Step::CodeReceived => self.exchange(attempt).await,
            Step::TokenExchanged => self.inspect(attempt).await,
            Step::TokenInspected => self.prove(attempt).await,
            Step::Chosen => self.save(attempt).await,
            Step::Saved => self.subscribe(attempt).await,
            Step::Subscribed => self.read_numbers(attempt).await,
            Step::Choosing | Step::WabaIdNeeded => self.wait_for_customer(attempt).await,
            Step::Failed => self.keep_for_going_on(attempt).await,
            Step::Done => Ok(Next::Stop),
        }
    }

    /// The customer's turn, for a day: then the token is dropped, and they start again.
    async fn wait_for_customer(&self, attempt: &Attempt) -> Result<Next, SignupError> {
        let until = attempt.step_since + TURN;
        if self.clock.now() < until {
            return Ok(Next::Wait(until));
        }
        self.fail_with(attempt, Failure::new(Reason::TimedOut)).await
    }

    /// A failure that can go on keeps its token for a day.
    async fn keep_for_going_on(&self, attempt: &Attempt) -> Result<Next, SignupError> {
        let until = attempt.step_since + TURN;
        match (&attempt.token_sealed, self.clock.now() < until) {
            (None, _) => Ok(Next::Stop),
            (Some(_), true) => Ok(Next::Wait(until)),
            (Some(_), false) => {
                self.keep(attempt, |now| {
                    now.token_sealed = None;
                    now.failure = Some(Failure::new(Reason::TimedOut));
                })
                .await
            }
        }
    }

    /// Keeps a step's result, if the attempt is still at that step.
    pub(super) async fn keep(
        &self,
        attempt: &Attempt,
        change: impl Fn(&mut Attempt) + Send + Sync,
    ) -> Result<Next, SignupError> {
        let at = attempt.step;
        self.change(attempt.id, |now| {
            if now.step != at {
                return Change::Drop;
            }
            now.trouble = None;
            change(now);
            Change::Keep
        })
        .await?;
        Ok(Next::Kept)
    }

    pub(super) async fn fail_with(&self, attempt: &Attempt, failure: Failure) -> Result<Next, SignupError> {
        tracing::info!(attempt = %attempt.id, step = attempt.step.as_str(), reason = failure.reason.as_str(),
            graph = failure.graph.as_ref().map(ToString::to_string), "a signup attempt failed");
        self.keep(attempt, |now| fail(now, failure.clone())).await
    }

    /// Meta is in trouble: try again soon, and give up at the end of its patience.
    async fn wait_out(&self, attempt: &Attempt, error: GraphError, until: OffsetDateTime) -> Result<Next, SignupError> {
        let tries = attempt.trouble.as_ref().map_or(0, |trouble| trouble.tries) + 1;
        let pause = match error.api().and_then(|api| api.retry_after) {
            Some(seconds) => Duration::seconds(seconds.clamp(1, 120)),
            None => Duration::seconds(1i64 << tries.min(4).saturating_sub(1)),
        };
        let next = self.clock.now() + pause;
        if next > until {
            return self.fail_with(attempt, Failure::new(Reason::MetaUnavailable).with_graph(error)).await;
        }
        let trouble = Trouble { tries, error, next_ms: crate::base::clock::to_ms(next) };
        let at = attempt.step;
        self.change(attempt.id, |now| {
            if now.step != at {
                return Change::Drop;
            }
            now.trouble = Some(trouble.clone());
            Change::Keep
        })
        .await?;
        Ok(Next::Wait(next))
    }

    /// What an error of Meta's means for a step that has the token.
    pub(super) async fn refused(
        &self,
        attempt: &Attempt,
        error: GraphError,
        reason: Reason,
    ) -> Result<Next, SignupError> {
        match error.class() {
            ErrorClass::Transient | ErrorClass::RateLimited => {
                self.wait_out(attempt, error, attempt.step_since + PATIENCE).await
            }
            ErrorClass::Authorization if error.api().is_some_and(|api| api.code == 190) => {
                self.fail_with(attempt, Failure::new(Reason::TokenRevoked).with_graph(error)).await
            }
            ErrorClass::Authorization | ErrorClass::Rejected => {
                self.fail_with(attempt, Failure::new(reason).with_graph(error)).await
            }
        }
    }

    pub(super) fn app(&self) -> Result<AppCredentials, SignupError> {
        self.meta().app.clone().ok_or(SignupError::NotConfigured)
    }

    pub(super) fn open(
        &self,
        attempt: &Attempt,
        column: &'static str,
        sealed: Option<&String>,
    ) -> Result<SecretString, SignupError> {
        let sealed = sealed.ok_or(crate::base::sealed::SealError::Malformed)?;
        Ok(self.keys.open(Self::place(column, &attempt.id.to_string()), sealed)?)
    }

    pub(super) fn access(&self, attempt: &Attempt) -> Result<Access, SignupError> {
        let token = self.open(attempt, TOKEN_COLUMN, attempt.token_sealed.as_ref())?;
        Ok(Access::new(token, self.app()?.secret).for_customer(attempt.customer_id))
    }

    async fn exchange(&self, attempt: &Attempt) -> Result<Next, SignupError> {
        let code = self.open(attempt, CODE_COLUMN, attempt.code_sealed.as_ref())?;
        let meta = self.meta();
        let redirect_uri = (attempt.flow == Flow::OAuth).then_some(&meta.redirect_uri);
        let graph = meta.graph.for_customer(attempt.customer_id);
        match graph.exchange_code(&self.app()?, &code, redirect_uri).await {
            Ok(exchanged) => {
                let sealed = self.keys.seal(Self::place(TOKEN_COLUMN, &attempt.id.to_string()), &exchanged.token);
                self.keep(attempt, |now| {
                    now.token_sealed = Some(sealed.clone());
                    now.code_sealed = None;
                    now.step = Step::TokenExchanged;
                })
                .await
            }
            Err(error) if matches!(error.class(), ErrorClass::Transient | ErrorClass::RateLimited) => {
                // Beyond its life there is no use in trying.
                let until = attempt.code_received_at.unwrap_or(attempt.created_at) + CODE_LIFE;
                self.wait_out(attempt, error, until).await
            }
            Err(error) => self.fail_with(attempt, Failure::from_exchange(error)).await,
        }
    }

    async fn inspect(&self, attempt: &Attempt) -> Result<Next, SignupError> {
        let app = self.app()?;
        let token = self.open(attempt, TOKEN_COLUMN, attempt.token_sealed.as_ref())?;
        let graph = self.meta().graph.for_customer(attempt.customer_id);
        match graph.debug_token(&app, &token).await {
            Ok(info) => match inspect::inspect(&info, &app.id) {
                Ok(grant) => {
                    self.keep(attempt, |now| {
                        now.grant = Some(grant.clone());
                        now.step = Step::TokenInspected;
                    })
                    .await
                }
                Err(failure) => self.fail_with(attempt, failure).await,
            },
            Err(error) => self.refused(attempt, error, Reason::OperatorMisconfigured).await,
        }
    }

    async fn save(&self, attempt: &Attempt) -> Result<Next, SignupError> {
        let token = self.open(attempt, TOKEN_COLUMN, attempt.token_sealed.as_ref())?;
        let info = attempt.grant.as_ref();
        let grant = Grant {
            customer: attempt.customer_id,
            by: attempt.user_id,
            token,
            token_expires_at: info.and_then(inspect::GrantInfo::token_end),
            data_access_expires_at: info.and_then(inspect::GrantInfo::data_access_end),
            scopes: info.map(|info| info.scopes.clone()).unwrap_or_default(),
            wabas: attempt
                .chosen_candidates()
                .map(|candidate| (candidate.waba.clone(), candidate.numbers.clone()))
                .collect(),
            into: attempt.reconnect.as_ref().and_then(Reconnect::into),
            instead: attempt.reconnect.as_ref().is_some_and(Reconnect::is_instead),
        };
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let mut current = queries::get(&mut tx, attempt.id).await?.ok_or(SignupError::NotFound)?;
        if current.step != Step::Chosen {
            return Ok(Next::Kept);
        }
        match self.connections.save(&mut tx, &grant).await {
            Ok(connections) => {
                self.use_link(&mut tx, attempt).await?;
                // In one transaction with the connection: a crash leaves both or none.
                current.connections = connections;
                current.token_sealed = None;
                current.trouble = None;
                current.step = Step::Saved;
                current.step_since = now;
                if queries::update(&mut tx, &current, now).await? {
                    tx.commit().await?;
                    self.changes.ring(attempt.id);
                }
                Ok(Next::Kept)
            }
            Err(SaveError::Claimed(wabas)) => {
                drop(tx);
                let ids: Vec<String> = wabas.iter().map(ToString::to_string).collect();
                let failure = Failure::new(Reason::Claimed).with_detail(format!("WABA {}", ids.join(", ")));
                self.fail_with(attempt, failure).await
            }
            Err(SaveError::Store(error)) => Err(error.into()),
        }
    }
}
