//! What a change is about: its kind, whose it is, and what in it may have come before.

use super::{change::Change, kind::Kind};
use crate::base::ids::{PhoneNumberId, WabaId};
use serde_json::Value;

/// What a change says of whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Address {
    /// The account.
    pub waba: Option<WabaId>,
    /// The number.
    pub phone_number: Option<PhoneNumberId>,
    /// The number in digits, where Meta gives no ID of it.
    pub display: Option<String>,
}

/// A message or a status in a change: what may come twice, and what formats send on its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Whether it is a status, not a message.
    pub is_status: bool,
    /// Its place in its list.
    pub place: usize,
    /// What names the message it is about: direction and ID. Together with the number no other has it.
    pub message: String,
    /// What is told of it, as a bit: see [`super::marks`].
    pub bit: i64,
    /// The person it is exchanged with, or the group; those of one are begun in order.
    pub conversation: String,
}

/// A change, understood as far as this build goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Understood {
    /// What it is about.
    pub kind: Kind,
    /// The type of a message, the status of a status, the event of an account update.
    pub detail: String,
    /// Whose it is.
    pub address: Address,
    /// Its messages, then its statuses.
    pub items: Vec<Item>,
}

/// The kind of a field that needs no look inside.
fn kind_of(field: &str) -> Kind {
    match field {
        "messages" => Kind::MessageReceived,
        "smb_message_echoes" => Kind::MessageEcho,
        "history" => Kind::HistoryReceived,
        "smb_app_state_sync" => Kind::ContactsSynced,
        "user_preferences" => Kind::PreferencesChanged,
        "calls" => Kind::CallUpdated,
        "phone_number_quality_update" => Kind::NumberQualityChanged,
        "phone_number_name_update" => Kind::NumberNameReviewed,
        "security" => Kind::NumberSecurityChanged,
        "message_template_status_update" => Kind::TemplateStatusChanged,
        "message_template_quality_update" => Kind::TemplateQualityChanged,
        "message_template_components_update" => Kind::TemplateComponentsChanged,
        "template_category_update" => Kind::TemplateCategoryChanged,
        "account_update" => Kind::AccountUpdated,
        "account_alerts" => Kind::AccountAlert,
        "account_review_update" => Kind::AccountReviewed,
        "account_settings_update" => Kind::AccountSettingsChanged,
        "business_capability_update" => Kind::AccountLimitsChanged,
        "partner_solutions" => Kind::PartnerSolutionUpdated,
        "payment_configuration_update" => Kind::PaymentConfigurationUpdated,
        "automatic_events" => Kind::AutomaticEvent,
        field if field.starts_with("group_") => Kind::GroupUpdated,
        _ => Kind::Other,
    }
}

/// The bit of a status.
fn bit(status: &str) -> i64 {
    match status {
        "sent" => 1,
        "delivered" => 2,
        "read" => 4,
        "played" => 8,
        "failed" => 16,
        _ => 32,
    }
}

impl Understood {
    /// Of this change.
    #[must_use]
    pub fn of(change: &Change<'_>) -> Self {
        let value = change.json();
        let mut kind = kind_of(&change.field);
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let waba = text("/waba_info/waba_id").unwrap_or_else(|| change.entry_id.to_string());
        let address = Address {
            waba: waba.parse().ok(),
            phone_number: text("/metadata/phone_number_id").and_then(|id| id.parse().ok()),
            display: text("/display_phone_number").or_else(|| text("/phone_number")),
        };
        let mut detail = text("/event").unwrap_or_default();
        let mut items = Vec::new();
        for (list, is_status) in [("messages", false), ("statuses", true)] {
            for (place, one) in value.get(list).and_then(Value::as_array).into_iter().flatten().enumerate() {
                let text = |key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default();
                let what = if is_status { text("status") } else { text("type") };
                if items.is_empty() {
                    what.clone_into(&mut detail);
                    if is_status {
                        kind = Kind::MessageStatus;
                    }
                }
                let (direction, bit) = if is_status { ("out", bit(what)) } else { ("in", 1) };
                let conversation = if is_status { text("recipient_id") } else { text("from") };
                items.push(Item {
                    is_status,
                    place,
                    message: format!("{direction} {}", text("id")),
                    bit,
                    conversation: conversation.to_owned(),
                });
            }
        }
        Self { kind, detail, address, items }
    }
}
