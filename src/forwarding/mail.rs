//! Mails that tell a customer's members that their endpoint is not called any more.

use super::{
    endpoint::{Endpoint, EndpointState},
    service::{Forwarding, ForwardingError},
};
use crate::{
    accounts::{Invites, MemberLine},
    base::{
        clock,
        ids::EndpointId,
        mail::{Mail, MailError, Mailer},
    },
    jobs::{JobError, Outcome},
};
use askama::Template;
use time::Duration;

/// After how long a mail server that takes nothing is given up.
const PATIENCE: Duration = Duration::hours(24);
/// The pause between two tries.
const PAUSE: Duration = Duration::minutes(10);

#[derive(Template)]
#[template(path = "forwarding/stopped.txt")]
struct Text<'a> {
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "forwarding/stopped.html")]
struct Html<'a> {
    words: &'a Words,
}

struct Words {
    subject: String,
    hello: String,
    what: String,
    cure: &'static str,
    link: String,
    operator: String,
}

fn words(invites: &Invites, endpoint: &Endpoint, member: &MemberLine) -> Words {
    let (operator, name) = (invites.operator.clone(), &endpoint.name);
    let is_gone = endpoint.state == EndpointState::Disabled;
    let mut link = invites.public_url.clone();
    link.set_path(&format!("settings/endpoints/{}", endpoint.id));
    Words {
        subject: format!("{operator}: your endpoint {name} is not called any more"),
        hello: format!("Hello {},", member.name),
        what: if is_gone {
            format!(
                "Your endpoint {name} answered 410 (gone), so we stopped calling it. New events are not kept for it."
            )
        } else {
            format!(
                "Your endpoint {name} did not take any event for three days, so we stopped calling it. What comes is \
                 kept for it."
            )
        },
        cure: if is_gone {
            "If that was a mistake, mend it and resume the endpoint."
        } else {
            "Mend it, then resume the endpoint: what waits is sent in order."
        },
        link: link.to_string(),
        operator,
    }
}

/// Mails all members, where mail is set up and the endpoint is still not called by itself. Where one of them could not
/// be reached for now, all may get it twice.
///
/// # Errors
/// The database's.
pub(super) async fn send(forwarding: &Forwarding, invites: &Invites, id: EndpointId) -> Result<Outcome, JobError> {
    let Some(mailer) = &invites.mailer else { return Ok(Outcome::Done) };
    let endpoint = match forwarding.any_endpoint(id).await {
        Ok(endpoint) => endpoint,
        Err(ForwardingError::NotFound) => return Ok(Outcome::Done),
        Err(error) => return Err(error.into()),
    };
    if !matches!(endpoint.state_reason.as_deref(), Some("failing" | "gone")) {
        return Ok(Outcome::Done);
    }
    let now = forwarding.clock.now();
    for member in invites.accounts.member_lines(endpoint.customer).await? {
        match send_one(mailer, invites, &endpoint, &member).await? {
            Ok(()) => tracing::info!(endpoint = %id, member = %member.id, "told that the endpoint is not called"),
            Err(MailError::Later(words)) if now - endpoint.state_since < PATIENCE => {
                tracing::warn!(endpoint = %id, "a mail could not be sent yet: {words}");
                return Ok(Outcome::Again(now + PAUSE));
            }
            Err(MailError::Later(words) | MailError::Refused(words)) => {
                tracing::warn!(endpoint = %id, member = %member.id, "a mail could not be sent: {words}");
            }
        }
    }
    Ok(Outcome::Done)
}

async fn send_one(
    mailer: &Mailer,
    invites: &Invites,
    endpoint: &Endpoint,
    member: &MemberLine,
) -> Result<Result<(), MailError>, askama::Error> {
    let words = words(invites, endpoint, member);
    let mail = Mail {
        to: member.email.as_str().to_owned(),
        name: Some(member.name.clone()),
        reply_to: invites.support_email.clone(),
        subject: words.subject.clone(),
        text: Text { words: &words }.render()?,
        html: Html { words: &words }.render()?,
        // The same when it is tried again.
        id: format!("{}.{}.{}", endpoint.id, clock::to_ms(endpoint.state_since), member.id),
    };
    Ok(mailer.send(&mail).await)
}
