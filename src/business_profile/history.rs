//! The history of a profile, and what became of its copies, as the page shows them.

use super::{
    copies::CopyState,
    model::{Field, vertical_name},
    pages::Sibling,
    queries,
    service::BusinessProfiles,
};
use crate::{
    base::ids::PhoneNumberId,
    web::{Badge, Error, Result, when::When},
};

/// How much of the history is shown.
const SHOWN: i64 = 20;

/// A line of the history.
pub(super) struct HistoryLine {
    pub when: When,
    pub who: String,
    pub changes: Vec<ChangeLine>,
}

pub(super) struct ChangeLine {
    pub label: &'static str,
    pub before: String,
    pub after: String,
}

/// What became of a copy.
pub(super) struct CopyLine {
    pub number: String,
    pub number_id: String,
    pub page: String,
    pub badge: Badge,
    pub when: When,
    pub reason: Option<String>,
    pub detail: Option<String>,
    pub is_waiting: bool,
}

/// A value as people read it.
pub(super) fn shown(field: Field, value: &str) -> String {
    match field {
        _ if value.is_empty() => "empty".to_owned(),
        Field::Picture => "a photo".to_owned(),
        Field::Vertical => vertical_name(value),
        _ => value.replace('\n', ", "),
    }
}

impl BusinessProfiles {
    pub(super) async fn history(&self, number: &PhoneNumberId, operator: &str) -> Result<Vec<HistoryLine>> {
        let found = queries::history(&mut self.store.read().await?, number, SHOWN).await?;
        let mut lines = Vec::new();
        for line in found {
            let who = match line.user {
                None => "Changed on the phone or at Meta".to_owned(),
                Some(user) => match self.accounts.user(user).await.map_err(Error::internal)? {
                    Some(user) if user.customer_id.is_none() => format!("{}, {operator}", user.name),
                    Some(user) => user.name,
                    None => "Somebody who has left".to_owned(),
                },
            };
            let change = |change: super::Change| ChangeLine {
                label: change.field.label(),
                before: shown(change.field, &change.before),
                after: match change.field {
                    Field::Picture if !change.after.is_empty() => "another photo".to_owned(),
                    field => shown(field, &change.after),
                },
            };
            let changes = line.changes.into_iter().map(change).collect();
            lines.push(HistoryLine { when: When::new(line.at, self.clock.now()), who, changes });
        }
        Ok(lines)
    }

    /// What became of the copies of a number's profile, for those of the customer's other numbers.
    pub(super) async fn copy_lines(&self, source: &PhoneNumberId, others: &[Sibling]) -> Result<Vec<CopyLine>> {
        let found = queries::copies_of(&mut self.store.read().await?, source).await?;
        let line = |copy: super::copies::Copied| {
            let Sibling { connection, number } = others.iter().find(|other| other.number.id == copy.number)?;
            let badge = match copy.state {
                CopyState::Waiting => Badge::new("waiting", "Being saved"),
                CopyState::Done => Badge::new("good", "Saved"),
                CopyState::Failed => Badge::new("problem", "Not saved"),
            };
            Some(CopyLine {
                number: number.international(),
                number_id: number.id.to_string(),
                page: format!("/connections/{connection}/numbers/{}/profile", number.id),
                badge,
                when: When::new(copy.at, self.clock.now()),
                reason: copy.reason,
                detail: copy.detail,
                is_waiting: copy.state == CopyState::Waiting,
            })
        };
        Ok(found.into_iter().filter_map(line).collect())
    }
}
