//! Buttons under a message.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>

use super::components::{member, of_kind};
use serde_json::{Value, json};

/// What a button does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ButtonKind {
    QuickReply,
    Url,
    Phone,
    CopyCode,
}

impl ButtonKind {
    pub const ALL: [Self; 4] = [Self::QuickReply, Self::Url, Self::Phone, Self::CopyCode];

    /// Meta's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QuickReply => "QUICK_REPLY",
            Self::Url => "URL",
            Self::Phone => "PHONE_NUMBER",
            Self::CopyCode => "COPY_CODE",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::QuickReply => "Quick reply",
            Self::Url => "Open a web page",
            Self::Phone => "Call a number",
            Self::CopyCode => "Copy a code",
        }
    }

    /// How many a template may have.
    pub fn most(self) -> usize {
        match self {
            Self::QuickReply => 10,
            Self::Url => 2,
            Self::Phone | Self::CopyCode => 1,
        }
    }

    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(word))
    }
}

/// A button. Quick replies have no value; the value of the others is the address, the number, the code's sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Button {
    pub kind: ButtonKind,
    pub text: String,
    pub value: String,
    /// What stands for an address's variable.
    pub sample: String,
}

/// All buttons.
pub(super) fn buttons(all: &[Value]) -> impl Iterator<Item = &Value> {
    of_kind(all, "BUTTONS").and_then(|buttons| buttons.get("buttons")).and_then(Value::as_array).into_iter().flatten()
}

impl Button {
    /// What Meta takes.
    pub fn json(&self) -> Value {
        let text = self.text.trim();
        match self.kind {
            ButtonKind::QuickReply => json!({"type": "QUICK_REPLY", "text": text}),
            ButtonKind::Phone => json!({"type": "PHONE_NUMBER", "text": text, "phone_number": self.value.trim()}),
            ButtonKind::CopyCode => json!({"type": "COPY_CODE", "example": self.value.trim()}),
            ButtonKind::Url => {
                let mut button = json!({"type": "URL", "text": text, "url": self.value.trim()});
                if self.value.contains("{{") {
                    button["example"] = json!([self.sample.trim()]);
                }
                button
            }
        }
    }

    /// What a button was written like; `None` for kinds that a draft does not hold.
    pub fn of(button: &Value) -> Option<Self> {
        let kind = ButtonKind::named(member(button, "type"))?;
        let example = button.get("example").map(|example| example.get(0).unwrap_or(example));
        let example = example.and_then(Value::as_str).unwrap_or_default().to_owned();
        let (value, sample) = match kind {
            ButtonKind::QuickReply => (String::new(), String::new()),
            ButtonKind::Phone => (member(button, "phone_number").to_owned(), String::new()),
            ButtonKind::CopyCode => (example, String::new()),
            ButtonKind::Url => (member(button, "url").to_owned(), example),
        };
        Some(Self { kind, text: member(button, "text").to_owned(), value, sample })
    }
}
