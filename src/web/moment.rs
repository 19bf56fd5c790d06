//! Something that happened, for a timeline: features tell what is theirs, and a page merges it.

use super::Badge;
use time::OffsetDateTime;

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When.
    pub at: OffsetDateTime,
    /// Tells it from others of the same source at the same time; the order of these is that of their IDs.
    pub id: String,
    /// How it went, where that is to be told.
    pub badge: Option<Badge>,
    /// What, in one plain sentence.
    pub what: String,
    /// For support: codes, trace IDs. Never a secret.
    pub details: Vec<String>,
}

/// Where a list of moments goes on: with those before this one, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Its time.
    pub at: OffsetDateTime,
    /// Its ID; empty: all of that time come after it.
    pub id: String,
}
