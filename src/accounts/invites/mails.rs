//! What the mails say.

use super::{Invite, InviteError, Invites, Kind};
use crate::{
    accounts::{AccountError, Role},
    base::mail::Mail,
    web::when::When,
};
use askama::Template;
use secrecy::{ExposeSecret, SecretString};

#[derive(Template)]
#[template(path = "accounts/mail.txt")]
struct Text<'a> {
    words: &'a Words,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "accounts/mail.html")]
struct Html<'a> {
    words: &'a Words,
    link: &'a str,
}

struct Words {
    subject: String,
    hello: String,
    what: String,
    button: &'static str,
    until: String,
    otherwise: &'static str,
    operator: String,
    support: Option<String>,
}

impl Invites {
    fn words(&self, invite: &Invite) -> Words {
        let operator = &self.operator;
        let (subject, what, button, otherwise) = match (invite.kind, invite.role, &invite.customer_name) {
            (Kind::Reset, _, _) => (
                format!("{operator}: your new password"),
                format!("Somebody asked for a new password for your account at {operator}."),
                "Choose a new password",
                "If it was not you, do nothing: your password stays as it is.",
            ),
            (Kind::Invite, Role::Customer, Some(company)) => (
                format!("{operator}: connect WhatsApp for {company}"),
                format!(
                    "You are invited to {operator}, to connect the WhatsApp number of {company}. First choose a password; then we lead you through it."
                ),
                "Begin",
                "If you did not expect this, do nothing.",
            ),
            (Kind::Invite, _, _) => (
                format!("{operator}: your account"),
                format!("You are invited to help the customers of {operator}. Choose a password to begin."),
                "Begin",
                "If you did not expect this, do nothing.",
            ),
        };
        Words {
            subject,
            hello: invite.name.as_ref().map_or_else(|| "Hello,".to_owned(), |name| format!("Hello {name},")),
            what,
            button,
            until: When::new(invite.expires_at, self.clock.now()).exact,
            otherwise,
            operator: operator.clone(),
            support: self.support_email.clone(),
        }
    }

    pub(super) fn mail(&self, invite: &Invite, link: &SecretString, id: String) -> Result<Mail, InviteError> {
        let words = self.words(invite);
        let odd = |error: askama::Error| InviteError::Account(AccountError::Hash(error.to_string()));
        let text = Text { words: &words, link: link.expose_secret() }.render().map_err(odd)?;
        let html = Html { words: &words, link: link.expose_secret() }.render().map_err(odd)?;
        Ok(Mail {
            to: invite.email.clone(),
            name: invite.name.clone(),
            reply_to: self.support_email.clone(),
            subject: words.subject,
            text,
            html,
            id,
        })
    }
}
