//! What a customer does with a connection: gives it a name, ends it.

use super::{erase::note_standing, jobs::DisconnectRequest, queries, service::Connections};
use crate::{
    accounts::{self, Member, User, audit},
    base::ids::{ConnectionId, CustomerId},
    store::StoreError,
};

impl Connections {
    /// Gives a connection another name; false where it is not this customer's.
    ///
    /// # Errors
    /// The database's.
    pub async fn rename(&self, member: &Member, id: ConnectionId, name: &str) -> Result<bool, StoreError> {
        let mut tx = self.store.write().await?;
        let renamed = queries::rename(&mut tx, member.customer, id, name).await?;
        if renamed {
            let subject = id.to_string();
            let entry = audit::Entry {
                actor: Some(member.user.id),
                customer: Some(member.customer),
                action: "connection.renamed",
                subject: Some(&subject),
                detail: None,
            };
            audit::record(&mut tx, &self.clock, entry).await?;
        }
        tx.commit().await?;
        Ok(renamed)
    }

    /// Begins to undo a connection; what must be done at Meta follows as a job. False where it is not
    /// this customer's, or is being undone already.
    ///
    /// # Errors
    /// The database's.
    pub async fn disconnect(
        &self,
        actor: &User,
        customer: CustomerId,
        id: ConnectionId,
        deregister: bool,
    ) -> Result<bool, StoreError> {
        let request = serde_json::to_string(&DisconnectRequest { deregister, since: self.clock.now_ms() })
            .map_err(|_| StoreError::Value("disconnecting".to_owned()))?;
        let mut tx = self.store.write().await?;
        accounts::lock_customer(&mut tx, customer).await?;
        let begun = queries::begin_disconnect(&mut tx, customer, id, &request).await?;
        if begun {
            note_standing(&mut tx, customer).await?;
            let subject = id.to_string();
            self.queue.enqueue(&mut tx, super::DISCONNECT_JOB, &subject, self.clock.now()).await?;
            let entry = audit::Entry {
                actor: Some(actor.id),
                customer: Some(customer),
                action: "connection.disconnected",
                subject: Some(&subject),
                detail: deregister.then(|| "numbers deregistered".to_owned()),
            };
            audit::record(&mut tx, &self.clock, entry).await?;
        }
        tx.commit().await?;
        self.queue.wake();
        Ok(begun)
    }
}
