//! How a signup ends, and the message events that say so.
//!
//! Meta: embedded-signup/implementation (*Session logging message event listener*),
//! embedded-signup/errors, embedded-signup/onboarding-business-app-users, embedded-signup/bypass-phone-addition.

use super::{ids, scenario::Step};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What the error screen shows and an error event tells (embedded-signup/errors, *Phone Setup Errors*).
pub(super) const ERROR_MESSAGE: &str =
    "Your verified name violates WhatsApp guidelines. Please edit your verified name and try again.";

/// How a dialog ended: what its last page does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ending {
    /// The message event that goes to the opener.
    pub event: Option<Value>,
    /// What comes back through the SDK.
    pub code: Option<String>,
    /// How long the code is held back, in milliseconds.
    pub code_delay_ms: u32,
    /// The window closes as if by its own button; the page's handler sends this event then.
    pub close_event: Option<Value>,
    /// Where a full-page dialog leads.
    pub redirect: Option<String>,
    /// Whether it ended well.
    pub finished: bool,
}

fn message(event: &str, data: Value) -> Value {
    json!({"type": "WA_EMBEDDED_SIGNUP", "event": event, "data": data, "version": 3})
}

/// The customer left at this screen.
pub(super) fn cancelled(step: Step) -> Value {
    message("CANCEL", json!({"current_step": step.as_str()}))
}

/// The customer reported an error from within the flow.
pub(super) fn error_reported(now_ms: i64) -> Value {
    message("CANCEL", error_data(now_ms))
}

/// An error that the flow itself reports.
pub(super) fn error_event(now_ms: i64) -> Value {
    message("ERROR", error_data(now_ms))
}

fn error_data(now_ms: i64) -> Value {
    json!({
        "error_message": ERROR_MESSAGE,
        "error_id": rand::random_range(100_000..1_000_000).to_string(),
        "session_id": ids::alphanumeric(15).to_lowercase(),
        "timestamp": (now_ms / 1000).to_string(),
    })
}

/// The flow was completed.
pub(super) fn finished(business_id: &str, waba_id: &str, phone_id: Option<&str>, coexistence: bool) -> Value {
    match phone_id {
        _ if coexistence => message("FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", json!({"waba_id": waba_id})),
        Some(phone_id) => {
            message("FINISH", json!({"phone_number_id": phone_id, "waba_id": waba_id, "business_id": business_id}))
        }
        None => message("FINISH_ONLY_WABA", json!({"waba_id": waba_id, "business_id": business_id})),
    }
}
