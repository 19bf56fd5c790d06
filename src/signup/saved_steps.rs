//! The steps of a signup once its connection is saved: webhooks, numbers.

use super::{
    attempt::Attempt,
    failure::{Failure, Reason},
    model::Step,
    service::{Signup, SignupError},
    steps::{Next, PARALLEL},
};
use crate::{
    accounts,
    base::ids::WabaId,
    connections::TokenError,
    graph::{Access, ErrorClass, GraphError},
    phone_numbers,
};
use futures_util::{StreamExt, future::join, stream};

impl Signup {
    /// With what to call Graph once the connection holds the token.
    async fn saved_access(&self, attempt: &Attempt) -> Result<Option<Access>, SignupError> {
        let secret = self.app()?.secret;
        for id in &attempt.connections {
            match self.connections.access(*id, &secret).await {
                Ok(access) => return Ok(Some(access)),
                Err(TokenError::None) => {}
                Err(TokenError::Seal(error)) => return Err(error.into()),
                Err(TokenError::Store(error)) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Has the accounts' webhooks come here.
    pub(super) async fn subscribe(&self, attempt: &Attempt) -> Result<Next, SignupError> {
        let Some(access) = self.saved_access(attempt).await? else {
            // Disconnected meanwhile.
            return self.fail_with(attempt, Failure::new(Reason::TokenRevoked)).await;
        };
        let meta = self.meta();
        let results: Vec<(WabaId, Result<(), GraphError>)> = stream::iter(attempt.chosen.clone())
            .map(|id| {
                let (access, graph) = (&access, &meta.graph);
                async move {
                    let result = graph.subscribe_app(access, &id).await;
                    (id, result)
                }
            })
            .buffer_unordered(PARALLEL)
            .collect()
            .await;
        let mut tx = self.store.write().await?;
        for (id, _) in results.iter().filter(|(_, result)| result.is_ok()) {
            self.connections.mark_subscribed(&mut tx, id).await?;
        }
        tx.commit().await?;
        match results.into_iter().find_map(|(_, result)| result.err()) {
            None => self.keep(attempt, |now| now.step = Step::Subscribed).await,
            Some(error) => {
                if error.class() == ErrorClass::Authorization {
                    for id in &attempt.connections {
                        self.connections.mark_stale(*id).await?;
                    }
                }
                self.refused(attempt, error, Reason::SubscribeFailed).await
            }
        }
    }

    /// Reads each number's health, and the numbers again: what Meta says after subscribing is what the
    /// customer sees first. Nothing here can undo the connection, so what can't be read is read later.
    pub(super) async fn read_numbers(&self, attempt: &Attempt) -> Result<Next, SignupError> {
        let Some(access) = self.saved_access(attempt).await? else {
            return self.keep(attempt, |now| now.step = Step::Done).await;
        };
        let graph = &self.meta().graph;
        let asked = self.clock.now();
        let lists = stream::iter(attempt.chosen.clone())
            .map(|id| {
                let access = &access;
                async move {
                    let numbers = graph.phone_numbers(access, &id).await;
                    (id, numbers)
                }
            })
            .buffer_unordered(PARALLEL)
            .collect::<Vec<_>>();
        let known: Vec<_> = attempt
            .chosen_candidates()
            .flat_map(|candidate| candidate.numbers.iter().map(|number| number.id.clone()))
            .collect();
        let healths = stream::iter(known)
            .map(|id| {
                let access = &access;
                async move {
                    let health = graph.phone_number_health(access, &id).await;
                    (id, health)
                }
            })
            .buffer_unordered(PARALLEL)
            .collect::<Vec<_>>();
        let (lists, healths) = join(lists, healths).await;
        let mut tx = self.store.write().await?;
        accounts::lock_customer(&mut tx, attempt.customer_id).await?;
        for (waba, numbers) in lists {
            // Disconnected meanwhile: nothing to keep.
            if !self.connections.holds(&mut tx, attempt.customer_id, &waba).await? {
                continue;
            }
            match numbers {
                Ok(numbers) => phone_numbers::replace(&mut tx, &waba, &numbers, asked).await?,
                Err(error) => tracing::info!(%waba, %error, "numbers are read later"),
            }
        }
        for (id, health) in healths {
            if let Ok(Some(health)) = health {
                phone_numbers::set_health(&mut tx, &id, &health).await?;
            }
        }
        tx.commit().await?;
        self.keep(attempt, |now| now.step = Step::Done).await
    }
}
