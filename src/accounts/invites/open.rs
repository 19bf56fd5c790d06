//! Using a link: the invited person makes their account.

use super::{Invite, InviteError, Invites, Kind, Standing, queries, service::hash};
use crate::{
    accounts::{
        About, EmailAddress,
        queries::{self as people, NewUser},
    },
    base::ids::{InviteId, UserId},
    store::StoreError,
};
use secrecy::SecretString;

impl Invites {
    /// The link with this secret, whether it is good or not. Looking uses nothing up.
    ///
    /// # Errors
    /// The database's.
    pub async fn opened(&self, kind: Kind, secret: &str) -> Result<Option<Invite>, InviteError> {
        Ok(queries::by_hash(&mut self.store.read().await?, kind, &hash(secret)).await?)
    }

    /// The same, and it must be good.
    pub(super) async fn good(&self, kind: Kind, secret: &str) -> Result<Invite, InviteError> {
        let invite = self.opened(kind, secret).await?.ok_or(InviteError::NotFound)?;
        match invite.standing(self.clock.now()) {
            Standing::Open => Ok(invite),
            other => Err(InviteError::NotOpen(other)),
        }
    }

    /// Why a link could not be used up: somebody was faster.
    pub(super) async fn lost(&self, id: InviteId) -> InviteError {
        let found = async { queries::by_id(&mut self.store.read().await?, id).await };
        match found.await {
            Ok(Some(invite)) => InviteError::NotOpen(invite.standing(self.clock.now())),
            Ok(None) => InviteError::NotFound,
            Err(error) => error.into(),
        }
    }

    /// Makes the invited person's account and uses the link up, both or neither.
    ///
    /// # Errors
    /// [`InviteError::NotFound`], [`InviteError::NotOpen`], [`InviteError::WeakPassword`],
    /// [`InviteError::EmailTaken`] where they got an account in another way meanwhile.
    pub async fn accept(&self, secret: &str, name: &str, password: SecretString) -> Result<UserId, InviteError> {
        let invite = self.good(Kind::Invite, secret).await?;
        let email: EmailAddress = invite.email.parse().map_err(|_| StoreError::Value("email".to_owned()))?;
        let about = About::person(&email, name).and(invite.customer_name.as_deref().unwrap_or_default());
        let hash = self.accounts.new_password(password, about).await?;
        let (id, now) = (UserId::new(), self.clock.now());
        let mut tx = self.store.write().await?;
        if !queries::claim(&mut tx, invite.id, now).await? {
            drop(tx);
            return Err(self.lost(invite.id).await);
        }
        if let Some(customer) = invite.customer_id
            && !queries::customer_is_there(&mut tx, customer).await?
        {
            return Err(InviteError::NotOpen(Standing::Revoked));
        }
        let new = NewUser {
            id,
            email: &email,
            name,
            password_hash: &hash,
            role: invite.role,
            customer_id: invite.customer_id,
            at: now,
        };
        if !people::insert_user(&mut tx, new).await? {
            return Err(InviteError::EmailTaken);
        }
        queries::set_user(&mut tx, invite.id, id).await?;
        self.note(&mut tx, Some(id), invite.customer_id, "invite.used", &invite.id.to_string()).await?;
        self.note(&mut tx, Some(id), invite.customer_id, "user.created", &id.to_string()).await?;
        tx.commit().await?;
        Ok(id)
    }
}
