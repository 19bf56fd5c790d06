//! What is done to an endpoint that is there: a new secret, pausing, resuming, trying it out, removing it.

use super::{
    REMOVE_JOB, RESUME_JOB,
    endpoint::{Cause, EndpointState},
    queries::{self, DELETED},
    secrets,
    service::{Forwarding, ForwardingError, OLD_SECRET_FOR},
};
use crate::{
    accounts::User,
    base::ids::{CustomerId, EndpointId},
};

impl Forwarding {
    /// Gives it a new secret. For [`OLD_SECRET_FOR`] calls are signed with the one before too.
    ///
    /// # Errors
    /// [`ForwardingError::NotFound`], or the database's.
    pub async fn rotate_secret(
        &self,
        actor: &User,
        customer: CustomerId,
        id: EndpointId,
    ) -> Result<(), ForwardingError> {
        let mut tx = self.store.write().await?;
        let row = queries::endpoint_of(&mut tx, customer, id).await?.ok_or(ForwardingError::NotFound)?;
        let now = self.clock.now();
        let before = self.open(row.clone())?.secret;
        let old = (self.seal_old_secret(id, &before), now + OLD_SECRET_FOR);
        let sealed = self.seal_secret(id, &secrets::new_secret(row.format));
        queries::set_secrets(&mut tx, id, &sealed, Some(old), now).await?;
        self.changed(&mut tx, actor, &row, "endpoint.secret_rotated").await?;
        Ok(tx.commit().await?)
    }

    /// Stops calling it; what comes is kept for it.
    ///
    /// # Errors
    /// [`ForwardingError::NotFound`], [`ForwardingError::NotActive`], or the database's.
    pub async fn pause(&self, actor: &User, customer: CustomerId, id: EndpointId) -> Result<(), ForwardingError> {
        let mut tx = self.store.write().await?;
        let row = queries::endpoint_of(&mut tx, customer, id).await?.ok_or(ForwardingError::NotFound)?;
        let (from, to) = ([EndpointState::Active; 2], EndpointState::Paused);
        if !queries::set_state(&mut tx, id, from, to, Some("by_hand"), self.clock.now()).await? {
            return Err(ForwardingError::NotActive);
        }
        self.changed(&mut tx, actor, &row, "endpoint.paused").await?;
        tx.commit().await?;
        self.wake();
        Ok(())
    }

    /// Calls it again: what waits is due at once, in the order of the numbers.
    ///
    /// # Errors
    /// [`ForwardingError::NotFound`], or the database's.
    pub async fn resume(&self, actor: &User, customer: CustomerId, id: EndpointId) -> Result<(), ForwardingError> {
        if self.endpoint(customer, id).await?.state == EndpointState::Active {
            return Ok(());
        }
        // While nobody calls, so that the order is kept; what is too much for that follows.
        let left = self.set_some_due(id).await?.is_some();
        let mut tx = self.store.write().await?;
        let row = queries::endpoint_of(&mut tx, customer, id).await?.ok_or(ForwardingError::NotFound)?;
        let (from, to) = ([EndpointState::Paused, EndpointState::Disabled], EndpointState::Active);
        if queries::set_state(&mut tx, id, from, to, None, self.clock.now()).await? {
            self.changed(&mut tx, actor, &row, "endpoint.resumed").await?;
            if left {
                self.queue.enqueue(&mut tx, RESUME_JOB, &id.to_string(), self.clock.now()).await?;
            }
        }
        tx.commit().await?;
        self.queue.wake();
        self.bells.ring_for(id);
        Ok(())
    }

    /// Sends it something to try it out; the delivery's number.
    ///
    /// # Errors
    /// [`ForwardingError::NotFound`], [`ForwardingError::NotActive`], or the database's.
    pub async fn send_test(&self, actor: &User, customer: CustomerId, id: EndpointId) -> Result<i64, ForwardingError> {
        let mut tx = self.store.write().await?;
        let row = queries::endpoint_of(&mut tx, customer, id).await?.ok_or(ForwardingError::NotFound)?;
        if row.state != EndpointState::Active {
            return Err(ForwardingError::NotActive);
        }
        let number = self.plan_one(&mut tx, id, Cause::Test).await?.ok_or(ForwardingError::NotActive)?;
        self.note(&mut tx, Some(actor), customer, "endpoint.tested", &id.to_string(), None).await?;
        tx.commit().await?;
        self.bells.ring_for(id);
        Ok(number)
    }

    /// Removes it with its deliveries: nobody sees it any more, and its rows go in the background.
    ///
    /// # Errors
    /// [`ForwardingError::NotFound`], or the database's.
    pub async fn delete(&self, actor: &User, customer: CustomerId, id: EndpointId) -> Result<(), ForwardingError> {
        let mut tx = self.store.write().await?;
        let row = queries::endpoint_of(&mut tx, customer, id).await?.ok_or(ForwardingError::NotFound)?;
        let from = [EndpointState::Active, EndpointState::Paused];
        let (to, now) = (EndpointState::Disabled, self.clock.now());
        if row.state == EndpointState::Disabled {
            queries::set_state(&mut tx, id, [to; 2], to, Some(DELETED), now).await?;
        } else {
            queries::set_state(&mut tx, id, from, to, Some(DELETED), now).await?;
        }
        self.changed(&mut tx, actor, &row, "endpoint.deleted").await?;
        self.queue.enqueue(&mut tx, REMOVE_JOB, &id.to_string(), now).await?;
        tx.commit().await?;
        self.queue.wake();
        self.wake();
        Ok(())
    }
}
