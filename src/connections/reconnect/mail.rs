//! Mailing links in the background.

use super::{
    link::{LinkStanding, ReconnectLink},
    queries,
    service::ReconnectLinks,
};
use crate::{
    base::mail::{Mail, MailError},
    jobs::{JobError, Outcome},
    web::when::When,
};
use askama::Template;
use secrecy::ExposeSecret;
use time::Duration;

/// The kind of the job; its subject is the link's ID.
pub const LINK_MAIL_JOB: &str = "connections.mail_link";
/// How long a mail server's trouble is waited out.
const PATIENCE: Duration = Duration::hours(6);

#[derive(Template)]
#[template(path = "connections/reconnect_mail.txt")]
struct Text<'a> {
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "connections/reconnect_mail.html")]
struct Html<'a> {
    words: &'a Words,
}

struct Words {
    subject: String,
    hello: String,
    name: String,
    link: String,
    until: String,
    operator: String,
    support: Option<String>,
}

impl ReconnectLinks {
    /// Sends a link's mail, if it is still to be sent. Bears being run twice: the mail may then come twice.
    ///
    /// # Errors
    /// The database's; the mail server's trouble is waited out, and then told beside the link.
    pub async fn send_mail(&self, id: &str) -> Result<Outcome, JobError> {
        let found = queries::by_id(&mut self.connections.store.read().await?, id).await?;
        let Some(link) = found.filter(|link| link.mail_state.as_deref() == Some("queued")) else {
            return Ok(Outcome::Done);
        };
        let now = self.connections.clock.now();
        let Some((mailer, mail)) = self.invites.mailer.as_ref().zip(self.mail(&link).await?) else {
            let words = "It could not be sent: copy the link and send it yourself.";
            return self.mailed(&link, "failed", Some(words)).await;
        };
        match mailer.send(&mail).await {
            Ok(()) => self.mailed(&link, "sent", None).await,
            Err(MailError::Later(words)) if now - link.created_at < PATIENCE => {
                tracing::warn!(link = %link.id, "a mail could not be sent yet: {words}");
                let pause: Duration = (now - link.created_at) / 2;
                Ok(Outcome::Again(now + pause.clamp(Duration::seconds(3), Duration::minutes(15))))
            }
            Err(MailError::Later(words) | MailError::Refused(words)) => {
                self.mailed(&link, "failed", Some(&words)).await
            }
        }
    }

    async fn mailed(&self, link: &ReconnectLink, state: &str, error: Option<&str>) -> Result<Outcome, JobError> {
        let mut tx = self.connections.store.write().await?;
        queries::set_mail(&mut tx, &link.id, state, self.connections.clock.now(), error).await?;
        tx.commit().await?;
        Ok(Outcome::Done)
    }

    /// `None` where there is nothing to send: the link is good no longer, or its connection is gone.
    async fn mail(&self, link: &ReconnectLink) -> Result<Option<Mail>, JobError> {
        let now = self.connections.clock.now();
        if link.standing(now) != LinkStanding::Open {
            return Ok(None);
        }
        let address = self.address(link).await?;
        let (Some(email), Some(address)) = (link.email.clone(), address) else { return Ok(None) };
        let Some(overview) = self.connections.overview(link.connection).await? else { return Ok(None) };
        let members = self.invites.accounts.members(link.customer).await?;
        // Who is no member any more can't use it.
        let Some(member) = members.into_iter().find(|member| member.email.as_str() == email) else { return Ok(None) };
        let (operator, name) = (self.invites.operator.clone(), overview.connection.name);
        let words = Words {
            subject: format!("{operator}: connect {name} again"),
            hello: format!("Hello {},", member.name),
            name,
            link: address.expose_secret().to_owned(),
            until: When::new(link.expires_at, now).exact,
            operator,
            support: self.invites.support_email.clone(),
        };
        Ok(Some(Mail {
            to: email,
            name: Some(member.name),
            reply_to: self.invites.support_email.clone(),
            subject: words.subject.clone(),
            text: Text { words: &words }.render()?,
            html: Html { words: &words }.render()?,
            id: format!("reconnect.{}", link.id),
        }))
    }
}
