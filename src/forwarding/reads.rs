//! What pages read of deliveries.

use super::{
    endpoint::Delivery,
    queries::{self, Attempt},
    service::Forwarding,
};
use crate::{
    base::ids::{CustomerId, EndpointId},
    store::StoreError,
    webhooks::EventId,
};

impl Forwarding {
    /// The deliveries of an event: of this customer's endpoints, or all for staff (`None`).
    ///
    /// # Errors
    /// The database's.
    pub async fn deliveries_of(
        &self,
        event: EventId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<Delivery>, StoreError> {
        queries::deliveries_of(&mut self.store.read().await?, event, customer).await
    }

    /// One delivery of an endpoint.
    ///
    /// # Errors
    /// The database's.
    pub async fn delivery(&self, endpoint: EndpointId, number: i64) -> Result<Option<Delivery>, StoreError> {
        queries::delivery_of(&mut self.store.read().await?, endpoint, number).await
    }

    /// The latest deliveries of an endpoint whose number is below `before`, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn latest(&self, endpoint: EndpointId, before: i64, limit: i64) -> Result<Vec<Delivery>, StoreError> {
        queries::latest(&mut self.store.read().await?, endpoint, before, limit).await
    }

    /// The attempts of a delivery, in order.
    ///
    /// # Errors
    /// The database's.
    pub async fn attempts_of(&self, endpoint: EndpointId, number: i64) -> Result<Vec<Attempt>, StoreError> {
        queries::attempts_of(&mut self.store.read().await?, endpoint, number).await
    }

    /// How many deliveries wait for an endpoint; a thousand stands for more.
    ///
    /// # Errors
    /// The database's.
    pub async fn pending(&self, endpoint: EndpointId) -> Result<i64, StoreError> {
        queries::pending(&mut self.store.read().await?, endpoint).await
    }
}
