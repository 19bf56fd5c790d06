//! An attempt as it is kept: how far it is, and all that was learnt on the way.

use super::{
    failure::Failure,
    hint::Hint,
    inspect::GrantInfo,
    model::{Flow, Step},
};
use crate::{
    base::ids::{AttemptId, BusinessId, ConnectionId, CustomerId, UserId, WabaId},
    graph,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

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

/// What becomes of a connection that was to be connected again, where another account came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placing {
    /// The other account takes its place: name, settings, endpoints and history stay.
    Instead,
    /// The other account is connected beside it, as a first connection would be.
    Beside,
}

/// Which connection an attempt is to connect again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reconnect {
    /// The connection.
    pub connection: ConnectionId,
    /// The ID of the link by which the customer came.
    pub link: Option<String>,
    /// What was decided where another account came back.
    #[serde(default)]
    pub placing: Option<Placing>,
}

impl Reconnect {
    /// Where accounts go that nobody holds yet; `None`: into a connection of their own.
    #[must_use]
    pub fn into(&self) -> Option<ConnectionId> {
        (self.placing != Some(Placing::Beside)).then_some(self.connection)
    }

    /// Whether the accounts take the place of those that the connection held.
    #[must_use]
    pub fn is_instead(&self) -> bool {
        self.placing == Some(Placing::Instead)
    }
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
    /// Which connection it is to connect again; `None`: any.
    pub reconnect: Option<Reconnect>,
    /// When it began.
    pub created_at: OffsetDateTime,
}

impl Attempt {
    /// The candidates that were chosen.
    pub fn chosen_candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(|candidate| self.chosen.contains(&candidate.waba.id))
    }

    /// Whether it could be this attempt through which that business shared the WABA. Whoever left is out of
    /// it, and so is who finished with another business, or came through without it.
    #[must_use]
    pub fn may_be_of(&self, waba: &WabaId, business: &BusinessId) -> bool {
        let opens = |grant: &GrantInfo| grant.waba_ids.contains(waba) || grant.business_ids.contains(business);
        if self.grant.as_ref().is_some_and(opens) {
            return true;
        }
        let open = self.step != Step::Done;
        match &self.hint {
            Some(hint) if hint.is_end() => false,
            Some(hint) if hint.business_id.as_ref() == Some(business) => true,
            Some(hint) => hint.waba_id.as_ref().map_or(open, |named| named == waba),
            None => open,
        }
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
