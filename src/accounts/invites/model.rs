//! Types and pure rules.

use crate::{
    accounts::Role,
    base::ids::{CustomerId, InviteId, UserId},
};
use std::str::FromStr;
use time::{Duration, OffsetDateTime};

/// How long an invite is good.
pub(super) const INVITE_FOR: Duration = Duration::hours(72);
/// How long a link for a new password is good.
pub(super) const RESET_FOR: Duration = Duration::hours(2);
/// How long a mail server's trouble is waited out.
pub(super) const PATIENCE: Duration = Duration::hours(6);

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It makes a new account.
    Invite,
    /// It sets a new password.
    Reset,
}

impl Kind {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Reset => "reset",
        }
    }
}

impl FromStr for Kind {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "invite" => Ok(Self::Invite),
            "reset" => Ok(Self::Reset),
            _ => Err("a link is an invite or a reset"),
        }
    }
}

/// How far its mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It will be sent, or is being tried again.
    Queued,
    /// The mail server took it.
    Sent,
    /// The mail server refused it, or could not be reached for long.
    Failed,
}

impl FromStr for MailState {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "queued" => Ok(Self::Queued),
            "sent" => Ok(Self::Sent),
            "failed" => Ok(Self::Failed),
            _ => Err("a mail is queued, sent or failed"),
        }
    }
}

/// Whether a link is good, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can be used.
    Open,
    /// Its time is over.
    Expired,
    /// Somebody used it.
    Used,
    /// It was taken back.
    Revoked,
}

/// A single-use link.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Its ID; not its secret.
    pub id: InviteId,
    /// What it is for.
    pub kind: Kind,
    /// Whose it is.
    pub email: String,
    /// Their name, where known.
    pub name: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Whose member they become, or are.
    pub customer_id: Option<CustomerId>,
    /// That company's name.
    pub customer_name: Option<String>,
    /// The company is being deleted.
    pub customer_gone: bool,
    /// Whose password it is, or who came of the invite.
    pub user_id: Option<UserId>,
    /// Who made it; `None` where somebody asked for a new password themselves.
    pub created_by: Option<UserId>,
    /// Since when it is there.
    pub created_at: OffsetDateTime,
    /// Until when it is good.
    pub expires_at: OffsetDateTime,
    /// When it was used.
    pub used_at: Option<OffsetDateTime>,
    /// When it was taken back.
    pub revoked_at: Option<OffsetDateTime>,
    /// How far its mail is; `None` where none goes out.
    pub mail_state: Option<MailState>,
    /// Since when.
    pub mail_at: Option<OffsetDateTime>,
    /// What went wrong with it, in words.
    pub mail_error: Option<String>,
}

impl Invite {
    /// Whether it is good.
    #[must_use]
    pub fn standing(&self, now: OffsetDateTime) -> Standing {
        if self.used_at.is_some() {
            Standing::Used
        } else if self.revoked_at.is_some() || self.customer_gone {
            Standing::Revoked
        } else if self.expires_at <= now {
            Standing::Expired
        } else {
            Standing::Open
        }
    }
}

/// How long to wait before the next try of a mail that is so old: the pauses grow with it.
pub(super) fn pause(age: Duration) -> Duration {
    let half: Duration = age / 2;
    half.clamp(Duration::seconds(3), Duration::minutes(15))
}

/// A person's name as a form brings it.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_name(name: &str) -> Result<&str, &'static str> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.contains(char::is_control) {
        return Err("Enter a name of 1 to 100 characters.");
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let (mut age, mut tries) = (Duration::ZERO, 0);
        while age < PATIENCE {
            age += pause(age);
            tries += 1;
        }
        assert!((20..60).contains(&tries), "{tries}");
        assert_eq!(pause(Duration::hours(5)), Duration::minutes(15));
    }

    #[test]
    fn names_have_no_line_breaks() {
        assert_eq!(check_name(" Maria "), Ok("Maria"));
        for bad in ["", " ", "a\nb", &"x".repeat(101)] {
            assert!(check_name(bad).is_err());
        }
    }
}
