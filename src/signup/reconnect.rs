//! Connecting the same connection again: which accounts must come back, and what is decided where others do.

use super::{
    attempt::{Attempt, Candidate, Placing, Reconnect},
    model::Step,
    service::{Change, Signup, SignupError},
};
use crate::{
    accounts::{Member, User},
    base::ids::{AttemptId, WabaId},
    connections::{ConnectionState, Overview},
    store::WriteTx,
};

impl Signup {
    /// What a browser says it connects again, as far as it is true: the connection is this customer's and not over; a
    /// link that is not good (any more) is left out.
    pub(super) async fn known_reconnect(
        &self,
        member: &Member,
        said: Option<Reconnect>,
    ) -> Result<Option<Reconnect>, SignupError> {
        let Some(said) = said else { return Ok(None) };
        let connection = self.connections.get(member.customer, said.connection).await?;
        let live =
            |one: &Overview| matches!(one.connection.state, ConnectionState::Active | ConnectionState::NeedsReconnect);
        if !connection.is_some_and(|one| live(&one)) {
            return Err(SignupError::NotFound);
        }
        let link = match said.link {
            Some(link) if self.connections.is_link_open(&link, said.connection).await? => Some(link),
            _ => None,
        };
        Ok(Some(Reconnect { connection: said.connection, link, placing: None }))
    }

    /// The accounts that must come back: those that the connection holds now.
    pub(super) async fn wanted(&self, attempt: &Attempt) -> Result<Vec<WabaId>, SignupError> {
        let Some(reconnect) = &attempt.reconnect else { return Ok(Vec::new()) };
        let overview = self.connections.get(attempt.customer_id, reconnect.connection).await?;
        Ok(overview.map(|one| one.wabas.into_iter().map(|(waba, _)| waba.id).collect()).unwrap_or_default())
    }

    /// Uses the link up by which the customer came, with the token's change.
    pub(super) async fn use_link(&self, tx: &mut WriteTx, attempt: &Attempt) -> Result<(), SignupError> {
        if let Some(link) = attempt.reconnect.as_ref().and_then(|reconnect| reconnect.link.as_ref()) {
            self.connections.use_link(tx, link, attempt.user_id).await?;
        }
        Ok(())
    }

    /// Somebody of the staff decides for a customer, where another account came back than the one that was wanted.
    ///
    /// # Errors
    /// See [`SignupError`].
    pub async fn decide_for(
        &self,
        actor: &User,
        id: AttemptId,
        chosen: &[WabaId],
        placing: Placing,
    ) -> Result<(), SignupError> {
        if chosen.is_empty() {
            return Err(SignupError::Invalid("Choose at least one account."));
        }
        self.change_by(id, Some((actor.id, "attempt.accounts_chosen")), |attempt| {
            let proven = |id: &WabaId| attempt.candidates.iter().any(|candidate| candidate.waba.id == *id);
            if attempt.step != Step::Choosing || attempt.reconnect.is_none() || !chosen.iter().all(proven) {
                return Change::Drop;
            }
            choose(attempt, chosen, Some(placing));
            Change::Keep
        })
        .await?;
        Ok(())
    }
}

/// What is chosen is proven once more: days may have gone by at the chooser.
pub(super) fn choose(attempt: &mut Attempt, chosen: &[WabaId], placing: Option<Placing>) {
    attempt.chosen = chosen.to_vec();
    if let Some(reconnect) = &mut attempt.reconnect {
        // Nothing is lost by it.
        reconnect.placing = Some(placing.unwrap_or(Placing::Beside));
    }
    attempt.step = Step::TokenInspected;
}

/// What is taken of the proven accounts without a question; `None`: somebody must choose.
///
/// Where a connection is connected again, its token is replaced only if all of its accounts came back; whatever else
/// was shared is not asked for.
pub(super) fn decided(attempt: &Attempt, proven: &[Candidate], wanted: &[WabaId]) -> Option<Vec<WabaId>> {
    let ids = || proven.iter().map(|candidate| candidate.waba.id.clone());
    if !attempt.chosen.is_empty() {
        let all_back = wanted.iter().all(|wanted| ids().any(|id| id == *wanted));
        let is_placed = attempt.reconnect.as_ref().is_none_or(|reconnect| reconnect.placing.is_some());
        return (all_back || is_placed).then(|| ids().collect());
    }
    if wanted.is_empty() {
        return (proven.len() == 1).then(|| ids().collect());
    }
    let back: Vec<WabaId> = ids().filter(|id| wanted.contains(id)).collect();
    (back.len() == wanted.len()).then_some(back)
}
