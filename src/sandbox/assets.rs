//! What customers have at Meta: business portfolios, WhatsApp Business Accounts, phone numbers.

use super::tokens::Grant;
use serde::{Deserialize, Serialize};

/// A business portfolio.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Business {
    pub id: String,
    pub name: String,
    pub email: String,
    pub website: String,
    pub country: String,
    pub timezone: String,
    pub created_ms: i64,
    /// What this business last granted to the app; the token of `system_user_access_tokens` comes from it.
    pub grant: Option<Grant>,
}

/// A WhatsApp Business Account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Waba {
    pub id: String,
    pub business_id: String,
    pub name: String,
    pub currency: String,
    pub created_ms: i64,
    /// Whether it is shared with the operator's business.
    pub shared: bool,
    /// The app's subscription to its webhooks.
    pub subscribed: Option<Subscribed>,
    /// The customers' own apps that are subscribed to them.
    #[serde(default)]
    pub own_subscribed: Vec<String>,
}

/// An app's subscription to a WABA's webhooks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Subscribed {
    pub override_callback_uri: Option<String>,
}

/// A business phone number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Phone {
    pub id: String,
    pub waba_id: String,
    /// With spaces, as `display_phone_number` shows it.
    pub display: String,
    pub verified_name: String,
    pub category: String,
    pub description: String,
    pub created_ms: i64,
    /// Whether its ownership was verified by a code.
    pub verified: bool,
    /// Registered with Cloud API.
    pub registered: bool,
    /// In use with the WhatsApp Business app as well (coexistence).
    pub on_biz_app: bool,
    pub name_status: NameStatus,
    /// The two-step verification PIN, once one was set.
    pub pin: Option<String>,
    /// When `register` was called, in epoch milliseconds.
    pub register_tries_ms: Vec<i64>,
    /// When `deregister` was called, in epoch milliseconds.
    pub deregister_tries_ms: Vec<i64>,
    /// Until when `register` is blocked after too many tries, in epoch milliseconds.
    pub blocked_until_ms: i64,
    pub override_callback_uri: Option<String>,
    /// Codes, guesses, names, storage, synchronisation.
    #[serde(default)]
    pub more: PhoneMore,
}

/// What else the sandbox keeps of a number.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct PhoneMore {
    /// The code that was sent to the number last.
    pub code: Option<SentCode>,
    /// When codes were asked for, in epoch milliseconds.
    pub code_asks_ms: Vec<i64>,
    /// When a wrong PIN was given, in epoch milliseconds.
    pub wrong_pins_ms: Vec<i64>,
    /// Until when no PIN is looked at, in epoch milliseconds.
    pub pin_blocked_until_ms: i64,
    /// Until when the number's deletion elsewhere is not complete, in epoch milliseconds.
    pub deleting_until_ms: i64,
    /// Until when `deregister` is blocked after too many tries, in epoch milliseconds.
    pub deregister_blocked_until_ms: i64,
    /// Whether an earlier deregistration failed half-way.
    pub half_deregistered: bool,
    /// The name under review, or reviewed last.
    pub review: Option<Review>,
    /// The country in which messages are kept.
    pub storage_region: Option<String>,
    /// When the contacts of the app were asked for, in epoch milliseconds.
    pub contacts_asked_ms: Option<i64>,
    /// When its chats were.
    pub history_asked_ms: Option<i64>,
    /// Whether the person chose not to share the chats.
    pub history_declined: bool,
    /// The quality, where it is not what a new number has.
    pub quality: Option<String>,
    /// The limit, likewise.
    pub limit: Option<String>,
}

/// A verification code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SentCode {
    pub code: String,
    pub sent_ms: i64,
    /// How often another was given.
    pub wrong: u32,
}

/// A display name's review.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Review {
    pub name: String,
    /// When it ends, in epoch milliseconds.
    pub due_ms: i64,
    /// `None` where the name is accepted; else why not.
    pub rejected: Option<String>,
    /// Whether the end has come.
    pub over: bool,
    /// Whether it is the name that the number began with.
    pub first: bool,
}

/// The fate of a display name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum NameStatus {
    AvailableWithoutReview,
    PendingReview,
    Approved,
    Declined,
}

impl NameStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AvailableWithoutReview => "AVAILABLE_WITHOUT_REVIEW",
            Self::PendingReview => "PENDING_REVIEW",
            Self::Approved => "APPROVED",
            Self::Declined => "DECLINED",
        }
    }

    /// Whether there is a certificate to register with.
    pub fn is_ready(self) -> bool {
        matches!(self, Self::AvailableWithoutReview | Self::Approved)
    }
}

impl Phone {
    /// `CONNECTED` once registered (and for coexistence numbers), else `PENDING`.
    pub fn status(&self) -> &'static str {
        if self.connected() { "CONNECTED" } else { "PENDING" }
    }

    pub fn connected(&self) -> bool {
        self.registered || self.on_biz_app
    }
}

/// A number's digits alone.
pub(super) fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}
