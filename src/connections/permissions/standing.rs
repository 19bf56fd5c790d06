//! How a connection's permissions stand, what changed between two looks, and what that means.

use crate::graph::{ErrorClass, GraphError, TokenFault};
use serde::{Deserialize, Serialize};

/// Read and change accounts, numbers and templates.
pub(super) const MANAGEMENT: &str = "whatsapp_business_management";
/// Send and receive messages.
pub(super) const MESSAGING: &str = "whatsapp_business_messaging";

/// What Meta said to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes.
    Yes,
    /// No: an answer about authorisation, nothing less.
    No,
    /// It could not say: out of order, too slow, too many calls.
    Unknown,
}

/// Meta's refusal, for support.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Graph's code.
    pub code: i64,
    /// Graph's subcode.
    pub subcode: Option<i64>,
    /// What Meta's support asks for.
    pub fbtrace_id: Option<String>,
    /// In Meta's words, for developers.
    pub message: String,
}

impl From<&GraphError> for Refusal {
    fn from(error: &GraphError) -> Self {
        match error.api() {
            Some(api) => Self {
                code: api.code,
                subcode: api.subcode,
                fbtrace_id: api.fbtrace_id.clone(),
                message: api.message.clone(),
            },
            None => Self { code: 0, subcode: None, fbtrace_id: None, message: error.to_string() },
        }
    }
}

impl From<&TokenFault> for Refusal {
    fn from(fault: &TokenFault) -> Self {
        Self { code: fault.code, subcode: fault.subcode, fbtrace_id: None, message: fault.message.clone() }
    }
}

/// What a refused call says about the access. Only an answer about authorisation, and Graph's answer for what is not
/// there or not for us to see (100 with 33), end it; that the app's secret is wrong (100 as well) says nothing of it.
/// <https://developers.facebook.com/docs/graph-api/guides/error-handling>
pub(super) fn said_by(error: &GraphError) -> Answer {
    match error.class() {
        ErrorClass::Authorization => Answer::No,
        ErrorClass::Rejected if error.is(100, 33) => Answer::No,
        ErrorClass::Rejected | ErrorClass::RateLimited | ErrorClass::Transient => Answer::Unknown,
    }
}

/// An account of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountStanding {
    /// The WABA.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether the token opens it.
    pub opens: Answer,
    /// Whether Meta sends us its webhooks; `None`: could not be asked.
    pub subscribed: Option<bool>,
    /// They were off, and were switched on again.
    #[serde(default)]
    pub made_again: bool,
    /// Its numbers, as people write them.
    pub numbers: Vec<String>,
    /// What Meta said where it did not open.
    pub refusal: Option<Refusal>,
}

/// A connection's permissions at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whether the token works.
    pub token: Answer,
    /// What Meta said where it does not.
    pub refusal: Option<Refusal>,
    /// The permissions; `None`: could not be asked.
    pub scopes: Option<Vec<String>>,
    /// When the token ends, in seconds since the epoch; `None`: never, or not known.
    pub expires_at: Option<i64>,
    /// Its accounts.
    pub accounts: Vec<AccountStanding>,
}

/// What the permissions come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It works, as a whole or in part.
    Works,
    /// An admin of the business must connect again.
    Ended,
    /// Nothing can be said now: all stays as it was.
    Unknown,
}

impl Standing {
    fn has(&self, scope: &str) -> Option<bool> {
        self.scopes.as_ref().map(|scopes| scopes.iter().any(|one| one == scope))
    }

    /// The permissions that are needed and gone. The list that Meta tells is no contract: where an account opens without
    /// the permission for that in the list, nothing is made of the list.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let opens = self.accounts.iter().any(|account| account.opens == Answer::Yes);
        if opens && self.has(MANAGEMENT) == Some(false) {
            return Vec::new();
        }
        [MANAGEMENT, MESSAGING].into_iter().filter(|scope| self.has(scope) == Some(false)).collect()
    }

    /// What it comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let all_closed = !self.accounts.is_empty() && self.accounts.iter().all(|one| one.opens == Answer::No);
        let opens = self.accounts.iter().any(|one| one.opens == Answer::Yes);
        match self.token {
            _ if all_closed => Verdict::Ended,
            // Proof beats the word.
            Answer::No if !opens => Verdict::Ended,
            _ if !self.missing().is_empty() => Verdict::Ended,
            _ if opens || self.accounts.is_empty() && self.token == Answer::Yes => Verdict::Works,
            _ => Verdict::Unknown,
        }
    }

    /// Whether something could not be asked.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.token == Answer::Unknown || self.accounts.iter().any(|one| one.opens == Answer::Unknown)
    }
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The access ended.
    Ended,
    /// It works again.
    WorksAgain,
    /// Somebody connected again.
    Reconnected,
    /// A permission is gone.
    ScopeDropped {
        /// Meta's name of it.
        scope: String,
    },
    /// A permission came.
    ScopeAdded {
        /// Meta's name of it.
        scope: String,
    },
    /// An account does not open any more.
    AccountClosed {
        /// Its name.
        name: String,
    },
    /// An account opens again.
    AccountOpened {
        /// Its name.
        name: String,
    },
    /// Meta sent us no webhooks of an account.
    SubscriptionGone {
        /// Its name.
        name: String,
        /// Whether it does again.
        made_again: bool,
    },
    /// A number is there no longer.
    NumberGone {
        /// As people write it.
        number: String,
    },
    /// A number is new.
    NumberNew {
        /// As people write it.
        number: String,
    },
}

/// What changed from one look to the next. What could not be asked has not changed.
#[must_use]
pub fn changes(before: &Standing, after: &Standing) -> Vec<Change> {
    let mut all = Vec::new();
    match (before.token, after.verdict()) {
        (Answer::Yes, Verdict::Ended) => all.push(Change::Ended),
        (Answer::No, Verdict::Works) => all.push(Change::WorksAgain),
        _ => {}
    }
    if let (Some(was), Some(is)) = (&before.scopes, &after.scopes) {
        let gone = was.iter().filter(|scope| !is.contains(scope));
        all.extend(gone.map(|scope| Change::ScopeDropped { scope: scope.clone() }));
        let new = is.iter().filter(|scope| !was.contains(scope));
        all.extend(new.map(|scope| Change::ScopeAdded { scope: scope.clone() }));
    }
    for is in &after.accounts {
        let Some(was) = before.accounts.iter().find(|was| was.id == is.id) else { continue };
        let name = is.name.clone();
        match (was.opens, is.opens) {
            (Answer::Yes, Answer::No) => all.push(Change::AccountClosed { name }),
            (Answer::No, Answer::Yes) => all.push(Change::AccountOpened { name }),
            (_, Answer::Yes) if is.made_again => all.push(Change::SubscriptionGone { name, made_again: true }),
            (_, Answer::Yes) if was.subscribed == Some(true) && is.subscribed == Some(false) => {
                all.push(Change::SubscriptionGone { name, made_again: false });
            }
            _ => {}
        }
        if is.opens == Answer::Yes {
            let gone = was.numbers.iter().filter(|number| !is.numbers.contains(number));
            all.extend(gone.map(|number| Change::NumberGone { number: number.clone() }));
            let new = is.numbers.iter().filter(|number| !was.numbers.contains(number));
            all.extend(new.map(|number| Change::NumberNew { number: number.clone() }));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(token: Answer, scopes: &[&str], opens: &[Answer]) -> Standing {
        let account = |(at, opens): (usize, &Answer)| AccountStanding {
            id: at.to_string(),
            name: format!("Account {at}"),
            opens: *opens,
            subscribed: Some(true),
            made_again: false,
            numbers: Vec::new(),
            refusal: None,
        };
        Standing {
            token,
            refusal: None,
            scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            expires_at: None,
            accounts: opens.iter().enumerate().map(account).collect(),
        }
    }

    const BOTH: [&str; 2] = [MANAGEMENT, MESSAGING];

    #[test]
    fn only_what_is_sure_ends_it() {
        use Answer::{No, Unknown, Yes};
        let verdict = |token, scopes: &[&str], opens: &[Answer]| standing(token, scopes, opens).verdict();
        assert_eq!(verdict(Yes, &BOTH, &[Yes, No]), Verdict::Works, "in part");
        assert_eq!(verdict(Yes, &BOTH, &[No, No]), Verdict::Ended);
        assert_eq!(verdict(Yes, &BOTH, &[No, Unknown]), Verdict::Unknown);
        assert_eq!(verdict(No, &[], &[Unknown]), Verdict::Ended);
        assert_eq!(verdict(No, &[], &[Yes]), Verdict::Works, "proof beats the word");
        assert_eq!(verdict(Unknown, &BOTH, &[Yes]), Verdict::Works);
        assert_eq!(verdict(Unknown, &BOTH, &[Unknown]), Verdict::Unknown);
        assert_eq!(verdict(Yes, &[MANAGEMENT], &[Yes]), Verdict::Ended, "it can't send");
        assert_eq!(verdict(Yes, &[], &[Yes]), Verdict::Works, "a list without what must be in it says nothing");
        let not_told = Standing { scopes: None, ..standing(Yes, &[], &[Yes]) };
        assert_eq!(not_told.verdict(), Verdict::Works);
    }

    #[test]
    fn what_could_not_be_asked_has_not_changed() {
        use Answer::{No, Unknown, Yes};
        let before = standing(Yes, &BOTH, &[Yes, Yes]);
        let unknown = Standing { scopes: None, ..standing(Unknown, &[], &[Unknown, Unknown]) };
        assert_eq!(changes(&before, &unknown), []);
        assert_eq!(changes(&before, &before), []);
        let closed = changes(&before, &standing(Yes, &BOTH, &[Yes, No]));
        assert_eq!(closed, [Change::AccountClosed { name: "Account 1".to_owned() }]);
        let dropped = changes(&before, &standing(Yes, &[MANAGEMENT], &[Yes, Yes]));
        assert_eq!(dropped, [Change::Ended, Change::ScopeDropped { scope: MESSAGING.to_owned() }]);
        assert_eq!(changes(&standing(No, &BOTH, &[Yes]), &standing(Yes, &BOTH, &[Yes])), [Change::WorksAgain]);
    }
}
