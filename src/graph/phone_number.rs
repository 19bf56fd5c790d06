//! Business phone numbers.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers>

use super::{Access, Call, Client, GraphError, Result, waba::Success};
use crate::base::ids::PhoneNumberId;
use http::Method;
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// What is asked of a number.
pub(super) const FIELDS: &str = "id,display_phone_number,verified_name,name_status,quality_rating,status,\
code_verification_status,platform_type,throughput,account_mode,is_on_biz_app,is_official_business_account,\
whatsapp_business_manager_messaging_limit";
/// What only the number itself is asked.
const MORE_FIELDS: &str = "new_display_name,new_name_status,last_onboarded_time,webhook_configuration,health_status";
/// What every version knows.
pub(super) const FIELDS_MINIMAL: &str = "id,display_phone_number,verified_name,quality_rating,code_verification_status";

/// A business phone number. What Meta did not say is `None`; unknown words are kept as they came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PhoneNumber {
    /// Its ID.
    pub id: PhoneNumberId,
    /// The number as Meta writes it.
    #[serde(default)]
    pub display_phone_number: String,
    /// The name shown in WhatsApp.
    #[serde(default)]
    pub verified_name: String,
    /// `APPROVED`, `PENDING_REVIEW`, `DECLINED`, `AVAILABLE_WITHOUT_REVIEW` ...
    pub name_status: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    pub quality_rating: Option<String>,
    /// `CONNECTED` means registered; `PENDING`, `DISCONNECTED`, `BANNED` ...
    pub status: Option<String>,
    /// `VERIFIED`, `NOT_VERIFIED`, `EXPIRED`.
    pub code_verification_status: Option<String>,
    /// `CLOUD_API`; `NOT_APPLICABLE` while onboarding is under way.
    pub platform_type: Option<String>,
    /// How many messages a second.
    pub throughput: Option<Throughput>,
    /// `LIVE` or `SANDBOX`.
    pub account_mode: Option<String>,
    /// Whether it is used in the WhatsApp Business app as well (coexistence).
    pub is_on_biz_app: Option<bool>,
    /// Whether it has the blue tick.
    pub is_official_business_account: Option<bool>,
    /// How many people a day, a limit of the whole portfolio: `TIER_250` ...
    pub whatsapp_business_manager_messaging_limit: Option<String>,
    /// The name that was asked for instead.
    pub new_display_name: Option<String>,
    /// Meta's word on it, as `name_status`.
    pub new_name_status: Option<String>,
    /// When its owner last went through Embedded Signup: RFC 3339, or as Graph writes it (`+0000`).
    pub last_onboarded_time: Option<String>,
    /// Where its webhooks go.
    pub webhook_configuration: Option<WebhookConfiguration>,
    /// Whether messages can be sent.
    pub health_status: Option<Health>,
}

/// Where a number's webhooks go: the nearest of these that there is.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookConfiguration {
    /// The number's own address.
    pub phone_number: Option<String>,
    /// Its WABA's.
    pub whatsapp_business_account: Option<String>,
    /// The app's.
    pub application: Option<String>,
}

impl PhoneNumber {
    /// When its owner last went through Embedded Signup.
    #[must_use]
    pub fn onboarded_at(&self) -> Option<OffsetDateTime> {
        let text = self.last_onboarded_time.as_deref()?;
        let graph = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory][offset_minute]"
        );
        OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(text, graph)).ok()
    }
}

/// The level of throughput.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Throughput {
    /// `STANDARD`, `HIGH`, `NOT_APPLICABLE`.
    pub level: Option<String>,
}

/// Whether messages can be sent, and if not, which part stands in the way.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/health-status>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `AVAILABLE`, `LIMITED` or `BLOCKED`.
    #[serde(default)]
    pub can_send_message: String,
    /// Every node involved.
    #[serde(default)]
    pub entities: Vec<HealthEntity>,
}

/// One node's part in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthEntity {
    /// `PHONE_NUMBER`, `WABA`, `BUSINESS`, `APP`, `MESSAGE_TEMPLATE`.
    #[serde(default)]
    pub entity_type: String,
    /// Its ID.
    #[serde(default)]
    pub id: String,
    /// `AVAILABLE`, `LIMITED` or `BLOCKED`.
    #[serde(default)]
    pub can_send_message: String,
    /// Why it is limited, in Meta's words.
    #[serde(default)]
    pub additional_info: Vec<String>,
    /// Why it is blocked.
    #[serde(default)]
    pub errors: Vec<HealthError>,
}

/// Why a node is blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthError {
    /// Meta's code.
    #[serde(default)]
    pub error_code: i64,
    /// What is wrong.
    #[serde(default)]
    pub error_description: String,
    /// What Meta proposes.
    #[serde(default)]
    pub possible_solution: String,
}

/// Whether Graph refuses because it does not know a field that was asked for: `(#100) Tried accessing
/// nonexisting field`.
pub(super) fn is_unknown_field(error: &GraphError) -> bool {
    error.api().is_some_and(|api| api.code == 100 && api.message.to_ascii_lowercase().contains("nonexisting field"))
}

impl Client {
    /// Reads a number with all that is known of it.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn phone_number(&self, access: &Access, id: &PhoneNumberId) -> Result<PhoneNumber> {
        let all = format!("{FIELDS},{MORE_FIELDS}");
        let mut asked = Err(GraphError::Unreadable { detail: String::new() });
        // What this version or this kind of account does not have is left out, step by step.
        for fields in [all.as_str(), FIELDS, FIELDS_MINIMAL] {
            let query = vec![("fields", fields.to_owned())];
            asked = self.call(access, Method::GET, id.as_str(), Call { query, ..Call::default() }).await;
            match &asked {
                Err(error) if is_unknown_field(error) => {}
                _ => break,
            }
        }
        asked
    }

    /// Reads a number's health.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn phone_number_health(&self, access: &Access, id: &PhoneNumberId) -> Result<Option<Health>> {
        #[derive(Deserialize)]
        struct Answer {
            health_status: Option<Health>,
        }
        let query = vec![("fields", "health_status".to_owned())];
        let answer: Answer = self.call(access, Method::GET, id.as_str(), Call { query, ..Call::default() }).await?;
        Ok(answer.health_status)
    }

    /// Takes a number off the Cloud API. Not for numbers in coexistence; 10 times in 72 hours at most.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration>
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn deregister(&self, access: &Access, id: &PhoneNumberId) -> Result<()> {
        let path = format!("{id}/deregister");
        self.call::<Success>(access, Method::POST, &path, Call::default()).await?.check("the deregistration")
    }
}
