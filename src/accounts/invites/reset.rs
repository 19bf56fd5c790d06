//! New passwords by link: made by staff, used by whose password it is.

use super::{
    InviteError, Invites, Kind, Standing,
    model::RESET_FOR,
    queries::{self, NewRow},
};
use crate::{
    accounts::{
        About, Role, User,
        limits::{self, Subject},
        queries as people,
    },
    base::ids::{InviteId, UserId},
};
use secrecy::SecretString;

impl Invites {
    /// Makes a link by which a person sets a new password: support for members, admins for everybody. It is
    /// not mailed by itself.
    ///
    /// # Errors
    /// [`InviteError::NotFound`] where the actor may not, or nobody is there.
    pub async fn make_reset(&self, actor: &User, user: UserId) -> Result<InviteId, InviteError> {
        let person = self.accounts.user(user).await?.ok_or(InviteError::NotFound)?;
        let allowed = match actor.role {
            Role::Admin => true,
            Role::Support => person.role == Role::Customer,
            Role::Customer => false,
        };
        if !allowed {
            return Err(InviteError::NotFound);
        }
        let (id, now) = (InviteId::new(), self.clock.now());
        let secret = self.new_secret(id);
        let mut tx = self.store.write().await?;
        if queries::user_by_email(&mut tx, person.email.as_str()).await? != Some(user) {
            return Err(InviteError::NotFound);
        }
        queries::revoke_resets(&mut tx, user, now).await?;
        let row = NewRow {
            id,
            kind: Kind::Reset,
            token_hash: &secret.hash,
            token_sealed: &secret.sealed,
            email: person.email.as_str(),
            name: Some(&person.name),
            role: person.role,
            customer_id: person.customer_id,
            user_id: Some(user),
            created_by: Some(actor.id),
            at: now,
            expires_at: now + RESET_FOR,
            mailed: false,
        };
        queries::insert(&mut tx, row).await?;
        self.note(&mut tx, Some(actor.id), person.customer_id, "user.reset_link_made", &user.to_string()).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Sets the password, ends all sessions of the person, and uses all their links for new passwords up.
    ///
    /// # Errors
    /// [`InviteError::NotFound`], [`InviteError::NotOpen`], [`InviteError::WeakPassword`].
    pub async fn reset(&self, secret: &str, password: SecretString) -> Result<UserId, InviteError> {
        let invite = self.good(Kind::Reset, secret).await?;
        let user = invite.user_id.ok_or(InviteError::NotFound)?;
        let person = self.accounts.user(user).await?.ok_or(InviteError::NotFound)?;
        let about = About::person(&person.email, &person.name).and(person.customer_name.as_deref().unwrap_or_default());
        let hash = self.accounts.new_password(password, about).await?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        if !queries::claim(&mut tx, invite.id, now).await? {
            drop(tx);
            return Err(self.lost(invite.id).await);
        }
        // The address may have become somebody else's, or the person was removed.
        if queries::user_by_email(&mut tx, &invite.email).await? != Some(user) {
            return Err(InviteError::NotOpen(Standing::Revoked));
        }
        people::set_password(&mut tx, user, &hash).await?;
        people::end_sessions(&mut tx, user).await?;
        queries::revoke_resets(&mut tx, user, now).await?;
        limits::forget(&mut tx, &Subject::password(&invite.email)).await?;
        self.note(&mut tx, Some(user), invite.customer_id, "user.password_reset", &user.to_string()).await?;
        tx.commit().await?;
        Ok(user)
    }
}
