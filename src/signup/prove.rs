//! Which WABAs the token opens: what the grant, the event, the webhook or the customer names is tried, and
//! what answers is proven.

use super::{
    attempt::{Attempt, Candidate},
    failure::{Failure, Reason},
    model::{Flow, Step},
    queries, reconnect,
    service::{Signup, SignupError},
    steps::{LOOK, Next, PARALLEL},
};
use crate::{
    base::ids::WabaId,
    graph::{Access, ErrorClass, GraphError},
};
use futures_util::{StreamExt, future::join, stream};
use time::Duration;

/// How long the event or the webhook is waited for when the grant does not say which WABA.
const GRACE_WABA: Duration = Duration::seconds(15);
/// How many WABAs of a grant are looked at.
const MAX_WABAS: usize = 60;

impl Signup {
    /// Finds the WABAs that the token opens. What the grant, the event, the webhook or the customer names
    /// is tried; what answers is proven.
    pub(super) async fn prove(&self, attempt: &Attempt) -> Result<Next, SignupError> {
        let access = self.access(attempt)?;
        let wanted = self.wanted(attempt).await?;
        let named = match self.named(attempt, &access, &wanted).await {
            Ok(named) => named?,
            Err(error) => return self.refused(attempt, error, Reason::AccessNotProven).await,
        };
        let mut proven = Vec::new();
        let mut refusal = None;
        let mut answers = stream::iter(named.clone())
            .map(|id| {
                let access = &access;
                async move { self.prove_one(access, id).await }
            })
            .buffer_unordered(PARALLEL);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(candidate) => proven.push(candidate),
                Err(error) => match error.class() {
                    ErrorClass::Transient | ErrorClass::RateLimited => {
                        drop(answers);
                        return self.refused(attempt, error, Reason::AccessNotProven).await;
                    }
                    _ if error.api().is_some_and(|api| api.code == 190) => {
                        drop(answers);
                        return self.refused(attempt, error, Reason::TokenRevoked).await;
                    }
                    // Shared once, not any more; or a hint that was wrong.
                    _ => refusal = Some(error),
                },
            }
        }
        drop(answers);
        proven.sort_by(|a, b| (&a.waba.name, &a.waba.id).cmp(&(&b.waba.name, &b.waba.id)));
        if !proven.is_empty() {
            return self
                .keep(attempt, |now| {
                    // One is no question, and what was chosen is asked but once.
                    let decided = reconnect::decided(now, &proven, &wanted);
                    now.step = if decided.is_some() { Step::Chosen } else { Step::Choosing };
                    now.chosen = decided.unwrap_or_default();
                    now.candidates.clone_from(&proven);
                })
                .await;
        }
        self.nothing_proven(attempt, &named, refusal).await
    }

    async fn nothing_proven(
        &self,
        attempt: &Attempt,
        named: &[WabaId],
        refusal: Option<GraphError>,
    ) -> Result<Next, SignupError> {
        let now = self.clock.now();
        if attempt.flow == Flow::OAuth {
            // The plain flow does not say which; and what was typed may be mistyped.
            let mistyped = !attempt.chosen.is_empty();
            let failure =
                refusal.filter(|_| mistyped).map(|error| Failure::new(Reason::AccessNotProven).with_graph(error));
            return self
                .keep(attempt, |now| {
                    now.failure.clone_from(&failure);
                    now.step = Step::WabaIdNeeded;
                })
                .await;
        }
        let since = attempt.code_received_at.unwrap_or(attempt.step_since);
        let told = attempt.hint.as_ref().is_some_and(|hint| hint.waba_id.is_some());
        if named.is_empty() && !told && now < since + GRACE_WABA {
            return Ok(Next::Wait(now + LOOK));
        }
        let failure = match refusal {
            Some(error) => Failure::new(Reason::AccessNotProven).with_graph(error),
            None => Failure::new(Reason::NoAccount),
        };
        self.fail_with(attempt, failure).await
    }

    /// The WABAs to try. Outer error: Meta's; inner: ours.
    async fn named(
        &self,
        attempt: &Attempt,
        access: &Access,
        wanted: &[WabaId],
    ) -> Result<Result<Vec<WabaId>, SignupError>, GraphError> {
        if !attempt.chosen.is_empty() {
            return Ok(Ok(attempt.chosen.clone()));
        }
        let mut all = attempt.grant.as_ref().map(|grant| grant.waba_ids.clone()).unwrap_or_default();
        let hint = attempt.hint.as_ref();
        all.extend(hint.and_then(|hint| hint.waba_id.clone()));
        let told = !all.is_empty();
        all.extend(wanted.iter().cloned());
        if !told {
            // Meta's webhook names what was shared since this began; the token then says what of it is ours.
            let shared = async {
                let mut db = self.store.read().await?;
                Ok::<_, SignupError>(queries::partners_since(&mut db, attempt.created_at, 20).await?)
            };
            match shared.await {
                Ok(shared) => all.extend(shared),
                Err(error) => return Ok(Err(error)),
            }
        }
        if !told {
            let mut businesses = attempt.grant.as_ref().map(|grant| grant.business_ids.clone()).unwrap_or_default();
            businesses.extend(hint.and_then(|hint| hint.business_id.clone()));
            businesses.dedup();
            for business in businesses.iter().take(5) {
                let graph = &self.meta().graph;
                let (owned, shared) =
                    join(graph.owned_wabas(access, business), graph.client_wabas(access, business)).await;
                for list in [owned, shared] {
                    match list {
                        Ok(list) => all.extend(list.into_iter().map(|waba| waba.id)),
                        Err(error) if matches!(error.class(), ErrorClass::Transient | ErrorClass::RateLimited) => {
                            return Err(error);
                        }
                        Err(_) => {}
                    }
                }
            }
        }
        all.sort();
        all.dedup();
        all.truncate(MAX_WABAS);
        Ok(Ok(all))
    }

    async fn prove_one(&self, access: &Access, id: WabaId) -> Result<Candidate, GraphError> {
        let graph = &self.meta().graph;
        let (waba, numbers) = join(graph.waba(access, &id), graph.phone_numbers(access, &id)).await;
        Ok(Candidate { numbers: numbers?, waba: waba? })
    }
}
