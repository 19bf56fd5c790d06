//! *Forgot your password?*: the answer, and how long it takes, do not tell whether there is an account.

use super::{
    InviteError, Invites, Kind,
    jobs::SEND_MAIL_JOB,
    model::RESET_FOR,
    queries::{self, NewRow},
};
use crate::{
    accounts::{EmailAddress, Role, limits::Subject},
    base::ids::InviteId,
};
use std::net::IpAddr;

impl Invites {
    /// Mails a link for a new password to whoever has an account with this address. The same is written
    /// whether there is one or not; the job that would send the mail finds out.
    ///
    /// # Errors
    /// [`InviteError::TooMany`], [`InviteError::NotFound`] where no mail can be sent; or the database's.
    pub async fn forgot(&self, email: &EmailAddress, from: Option<IpAddr>) -> Result<(), InviteError> {
        if self.mailer.is_none() {
            return Err(InviteError::NotFound);
        }
        let mut subjects = vec![Subject::mail(email.as_str())];
        subjects.extend(from.map(Subject::address));
        if let Err(too_many) = self.limits.begin(&subjects).await? {
            return Err(InviteError::TooMany(too_many.wait));
        }
        let (id, now) = (InviteId::new(), self.clock.now());
        let secret = self.new_secret(id);
        let mut tx = self.store.write().await?;
        let user = queries::user_by_email(&mut tx, email.as_str()).await?;
        let row = NewRow {
            id,
            kind: Kind::Reset,
            token_hash: &secret.hash,
            token_sealed: &secret.sealed,
            email: email.as_str(),
            name: None,
            // Whatever they are: it counts for invites alone.
            role: Role::Customer,
            customer_id: None,
            user_id: user,
            created_by: None,
            at: now,
            expires_at: now + RESET_FOR,
            mailed: true,
        };
        queries::insert(&mut tx, row).await?;
        self.queue.enqueue(&mut tx, SEND_MAIL_JOB, &id.to_string(), now).await?;
        tx.commit().await?;
        self.queue.wake();
        Ok(())
    }
}
