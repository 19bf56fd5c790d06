//! Use cases around companies: create, rename, suspend, and the beginning of their end.

use super::{
    AccountError, Accounts, ConnectionStanding, Customer, User, audit, customer_queries,
    member_queries::{self, MemberLine},
};
use crate::{
    base::ids::CustomerId,
    store::{self, Reads, WriteTx},
};
use time::OffsetDateTime;

/// The longest name of a company, in characters.
pub const MAX_CUSTOMER_NAME_CHARS: usize = 100;

/// A company's name without the space around it, if it will do.
///
/// # Errors
/// What is wrong with it, for its field.
pub fn check_customer_name(name: &str) -> Result<&str, &'static str> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_CUSTOMER_NAME_CHARS || name.contains(char::is_control) {
        return Err("Enter a name of 1 to 100 characters.");
    }
    Ok(name)
}

impl Accounts {
    /// Creates a company without members. Others may have the same name.
    ///
    /// # Errors
    /// The database's.
    pub async fn create_customer(&self, actor: &User, name: &str) -> Result<CustomerId, AccountError> {
        let id = CustomerId::new();
        let mut tx = self.store.write().await?;
        customer_queries::insert(&mut tx, id, name, self.clock.now()).await?;
        self.note_of_customer(&mut tx, actor, id, "customer.created").await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Companies of this name, however it is spelt in capitals, the oldest first, at most five.
    ///
    /// # Errors
    /// The database's.
    pub async fn customers_named(&self, name: &str) -> Result<Vec<Customer>, AccountError> {
        Ok(customer_queries::of_same_name(&mut self.store.read().await?, name.trim(), 5).await?)
    }

    /// Gives a company another name.
    ///
    /// # Errors
    /// The database's.
    pub async fn rename_customer(&self, actor: &User, id: CustomerId, name: &str) -> Result<(), AccountError> {
        let mut tx = self.store.write().await?;
        customer_queries::rename(&mut tx, id, name).await?;
        self.note_of_customer(&mut tx, actor, id, "customer.renamed").await?;
        Ok(tx.commit().await?)
    }

    /// Shuts a company's people out: their sessions end, and signing in is refused. What is connected stays. False
    /// where it is so already, or the company is being deleted.
    ///
    /// # Errors
    /// The database's.
    pub async fn suspend_customer(&self, actor: &User, id: CustomerId) -> Result<bool, AccountError> {
        let mut tx = self.store.write().await?;
        if !customer_queries::set_suspended(&mut tx, id, Some(self.clock.now())).await? {
            return Ok(false);
        }
        member_queries::end_sessions(&mut tx, id).await?;
        self.note_of_customer(&mut tx, actor, id, "customer.suspended").await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Lets a suspended company's people in again, in the caller's transaction. False where they are in.
    ///
    /// # Errors
    /// The database's.
    pub async fn unsuspend_customer(
        &self,
        tx: &mut WriteTx,
        actor: &User,
        id: CustomerId,
    ) -> Result<bool, AccountError> {
        if !customer_queries::set_suspended(tx, id, None).await? {
            return Ok(false);
        }
        self.note_of_customer(tx, actor, id, "customer.unsuspended").await?;
        Ok(true)
    }

    /// Shuts a company's people out for good, in the caller's transaction. False where that was done before.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_deletion(&self, tx: &mut WriteTx, actor: &User, id: CustomerId) -> Result<bool, AccountError> {
        if !customer_queries::set_deleting(tx, id, self.clock.now()).await? {
            return Ok(false);
        }
        member_queries::end_sessions(tx, id).await?;
        self.note_of_customer(tx, actor, id, "customer.deletion_begun").await?;
        Ok(true)
    }

    /// Since when a company is being deleted; `None` where it is not, or gone.
    ///
    /// # Errors
    /// The database's.
    pub async fn deleting_since(&self, id: CustomerId) -> Result<Option<OffsetDateTime>, AccountError> {
        Ok(customer_queries::deleting_since(&mut self.store.read().await?, id).await?)
    }

    /// A company's members as staff see them.
    ///
    /// # Errors
    /// The database's.
    pub async fn member_lines(&self, id: CustomerId) -> Result<Vec<MemberLine>, AccountError> {
        Ok(member_queries::lines(&mut self.store.read().await?, id).await?)
    }

    /// Notes what somebody of the staff did with a company, in the transaction of what was done.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_of_customer(
        &self,
        tx: &mut WriteTx,
        actor: &User,
        id: CustomerId,
        action: &'static str,
    ) -> Result<(), AccountError> {
        let subject = id.to_string();
        let entry =
            audit::Entry { actor: Some(actor.id), customer: Some(id), action, subject: Some(&subject), detail: None };
        Ok(audit::record(tx, &self.clock, entry).await?)
    }
}

/// How a customer stands, in the caller's transaction; `None` where it is not there.
///
/// # Errors
/// The database's.
pub async fn customer_state(db: &mut impl Reads, id: CustomerId) -> store::Result<Option<super::CustomerState>> {
    Ok(customer_queries::by_id(db, id).await?.map(|customer| customer.state))
}

/// Waits until no other transaction is writing what is this customer's, and keeps them waiting until the end of
/// this one. Take it before any row of the customer's is written: two that come the other way round would wait for
/// each other.
///
/// # Errors
/// The database's.
pub async fn lock_customer(tx: &mut WriteTx, id: CustomerId) -> store::Result<()> {
    customer_queries::lock(tx, id).await
}

/// Keeps how a customer's connections stand, beside the customer: the list is filtered by it.
///
/// # Errors
/// The database's.
pub async fn set_connection_standing(
    tx: &mut WriteTx,
    id: CustomerId,
    standing: ConnectionStanding,
) -> store::Result<()> {
    customer_queries::set_connections(tx, id, standing).await
}
