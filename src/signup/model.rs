//! The attempt and its steps.

use super::{failure::Failure, hint::Hint, inspect::GrantInfo};
use crate::{
    accounts::{CustomerId, UserId},
    base::ids::WabaId,
    bindable_id,
    connections::ConnectionId,
    graph, id_type,
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use time::OffsetDateTime;

id_type!(
    /// A signup attempt.
    AttemptId
);
bindable_id!(AttemptId);

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

/// A WABA that was proven with the token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Candidate {
    /// The WABA.
    pub waba: graph::Waba,
    /// Its numbers.
    pub numbers: Vec<graph::PhoneNumber>,
}

/// Trouble at Meta's that is being waited out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trouble {
    /// How often it was tried.
    pub tries: u32,
    /// What Meta said last.
    pub error: graph::GraphError,
    /// When it is tried next, in milliseconds since the epoch.
    pub next_ms: i64,
}

/// One try of a customer to connect.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its ID.
    pub id: AttemptId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Who began it.
    pub user_id: UserId,
    /// Which way it goes.
    pub flow: Flow,
    /// Whether the customer keeps using the WhatsApp Business app.
    pub coexistence: bool,
    /// How far it is.
    pub step: Step,
    /// Counts every change.
    pub version: i64,
    /// Since when it is at this step.
    pub step_since: OffsetDateTime,
    /// The code, sealed, until it is exchanged.
    pub code_sealed: Option<String>,
    /// When the code came.
    pub code_received_at: Option<OffsetDateTime>,
    /// When the browser said that Facebook's window was closed.
    pub window_closed_at: Option<OffsetDateTime>,
    /// The business token, sealed, until the connection has it.
    pub token_sealed: Option<String>,
    /// What the browser's message event said.
    pub hint: Option<Hint>,
    /// When it came.
    pub hint_at: Option<OffsetDateTime>,
    /// What inspection found.
    pub grant: Option<GrantInfo>,
    /// What was proven.
    pub candidates: Vec<Candidate>,
    /// What was chosen or typed.
    pub chosen: Vec<WabaId>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What is being waited out.
    pub trouble: Option<Trouble>,
    /// What it led to.
    pub connections: Vec<ConnectionId>,
    /// When it began.
    pub created_at: OffsetDateTime,
}

impl Attempt {
    /// The candidates that were chosen.
    pub fn chosen_candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(|candidate| self.chosen.contains(&candidate.waba.id))
    }

    /// The state that the page tells machines: `working`, `choose`, `done` or `failed`.
    #[must_use]
    pub fn machine_state(&self) -> &'static str {
        match self.step {
            Step::Done => "done",
            Step::Failed => "failed",
            step if step.waits_for_customer() => "choose",
            _ => "working",
        }
    }

    /// What the page tells machines besides.
    #[must_use]
    pub fn machine_reason(&self) -> String {
        match (&self.failure, self.step) {
            (Some(failure), Step::Failed) => failure.reason.as_str().to_owned(),
            (_, Step::Launched) => "waiting_for_facebook".to_owned(),
            (_, step) => step.as_str().to_owned(),
        }
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
