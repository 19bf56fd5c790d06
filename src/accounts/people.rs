//! People as an admin oversees them: who is here, what they may do, when they came last.

use super::{
    audit, invites,
    model::{EmailAddress, Role, User},
    people_queries as queries,
    service::Accounts,
};
use crate::{
    base::ids::{CustomerId, UserId},
    store::{StoreError, WriteTx},
};
use time::OffsetDateTime;

/// Somebody, with what an admin may know of them.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their ID.
    pub id: UserId,
    /// Their address.
    pub email: EmailAddress,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whose member they are; `None` for staff.
    pub customer_id: Option<CustomerId>,
    /// That customer's name.
    pub customer_name: Option<String>,
    /// Since when they are here.
    pub created_at: OffsetDateTime,
    /// When they were here last, to a quarter of an hour.
    pub seen_at: Option<OffsetDateTime>,
    /// Since when they sign in in two steps; `None` where they don't.
    pub two_step_since: Option<OffsetDateTime>,
}

/// Why something was not done to somebody.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// They are not here.
    #[error("nobody has this ID")]
    NotFound,
    /// Nobody does this to themselves: another admin must.
    #[error("You can’t do this to yourself. Ask another admin.")]
    Oneself,
    /// Without them nobody could administer Doorway.
    #[error("This is the last admin. Make somebody else an admin first.")]
    LastAdmin,
    /// Members of a customer stay members, and staff stay staff.
    #[error("Only support and admins have a role that can change.")]
    NotStaff,
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PeopleError> for crate::web::Error {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::NotFound => Self::NotFound,
            PeopleError::Store(_) => Self::internal(error),
            other => Self::Conflict(other.to_string()),
        }
    }
}

impl Accounts {
    /// Everybody who works for the operator: admins first, then by name.
    ///
    /// # Errors
    /// The database's.
    pub async fn staff(&self) -> Result<Vec<Person>, StoreError> {
        queries::staff(&mut self.store.read().await?).await
    }

    /// People whose name, address or company contains the text, by address, after the one given. All for an
    /// empty text.
    ///
    /// # Errors
    /// The database's.
    pub async fn search_people(&self, text: &str, after: &str, limit: i64) -> Result<Vec<Person>, StoreError> {
        queries::search(&mut self.store.read().await?, text.trim(), after, limit).await
    }

    /// One of them; `None` also where they were removed.
    ///
    /// # Errors
    /// The database's.
    pub async fn person(&self, id: UserId) -> Result<Option<Person>, StoreError> {
        queries::person_by_id(&mut self.store.read().await?, id).await
    }

    /// Makes somebody of the staff an admin or support. Links into the staff that they made as an admin are taken
    /// back.
    ///
    /// # Errors
    /// See [`PeopleError`].
    pub async fn set_role(&self, actor: &User, id: UserId, role: Role) -> Result<(), PeopleError> {
        if actor.id == id {
            return Err(PeopleError::Oneself);
        }
        let mut tx = self.store.write().await?;
        let admins = queries::lock_admins(&mut tx).await?;
        let person = queries::person_by_id(&mut tx, id).await?.ok_or(PeopleError::NotFound)?;
        if !person.role.is_staff() || !role.is_staff() {
            return Err(PeopleError::NotStaff);
        }
        if person.role == role {
            return Ok(());
        }
        if person.role == Role::Admin && admins < 2 {
            return Err(PeopleError::LastAdmin);
        }
        queries::set_role(&mut tx, id, role).await?;
        if role != Role::Admin {
            invites::revoke_made_by(&mut tx, &self.clock, actor, id, false).await?;
        }
        let detail = format!("{} to {}", person.role.as_str(), role.as_str());
        self.record_on(&mut tx, actor, &person, "user.role_changed", Some(detail)).await?;
        Ok(tx.commit().await?)
    }

    /// Signs somebody out everywhere.
    ///
    /// # Errors
    /// See [`PeopleError`].
    pub async fn sign_out_person(&self, actor: &User, id: UserId) -> Result<(), PeopleError> {
        let mut tx = self.store.write().await?;
        let person = queries::person_by_id(&mut tx, id).await?.ok_or(PeopleError::NotFound)?;
        super::queries::end_sessions(&mut tx, id).await?;
        self.record_on(&mut tx, actor, &person, "user.sessions_ended", None).await?;
        Ok(tx.commit().await?)
    }

    async fn record_on(
        &self,
        tx: &mut WriteTx,
        actor: &User,
        person: &Person,
        action: &'static str,
        detail: Option<String>,
    ) -> Result<(), StoreError> {
        let subject = person.id.to_string();
        let (actor, customer) = (Some(actor.id), person.customer_id);
        audit::record(tx, &self.clock, audit::Entry { actor, customer, action, subject: Some(&subject), detail }).await
    }
}
