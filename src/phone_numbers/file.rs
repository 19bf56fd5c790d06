//! What is kept of a customer's number, and the rules of registering it.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration>

use crate::base::ids::{CustomerId, PhoneNumberId};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use time::{Duration, OffsetDateTime};

/// In which time Meta counts tries, and for how long it locks a number that had too many.
pub(super) const WINDOW: Duration = Duration::hours(72);
/// So many tries, of each kind.
pub(super) const TRIES: usize = 10;

/// Declares an enum of words that stand in the database.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident => $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name { $($(#[$each])* $variant),* }

        impl $name {
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl FromStr for $name {
            type Err = ();
            fn from_str(s: &str) -> Result<Self, ()> {
                match s { $($word => Ok(Self::$variant),)* _ => Err(()) }
            }
        }
    };
}

words!(
    /// What is being done with a number.
    Task {
        /// It is to be registered, unless it is.
        Register => "register",
        /// It is to be registered although it is: for its new name.
        Again => "again",
        /// Its new name is waited for; then it is registered again.
        Rename => "rename",
        /// It is taken off Cloud API.
        Deregister => "deregister",
    }
);

words!(
    /// How far that is.
    Stage {
        /// The next step comes at once.
        Asked => "asked",
        /// Meta looks at the display name.
        WaitingName => "waiting_name",
        /// Meta has trouble, or asked to wait.
        Waiting => "waiting",
        /// It ended: somebody must do something.
        Failed => "failed",
        /// It is done.
        Done => "done",
    }
);

words!(
    /// How a PIN stands.
    PinState {
        /// For registering: not sent yet.
        Kept => "kept",
        /// Sent to Meta; its answer is not known.
        Sent => "sent",
        /// Meta took it.
        Right => "right",
        /// It was changed elsewhere since.
        Stale => "stale",
    }
);

words!(
    /// What Meta counts.
    TryKind {
        /// A call of `register`.
        Register => "register",
        /// A call of `deregister`.
        Deregister => "deregister",
    }
);

/// Why it ended, or what is waited out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    /// Nothing had to be done.
    Already,
    /// 133005.
    WrongPin,
    /// 133008.
    PinGuesses,
    /// 133009.
    PinTooFast,
    /// There is none here to send.
    NoPin,
    /// 133006, or read.
    NotVerified,
    /// 100/2388001 again and again.
    NameNotReady,
    /// Meta declined the name.
    NameDeclined,
    /// 133015.
    Deleting,
    /// 133016, or by our own count.
    TooMany,
    /// 133000.
    HalfDeregistered,
    /// The token does not serve.
    NoAccess,
    /// It was not told whether the number is registered.
    Unclear,
    /// In use with the WhatsApp Business app.
    Coexistence,
    /// Where messages are kept could not be set.
    Storage,
    /// Meta has trouble.
    Trouble,
    /// The number is not in this account any more.
    Gone,
    /// Anything else.
    Refused,
}

/// A reason with what Meta said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    pub reason: Reason,
    #[serde(default)]
    pub code: Option<i64>,
    #[serde(default)]
    pub subcode: Option<i64>,
    /// Meta's message, for support.
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub fbtrace_id: Option<String>,
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self { reason, code: None, subcode: None, message: String::new(), fbtrace_id: None }
    }
}

/// What is kept of a number.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub id: String,
    pub customer: CustomerId,
    /// The ID that the number has, or had last.
    pub phone_number_id: PhoneNumberId,
    pub moved_at: Option<OffsetDateTime>,
    pub task: Option<Task>,
    pub stage: Option<Stage>,
    pub stage_since: Option<OffsetDateTime>,
    pub next_at: Option<OffsetDateTime>,
    pub polls: i64,
    pub failure: Option<Failure>,
    pub region: Option<String>,
    /// The one that Meta was told.
    pub region_set: Option<String>,
    /// Until when Meta looks at no PIN, after too many wrong ones.
    pub pin_locked_until: Option<OffsetDateTime>,
    pub wanted_name: Option<String>,
    pub code_sent_at: Option<OffsetDateTime>,
}

impl File {
    /// Whether something goes on by itself.
    pub fn is_under_way(&self) -> bool {
        matches!(self.stage, Some(Stage::Asked | Stage::WaitingName | Stage::Waiting))
    }

    /// What stands in the way, where something failed.
    pub fn failed(&self) -> Option<&Failure> {
        self.failure.as_ref().filter(|_| self.stage == Some(Stage::Failed))
    }
}

/// How long until the display name is looked at again: reviews take from minutes to days.
pub(super) fn name_pause(polls: i64) -> Duration {
    match polls {
        ..=0 => Duration::seconds(5),
        1..=3 => Duration::seconds(15),
        4..=6 => Duration::minutes(1),
        7..=9 => Duration::minutes(5),
        10..=14 => Duration::minutes(30),
        15..=20 => Duration::hours(2),
        _ => Duration::hours(6),
    }
}

/// How long until it is tried again while Meta has trouble; `None` once it is enough.
pub(super) fn trouble_pause(polls: i64) -> Option<Duration> {
    Some(match polls {
        ..=0 => Duration::seconds(10),
        1 => Duration::seconds(30),
        2..=4 => Duration::minutes(2),
        5..=9 => Duration::minutes(15),
        10..=20 => Duration::hours(1),
        _ => return None,
    })
}

/// How long Meta says to wait, in words for developers such as "Try again in 10 minutes"; else `otherwise`. Its page on
/// errors says that the time stands there, not how it is written.
pub(super) fn wait_in(message: &str, otherwise: Duration) -> Duration {
    let words: Vec<&str> =
        message.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words
        .windows(2)
        .find_map(|pair| {
            let count: i64 = pair[0].parse().ok().filter(|count| (1..=100_000).contains(count))?;
            match pair[1].to_ascii_lowercase().as_str() {
                "s" | "sec" | "secs" | "second" | "seconds" => Some(Duration::seconds(count)),
                "m" | "min" | "mins" | "minute" | "minutes" => Some(Duration::minutes(count)),
                "h" | "hour" | "hours" => Some(Duration::hours(count)),
                "d" | "day" | "days" => Some(Duration::days(count)),
                _ => None,
            }
        })
        .unwrap_or(otherwise)
        .min(WINDOW)
}

/// The tries of one kind that Meta counts now.
#[derive(Clone, Debug)]
pub(super) struct Tries {
    /// When they were made, the first first; none older than [`WINDOW`].
    pub at: Vec<OffsetDateTime>,
    pub locked_until: Option<OffsetDateTime>,
}

impl Tries {
    pub fn left(&self, now: OffsetDateTime) -> usize {
        if self.locked_until.is_some_and(|until| until > now) { 0 } else { TRIES.saturating_sub(self.at.len()) }
    }

    /// When there is one again, where there is none.
    pub fn next(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        if self.left(now) > 0 {
            return None;
        }
        let aged = self.at.get(self.at.len().saturating_sub(TRIES)).filter(|_| self.at.len() >= TRIES);
        self.locked_until.filter(|until| *until > now).max(aged.map(|at| *at + WINDOW))
    }
}

/// Whether a text is a PIN: six digits.
pub(super) fn is_pin(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_from_what_meta_says() {
        let hour = Duration::hours(1);
        for (text, wait) in [
            ("Too many guesses. Try again in 10 minutes.", Duration::minutes(10)),
            ("wait 45 seconds", Duration::seconds(45)),
            ("(#133008) Too Many two step verification PIN Guesses", hour),
            ("Try again in 400 days", WINDOW),
        ] {
            assert_eq!(wait_in(text, hour), wait, "{text}");
        }
    }

    #[test]
    fn tries_are_counted_in_a_moving_window() {
        let at = |hours: i64| OffsetDateTime::UNIX_EPOCH + Duration::hours(hours);
        let mut tries = Tries { at: (0..9).map(at).collect(), locked_until: None };
        assert_eq!((tries.left(at(20)), tries.next(at(20))), (1, None));
        tries.at.push(at(9));
        assert_eq!((tries.left(at(20)), tries.next(at(20))), (0, Some(at(72))));
        tries.locked_until = Some(at(90));
        assert_eq!(tries.next(at(20)), Some(at(90)));
        let locked = Tries { at: Vec::new(), locked_until: Some(at(90)) };
        assert_eq!((locked.left(at(20)), locked.left(at(91))), (0, 10));
    }
}
