//! Two-step sign-in: a time-based one-time code (RFC 6238) after the password, and recovery codes for
//! whoever lost the app.

mod pages;
mod qr;
mod queries;
mod recovery;

pub(super) use pages::{routes, words};
pub use recovery::RECOVERY_CODES;

use super::{
    AccountError, Accounts, Limits, User, audit, codes,
    limits::{Subject, TooMany},
};
use crate::{
    base::{
        clock::Clock,
        ids::UserId,
        sealed::{KeyRing, Place, SealError},
    },
    store::{Store, StoreError},
    web,
};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use totp_rs::{Builder, Secret, Totp};

/// Why something about the second step could not be done.
#[derive(Debug, thiserror::Error)]
pub enum TwoStepError {
    /// The code is not right, or out of date.
    #[error("this code is not right")]
    WrongCode,
    /// The code was right, and used before.
    #[error("this code was used already")]
    UsedCode,
    /// Nothing is being set up: another tab finished or began anew.
    #[error("nothing is being set up")]
    NotPending,
    /// Staff need it.
    #[error("staff need a second step")]
    Required,
    /// Too many wrong codes.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// About the password.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A secret does not open with the keys at hand.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A secret is not what was kept.
    #[error("an authenticator's secret: {0}")]
    Secret(String),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TwoStepError> for web::Error {
    fn from(error: TwoStepError) -> Self {
        match error {
            TwoStepError::Account(error) => error.into(),
            TwoStepError::Seal(_) | TwoStepError::Secret(_) | TwoStepError::Store(_) => Self::internal(error),
            other => Self::Conflict(other.to_string()),
        }
    }
}

type Result<T> = std::result::Result<T, TwoStepError>;

/// What is shown to set up an authenticator app.
pub struct Enrolment {
    /// The secret to type, in groups of four.
    pub secret: String,
    /// The same as an `otpauth:` address, which opens the app on a phone.
    pub url: String,
    /// The same as a picture: an SVG path and the width of its view box.
    pub qr: qr::Picture,
}

/// The second step. Cloning shares what is beneath.
#[derive(Clone)]
pub struct TwoStep {
    store: Store,
    clock: Clock,
    keys: KeyRing,
    limits: Limits,
    pub(super) accounts: Accounts,
    /// Under which name the app shows it.
    issuer: Arc<str>,
    /// Whether staff must have it.
    for_staff: bool,
}

fn place<'a>(column: &'static str, user: &'a str) -> Place<'a> {
    Place { table: "users", column, row: user }
}

impl TwoStep {
    /// In this database; `issuer` is the name that the app shows, `for_staff` whether staff must have it.
    #[must_use]
    pub fn new(store: Store, clock: Clock, keys: KeyRing, accounts: Accounts, issuer: &str, for_staff: bool) -> Self {
        let limits = Limits::new(store.clone(), clock.clone());
        // The label's parts are told apart by a colon.
        // https://github.com/google/google-authenticator/wiki/Key-Uri-Format
        let issuer = issuer.replace(':', " ").into();
        Self { store, clock, keys, limits, accounts, issuer, for_staff }
    }

    /// Now, in milliseconds since the epoch.
    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Whether this person may do nothing before they have set it up.
    #[must_use]
    pub fn must_set_up(&self, user: &User) -> bool {
        self.for_staff && user.role.is_staff() && user.two_step_since.is_none()
    }

    /// Whether this person may not be without it.
    #[must_use]
    pub fn is_required(&self, user: &User) -> bool {
        self.for_staff && user.role.is_staff()
    }

    /// Begins to set up an app: a new secret, which counts once a code confirms it. What there was stays until then.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin(&self, user: &User) -> Result<()> {
        let id = user.id.to_string();
        let secret = SecretString::from(Secret::generate().to_base32());
        let sealed = self.keys.seal(place("totp_pending_sealed", &id), &secret);
        let mut tx = self.store.write().await?;
        queries::set_pending(&mut tx, user.id, Some(&sealed)).await?;
        Ok(tx.commit().await?)
    }

    /// Gives up setting up.
    ///
    /// # Errors
    /// The database's.
    pub async fn cancel(&self, user: &User) -> Result<()> {
        let mut tx = self.store.write().await?;
        queries::set_pending(&mut tx, user.id, None).await?;
        Ok(tx.commit().await?)
    }

    /// What is being set up, to be shown to the person.
    ///
    /// # Errors
    /// Where it does not open, or the database's.
    pub async fn enrolment(&self, user: &User) -> Result<Option<Enrolment>> {
        let kept = queries::totp(&mut self.store.read().await?, user.id).await?;
        let Some(sealed) = kept.pending else { return Ok(None) };
        let secret = self.keys.open(place("totp_pending_sealed", &user.id.to_string()), &sealed)?;
        let totp = self.totp(&secret, user.email.as_str())?;
        let url = totp.to_url().map_err(|error| TwoStepError::Secret(error.to_string()))?;
        let text = secret.expose_secret();
        let groups: Vec<&str> =
            (0..text.len()).step_by(4).filter_map(|at| text.get(at..(at + 4).min(text.len()))).collect();
        let qr = qr::draw(&url).map_err(|error| TwoStepError::Secret(error.to_string()))?;
        Ok(Some(Enrolment { secret: groups.join(" "), url, qr }))
    }

    fn totp(&self, secret: &SecretString, account: &str) -> Result<Totp> {
        let fault = |text: String| TwoStepError::Secret(text);
        let secret = Secret::try_from_base32(secret.expose_secret()).map_err(|error| fault(error.to_string()))?;
        Builder::new()
            .with_secret(secret)
            .with_issuer(Some(&*self.issuer))
            .with_account_name(account.replace(':', " "))
            .build()
            .map_err(|error| fault(error.to_string()))
    }

    /// The time step for which this is the code: now, the one before, or the next (clocks differ).
    fn step(&self, totp: &Totp, typed: &str) -> Option<i64> {
        let digits = digits(typed)?;
        let now = u64::try_from(self.clock.now().unix_timestamp()).ok()?;
        totp.check(&digits, now).and_then(|step| i64::try_from(step).ok())
    }

    /// Confirms what is being set up with a code of the app; the recovery codes, which are never shown again.
    ///
    /// # Errors
    /// [`TwoStepError::WrongCode`], [`TwoStepError::NotPending`], [`TwoStepError::TooMany`], or worse.
    pub async fn confirm(&self, user: &User, typed: &str) -> Result<Vec<String>> {
        let kept = queries::totp(&mut self.store.read().await?, user.id).await?;
        let Some(pending) = kept.pending else { return Err(TwoStepError::NotPending) };
        let guess = self.limits.begin(&self.subjects(user.id)).await??;
        let id = user.id.to_string();
        let secret = self.keys.open(place("totp_pending_sealed", &id), &pending)?;
        let totp = self.totp(&secret, user.email.as_str())?;
        let Some(step) = self.step(&totp, typed) else { return Err(TwoStepError::WrongCode) };
        let sealed = self.keys.seal(place("totp_sealed", &id), &secret);
        let mut tx = self.store.write().await?;
        if !queries::confirm(&mut tx, user.id, &pending, &sealed, step, self.clock.now()).await? {
            return Err(TwoStepError::NotPending);
        }
        let codes = recovery::renew(&mut tx, user.id).await?;
        self.accounts.note(&mut tx, user, "user.two_step_enabled").await?;
        tx.commit().await?;
        self.limits.right(guess).await?;
        Ok(codes)
    }

    fn subjects(&self, id: UserId) -> Vec<Subject> {
        let mut subjects = vec![Subject::code(id)];
        subjects.extend(audit::address().map(Subject::address));
        subjects
    }

    /// Takes a code of the app, or a recovery code: each once.
    ///
    /// # Errors
    /// [`TwoStepError::WrongCode`], [`TwoStepError::UsedCode`], [`TwoStepError::TooMany`], or worse.
    pub async fn check(&self, user: &User, typed: &str) -> Result<()> {
        let guess = self.limits.begin(&self.subjects(user.id)).await??;
        let outcome = match digits(typed) {
            Some(_) => self.check_app(user, typed).await,
            None => self.check_recovery(user, typed).await,
        };
        match outcome {
            Ok(()) => Ok(self.limits.right(guess).await?),
            Err(error) => {
                if matches!(error, TwoStepError::WrongCode) {
                    self.note_wrong(user).await?;
                }
                Err(error)
            }
        }
    }

    async fn check_app(&self, user: &User, typed: &str) -> Result<()> {
        let kept = queries::totp(&mut self.store.read().await?, user.id).await?;
        let Some(sealed) = kept.confirmed else { return Err(TwoStepError::WrongCode) };
        let secret = self.keys.open(place("totp_sealed", &user.id.to_string()), &sealed)?;
        let totp = self.totp(&secret, user.email.as_str())?;
        let Some(step) = self.step(&totp, typed) else { return Err(TwoStepError::WrongCode) };
        let mut tx = self.store.write().await?;
        // One statement decides, so that of two requests with one code only one gets in.
        if !queries::take_step(&mut tx, user.id, step).await? {
            return Err(TwoStepError::UsedCode);
        }
        Ok(tx.commit().await?)
    }

    async fn check_recovery(&self, user: &User, typed: &str) -> Result<()> {
        let mut tx = self.store.write().await?;
        if !recovery::take(&mut tx, user.id, typed, self.clock.now()).await? {
            return Err(TwoStepError::WrongCode);
        }
        self.accounts.note(&mut tx, user, "user.recovery_code_used").await?;
        Ok(tx.commit().await?)
    }

    async fn note_wrong(&self, user: &User) -> Result<()> {
        let subject = user.id.to_string();
        let mut tx = self.store.write().await?;
        // Somebody with the password, but nobody knows who.
        let entry = audit::Entry {
            actor: None,
            customer: user.customer_id,
            action: "user.sign_in_failed",
            subject: Some(&subject),
            detail: Some("code".to_owned()),
        };
        audit::record(&mut tx, &self.clock, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Whether somebody who is signed in is still the person: by their password, or a code.
    ///
    /// # Errors
    /// As [`TwoStep::check`], or [`AccountError::WrongPassword`].
    pub async fn prove(&self, user: &User, proof: &str) -> Result<()> {
        if digits(proof).is_some() {
            return self.check(user, proof).await;
        }
        match self.accounts.authenticate(user.email.as_str(), proof.to_owned().into()).await {
            Ok(_) => Ok(()),
            Err(AccountError::TooMany(wait)) => Err(wait.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Switches it off.
    ///
    /// # Errors
    /// [`TwoStepError::Required`], or the database's.
    pub async fn turn_off(&self, user: &User) -> Result<()> {
        if self.is_required(user) {
            return Err(TwoStepError::Required);
        }
        let mut tx = self.store.write().await?;
        queries::clear(&mut tx, user.id).await?;
        self.accounts.note(&mut tx, user, "user.two_step_disabled").await?;
        Ok(tx.commit().await?)
    }

    /// Ten new recovery codes in the place of the old ones.
    ///
    /// # Errors
    /// The database's.
    pub async fn renew_recovery(&self, user: &User) -> Result<Vec<String>> {
        let mut tx = self.store.write().await?;
        let codes = recovery::renew(&mut tx, user.id).await?;
        self.accounts.note(&mut tx, user, "user.recovery_codes_renewed").await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// How many recovery codes are left.
    ///
    /// # Errors
    /// The database's.
    pub async fn recovery_left(&self, user: &User) -> Result<i64> {
        Ok(recovery::left(&mut self.store.read().await?, user.id).await?)
    }

    /// An admin switches it off for somebody who lost app and codes; see [`Accounts::reset_two_step`].
    ///
    /// # Errors
    /// The database's.
    pub async fn reset(&self, actor: &User, user: &User) -> Result<()> {
        Ok(self.accounts.reset_two_step(Some(actor.id), user).await?)
    }
}

impl Accounts {
    /// Switches the second step off for somebody and ends their sessions. Staff are asked to set it up anew when
    /// they sign in. Without an actor it is the command line, for an admin who is locked out.
    ///
    /// # Errors
    /// The database's.
    pub async fn reset_two_step(&self, actor: Option<UserId>, user: &User) -> std::result::Result<(), AccountError> {
        let subject = user.id.to_string();
        let mut tx = self.store.write().await?;
        queries::clear(&mut tx, user.id).await?;
        super::queries::end_sessions(&mut tx, user.id).await?;
        super::limits::forget(&mut tx, &Subject::code(user.id)).await?;
        let (customer, action) = (user.customer_id, "user.two_step_reset");
        let entry = audit::Entry { actor, customer, action, subject: Some(&subject), detail: None };
        audit::record(&mut tx, &self.clock, entry).await?;
        Ok(tx.commit().await?)
    }
}

/// The six digits of an app's code, white space dropped; `None` for anything else.
fn digits(typed: &str) -> Option<String> {
    let text: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    (text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}
