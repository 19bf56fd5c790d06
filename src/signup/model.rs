//! The ways and the steps of an attempt.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Which way the customer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Embedded Signup: the popup of the JavaScript SDK.
    Embedded,
    /// Plain OAuth: the full-page dialog, then a typed WABA ID.
    OAuth,
}

impl Flow {
    /// The word for it in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::OAuth => "oauth",
        }
    }
}

impl FromStr for Flow {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        [Self::Embedded, Self::OAuth].into_iter().find(|flow| flow.as_str() == s).ok_or(())
    }
}

/// How far an attempt is. Each names what has been done and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Facebook's window is open.
    Launched,
    /// The code has come. It lives 30 seconds.
    CodeReceived,
    /// The code is exchanged for a business token.
    TokenExchanged,
    /// The token is inspected: valid, ours, with both permissions.
    TokenInspected,
    /// Several WABAs are proven; the customer must choose.
    Choosing,
    /// The grant does not say which WABA; the customer must type its ID.
    WabaIdNeeded,
    /// Access to the chosen WABAs is proven.
    Chosen,
    /// The connection is saved.
    Saved,
    /// Meta sends us the WABAs' webhooks.
    Subscribed,
    /// The numbers are read: all is done.
    Done,
    /// It ended otherwise.
    Failed,
}

const STEPS: [(Step, &str); 11] = [
    (Step::Launched, "launched"),
    (Step::CodeReceived, "code_received"),
    (Step::TokenExchanged, "token_exchanged"),
    (Step::TokenInspected, "token_inspected"),
    (Step::Choosing, "choosing"),
    (Step::WabaIdNeeded, "waba_id_needed"),
    (Step::Chosen, "chosen"),
    (Step::Saved, "saved"),
    (Step::Subscribed, "subscribed"),
    (Step::Done, "done"),
    (Step::Failed, "failed"),
];

impl Step {
    /// The word for it in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        STEPS.iter().find(|(step, _)| *step == self).map_or("failed", |(_, word)| word)
    }

    /// Whether nothing more happens by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }

    /// Whether it is the customer's turn.
    #[must_use]
    pub fn waits_for_customer(self) -> bool {
        matches!(self, Self::Choosing | Self::WabaIdNeeded)
    }
}

impl FromStr for Step {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        STEPS.iter().find(|(_, word)| *word == s).map(|(step, _)| *step).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_a_word_of_its_own() {
        for (step, word) in STEPS {
            assert_eq!(word.parse::<Step>(), Ok(step));
            assert_eq!(step.as_str(), word);
        }
    }
}
