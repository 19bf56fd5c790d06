//! Whether somebody is who they say: e-mail and password, limited and noted.

use super::{
    AccountError, Accounts, User, audit,
    limits::Subject,
    model::{EmailAddress, MAX_PASSWORD_BYTES},
    queries,
};
use crate::base::ids::UserId;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

impl Accounts {
    /// Whose e-mail and password these are. It takes as long whether the address is known or not, and wrong
    /// ones are counted alike; too many, and even the right one is not looked at.
    ///
    /// # Errors
    /// [`AccountError::WrongPassword`], [`AccountError::TooMany`], or the database's.
    pub async fn authenticate(&self, email: &str, password: SecretString) -> Result<UserId, AccountError> {
        self.authenticate_in(email, password, None).await
    }

    /// The same, in a browser that is known for this address by this word.
    pub(super) async fn authenticate_in(
        &self,
        email: &str,
        password: SecretString,
        mark: Option<&str>,
    ) -> Result<UserId, AccountError> {
        let mut subjects = vec![match mark {
            Some(mark) => Subject::password_in(email, mark),
            None => Subject::password(email),
        }];
        subjects.extend(audit::address().map(Subject::address));
        let guess = self.limits.begin(&subjects).await??;
        let known = match email.parse::<EmailAddress>() {
            Ok(email) if password.expose_secret().len() <= MAX_PASSWORD_BYTES => {
                let mut db = self.store.read().await?;
                queries::credentials(&mut db, &email).await?
            }
            _ => None,
        };
        let (id, hash) = known.map_or((None, None), |(id, hash)| (Some(id), Some(hash)));
        if let (true, Some(id)) = (self.passwords.verify(password, hash).await?, id) {
            self.limits.right(guess).await?;
            return Ok(id);
        }
        if let Some(id) = id {
            self.note_failed(id);
        }
        Err(AccountError::WrongPassword)
    }

    /// Notes a wrong password, beside the answer: whoever measures must not learn that the account exists.
    fn note_failed(&self, id: UserId) {
        let accounts = self.clone();
        tokio::spawn(async move {
            if let Err(error) = accounts.failed(id).await {
                tracing::error!(%error, "a wrong password could not be noted");
            }
        });
    }

    async fn failed(&self, id: UserId) -> Result<(), AccountError> {
        let Some(user) = self.user(id).await? else { return Ok(()) };
        let mut tx = self.store.write().await?;
        // Nobody knows who it was.
        let subject = id.to_string();
        let (customer, action) = (user.customer_id, "user.sign_in_failed");
        let entry = audit::Entry { actor: None, customer, action, subject: Some(&subject), detail: None };
        audit::record(&mut tx, &self.clock, entry).await?;
        Ok(tx.commit().await?)
    }

    /// A word that changes with the person's password, and tells nothing of it.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn password_mark(&self, id: UserId) -> Result<Option<String>, AccountError> {
        let hash = queries::password_hash(&mut self.store.read().await?, id).await?;
        Ok(hash.map(|hash| hex::encode(Sha256::digest(hash))))
    }

    /// Notes that a person has signed in.
    ///
    /// # Errors
    /// The database's.
    pub async fn signed_in(&self, user: &User) -> Result<(), AccountError> {
        let mut tx = self.store.write().await?;
        queries::set_seen(&mut tx, user.id, self.clock.now()).await?;
        self.note(&mut tx, user, "user.signed_in").await?;
        Ok(tx.commit().await?)
    }

    /// Notes that a person is still here.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn seen(&self, id: UserId) -> Result<(), AccountError> {
        let mut tx = self.store.write().await?;
        queries::set_seen(&mut tx, id, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }
}
