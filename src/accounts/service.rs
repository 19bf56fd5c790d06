//! Use cases around people and companies.

use super::{
    audit, customer_queries,
    details::BusinessDetails,
    model::{self, Customer, EmailAddress, Role, User},
    password::Passwords,
    queries::{self, NewUser},
};
use crate::{
    base::{
        clock::Clock,
        ids::{CustomerId, UserId},
    },
    store::{Store, StoreError},
};
use secrecy::{ExposeSecret, SecretString};

/// Why something about people could not be done.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Somebody has this address already.
    #[error("somebody with this e-mail address is here already")]
    EmailTaken,
    /// The new password will not do; the text says why.
    #[error("{0}")]
    WeakPassword(&'static str),
    /// The present password was not right.
    #[error("the present password is not right")]
    WrongPassword,
    /// A member of a customer needs one; staff have none.
    #[error("a customer's member needs a company, and staff have none")]
    CompanyMismatch,
    /// Hashing failed.
    #[error("hashing: {0}")]
    Hash(String),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AccountError> for crate::web::Error {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Hash(_) | AccountError::Store(_) => Self::internal(error),
            other => Self::BadRequest(other.to_string()),
        }
    }
}

/// People and companies. Cloning shares what is beneath.
#[derive(Clone)]
pub struct Accounts {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) passwords: Passwords,
}

impl Accounts {
    /// In this database.
    ///
    /// # Errors
    /// Where the machine gives no random numbers.
    pub fn new(store: Store, clock: Clock) -> Result<Self, AccountError> {
        Ok(Self { store, clock, passwords: Passwords::new()? })
    }

    /// Creates a person; a customer's company is created where none of that name is there.
    ///
    /// # Errors
    /// See [`AccountError`].
    pub async fn create_user(
        &self,
        email: &EmailAddress,
        name: &str,
        password: SecretString,
        role: Role,
        company: Option<&str>,
    ) -> Result<UserId, AccountError> {
        model::check_new_password(password.expose_secret()).map_err(AccountError::WeakPassword)?;
        let company = company.map(str::trim).filter(|name| !name.is_empty());
        if role.is_staff() == company.is_some() {
            return Err(AccountError::CompanyMismatch);
        }
        let hash = self.passwords.hash(password).await?;
        let (id, now) = (UserId::new(), self.clock.now());
        let mut tx = self.store.write().await?;
        let customer_id = match company {
            None => None,
            Some(name) => match customer_queries::by_name(&mut tx, name).await? {
                Some(customer) => Some(customer.id),
                None => {
                    let id = CustomerId::new();
                    customer_queries::insert(&mut tx, id, name, now).await?;
                    Some(id)
                }
            },
        };
        let new = NewUser { id, email, name, password_hash: &hash, role, customer_id, at: now };
        if !queries::insert_user(&mut tx, new).await? {
            return Err(AccountError::EmailTaken);
        }
        let subject = id.to_string();
        let entry = audit::Entry {
            actor: None,
            customer: customer_id,
            action: "user.created",
            subject: Some(&subject),
            detail: Some(role.as_str().to_owned()),
        };
        audit::record(&mut tx, &self.clock, entry).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Whose e-mail and password these are; `None` where they don't go together, which takes as long
    /// whether the address is known or not.
    ///
    /// # Errors
    /// Where it could not be found out.
    pub async fn authenticate(&self, email: &str, password: SecretString) -> Result<Option<UserId>, AccountError> {
        let known = match email.parse::<EmailAddress>() {
            Ok(email) if password.expose_secret().len() <= model::MAX_PASSWORD_BYTES => {
                let mut db = self.store.read().await?;
                queries::credentials(&mut db, &email).await?
            }
            _ => None,
        };
        let (id, hash) = known.map_or((None, None), |(id, hash)| (Some(id), Some(hash)));
        Ok(if self.passwords.verify(password, hash).await? { id } else { None })
    }

    /// A person.
    ///
    /// # Errors
    /// The database's.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, AccountError> {
        Ok(queries::user_by_id(&mut self.store.read().await?, id).await?)
    }

    /// A company.
    ///
    /// # Errors
    /// The database's.
    pub async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, AccountError> {
        Ok(customer_queries::by_id(&mut self.store.read().await?, id).await?)
    }

    /// What is known of a company's business; `None` where there is no such company.
    ///
    /// # Errors
    /// The database's.
    pub async fn details(&self, id: CustomerId) -> Result<Option<BusinessDetails>, AccountError> {
        Ok(customer_queries::details(&mut self.store.read().await?, id).await?)
    }

    /// Keeps what is known of a company's business, [`BusinessDetails::checked`]. False where there is no such
    /// company.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_details(
        &self,
        actor: &User,
        id: CustomerId,
        details: &BusinessDetails,
    ) -> Result<bool, AccountError> {
        let json = serde_json::to_string(details).map_err(|_| StoreError::Value("details".to_owned()))?;
        let mut tx = self.store.write().await?;
        if !customer_queries::set_details(&mut tx, id, &json).await? {
            return Ok(false);
        }
        let subject = id.to_string();
        let entry = audit::Entry {
            actor: Some(actor.id),
            customer: Some(id),
            action: "customer.details_changed",
            subject: Some(&subject),
            detail: None,
        };
        audit::record(&mut tx, &self.clock, entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A company's members.
    ///
    /// # Errors
    /// The database's.
    pub async fn members(&self, id: CustomerId) -> Result<Vec<User>, AccountError> {
        Ok(queries::members(&mut self.store.read().await?, id).await?)
    }

    /// Changes a person's name.
    ///
    /// # Errors
    /// The database's.
    pub async fn rename(&self, id: UserId, name: &str) -> Result<(), AccountError> {
        let mut tx = self.store.write().await?;
        queries::set_name(&mut tx, id, name).await?;
        Ok(tx.commit().await?)
    }

    /// Changes a person's password and ends all their sessions, this one too: the caller starts a new one.
    ///
    /// # Errors
    /// [`AccountError::WrongPassword`], [`AccountError::WeakPassword`], or the database's.
    pub async fn change_password(
        &self,
        user: &User,
        present: SecretString,
        new: SecretString,
    ) -> Result<(), AccountError> {
        if self.authenticate(user.email.as_str(), present).await? != Some(user.id) {
            return Err(AccountError::WrongPassword);
        }
        model::check_new_password(new.expose_secret()).map_err(AccountError::WeakPassword)?;
        let hash = self.passwords.hash(new).await?;
        let mut tx = self.store.write().await?;
        queries::set_password(&mut tx, user.id, &hash).await?;
        queries::end_sessions(&mut tx, user.id).await?;
        self.note(&mut tx, user, "user.password_changed").await?;
        Ok(tx.commit().await?)
    }

    /// Ends all sessions of a person.
    ///
    /// # Errors
    /// The database's.
    pub async fn sign_out_everywhere(&self, user: &User) -> Result<(), AccountError> {
        let mut tx = self.store.write().await?;
        queries::end_sessions(&mut tx, user.id).await?;
        self.note(&mut tx, user, "user.signed_out_everywhere").await?;
        Ok(tx.commit().await?)
    }

    /// In how many places a person is signed in.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_sessions(&self, id: UserId) -> Result<i64, AccountError> {
        Ok(queries::count_sessions(&mut self.store.read().await?, id, self.clock.now()).await?)
    }

    async fn note(
        &self,
        tx: &mut crate::store::WriteTx,
        user: &User,
        action: &'static str,
    ) -> Result<(), AccountError> {
        let subject = user.id.to_string();
        let entry = audit::Entry {
            actor: Some(user.id),
            customer: user.customer_id,
            action,
            subject: Some(&subject),
            detail: None,
        };
        Ok(audit::record(tx, &self.clock, entry).await?)
    }
}
