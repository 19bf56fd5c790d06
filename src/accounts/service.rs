//! Use cases around people and companies.

use super::{
    audit, customer_queries,
    details::BusinessDetails,
    invites,
    limits::{Limits, TooMany},
    model::{Customer, EmailAddress, Role, User},
    password::Passwords,
    queries::{self, NewUser},
    strength::{self, About},
};
use crate::{
    base::{
        clock::Clock,
        ids::{CustomerId, UserId},
    },
    store::{Store, StoreError, WriteTx},
};
use secrecy::SecretString;
use std::sync::Arc;

/// Why something about people could not be done.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Somebody has this address already.
    #[error("somebody with this e-mail address is here already")]
    EmailTaken,
    /// The new password will not do; the text says why.
    #[error("{0}")]
    WeakPassword(&'static str),
    /// The e-mail and the password don't go together, or the present password is not right.
    #[error("the password is not right")]
    WrongPassword,
    /// There were too many wrong ones.
    #[error(transparent)]
    TooMany(#[from] TooMany),
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
    pub(super) limits: Limits,
    /// The operator's name: no password.
    operator: Arc<str>,
}

/// A person about to be made, the password hashed already.
pub(super) struct Prepared {
    id: UserId,
    email: EmailAddress,
    name: String,
    hash: String,
    role: Role,
    company: Option<String>,
}

impl Accounts {
    /// In this database.
    ///
    /// # Errors
    /// Where the machine gives no random numbers.
    pub fn new(store: Store, clock: Clock) -> Result<Self, AccountError> {
        let limits = Limits::new(store.clone(), clock.clone());
        Ok(Self { store, clock, passwords: Passwords::new()?, limits, operator: "".into() })
    }

    /// Of this operator, whose name is no password.
    #[must_use]
    pub fn of_operator(self, name: &str) -> Self {
        Self { operator: name.into(), ..self }
    }

    /// The hash of a new password, if it will do. The only way to one: every place that sets a password asks here.
    ///
    /// # Errors
    /// [`AccountError::WeakPassword`], or where hashing failed.
    pub async fn new_password(&self, password: SecretString, about: About) -> Result<String, AccountError> {
        strength::check(&password, about.and(&self.operator)).await?;
        self.passwords.hash(password).await
    }

    /// How many links that are still good could not be mailed.
    ///
    /// # Errors
    /// The database's.
    pub async fn unsent_mails(&self) -> Result<i64, AccountError> {
        Ok(queries::unsent_mails(&mut self.store.read().await?, self.clock.now()).await?)
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
        let new = self.prepare(email, name, password, role, company).await?;
        let mut tx = self.store.write().await?;
        let id = self.insert(&mut tx, new).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// All of it that needs no transaction.
    pub(super) async fn prepare(
        &self,
        email: &EmailAddress,
        name: &str,
        password: SecretString,
        role: Role,
        company: Option<&str>,
    ) -> Result<Prepared, AccountError> {
        let company = company.map(str::trim).filter(|name| !name.is_empty());
        if role.is_staff() == company.is_some() {
            return Err(AccountError::CompanyMismatch);
        }
        let about = About::person(email, name).and(company.unwrap_or_default());
        let hash = self.new_password(password, about).await?;
        let (email, name, company) = (email.clone(), name.to_owned(), company.map(str::to_owned));
        Ok(Prepared { id: UserId::new(), email, name, hash, role, company })
    }

    /// The rest of it.
    pub(super) async fn insert(&self, tx: &mut WriteTx, new: Prepared) -> Result<UserId, AccountError> {
        let (id, now) = (new.id, self.clock.now());
        let customer_id = match &new.company {
            None => None,
            Some(name) => match customer_queries::by_name(tx, name).await? {
                Some(customer) => Some(customer.id),
                None => {
                    let id = CustomerId::new();
                    customer_queries::insert(tx, id, name, now).await?;
                    Some(id)
                }
            },
        };
        let (email, role) = (&new.email, new.role);
        let row = NewUser { id, email, name: &new.name, password_hash: &new.hash, role, customer_id, at: now };
        if !queries::insert_user(tx, row).await? {
            return Err(AccountError::EmailTaken);
        }
        queries::drop_setup_code(tx).await?;
        let subject = id.to_string();
        let entry = audit::Entry {
            actor: None,
            customer: customer_id,
            action: "user.created",
            subject: Some(&subject),
            detail: Some(role.as_str().to_owned()),
        };
        audit::record(tx, &self.clock, entry).await?;
        Ok(id)
    }

    /// A person.
    ///
    /// # Errors
    /// The database's.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, AccountError> {
        Ok(queries::user_by_id(&mut self.store.read().await?, id).await?)
    }

    /// The person who signs in with this address.
    ///
    /// # Errors
    /// The database's.
    pub async fn user_by_email(&self, email: &EmailAddress) -> Result<Option<User>, AccountError> {
        Ok(queries::user_by_email(&mut self.store.read().await?, email).await?)
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
    pub async fn rename(&self, user: &User, name: &str) -> Result<(), AccountError> {
        let mut tx = self.store.write().await?;
        queries::set_name(&mut tx, user.id, name).await?;
        self.note(&mut tx, user, "user.renamed").await?;
        Ok(tx.commit().await?)
    }

    /// Changes a person's password and ends all their sessions, this one too: the caller starts a new one. Links to
    /// set another are taken back.
    ///
    /// # Errors
    /// [`AccountError::WrongPassword`], [`AccountError::TooMany`], [`AccountError::WeakPassword`], or the database's.
    pub async fn change_password(
        &self,
        user: &User,
        present: SecretString,
        new: SecretString,
    ) -> Result<(), AccountError> {
        self.authenticate(user.email.as_str(), present).await?;
        let about = About::person(&user.email, &user.name).and(user.customer_name.as_deref().unwrap_or_default());
        let hash = self.new_password(new, about).await?;
        let mut tx = self.store.write().await?;
        queries::set_password(&mut tx, user.id, &hash).await?;
        queries::end_sessions(&mut tx, user.id).await?;
        invites::revoke_resets(&mut tx, user.id, self.clock.now()).await?;
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

    /// Notes what a person did with their own account.
    pub(super) async fn note(&self, tx: &mut WriteTx, user: &User, action: &'static str) -> Result<(), StoreError> {
        let subject = user.id.to_string();
        let entry = audit::Entry {
            actor: Some(user.id),
            customer: user.customer_id,
            action,
            subject: Some(&subject),
            detail: None,
        };
        audit::record(tx, &self.clock, entry).await
    }
}
