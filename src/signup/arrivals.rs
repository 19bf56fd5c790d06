//! What the browser brings: the message event, the code, the word that the window is closed, and the
//! full-page dialog's answer. They come in any order, late, twice or never.

use super::{
    attempt::Attempt,
    failure::{Failure, Reason},
    hint::Hint,
    model::{Flow, Step},
    queries,
    service::{CODE_COLUMN, Change, Signup, SignupError, WINDOW, fail, hash, revive},
};
use crate::{
    accounts::Member,
    base::ids::{AttemptId, CustomerId},
};
use secrecy::SecretString;
use serde_json::Value;
use time::OffsetDateTime;

/// The longest code that is believed to be one, in bytes.
const MAX_CODE: usize = 4_096;

impl Signup {
    /// The browser brings the message event.
    ///
    /// # Errors
    /// See [`SignupError`].
    pub async fn event(&self, customer: CustomerId, id: AttemptId, event: &Value) -> Result<(), SignupError> {
        self.get(customer, id).await?;
        let hint = Hint::read(event).ok_or(SignupError::Invalid("This is no event of Embedded Signup."))?;
        let now = self.clock.now();
        self.change(id, |attempt| {
            // Once a finish was told, a later cancel (the window's own closing) takes nothing back.
            let known = attempt.hint.as_ref().is_some_and(Hint::is_finish);
            if attempt.step == Step::Done || (known && !hint.is_finish()) {
                return Change::Drop;
            }
            // A window finishes once. The first word counts, and when it came: saying it again, or another
            // WABA in between, makes it no fresher.
            if known && attempt.hint.as_ref().is_some_and(|before| before.waba_id.is_some()) {
                return Change::Drop;
            }
            attempt.hint_at = Some(now);
            attempt.hint = Some(hint.clone());
            if attempt.step == Step::Launched && hint.is_end() {
                fail(attempt, Failure::from_hint(&hint));
            } else if attempt.step == Step::Failed && may_revive(attempt, now) {
                if hint.is_finish() {
                    revive(attempt, Step::Launched);
                } else if hint.is_end() {
                    fail(attempt, Failure::from_hint(&hint));
                }
            }
            Change::Keep
        })
        .await?;
        Ok(())
    }

    /// The browser brings the code from the SDK's callback.
    ///
    /// # Errors
    /// See [`SignupError`].
    pub async fn code(&self, customer: CustomerId, id: AttemptId, code: &SecretString) -> Result<(), SignupError> {
        use secrecy::ExposeSecret;
        let attempt = self.get(customer, id).await?;
        let plausible = (1..=MAX_CODE).contains(&code.expose_secret().len());
        if attempt.flow != Flow::Embedded || !plausible {
            return Err(SignupError::Invalid("This is no code of Embedded Signup."));
        }
        self.keep_code(id, code).await
    }

    async fn keep_code(&self, id: AttemptId, code: &SecretString) -> Result<(), SignupError> {
        let sealed = self.keys.seal(Self::place(CODE_COLUMN, &id.to_string()), code);
        let now = self.clock.now();
        self.change(id, |attempt| {
            let waiting = attempt.step == Step::Launched || (attempt.step == Step::Failed && may_revive(attempt, now));
            // A repeated request, or a second answer: the first code counts.
            if !waiting || attempt.code_received_at.is_some() {
                return Change::Drop;
            }
            attempt.code_sealed = Some(sealed.clone());
            attempt.code_received_at = Some(now);
            revive(attempt, Step::CodeReceived);
            Change::Keep
        })
        .await?;
        Ok(())
    }

    /// The browser says that Facebook's window is closed without a code.
    ///
    /// # Errors
    /// See [`SignupError`].
    pub async fn window_closed(&self, customer: CustomerId, id: AttemptId) -> Result<(), SignupError> {
        self.get(customer, id).await?;
        let now = self.clock.now();
        self.change(id, |attempt| {
            if attempt.step != Step::Launched || attempt.window_closed_at.is_some() {
                return Change::Drop;
            }
            attempt.window_closed_at = Some(now);
            Change::Keep
        })
        .await?;
        Ok(())
    }

    /// The full-page dialog led back with a code, or with an error. The `state` must be of an attempt of
    /// the person who is signed in: else somebody could have another's WABA connected to their own company.
    ///
    /// # Errors
    /// [`SignupError::NotFound`] for a state that is not known, was used, or is another's.
    pub async fn oauth_answer(
        &self,
        member: &Member,
        state: &str,
        answer: Result<SecretString, Failure>,
    ) -> Result<AttemptId, SignupError> {
        let found = queries::by_state(&mut self.store.read().await?, &hash(state)).await?;
        let attempt = found.filter(|attempt| attempt.user_id == member.user.id).ok_or(SignupError::NotFound)?;
        match answer {
            Ok(code) => self.keep_code(attempt.id, &code).await?,
            Err(failure) => {
                self.change(attempt.id, |attempt| {
                    if attempt.step != Step::Launched {
                        return Change::Drop;
                    }
                    fail(attempt, failure.clone());
                    Change::Keep
                })
                .await?;
            }
        }
        Ok(attempt.id)
    }
}

/// Whether a half that comes late may still turn a failure around: nothing but waiting has failed.
fn may_revive(attempt: &Attempt, now: OffsetDateTime) -> bool {
    now < attempt.created_at + WINDOW
        && attempt.code_received_at.is_none()
        && attempt.failure.as_ref().is_some_and(|failure| {
            failure.at == Step::Launched && matches!(failure.reason, Reason::Cancelled | Reason::CodeMissing)
        })
}
