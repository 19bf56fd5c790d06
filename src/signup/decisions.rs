//! What the customer decides on the attempt's page.

use super::{
    attempt::Placing,
    model::Step,
    reconnect,
    service::{Change, Signup, SignupError, revive},
};
use crate::{
    accounts::Member,
    base::ids::{AttemptId, WabaId},
};

impl Signup {
    /// The customer chooses among the proven WABAs.
    ///
    /// # Errors
    /// [`SignupError::Invalid`] where nothing is chosen, or something that was not proven.
    pub async fn choose(
        &self,
        member: &Member,
        id: AttemptId,
        chosen: &[WabaId],
        placing: Option<Placing>,
    ) -> Result<(), SignupError> {
        let attempt = self.get(member.customer, id).await?;
        if chosen.is_empty() {
            return Err(SignupError::Invalid("Choose at least one account."));
        }
        if !chosen.iter().all(|id| attempt.candidates.iter().any(|candidate| candidate.waba.id == *id)) {
            return Err(SignupError::Invalid("That account is not among those that Facebook shared."));
        }
        self.change_by(id, Some((member.user.id, "attempt.accounts_chosen")), |attempt| {
            // A second click, or the other tab: it has been chosen already.
            if attempt.step != Step::Choosing {
                return Change::Drop;
            }
            reconnect::choose(attempt, chosen, placing);
            Change::Keep
        })
        .await?;
        Ok(())
    }

    /// The customer types the WABA's ID; it is proven before it is saved.
    ///
    /// # Errors
    /// See [`SignupError`].
    pub async fn type_waba_id(&self, member: &Member, id: AttemptId, typed: &WabaId) -> Result<(), SignupError> {
        self.get(member.customer, id).await?;
        self.change_by(id, Some((member.user.id, "attempt.waba_id_typed")), |attempt| {
            if attempt.step != Step::WabaIdNeeded {
                return Change::Drop;
            }
            attempt.chosen = vec![typed.clone()];
            attempt.failure = None;
            attempt.step = Step::TokenInspected;
            Change::Keep
        })
        .await?;
        Ok(())
    }

    /// The customer lets a stopped attempt go on from where it stands.
    ///
    /// # Errors
    /// See [`SignupError`].
    pub async fn go_on(&self, member: &Member, id: AttemptId) -> Result<(), SignupError> {
        self.get(member.customer, id).await?;
        self.change_by(id, Some((member.user.id, "attempt.resumed")), |attempt| match &attempt.failure {
            Some(failure) if attempt.step == Step::Failed && failure.can_go_on() => {
                let at = failure.at;
                revive(attempt, at);
                Change::Keep
            }
            // Waiting for Meta to answer again: not longer than the customer wants to.
            _ if attempt.trouble.is_some() && !attempt.step.is_final() => {
                attempt.trouble = None;
                Change::Keep
            }
            _ => Change::Drop,
        })
        .await?;
        Ok(())
    }
}
