//! Types and pure rules.

use crate::{
    base::ids::{ConnectionId, CustomerId, UserId},
    web::{Badge, when::When},
};
use time::{Duration, OffsetDateTime};

/// How long a link is good.
pub(super) const GOOD_FOR: Duration = Duration::hours(72);
/// How many of a connection's links may be good at once: a new one takes the oldest back.
pub(super) const MOST_OPEN: usize = 5;

/// Whether a link is good, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkStanding {
    /// It can be used.
    Open,
    /// Its time is over.
    Expired,
    /// Somebody connected again with it.
    Used,
    /// It was taken back.
    Revoked,
}

/// A link.
#[derive(Clone, Debug)]
pub struct ReconnectLink {
    /// Its ID; not its secret.
    pub id: String,
    /// The connection that is to be connected again.
    pub connection: ConnectionId,
    /// Whose that is.
    pub customer: CustomerId,
    /// Who made it.
    pub created_by: UserId,
    /// Since when it is there.
    pub created_at: OffsetDateTime,
    /// Until when it is good.
    pub expires_at: OffsetDateTime,
    /// When somebody connected again with it.
    pub used_at: Option<OffsetDateTime>,
    /// When it was taken back.
    pub revoked_at: Option<OffsetDateTime>,
    /// To whom it is mailed; `None`: it is copied.
    pub email: Option<String>,
    /// How far its mail is: `queued`, `sent`, `failed`.
    pub mail_state: Option<String>,
    /// What went wrong with the mail, in words.
    pub mail_error: Option<String>,
}

impl ReconnectLink {
    /// Whether it is good.
    #[must_use]
    pub fn standing(&self, now: OffsetDateTime) -> LinkStanding {
        if self.used_at.is_some() {
            LinkStanding::Used
        } else if self.revoked_at.is_some() {
            LinkStanding::Revoked
        } else if self.expires_at <= now {
            LinkStanding::Expired
        } else {
            LinkStanding::Open
        }
    }

    /// How it looks in a list.
    #[must_use]
    pub fn badge(&self, now: OffsetDateTime) -> Badge {
        match (self.standing(now), self.mail_state.as_deref()) {
            (LinkStanding::Used, _) => Badge::new("good", "Used"),
            (LinkStanding::Revoked, _) => Badge::new("neutral", "Taken back"),
            (LinkStanding::Expired, _) => Badge::new("attention", "Expired"),
            (LinkStanding::Open, Some("sent")) => Badge::new("waiting", "Sent"),
            (LinkStanding::Open, Some("failed")) => Badge::new("problem", "Mail failed"),
            (LinkStanding::Open, Some(_)) => Badge::new("waiting", "Being sent"),
            (LinkStanding::Open, None) => Badge::new("waiting", "Open"),
        }
    }
}

/// A link in a list.
pub struct LinkLine {
    /// Its ID, for the way to its page.
    pub id: String,
    /// To whom it is mailed.
    pub email: Option<String>,
    /// How it stands.
    pub badge: Badge,
    /// Since when it is there.
    pub since: When,
}

impl LinkLine {
    pub(super) fn new(link: &ReconnectLink, now: OffsetDateTime) -> Self {
        Self {
            id: link.id.clone(),
            email: link.email.clone(),
            badge: link.badge(now),
            since: When::new(link.created_at, now),
        }
    }
}
