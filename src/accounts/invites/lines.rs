//! How an invite looks in a list: `accounts/invite_lines.html`.

use super::{Invite, MailState, Standing};
use crate::web::{Badge, when::When};
use time::OffsetDateTime;

/// An invite in a list.
#[derive(Clone, Debug)]
pub struct InviteLine {
    /// Its ID, for the link to its page.
    pub id: String,
    /// Who is invited.
    pub email: String,
    /// Their name, or nothing.
    pub name: String,
    /// What they will be.
    pub role: &'static str,
    /// How it stands.
    pub badge: Badge,
    /// Since when.
    pub since: When,
    /// Until when it is good.
    pub until: When,
}

impl InviteLine {
    pub(super) fn new(invite: &Invite, now: OffsetDateTime) -> Self {
        Self {
            id: invite.id.to_string(),
            email: invite.email.clone(),
            name: invite.name.clone().unwrap_or_default(),
            role: invite.role.words(),
            badge: badge(invite, now),
            since: When::new(invite.created_at, now),
            until: When::new(invite.expires_at, now),
        }
    }
}

/// How an invite stands.
pub(super) fn badge(invite: &Invite, now: OffsetDateTime) -> Badge {
    match (invite.standing(now), invite.mail_state) {
        (Standing::Used, _) => Badge::new("good", "Used"),
        (Standing::Revoked, _) => Badge::new("neutral", "Taken back"),
        (Standing::Expired, _) => Badge::new("attention", "Expired"),
        (Standing::Open, None) => Badge::new("waiting", "Open"),
        (Standing::Open, Some(MailState::Sent)) => Badge::new("waiting", "Sent"),
        (Standing::Open, Some(MailState::Queued)) if invite.mail_error.is_some() => {
            Badge::new("attention", "Mail is delayed")
        }
        (Standing::Open, Some(MailState::Queued)) => Badge::new("waiting", "Being sent"),
        (Standing::Open, Some(MailState::Failed)) => Badge::new("problem", "Mail failed"),
    }
}
