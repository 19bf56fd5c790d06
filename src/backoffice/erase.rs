//! Deleting a customer: nobody gets in at once; then a job undoes its connections at Meta, and erases what every
//! feature keeps of it in one transaction. Killed in between, it begins again where it stands.

use super::Backoffice;
use crate::{
    accounts::{self, User},
    base::ids::CustomerId,
    jobs::{self, Handlers, JobError, Outcome},
    web,
};
use time::Duration;

/// The kind of the job; its subject is the customer's ID.
pub const ERASE_JOB: &str = "backoffice.erase_customer";
/// How long the end of the connections is waited for in all. Each waits out Meta's trouble for half of that.
const PATIENCE: Duration = Duration::hours(1);
/// The pause between two looks.
const PAUSE: Duration = Duration::seconds(1);

impl Backoffice {
    /// Lets a suspended customer in again; its attempts go on. False where it was not suspended.
    pub(super) async fn unsuspend(&self, actor: &User, id: CustomerId) -> web::Result<bool> {
        let mut tx = self.store.write().await?;
        if !self.accounts.unsuspend_customer(&mut tx, actor, id).await? {
            return Ok(false);
        }
        self.signup.resume(&mut tx, id).await?;
        tx.commit().await?;
        self.queue.wake();
        Ok(true)
    }

    /// Begins to delete a customer. False where that was done before.
    pub(super) async fn begin_deletion(&self, actor: &User, id: CustomerId) -> web::Result<bool> {
        let mut tx = self.store.write().await?;
        if !self.accounts.begin_deletion(&mut tx, actor, id).await? {
            return Ok(false);
        }
        self.connections.disconnect_all(&mut tx, Some(actor), id).await?;
        self.queue.enqueue(&mut tx, ERASE_JOB, &id.to_string(), self.clock.now()).await?;
        tx.commit().await?;
        self.queue.wake();
        Ok(true)
    }

    /// Carries a deletion on. Bears being run twice.
    async fn erase(&self, id: CustomerId) -> Result<Outcome, JobError> {
        let Some(since) = self.accounts.deleting_since(id).await? else { return Ok(Outcome::Done) };
        let is_patient = self.clock.now() < since + PATIENCE;
        let again = Outcome::Again(self.clock.now() + PAUSE);
        // A grant may have been saved since, by an attempt that was under way.
        let mut tx = self.store.write().await?;
        let begun = self.connections.disconnect_all(&mut tx, None, id).await?;
        let live = self.connections.count_live(&mut tx, id).await?;
        tx.commit().await?;
        if begun > 0 {
            self.queue.wake();
        }
        if live > 0 && is_patient {
            return Ok(again);
        }
        // Bodies are many and large: what is there already goes in small steps, so that others may write meanwhile.
        let wabas = self.signup.wabas_of(&mut self.store.read().await?, id).await?;
        self.forwarding.clear(id).await?;
        let clean_until = self.webhooks.erase(id, &wabas).await?;
        let mut tx = self.store.write().await?;
        accounts::lock_customer(&mut tx, id).await?;
        if self.connections.count_live(&mut tx, id).await? > 0 && is_patient {
            return Ok(again);
        }
        let wabas = self.signup.wabas_of(&mut tx, id).await?;
        // Webhooks first: one that is being read right now is waited for, and what it leaves goes with the rest.
        self.webhooks.erase_since(&mut tx, id, &wabas, clean_until).await?;
        self.forwarding.erase(&mut tx, id).await?;
        self.messaging.erase(&mut tx, id).await?;
        self.signup.erase(&mut tx, id, &wabas).await?;
        let held = self.connections.wabas_of(&mut tx, id).await?;
        self.profiles.erase(&mut tx, &held).await?;
        self.connections.erase(&mut tx, id).await?;
        self.accounts.erase(&mut tx, id).await?;
        tx.commit().await?;
        tracing::info!(customer = %id, "a customer is deleted");
        Ok(Outcome::Done)
    }
}

/// What is done in the background.
#[must_use]
pub fn handlers(backoffice: &Backoffice) -> Handlers {
    let erasing = backoffice.clone();
    Handlers::from([(
        ERASE_JOB,
        jobs::handler(move |id| {
            let backoffice = erasing.clone();
            async move { backoffice.erase(id.parse::<CustomerId>()?).await }
        }),
    )])
}
