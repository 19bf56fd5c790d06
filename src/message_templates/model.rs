//! Types and pure rules.

use crate::base::ids::WabaId;
use serde_json::Value;
use time::OffsetDateTime;

/// A message template, as Meta told of it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Meta's ID.
    pub id: String,
    /// Its account.
    pub waba_id: WabaId,
    /// Its name.
    pub name: String,
    /// Such as `en_US`.
    pub language: String,
    /// `APPROVED`, `REJECTED`, `PAUSED` ..., or a word that nobody knows yet.
    pub status: Option<String>,
    /// `MARKETING`, `UTILITY`, `AUTHENTICATION`.
    pub category: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    pub quality: Option<String>,
    /// Why it was rejected, paused or disabled, by Meta's word.
    pub reason: Option<String>,
    /// The same in Meta's sentence.
    pub explained: Option<String>,
    /// What Meta recommends then.
    pub recommended: Option<String>,
    /// What it was before Meta gave it another category.
    pub previous_category: Option<String>,
    /// `POSITIONAL` or `NAMED`; `None` before it was read.
    pub parameter_format: Option<String>,
    /// As Meta gave them; none before it was read.
    pub components: Vec<Value>,
    /// When it was read from Meta last.
    pub read_at: Option<OffsetDateTime>,
    /// What Meta will make of its category, and when.
    pub next_category: Option<(String, OffsetDateTime)>,
    /// When something was told of it last.
    pub updated_at: OffsetDateTime,
}

impl Template {
    /// How pages show its status: the badge's look, and the word.
    #[must_use]
    pub fn shown(&self) -> (&'static str, String) {
        Self::status_words(self.status.as_deref().unwrap_or_default())
    }

    /// The same of a status alone.
    #[must_use]
    pub fn status_words(status: &str) -> (&'static str, String) {
        let words = match status {
            "" => "Not told yet".to_owned(),
            "IN_APPEAL" => "In appeal".to_owned(),
            "PENDING_DELETION" => "Being deleted".to_owned(),
            "LIMIT_EXCEEDED" => "Over the limit".to_owned(),
            // The words of Meta's that nobody knows yet are shown as they are.
            other => {
                let lower = other.to_lowercase().replace('_', " ");
                let mut letters = lower.chars();
                letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
            }
        };
        let look = match status {
            "APPROVED" | "REINSTATED" => "good",
            "REJECTED" | "DISABLED" | "LIMIT_EXCEEDED" => "problem",
            "PENDING" | "IN_APPEAL" | "PAUSED" | "FLAGGED" | "LOCKED" | "PENDING_DELETION" => "waiting",
            _ => "neutral",
        };
        (look, words)
    }

    /// Whether Meta deletes it, or did: its name is blocked then, and it is no template any more.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        matches!(self.status.as_deref(), Some("DELETED" | "PENDING_DELETION"))
    }

    /// Whether somebody should look at it: it can't be sent, or soon won't.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        let status = self.status.as_deref().unwrap_or_default();
        matches!(status, "REJECTED" | "DISABLED" | "PAUSED" | "FLAGGED" | "LIMIT_EXCEEDED" | "LOCKED")
            || self.next_category.is_some()
            || self.quality.as_deref() == Some("RED")
    }
}

/// A language in the one form in which we know it: webhooks write `en-US` where the API says `en_US`.
#[must_use]
pub fn language_code(text: &str) -> String {
    text.trim().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_written_in_one_way() {
        assert_eq!(language_code("en-US"), language_code("en_US"));
        assert_eq!(language_code(" pt_BR "), "pt_BR");
    }
}
