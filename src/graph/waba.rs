//! WhatsApp Business Accounts and which apps get their webhooks.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-account/whatsapp-business-account-api>

use super::{Access, Call, Client, PhoneNumber, Result, phone_number};
use crate::base::ids::{BusinessId, WabaId};
use http::Method;
use serde::{Deserialize, Serialize};

/// What is asked of a WABA.
const FIELDS: &str = "id,name,currency,account_review_status,business_verification_status,owner_business_info";
/// What every version knows.
const FIELDS_MINIMAL: &str = "id,name";

/// A WhatsApp Business Account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Waba {
    /// Its ID.
    pub id: WabaId,
    /// Its name in WhatsApp Manager.
    #[serde(default)]
    pub name: String,
    /// The currency it is billed in.
    pub currency: Option<String>,
    /// `PENDING`, `APPROVED`, `REJECTED` ...
    pub account_review_status: Option<String>,
    /// `verified`, `not_verified` ... of the business that owns it.
    pub business_verification_status: Option<String>,
    /// The business that owns it.
    pub owner_business_info: Option<OwnerBusiness>,
}

impl Waba {
    /// Whether Meta has verified the business that owns it.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.business_verification_status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("verified"))
    }
}

/// The business that owns a WABA.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OwnerBusiness {
    /// Its portfolio's ID.
    pub id: BusinessId,
    /// Its portfolio's name.
    #[serde(default)]
    pub name: String,
}

#[derive(Deserialize)]
pub(super) struct Success {
    #[serde(default)]
    pub success: bool,
}

impl Success {
    pub(super) fn check(&self, what: &str) -> Result<()> {
        if self.success {
            Ok(())
        } else {
            Err(super::GraphError::Unreadable { detail: format!("{what} was not confirmed") })
        }
    }
}

impl Client {
    /// Reads a WABA.
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn waba(&self, access: &Access, id: &WabaId) -> Result<Waba> {
        let fields = |fields: &str| Call { query: vec![("fields", fields.to_owned())], ..Call::default() };
        match self.call(access, Method::GET, id.as_str(), fields(FIELDS)).await {
            // A field that this version or this kind of account does not have.
            Err(error) if phone_number::is_unknown_field(&error) => {
                self.call(access, Method::GET, id.as_str(), fields(FIELDS_MINIMAL)).await
            }
            other => other,
        }
    }

    /// All phone numbers of a WABA. That this answers is the proof that the token opens the WABA.
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn phone_numbers(&self, access: &Access, id: &WabaId) -> Result<Vec<PhoneNumber>> {
        let path = format!("{id}/phone_numbers");
        match self.list(access, &path, phone_number::FIELDS).await {
            Err(error) if phone_number::is_unknown_field(&error) => {
                self.list(access, &path, phone_number::FIELDS_MINIMAL).await
            }
            other => other,
        }
    }

    /// Has Meta send us the WABA's webhooks. Doing it again changes nothing.
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn subscribe_app(&self, access: &Access, id: &WabaId) -> Result<()> {
        let path = format!("{id}/subscribed_apps");
        self.call::<Success>(access, Method::POST, &path, Call::default()).await?.check("the subscription")
    }

    /// The IDs of the apps that get the WABA's webhooks.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-account/subscribed-apps-api>
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn subscribed_apps(&self, access: &Access, id: &WabaId) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Subscribed {
            whatsapp_business_api_data: Option<App>,
        }
        #[derive(Deserialize)]
        struct App {
            #[serde(deserialize_with = "crate::base::ids::deserialize_meta_id")]
            id: String,
        }
        let all: Vec<Subscribed> = self.list(access, &format!("{id}/subscribed_apps"), "").await?;
        Ok(all.into_iter().filter_map(|one| one.whatsapp_business_api_data).map(|app| app.id).collect())
    }

    /// Has Meta stop sending us the WABA's webhooks.
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn unsubscribe_app(&self, access: &Access, id: &WabaId) -> Result<()> {
        let path = format!("{id}/subscribed_apps");
        self.call::<Success>(access, Method::DELETE, &path, Call::default()).await?.check("the end of the subscription")
    }
}
