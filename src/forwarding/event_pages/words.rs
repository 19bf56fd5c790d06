//! Events in words.

use crate::{phone_numbers, web::Badge, webhooks::Kind};
use serde_json::Value;

/// Kinds that people look for together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Group {
    Messages,
    Statuses,
    Numbers,
    Templates,
    Account,
    Others,
}

impl Group {
    pub const ALL: [Self; 6] =
        [Self::Messages, Self::Statuses, Self::Numbers, Self::Templates, Self::Account, Self::Others];

    pub fn of(kind: Kind) -> Self {
        match kind.name().split('.').next().unwrap_or_default() {
            "message" if kind == Kind::MessageStatus => Self::Statuses,
            "message" => Self::Messages,
            "number" => Self::Numbers,
            "template" => Self::Templates,
            "account" => Self::Account,
            _ => Self::Others,
        }
    }

    /// As it stands in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Statuses => "statuses",
            Self::Numbers => "numbers",
            Self::Templates => "templates",
            Self::Account => "account",
            Self::Others => "others",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Messages => "Messages",
            Self::Statuses => "Message statuses",
            Self::Numbers => "Numbers",
            Self::Templates => "Templates",
            Self::Account => "Account",
            Self::Others => "Everything else",
        }
    }

    pub fn icon(self) -> &'static str {
        match self {
            Self::Messages => "message",
            Self::Statuses => "receipt",
            Self::Numbers => "phone",
            Self::Templates => "template",
            Self::Account => "building",
            Self::Others => "spark",
        }
    }
}

/// Meta's word as people read it: `VERIFIED_ACCOUNT` becomes "Verified account".
pub(super) fn human(word: &str) -> String {
    let words = word.replace(['_', '-'], " ").to_lowercase();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

/// What a kind's detail says.
pub(super) fn detail(kind: Kind, detail: &str) -> String {
    match (kind, detail) {
        (_, "unsupported") => "A type that Meta’s API does not support".to_owned(),
        (Kind::MessageReceived, "interactive") => "Answer to buttons or a list".to_owned(),
        (Kind::MessageReceived, "button") => "Button of a template".to_owned(),
        (Kind::MessageReceived, "errors") => "Error".to_owned(),
        (_, other) => human(other),
    }
}

/// How the deliveries of an event stand, all in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    Failed,
    Retrying,
    Waiting,
    Delivered,
    Cancelled,
    NoEndpoint,
}

impl Outcome {
    /// What one may look for, as it stands in addresses, in words.
    pub const SOUGHT: [(&'static str, &'static str); 4] = [
        ("delivered", "Delivered"),
        ("waiting", "Waiting or retrying"),
        ("failed", "Failed"),
        ("none", "No endpoint wants it"),
    ];

    pub fn is_sought_by(self, name: &str) -> bool {
        match name {
            "delivered" => self == Self::Delivered,
            "waiting" => matches!(self, Self::Waiting | Self::Retrying),
            "failed" => self == Self::Failed,
            "none" => matches!(self, Self::NoEndpoint | Self::Cancelled),
            _ => true,
        }
    }

    pub fn badge(self) -> Badge {
        match self {
            Self::Failed => Badge::new("problem", "Failed"),
            Self::Retrying => Badge::new("attention", "Retrying"),
            Self::Waiting => Badge::new("waiting", "Waiting"),
            Self::Delivered => Badge::new("good", "Delivered"),
            Self::Cancelled => Badge::new("neutral", "Cancelled"),
            Self::NoEndpoint => Badge::new("neutral", "No endpoint"),
        }
    }
}

/// What a change's own JSON tells a person at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The name that the person gave themselves.
    pub name: Option<String>,
    /// Their number, or their ID where there is none.
    pub contact: Option<String>,
    /// How many messages and statuses there are beside the first.
    pub more: usize,
    /// What Meta says went wrong, with its code.
    pub failure: Option<String>,
}

impl Told {
    pub fn of(value: &Value) -> Self {
        let lists = ["messages", "statuses", "message_echoes", "calls", "user_preferences", "groups"];
        let items: Vec<&Value> =
            lists.iter().filter_map(|list| value.get(list).and_then(Value::as_array)).flatten().collect();
        let first = items.first().copied().unwrap_or(&Value::Null);
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let is_out = value.get("message_echoes").is_some();
        let keys: &[&str] =
            if is_out { &["to"] } else { &["from", "recipient_id", "wa_id", "from_user_id", "recipient_user_id"] };
        let contact = keys.iter().find_map(|key| first.get(key).and_then(Value::as_str));
        let contact = contact.or_else(|| text("/contacts/0/wa_id")).or_else(|| text("/contacts/0/user_id"));
        Self {
            name: text("/contacts/0/profile/name").map(str::to_owned),
            contact: contact.map(number),
            more: items.len().saturating_sub(1),
            failure: items.iter().copied().chain([value]).find_map(failure),
        }
    }
}

/// A WhatsApp ID as a number that people read; anything else as it is.
fn number(id: &str) -> String {
    match id.len() >= 7 && id.bytes().all(|byte| byte.is_ascii_digit()) {
        true => phone_numbers::international(&format!("+{id}")),
        false => id.to_owned(),
    }
}

/// The first error that Meta tells of, with its code.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>
fn failure(item: &Value) -> Option<String> {
    let error = item.pointer("/errors/0")?;
    let text = |pointer: &str| error.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let words = text("/error_data/details").or_else(|| text("/message")).or_else(|| text("/title"));
    let code = error.get("code").map(|code| code.to_string().trim_matches('"').to_owned());
    Some(match (words, code) {
        (Some(words), Some(code)) => format!("{words} ({code})"),
        (Some(words), None) => words.to_owned(),
        (None, code) => format!("Error {}", code.unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_at_a_glance() {
        let message = json!({"contacts": [{"profile": {"name": "Ana"}, "wa_id": "16505551234"}],
            "messages": [{"from": "16505551234", "type": "text"}, {"from": "16505551234"}]});
        let told = Told::of(&message);
        assert_eq!(
            (told.name.as_deref(), told.contact.as_deref(), told.more),
            (Some("Ana"), Some("+1 650-555-1234"), 1)
        );
        let failed = json!({"statuses": [{"recipient_id": "US.13491208655302741918", "status": "failed",
            "errors": [{"code": 131_026, "title": "Undeliverable", "error_data": {"details": "Not on WhatsApp."}}]}]});
        let told = Told::of(&failed);
        assert_eq!(told.contact.as_deref(), Some("US.13491208655302741918"));
        assert_eq!(told.failure.as_deref(), Some("Not on WhatsApp. (131026)"));
        assert_eq!(Told::of(&json!(7)), Told::default());
    }

    #[test]
    fn every_kind_is_of_a_group() {
        for kind in Kind::ALL {
            let _ = Group::of(*kind);
        }
        assert_eq!(Group::of(Kind::MessageEcho), Group::Messages);
        assert_eq!(Group::of(Kind::MessageStatus), Group::Statuses);
        assert_eq!(human("VERIFIED_ACCOUNT"), "Verified account");
    }
}
