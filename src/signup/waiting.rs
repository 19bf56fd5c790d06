//! While no code has come: how long it is waited for, and when a lost one may be replaced.

use super::{
    attempt::Attempt,
    failure::{Failure, Reason},
    hint::Hint,
    model::Step,
    queries,
    service::{Signup, SignupError, TOKEN_COLUMN, WINDOW},
    steps::{LOOK, Next},
};
use crate::graph::Access;
use secrecy::SecretString;
use time::Duration;

/// How long the other half is waited for when Facebook's window is closed.
const GRACE_CLOSED: Duration = Duration::seconds(3);
/// How long Meta's webhook is waited for when the customer finished and the window closed without a code.
const GRACE_CODE: Duration = Duration::seconds(20);
/// How long a code is waited for that may still come: past its life, nothing is to be had from it.
const GRACE_OPEN: Duration = Duration::seconds(45);

/// How far apart the browser's event and Meta's webhook may be where both tell of the same end.
const TOGETHER: Duration = Duration::minutes(2);
/// How much Meta's clock may differ from ours.
const SKEW: Duration = Duration::seconds(10);
/// In how many attempts of late a customer may have named a WABA whose code got lost.
const MAX_NAMED: usize = 3;

impl Signup {
    /// No code yet. Where the customer finished, Meta's webhook and our system token can replace it.
    pub(super) async fn wait_for_code(&self, attempt: &Attempt) -> Result<Next, SignupError> {
        let now = self.clock.now();
        if let Some(hint) = attempt.hint.as_ref().filter(|hint| hint.is_finish()) {
            // The code is the better proof, so it is waited for where it may still come.
            let lost_at = match attempt.window_closed_at {
                Some(closed) => closed,
                None => attempt.hint_at.unwrap_or(attempt.created_at) + GRACE_OPEN,
            };
            if now < lost_at {
                return Ok(Next::Wait(lost_at));
            }
            if let Some(token) = self.recover(attempt, hint).await? {
                let Some(named) = hint.waba_id.clone() else { return Ok(Next::Stop) };
                let sealed = self.keys.seal(Self::place(TOKEN_COLUMN, &attempt.id.to_string()), &token);
                tracing::info!(attempt = %attempt.id, "a lost signup was recovered with the system token");
                return self
                    .keep(attempt, |now| {
                        now.token_sealed = Some(sealed.clone());
                        // The token opens all that the business shared; only what was named is taken.
                        now.chosen = vec![named.clone()];
                        now.step = Step::TokenExchanged;
                    })
                    .await;
            }
            if now >= lost_at.max(attempt.hint_at.unwrap_or(lost_at)) + GRACE_CODE {
                return self.fail_with(attempt, Failure::new(Reason::CodeMissing)).await;
            }
            return Ok(Next::Wait(now + LOOK));
        }
        match attempt.window_closed_at {
            Some(closed) if now >= closed + GRACE_CLOSED => {
                self.fail_with(attempt, Failure::new(Reason::Cancelled)).await
            }
            Some(closed) => Ok(Next::Wait(closed + GRACE_CLOSED)),
            None if now >= attempt.created_at + WINDOW => {
                self.fail_with(attempt, Failure::new(Reason::Cancelled)).await
            }
            None => Ok(Next::Wait(attempt.created_at + WINDOW)),
        }
    }

    /// Fetches the business token of a signup whose code got lost. The event alone proves nothing, so all
    /// of this must hold: Meta's webhook came after this attempt began and names the same WABA and
    /// business; the WABA is nobody's, and the business no other customer's (its token opens all that it
    /// shared); and no other customer had an attempt of late whose WABA it could be. Else the customer tries
    /// again, which costs a minute and gives nothing away.
    /// See `docs/decisions/0005-lost-codes.md`.
    async fn recover(&self, attempt: &Attempt, hint: &Hint) -> Result<Option<SecretString>, SignupError> {
        let meta = self.meta();
        let (Some(system), Some(waba), Some(claimed)) = (&meta.system_token, &hint.waba_id, &hint.business_id) else {
            return Ok(None);
        };
        let mut db = self.store.read().await?;
        let Some((Some(business), told_at)) = queries::partner_added(&mut db, waba).await? else {
            return Ok(None);
        };
        let others = queries::of_others(&mut db, attempt.customer_id, attempt.created_at - WINDOW).await?;
        let own = queries::recent(&mut db, attempt.customer_id, 20).await?;
        drop(db);
        // Who really finished says so as Meta does: an event that comes when the webhook is old, or was
        // there long before it, is a guess.
        let hint_at = attempt.hint_at.unwrap_or(attempt.created_at);
        let in_time = told_at >= attempt.created_at - SKEW
            && told_at <= attempt.created_at + WINDOW
            && (hint_at - told_at).abs() <= TOGETHER;
        let named = |other: &&Attempt| other.hint.as_ref().is_some_and(|hint| hint.waba_id.as_ref() == Some(waba));
        let guessing = own.iter().filter(named).count() > MAX_NAMED;
        let ambiguous = others.iter().any(|other| other.may_be_of(waba, &business));
        let taken = self.connections.is_anothers(attempt.customer_id, waba, &business).await?;
        if business != *claimed || !in_time || guessing || ambiguous || taken {
            return Ok(None);
        }
        let access = Access::new(system.clone(), self.app()?.secret).for_customer(attempt.customer_id);
        match meta.graph.fetch_business_token(&access, &business).await {
            Ok(token) => Ok(Some(token)),
            Err(error) => {
                tracing::warn!(attempt = %attempt.id, %error, "a lost signup could not be recovered");
                Ok(None)
            }
        }
    }
}
