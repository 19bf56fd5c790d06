//! The funnel: how many attempts were launched, got a code, were connected, and where the others ended.

use super::{
    attempt::Attempt,
    failure::Reason,
    funnel_queries as queries,
    model::Step,
    service::{Signup, SignupError},
};
use crate::base::{
    ids::{AttemptId, CustomerId},
    text::shorten,
};
use time::{Date, Duration, OffsetDateTime};

/// The longest name of a screen, or ID of an error, that is counted by itself.
const MAX_NAME: usize = 60;

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Connected.
    Connected,
    /// Left at one of Meta's screens, by the message event's `current_step`.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/errors>
    Screen(String),
    /// The window was closed without a word of where.
    Closed,
    /// Nothing was heard any more.
    Silent,
    /// Facebook's window showed an error with this ID.
    Reported(String),
    /// Failed for another reason, in [`Reason`]'s word.
    Failed(String),
}

/// Where an end belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndKind {
    /// Connected.
    Connected,
    /// At one of Meta's screens.
    Screen,
    /// With an error that Facebook showed.
    FacebookError,
    /// Without a word.
    NoWord,
    /// At one of our steps.
    OurStep,
}

const CONNECTED: &str = "connected";
const CLOSED: &str = "closed";
const SILENT: &str = "silent";
const SCREEN: &str = "screen:";
const REPORTED: &str = "facebook_error:";

impl End {
    /// How this attempt ended; `None` while it has not.
    #[must_use]
    pub fn of(attempt: &Attempt) -> Option<Self> {
        let failure = match attempt.step {
            Step::Done => return Some(Self::Connected),
            Step::Failed => attempt.failure.as_ref()?,
            _ => return None,
        };
        let hint = attempt.hint.as_ref();
        Some(match failure.reason {
            Reason::Cancelled => match &failure.screen {
                Some(screen) => Self::Screen(shorten(screen, MAX_NAME)),
                None if attempt.window_closed_at.is_some() || hint.is_some() => Self::Closed,
                None => Self::Silent,
            },
            Reason::FacebookError => match hint.and_then(|hint| hint.error_id.as_ref()) {
                Some(id) => Self::Reported(shorten(id, MAX_NAME)),
                None => Self::Failed(Reason::FacebookError.as_str().to_owned()),
            },
            reason => Self::Failed(reason.as_str().to_owned()),
        })
    }

    /// The word for it in the database and in addresses.
    #[must_use]
    pub fn as_word(&self) -> String {
        match self {
            Self::Connected => CONNECTED.to_owned(),
            Self::Screen(name) => format!("{SCREEN}{name}"),
            Self::Closed => CLOSED.to_owned(),
            Self::Silent => SILENT.to_owned(),
            Self::Reported(id) => format!("{REPORTED}{id}"),
            Self::Failed(reason) => reason.clone(),
        }
    }

    /// From the word for it.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            CONNECTED => Self::Connected,
            CLOSED => Self::Closed,
            SILENT => Self::Silent,
            _ => match (word.strip_prefix(SCREEN), word.strip_prefix(REPORTED)) {
                (Some(name), _) => Self::Screen(name.to_owned()),
                (_, Some(id)) => Self::Reported(id.to_owned()),
                _ => Self::Failed(word.to_owned()),
            },
        }
    }

    /// Where it belongs.
    #[must_use]
    pub fn kind(&self) -> EndKind {
        match self {
            Self::Connected => EndKind::Connected,
            Self::Screen(_) => EndKind::Screen,
            Self::Closed | Self::Silent => EndKind::NoWord,
            Self::Reported(_) => EndKind::FacebookError,
            Self::Failed(reason) => match reason.as_str() {
                "denied" => EndKind::Screen,
                "facebook_error" | "operator_not_verified" | "invalid_scopes" => EndKind::FacebookError,
                _ => EndKind::OurStep,
            },
        }
    }
}

/// A day's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// The day, in UTC.
    pub date: Date,
    /// Attempts that began on it.
    pub launched: i64,
    /// Those of them that got a code, or were connected without one.
    pub code: i64,
    /// Those of them that were connected.
    pub connected: i64,
}

/// How many ended in a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How; `None` for those that have not ended yet.
    pub end: Option<End>,
    /// How many.
    pub attempts: i64,
    /// Of how many customers.
    pub customers: i64,
}

/// The funnel of some days.
#[derive(Clone, Debug)]
pub struct Funnel {
    /// Each day, also those without an attempt; the oldest first.
    pub days: Vec<Day>,
    /// The ends that occur, the most frequent first; at most a hundred kinds.
    pub ends: Vec<Ended>,
    /// Customers who tried.
    pub tried: i64,
    /// Those of them who were connected.
    pub connected: i64,
}

impl Funnel {
    /// The sum of the days, with the first day's date.
    #[must_use]
    pub fn sum(&self) -> (i64, i64, i64) {
        self.days.iter().fold((0, 0, 0), |sum, day| (sum.0 + day.launched, sum.1 + day.code, sum.2 + day.connected))
    }
}

/// An attempt as the list behind a number shows it.
#[derive(Clone, Debug)]
pub struct FunnelAttempt {
    /// Its ID.
    pub id: AttemptId,
    /// Whose it is.
    pub customer: CustomerId,
    /// When it began.
    pub began: OffsetDateTime,
    /// How it ended; `None` while it has not.
    pub end: Option<End>,
}

/// Which attempts a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Those that have not ended yet.
    Open,
    /// Those that ended in this way.
    Ended(End),
}

/// The beginning of a day and of the day after the last, in UTC.
fn bounds(first: Date, last: Date) -> (OffsetDateTime, OffsetDateTime) {
    let end = last.midnight().assume_utc() + Duration::days(1);
    (first.midnight().assume_utc(), end)
}

impl Signup {
    /// The funnel from one day to another, both included, in UTC.
    ///
    /// # Errors
    /// The database's.
    pub async fn funnel(&self, first: Date, last: Date) -> Result<Funnel, SignupError> {
        let bounds = bounds(first, last);
        let mut db = self.store.read().await?;
        let counted = queries::days(&mut db, bounds).await?;
        let ends = queries::ends(&mut db, bounds).await?;
        let (tried, connected) = queries::customers(&mut db, bounds).await?;
        let mut days = Vec::new();
        let mut date = first;
        while date <= last {
            let empty = Day { date, launched: 0, code: 0, connected: 0 };
            days.push(counted.iter().find(|day| day.date == date).copied().unwrap_or(empty));
            let Some(next) = date.next_day() else { break };
            date = next;
        }
        Ok(Funnel { days, ends, tried, connected })
    }

    /// The attempts behind a number, the newest first, after the one given (its beginning and ID).
    ///
    /// # Errors
    /// The database's.
    pub async fn funnel_list(
        &self,
        (first, last): (Date, Date),
        which: &Which,
        after: Option<(OffsetDateTime, AttemptId)>,
        limit: i64,
    ) -> Result<Vec<FunnelAttempt>, SignupError> {
        let mut db = self.store.read().await?;
        Ok(queries::list(&mut db, bounds(first, last), which, after, limit).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_read_as_it_was_written() {
        for (end, kind) in [
            (End::Connected, EndKind::Connected),
            (End::Screen("PERMISSIONS".to_owned()), EndKind::Screen),
            (End::Closed, EndKind::NoWord),
            (End::Silent, EndKind::NoWord),
            (End::Reported("524126".to_owned()), EndKind::FacebookError),
            (End::Failed("facebook_error".to_owned()), EndKind::FacebookError),
            (End::Failed("denied".to_owned()), EndKind::Screen),
            (End::Failed("claimed".to_owned()), EndKind::OurStep),
        ] {
            assert_eq!(End::from_word(&end.as_word()), end);
            assert_eq!(end.kind(), kind, "{end:?}");
        }
    }
}
