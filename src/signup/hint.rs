//! The browser's message event `WA_EMBEDDED_SIGNUP`: a hint, never a proof.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/implementation>

use crate::base::{
    ids::{BusinessId, PhoneNumberId, WabaId},
    text::shorten,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest text that is kept of an event, in characters.
const MAX_TEXT: usize = 500;

/// How the window says that it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HintEvent {
    /// Finished, with a number or without.
    Finished,
    /// Finished with a number that the WhatsApp Business app uses as well.
    FinishedCoexistence,
    /// Left before the end.
    Cancelled,
    /// Left after reporting an error.
    Error,
    /// A word we don't know.
    Other,
}

/// What the event said, as far as it makes sense.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// How it ended.
    pub event: HintEvent,
    /// Meta's word for it.
    pub event_name: String,
    /// The WABA.
    pub waba_id: Option<WabaId>,
    /// The number.
    pub phone_number_id: Option<PhoneNumberId>,
    /// The business.
    pub business_id: Option<BusinessId>,
    /// The screen that was left.
    pub current_step: Option<String>,
    /// The error that was shown.
    pub error_message: Option<String>,
    /// Its ID, for Meta's support.
    pub error_id: Option<String>,
    /// The session's ID, for Meta's support.
    pub session_id: Option<String>,
}

impl Hint {
    /// Reads an event; `None` where it is no `WA_EMBEDDED_SIGNUP` event. What does not fit is left out: an
    /// odd ID must not cost the customer the signup.
    #[must_use]
    pub fn read(event: &Value) -> Option<Self> {
        if event.get("type").and_then(Value::as_str) != Some("WA_EMBEDDED_SIGNUP") {
            return None;
        }
        let event_name = shorten(event.get("event").and_then(Value::as_str)?, 100);
        let data = event.get("data").unwrap_or(&Value::Null);
        let text = |key: &str| match data.get(key) {
            Some(Value::String(text)) if !text.is_empty() => Some(shorten(text, MAX_TEXT)),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let error_message = text("error_message");
        let error_id = text("error_id").or_else(|| text("error_code"));
        let event = match event_name.as_str() {
            "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING" => HintEvent::FinishedCoexistence,
            name if name.starts_with("FINISH") => HintEvent::Finished,
            "CANCEL" if error_message.is_some() || error_id.is_some() => HintEvent::Error,
            "CANCEL" => HintEvent::Cancelled,
            "ERROR" => HintEvent::Error,
            _ => HintEvent::Other,
        };
        Some(Self {
            event,
            event_name,
            waba_id: text("waba_id").and_then(|id| id.parse().ok()),
            phone_number_id: text("phone_number_id").and_then(|id| id.parse().ok()),
            business_id: text("business_id").and_then(|id| id.parse().ok()),
            current_step: text("current_step"),
            error_message,
            error_id,
            session_id: text("session_id"),
        })
    }

    /// Whether the customer went to the end.
    #[must_use]
    pub fn is_finish(&self) -> bool {
        matches!(self.event, HintEvent::Finished | HintEvent::FinishedCoexistence)
    }

    /// Whether the customer left.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(self.event, HintEvent::Cancelled | HintEvent::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(event: &str, data: Value) -> Hint {
        Hint::read(&json!({"type": "WA_EMBEDDED_SIGNUP", "event": event, "data": data, "version": 3})).unwrap()
    }

    #[test]
    fn every_documented_event_is_understood() {
        let finish = read(
            "FINISH",
            json!({"waba_id": "524126980791429", "phone_number_id": "106540352242922", "business_id": "2729063490586005"}),
        );
        assert!(finish.is_finish() && finish.waba_id.is_some() && finish.business_id.is_some());
        assert!(read("FINISH_ONLY_WABA", json!({"waba_id": "1"})).is_finish());
        assert!(read("FINISH_GRANT_ONLY_API_ACCESS", json!({})).is_finish());
        assert_eq!(
            read("FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", json!({"waba_id": 1})).event,
            HintEvent::FinishedCoexistence
        );
        let left = read("CANCEL", json!({"current_step": "PHONE_NUMBER_SETUP"}));
        assert_eq!((left.event, left.current_step.as_deref()), (HintEvent::Cancelled, Some("PHONE_NUMBER_SETUP")));
        let reported =
            read("CANCEL", json!({"error_message": "no", "error_id": "524126", "session_id": "f3", "timestamp": "1"}));
        assert_eq!(reported.event, HintEvent::Error);
        assert_eq!(read("ERROR", json!({"error_message": "no"})).event, HintEvent::Error);
    }

    #[test]
    fn nonsense_is_left_out_or_refused() {
        assert!(Hint::read(&json!({"type": "OTHER", "event": "FINISH"})).is_none());
        assert!(Hint::read(&json!("FINISH")).is_none());
        assert_eq!(read("FINISH", json!({"waba_id": "1/../me"})).waba_id, None);
        assert_eq!(read("FINISH", json!(null)).waba_id, None);
        let long = read("CANCEL", json!({"current_step": "x".repeat(9_000)}));
        assert!(long.current_step.unwrap().chars().count() <= MAX_TEXT + 1);
    }
}
