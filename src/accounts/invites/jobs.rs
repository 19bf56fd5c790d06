//! Mailing links in the background.

use super::{Invite, InviteError, Invites, Kind, MailState, Standing, model, queries};
use crate::{
    base::{
        clock,
        ids::InviteId,
        mail::{MailError, Mailer},
    },
    jobs::{JobError, Outcome},
};

/// The kind of the job; its subject is the link's ID.
pub const SEND_MAIL_JOB: &str = "accounts.send_mail";

impl Invites {
    /// Sends a link's mail, if it is still to be sent. Bears being run twice: the mail may then come twice.
    ///
    /// # Errors
    /// The database's; the mail server's trouble is waited out, and then told beside the invite.
    pub async fn send_mail(&self, id: InviteId) -> Result<Outcome, JobError> {
        let Some(invite) = queries::by_id(&mut self.store.read().await?, id).await? else { return Ok(Outcome::Done) };
        if invite.mail_state != Some(MailState::Queued) {
            return Ok(Outcome::Done);
        }
        if invite.kind == Kind::Reset && invite.user_id.is_none() {
            // Nobody with this address is here.
            let mut tx = self.store.write().await?;
            queries::remove(&mut tx, id).await?;
            tx.commit().await?;
            return Ok(Outcome::Done);
        }
        let Some(mailer) = &self.mailer else {
            self.failed(&invite, "No mail server is set up any more: copy the link and send it yourself.").await?;
            return Ok(Outcome::Done);
        };
        match self.try_mail(mailer, &invite).await? {
            None => {
                let mut tx = self.store.write().await?;
                queries::set_mail(&mut tx, id, None, self.clock.now(), None).await?;
                tx.commit().await?;
            }
            Some(Ok(())) => {
                let mut tx = self.store.write().await?;
                queries::set_mail(&mut tx, id, Some("sent"), self.clock.now(), None).await?;
                if let (Kind::Reset, None, Some(user)) = (invite.kind, invite.created_by, invite.user_id) {
                    self.note(&mut tx, None, None, "user.reset_mailed", &user.to_string()).await?;
                }
                tx.commit().await?;
                tracing::info!(invite = %id, "mail sent");
            }
            Some(Err(MailError::Refused(words))) => self.failed(&invite, &words).await?,
            Some(Err(MailError::Later(words))) => {
                let now = self.clock.now();
                let since = invite.mail_at.unwrap_or(invite.created_at);
                if now - since > model::PATIENCE {
                    let words = format!("Given up after {} hours. {words}", model::PATIENCE.whole_hours());
                    self.failed(&invite, &words).await?;
                    return Ok(Outcome::Done);
                }
                tracing::warn!(invite = %id, "a mail could not be sent yet: {words}");
                let mut tx = self.store.write().await?;
                queries::set_mail_trouble(&mut tx, id, &words).await?;
                tx.commit().await?;
                return Ok(Outcome::Again(now + model::pause(now - since)));
            }
        }
        Ok(Outcome::Done)
    }

    /// `None` where the link is no longer good, so that there is nothing to send.
    async fn try_mail(&self, mailer: &Mailer, invite: &Invite) -> Result<Option<Result<(), MailError>>, InviteError> {
        if invite.standing(self.clock.now()) != Standing::Open {
            return Ok(None);
        }
        let Some(link) = self.link(invite).await? else { return Ok(None) };
        let at = clock::to_ms(invite.mail_at.unwrap_or(invite.created_at));
        let mail = self.mail(invite, &link, format!("{}.{at}", invite.id))?;
        Ok(Some(mailer.send(&mail).await))
    }

    async fn failed(&self, invite: &Invite, words: &str) -> Result<(), InviteError> {
        tracing::warn!(invite = %invite.id, "a mail could not be sent: {words}");
        let mut tx = self.store.write().await?;
        queries::set_mail(&mut tx, invite.id, Some("failed"), self.clock.now(), Some(words)).await?;
        self.note(&mut tx, None, invite.customer_id, "invite.mail_failed", &invite.id.to_string()).await?;
        tx.commit().await?;
        Ok(())
    }
}
