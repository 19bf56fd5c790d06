//! Erasing people and companies. The audit log is left whole: it holds IDs, whose names are then nowhere.

use super::{Accounts, Role, User, audit, customer_queries, invites, member_queries, queries};
use crate::{
    base::ids::{CustomerId, UserId},
    store::{Result, StoreError, WriteTx},
};

/// Why a person could not be removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// They are not there, or were removed before.
    #[error("nobody is there")]
    NotFound,
    /// Without them nobody could administer Doorway.
    #[error("the last admin can't be removed")]
    LastAdmin,
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RemoveError> for crate::web::Error {
    fn from(error: RemoveError) -> Self {
        match error {
            RemoveError::NotFound => Self::NotFound,
            RemoveError::LastAdmin => {
                Self::Conflict("This is the last admin. Make somebody else an admin first.".to_owned())
            }
            RemoveError::Store(error) => error.into(),
        }
    }
}

impl Accounts {
    /// Removes a person: their row stays, without name, address, password and second step, for what refers to it;
    /// their sessions, recovery codes, invites and the addresses they came from are gone. Links that they made are
    /// taken back.
    ///
    /// # Errors
    /// See [`RemoveError`].
    pub async fn remove_person(&self, actor: &User, id: UserId) -> std::result::Result<(), RemoveError> {
        let mut tx = self.store.write().await?;
        let person = queries::user_by_id(&mut tx, id).await?.ok_or(RemoveError::NotFound)?;
        if person.role == Role::Admin && member_queries::admins(&mut tx).await? == [id] {
            return Err(RemoveError::LastAdmin);
        }
        invites::revoke_made_by(&mut tx, &self.clock, actor, id, true).await?;
        if !member_queries::forget(&mut tx, id, self.clock.now()).await? {
            return Err(RemoveError::NotFound);
        }
        if let Some(customer) = person.customer_id {
            customer_queries::index(&mut tx, customer).await?;
        }
        let subject = id.to_string();
        let entry = audit::Entry {
            actor: Some(actor.id),
            customer: person.customer_id,
            action: "user.removed",
            subject: Some(&subject),
            detail: Some(person.role.as_str().to_owned()),
        };
        audit::record(&mut tx, &self.clock, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets a company with its members, their sessions, invites and addresses. What other features keep of it
    /// must be gone by then, in the same transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase(&self, tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
        member_queries::erase(tx, customer).await?;
        let subject = customer.to_string();
        let entry = audit::Entry {
            actor: None,
            customer: Some(customer),
            action: "customer.deleted",
            subject: Some(&subject),
            detail: None,
        };
        audit::record(tx, &self.clock, entry).await
    }
}
