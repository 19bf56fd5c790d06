//! What owners do with an endpoint's secret beside having a new one made.

use super::{
    queries,
    service::{Forwarding, ForwardingError},
};
use crate::{
    accounts::User,
    base::ids::{CustomerId, EndpointId},
};
use secrecy::SecretString;

impl Forwarding {
    /// Ends the time in which the old secret counts too: from now on the new one signs alone.
    ///
    /// # Errors
    /// [`ForwardingError::NotFound`], or the database's.
    pub async fn end_old_secret(
        &self,
        actor: &User,
        customer: CustomerId,
        id: EndpointId,
    ) -> Result<(), ForwardingError> {
        let mut tx = self.store.write().await?;
        let row = queries::endpoint_of(&mut tx, customer, id).await?.ok_or(ForwardingError::NotFound)?;
        if row.old_secret.is_some() {
            queries::set_secrets(&mut tx, id, &row.secret, None, self.clock.now()).await?;
            self.changed(&mut tx, actor, &row, "endpoint.old_secret_ended").await?;
        }
        Ok(tx.commit().await?)
    }

    /// An endpoint's secret, for being shown to its owner; the log tells that it was.
    ///
    /// # Errors
    /// [`ForwardingError::NotFound`], or the database's.
    pub async fn show_secret(
        &self,
        actor: &User,
        customer: CustomerId,
        id: EndpointId,
    ) -> Result<SecretString, ForwardingError> {
        let mut tx = self.store.write().await?;
        let row = queries::endpoint_of(&mut tx, customer, id).await?.ok_or(ForwardingError::NotFound)?;
        self.note(&mut tx, Some(actor), customer, "endpoint.secret_shown", &id.to_string(), None).await?;
        let secret = self.open(row)?.secret;
        tx.commit().await?;
        Ok(secret)
    }
}
