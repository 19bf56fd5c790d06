//! Use cases: what the browser brings, what the customer decides, what Meta's webhook says.

use super::{
    attempt::{Attempt, Reconnect},
    changes::Changes,
    failure::Failure,
    model::{Flow, Step},
    queries,
    steps::ADVANCE_JOB,
};
use crate::{
    accounts::{Accounts, Member, audit},
    base::{
        clock::Clock,
        ids::{self, AttemptId, BusinessId, CustomerId, UserId, WabaId},
        sealed::{KeyRing, Place, SealError},
    },
    connections::Connections,
    graph::{LiveSetup, Setup},
    jobs::Queue,
    store::{Store, StoreError, WriteTx},
};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use url::Url;

/// The table of attempts, for what is sealed in it.
pub(super) const TABLE: &str = "signup_attempts";
/// The column of the code.
pub(super) const CODE_COLUMN: &str = "code_sealed";
/// The column of the business token.
pub(super) const TOKEN_COLUMN: &str = "token_sealed";
/// How many attempts a customer may begin in [`WINDOW`].
const MAX_BEGUN: i64 = 40;
/// How long Facebook's window may stay open.
pub(super) const WINDOW: Duration = Duration::hours(1);

/// Why something about an attempt could not be done.
#[derive(Debug, thiserror::Error)]
pub enum SignupError {
    /// It is not there, or not this customer's.
    #[error("no such attempt")]
    NotFound,
    /// The operator has not set up the app.
    #[error("no App ID is configured")]
    NotConfigured,
    /// A customer began too often of late.
    #[error("too many attempts in the last hour")]
    TooMany,
    /// What was sent makes no sense; the text is shown.
    #[error("{0}")]
    Invalid(&'static str),
    /// Somebody else keeps changing it.
    #[error("the attempt changed too often meanwhile")]
    Busy,
    /// A sealed value does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SignupError> for crate::web::Error {
    fn from(error: SignupError) -> Self {
        match error {
            SignupError::NotFound => Self::NotFound,
            SignupError::Invalid(text) => Self::BadRequest(text.to_owned()),
            SignupError::TooMany => Self::Conflict(
                "There were very many attempts in the last hour. Wait a while, then start again.".to_owned(),
            ),
            SignupError::NotConfigured => Self::Conflict("WhatsApp Embedded Signup is not configured yet.".to_owned()),
            SignupError::Busy | SignupError::Seal(_) | SignupError::Store(_) => Self::internal(error),
        }
    }
}

/// Meta's word by webhook that a WABA was shared with us.
#[derive(Clone, Debug)]
pub struct PartnerEvent {
    /// `PARTNER_ADDED`, `PARTNER_APP_INSTALLED` ...
    pub event: String,
    /// The WABA.
    pub waba: WabaId,
    /// The business that owns it.
    pub business: Option<BusinessId>,
    /// When it happened, by Meta's word.
    pub at: Option<OffsetDateTime>,
}

/// Signup attempts. Cloning shares what is beneath.
#[derive(Clone)]
pub struct Signup {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) keys: KeyRing,
    pub(super) queue: Queue,
    pub(super) accounts: Accounts,
    pub(super) connections: Connections,
    pub(super) changes: Changes,
    meta: LiveSetup,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Write it.
    Keep,
    /// Leave the attempt as it is.
    Drop,
}

impl Signup {
    /// In this database, with this set-up.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Clock,
        keys: KeyRing,
        queue: Queue,
        accounts: Accounts,
        connections: Connections,
        meta: LiveSetup,
    ) -> Self {
        Self { store, clock, keys, queue, accounts, connections, changes: Changes::new(), meta }
    }

    /// What is set up at Meta now.
    pub(super) fn meta(&self) -> Arc<Setup> {
        self.meta.now()
    }

    pub(super) fn place<'a>(column: &'a str, row: &'a str) -> Place<'a> {
        Place { table: TABLE, column, row }
    }

    /// A customer's attempt.
    ///
    /// # Errors
    /// [`SignupError::NotFound`] also where it is another customer's.
    pub async fn get(&self, customer: CustomerId, id: AttemptId) -> Result<Attempt, SignupError> {
        match queries::get(&mut self.store.read().await?, id).await? {
            Some(attempt) if attempt.customer_id == customer => Ok(attempt),
            _ => Err(SignupError::NotFound),
        }
    }

    /// Whose attempt it is: for staff.
    ///
    /// # Errors
    /// The database's.
    pub async fn customer_of(&self, id: AttemptId) -> Result<Option<CustomerId>, SignupError> {
        Ok(queries::get(&mut self.store.read().await?, id).await?.map(|attempt| attempt.customer_id))
    }

    /// A customer's attempts, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn recent(&self, customer: CustomerId, limit: i64) -> Result<Vec<Attempt>, SignupError> {
        Ok(queries::recent(&mut self.store.read().await?, customer, limit).await?)
    }

    /// What is unfinished or failed, of all customers, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn recent_unfinished(&self, limit: i64) -> Result<Vec<Attempt>, SignupError> {
        Ok(queries::recent_unfinished(&mut self.store.read().await?, limit).await?)
    }

    /// Begins an attempt under this ID; one of theirs that is there already is given back.
    ///
    /// # Errors
    /// See [`SignupError`].
    pub async fn begin(
        &self,
        member: &Member,
        id: AttemptId,
        coexistence: bool,
        reconnect: Option<Reconnect>,
    ) -> Result<Attempt, SignupError> {
        self.insert(member, id, (Flow::Embedded, coexistence), None, reconnect).await
    }

    /// Begins an attempt in the plain OAuth flow; gives the dialog's address.
    ///
    /// # Errors
    /// See [`SignupError`].
    pub async fn begin_oauth(&self, member: &Member, reconnect: Option<Reconnect>) -> Result<Url, SignupError> {
        let meta = self.meta();
        let app = meta.app.as_ref().ok_or(SignupError::NotConfigured)?;
        let state = ids::random_token();
        self.insert(member, AttemptId::new(), (Flow::OAuth, false), Some(hash(&state)), reconnect).await?;
        let scopes = [super::inspect::MANAGEMENT, super::inspect::MESSAGING];
        Ok(meta.graph.dialog_url(&meta.dialog_url, &app.id, &meta.redirect_uri, &state, &scopes))
    }

    async fn insert(
        &self,
        member: &Member,
        id: AttemptId,
        (flow, coexistence): (Flow, bool),
        state_hash: Option<String>,
        reconnect: Option<Reconnect>,
    ) -> Result<Attempt, SignupError> {
        let reconnect = self.known_reconnect(member, reconnect).await?;
        let meta = self.meta();
        if meta.app.is_none() {
            return Err(SignupError::NotConfigured);
        }
        let es_config_id = meta.es_config_id.as_deref().filter(|_| flow == Flow::Embedded);
        let begun = queries::recent(&mut self.store.read().await?, member.customer, MAX_BEGUN).await?;
        if begun.len() as i64 == MAX_BEGUN && begun.iter().all(|one| one.created_at > self.clock.now() - WINDOW) {
            return Err(SignupError::TooMany);
        }
        let now = self.clock.now();
        let new = Attempt {
            id,
            customer_id: member.customer,
            user_id: member.user.id,
            flow,
            coexistence,
            step: Step::Launched,
            version: 0,
            step_since: now,
            code_sealed: None,
            code_received_at: None,
            window_closed_at: None,
            token_sealed: None,
            hint: None,
            hint_at: None,
            grant: None,
            candidates: Vec::new(),
            chosen: Vec::new(),
            failure: None,
            trouble: None,
            connections: Vec::new(),
            reconnect,
            created_at: now,
        };
        let mut tx = self.store.write().await?;
        let is_new = queries::insert(&mut tx, &new, state_hash, es_config_id).await?;
        // If nothing ever comes, it ends by itself.
        self.queue.enqueue(&mut tx, ADVANCE_JOB, &id.to_string(), now + WINDOW).await?;
        // Another customer's attempt under this ID is none of theirs.
        let kept = queries::get(&mut tx, id).await?.filter(|attempt| attempt.customer_id == member.customer);
        if is_new {
            self.record(&mut tx, &new, (member.user.id, "attempt.begun")).await?;
        }
        tx.commit().await?;
        kept.ok_or(SignupError::NotFound)
    }

    /// Changes an attempt as it stands in the database now, whatever was read of it before; a job then
    /// carries it on.
    pub(super) async fn change(
        &self,
        id: AttemptId,
        change: impl Fn(&mut Attempt) -> Change + Send + Sync,
    ) -> Result<Attempt, SignupError> {
        self.change_by(id, None, change).await
    }

    /// The same, with who did it and what it was, for the audit log.
    pub(super) async fn change_by(
        &self,
        id: AttemptId,
        by: Option<(UserId, &'static str)>,
        change: impl Fn(&mut Attempt) -> Change + Send + Sync,
    ) -> Result<Attempt, SignupError> {
        // On PostgreSQL two may read the same version; the one who comes late looks again.
        for _ in 0..10 {
            let now = self.clock.now();
            let mut tx = self.store.write().await?;
            let mut attempt = queries::get(&mut tx, id).await?.ok_or(SignupError::NotFound)?;
            let step = attempt.step;
            if change(&mut attempt) == Change::Drop {
                return Ok(attempt);
            }
            if attempt.step != step {
                attempt.step_since = now;
            }
            if queries::update(&mut tx, &attempt, now).await? {
                if !attempt.step.is_final() && !attempt.step.waits_for_customer() {
                    self.queue.enqueue(&mut tx, ADVANCE_JOB, &id.to_string(), now).await?;
                }
                if let Some(by) = by {
                    self.record(&mut tx, &attempt, by).await?;
                }
                tx.commit().await?;
                attempt.version += 1;
                self.queue.wake();
                self.changes.ring(id);
                return Ok(attempt);
            }
        }
        Err(SignupError::Busy)
    }

    async fn record(
        &self,
        tx: &mut WriteTx,
        attempt: &Attempt,
        (by, action): (UserId, &'static str),
    ) -> Result<(), StoreError> {
        let subject = attempt.id.to_string();
        let customer = Some(attempt.customer_id);
        let entry = audit::Entry { actor: Some(by), customer, action, subject: Some(&subject), detail: None };
        audit::record(tx, &self.clock, entry).await
    }

    /// Meta's webhook says that a WABA was shared with us: kept, and the attempts that wait for it go on.
    /// Runs in the webhook's own transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn partner_event(&self, tx: &mut WriteTx, event: &PartnerEvent) -> Result<(), StoreError> {
        let now = self.clock.now();
        let told_at = event.at.map_or(now, |at| at.min(now));
        queries::insert_partner_event(tx, &event.event, &event.waba, event.business.as_ref(), (told_at, now)).await?;
        for attempt in queries::open_since(tx, now - WINDOW).await? {
            if attempt.hint.as_ref().is_some_and(|hint| hint.waba_id.as_ref() == Some(&event.waba)) {
                self.queue.enqueue(tx, ADVANCE_JOB, &attempt.id.to_string(), now).await?;
            }
        }
        Ok(())
    }

    /// Lets the jobs begin that [`Signup::partner_event`] queued, once that is committed.
    pub fn wake(&self) {
        self.queue.wake();
    }

    /// Whom a WABA belongs to, as the chooser marks it.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn is_connected(&self, customer: CustomerId, waba: &WabaId) -> Result<Option<bool>, SignupError> {
        Ok(self.connections.owner(waba).await?.map(|owner| owner.customer == customer))
    }
}

/// Ends an attempt. The token stays only where the customer may go on with it.
pub(super) fn fail(attempt: &mut Attempt, failure: Failure) {
    let at = if attempt.step == Step::Failed {
        attempt.failure.as_ref().map_or(Step::Launched, |failure| failure.at)
    } else {
        attempt.step
    };
    let failure = Failure { at, ..failure };
    if !failure.can_go_on() {
        attempt.token_sealed = None;
    }
    attempt.code_sealed = None;
    attempt.failure = Some(failure);
    attempt.trouble = None;
    attempt.step = Step::Failed;
}

pub(super) fn revive(attempt: &mut Attempt, step: Step) {
    attempt.failure = None;
    attempt.trouble = None;
    attempt.step = step;
}

/// The state as the database knows it: reading the database forges no callback.
pub(super) fn hash(state: &str) -> String {
    hex::encode(Sha256::digest(state.as_bytes()))
}
