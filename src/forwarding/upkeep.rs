//! What goes through many deliveries: each in small steps, with a rest between them, so that others may write.

use super::{
    endpoint::EndpointState,
    queries::{self, DELETED, ENDPOINTS},
    service::Forwarding,
    upkeep_queries as steps,
};
use crate::{
    base::{
        clock,
        ids::{CustomerId, EndpointId},
    },
    store::{Result, WriteTx},
};
use std::time::Duration;
use time::OffsetDateTime;

/// The rest between two steps.
const REST: Duration = Duration::from_millis(15);
/// How many steps are taken before an endpoint is called again; further ones follow while it is.
const AT_ONCE: usize = 10;

impl Forwarding {
    /// Makes what waits for an endpoint due at once, in order, from after this number on. How far it came; `None`: to
    /// the end.
    pub(super) async fn set_due(&self, id: EndpointId, mut after: i64, at_most: usize) -> Result<Option<i64>> {
        for _ in 0..at_most {
            let Some(until) = steps::pending_until(&mut self.store.read().await?, id, after).await? else {
                return Ok(None);
            };
            let mut tx = self.store.write().await?;
            steps::set_due(&mut tx, id, after, until).await?;
            tx.commit().await?;
            after = until;
            tokio::time::sleep(REST).await;
        }
        Ok(Some(after))
    }

    /// The same, as far as somebody can wait for it.
    pub(super) async fn set_some_due(&self, id: EndpointId) -> Result<Option<i64>> {
        self.set_due(id, 0, AT_ONCE).await
    }

    /// Makes all that waits for an endpoint due at once.
    pub(super) async fn set_all_due(&self, id: EndpointId) -> Result<()> {
        self.set_due(id, 0, usize::MAX).await?;
        // Its task reads from the beginning.
        let mut tx = self.store.write().await?;
        ENDPOINTS.advance(&mut tx, 1).await?;
        tx.commit().await?;
        self.bells.ring_for(id);
        Ok(())
    }

    /// Cancels what waits for an endpoint that is disabled.
    pub(super) async fn cancel_pending(&self, id: EndpointId) -> Result<()> {
        let mut after = 0;
        loop {
            let mut tx = self.store.write().await?;
            let Some(until) = steps::pending_until(&mut tx, id, after).await? else { return Ok(()) };
            steps::cancel(&mut tx, id, until, self.clock.now()).await?;
            tx.commit().await?;
            after = until;
            tokio::time::sleep(REST).await;
        }
    }

    /// Removes an endpoint's deliveries up to those that were planned at that time.
    async fn remove_before(&self, id: EndpointId, before: Option<OffsetDateTime>) -> Result<()> {
        loop {
            let first = steps::first(&mut self.store.read().await?, id).await?;
            let old = first.iter().take_while(|(_, at)| before.is_none_or(|before| *at < before));
            let Some((until, _)) = old.last() else { return Ok(()) };
            let mut tx = self.store.write().await?;
            steps::remove_until(&mut tx, id, *until).await?;
            tx.commit().await?;
            tokio::time::sleep(REST).await;
        }
    }

    /// Removes what belongs to an endpoint, not itself.
    async fn empty(&self, id: EndpointId) -> Result<()> {
        self.remove_before(id, None).await?;
        loop {
            let mut tx = self.store.write().await?;
            let gone = steps::remove_rest(&mut tx, id).await?;
            tx.commit().await?;
            if gone == 0 {
                return Ok(());
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// Removes an endpoint that somebody deleted.
    pub(super) async fn remove(&self, id: EndpointId) -> Result<()> {
        let row = queries::by_id(&mut self.store.read().await?, id).await?;
        if row.is_none_or(|row| row.state_reason.as_deref() != Some(DELETED)) {
            return Ok(());
        }
        self.empty(id).await?;
        let mut tx = self.store.write().await?;
        steps::remove(&mut tx, id).await?;
        tx.commit().await
    }

    /// Removes deliveries with their attempts that were planned before then, whatever became of them: what they
    /// tell is kept no longer. What the built-in receiver got goes too; sums stay until `counts`.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune(&self, before: OffsetDateTime, counts: OffsetDateTime) -> Result<()> {
        let endpoints = queries::all(&mut self.store.read().await?).await?;
        for endpoint in endpoints {
            self.remove_before(endpoint.id, Some(before)).await?;
        }
        loop {
            let mut tx = self.store.write().await?;
            let gone = steps::prune_minutes(&mut tx, clock::to_ms(counts) / 60_000).await?
                + steps::prune_received(&mut tx, before).await?;
            tx.commit().await?;
            if gone == 0 {
                return Ok(());
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// Stops a customer's endpoints and removes what belongs to them, in small steps: to be done before
    /// [`Forwarding::erase`], which removes the rest in one.
    ///
    /// # Errors
    /// The database's.
    pub async fn clear(&self, customer: CustomerId) -> Result<()> {
        let mut tx = self.store.write().await?;
        let endpoints = queries::all_of(&mut tx, customer).await?;
        let now = self.clock.now();
        for endpoint in &endpoints {
            let any = [EndpointState::Active, EndpointState::Paused];
            queries::set_state(&mut tx, endpoint.id, any, EndpointState::Disabled, Some("erased"), now).await?;
        }
        if !endpoints.is_empty() {
            ENDPOINTS.advance(&mut tx, 1).await?;
        }
        tx.commit().await?;
        self.wake();
        for endpoint in endpoints {
            self.empty(endpoint.id).await?;
        }
        Ok(())
    }

    /// Forgets a customer's endpoints with all that belongs to them, in the caller's transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase(&self, tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
        let endpoints = queries::all_of(tx, customer).await?;
        if endpoints.is_empty() {
            return Ok(());
        }
        for endpoint in endpoints {
            for kind in super::JOBS_OF_ENDPOINTS {
                self.queue.cancel(tx, kind, &endpoint.id.to_string()).await?;
            }
            steps::remove(tx, endpoint.id).await?;
        }
        ENDPOINTS.advance(tx, 1).await?;
        Ok(())
    }
}
