//! What is done with a number: verified, registered, renamed, given another PIN, synchronised with the app.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration> and
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/registering-phone-numbers>

use super::{Access, Call, Client, Result, waba::Success};
use crate::base::ids::{PhoneNumberId, WabaId};
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

/// How a verification code comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeMethod {
    /// As a text message.
    Sms,
    /// In a call.
    Voice,
}

impl CodeMethod {
    /// Meta's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "SMS",
            Self::Voice => "VOICE",
        }
    }
}

/// What the WhatsApp Business app is asked to bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncType {
    /// Its contacts.
    Contacts,
    /// Its chats.
    History,
}

impl SyncType {
    /// Meta's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "smb_app_state_sync",
            Self::History => "history",
        }
    }
}

fn json_call(json: Value) -> Call<'static> {
    Call { json: Some(json), ..Call::default() }
}

impl Client {
    /// Registers a number with Cloud API. Each call counts, whatever comes of it: 10 in 72 hours at most.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-phone-number/phone-number-registration>
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn register(&self, access: &Access, id: &PhoneNumberId, pin: &SecretString) -> Result<()> {
        let body = json!({"messaging_product": "whatsapp", "pin": pin.expose_secret()});
        self.done(access, &format!("{id}/register"), json_call(body), "the registration").await
    }

    /// Sets the PIN of two-step verification, whatever it was before. It can't be switched off by API.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/two-step-verification>
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn set_pin(&self, access: &Access, id: &PhoneNumberId, pin: &SecretString) -> Result<()> {
        let body = json!({"pin": pin.expose_secret()});
        self.done(access, id.as_str(), json_call(body), "the PIN").await
    }

    /// Has Meta send a code to a number, to prove whose it is. `language` such as `en_US`.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers>
    ///
    /// # Errors
    /// See [`super::GraphError`]; 136024 where no code is sent.
    pub async fn request_code(
        &self,
        access: &Access,
        id: &PhoneNumberId,
        method: CodeMethod,
        language: &str,
    ) -> Result<()> {
        let body = json!({"code_method": method.as_str(), "language": language});
        self.done(access, &format!("{id}/request_code"), json_call(body), "the code").await
    }

    /// Gives Meta the code that came.
    ///
    /// # Errors
    /// See [`super::GraphError`]; 136025 where it is not the right one.
    pub async fn verify_code(&self, access: &Access, id: &PhoneNumberId, code: &str) -> Result<()> {
        self.done(access, &format!("{id}/verify_code"), json_call(json!({"code": code})), "the verification").await
    }

    /// Asks for another display name, which Meta then reviews.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/display-names>
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn set_display_name(&self, access: &Access, id: &PhoneNumberId, name: &str) -> Result<()> {
        self.done(access, id.as_str(), json_call(json!({"new_display_name": name})), "the display name").await
    }

    /// Has messages kept in this country (such as `DE`), or nowhere in particular. Only while the number is not
    /// registered, and since v21.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/local-storage>
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn set_storage(&self, access: &Access, id: &PhoneNumberId, region: Option<&str>) -> Result<()> {
        let storage = match region {
            Some(region) => json!({"status": "IN_COUNTRY_STORAGE_ENABLED", "data_localization_region": region}),
            None => json!({"status": "IN_COUNTRY_STORAGE_DISABLED"}),
        };
        let body = json!({"storage_configuration": storage});
        self.done(access, &format!("{id}/settings"), json_call(body), "where messages are kept").await
    }

    /// Adds a number to a WABA, not verified yet. `code`: that of its country; `number`: its digits, the country's
    /// code in front.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/registering-phone-numbers>
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn add_number(
        &self,
        access: &Access,
        waba: &WabaId,
        code: &str,
        number: &str,
        name: &str,
    ) -> Result<PhoneNumberId> {
        #[derive(Deserialize)]
        struct Added {
            id: PhoneNumberId,
        }
        let body = json!({"cc": code, "phone_number": number, "verified_name": name});
        let path = format!("{waba}/phone_numbers");
        Ok(self.call::<Added>(access, Method::POST, &path, json_call(body)).await?.id)
    }

    /// Has the WhatsApp Business app bring its contacts or chats: once each, within 24 hours of onboarding. Answers
    /// the ID that Meta's support asks for.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users>
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn sync_app_data(&self, access: &Access, id: &PhoneNumberId, what: SyncType) -> Result<String> {
        #[derive(Deserialize)]
        struct Asked {
            request_id: String,
        }
        let body = json!({"messaging_product": "whatsapp", "sync_type": what.as_str()});
        let path = format!("{id}/smb_app_data");
        Ok(self.call::<Asked>(access, Method::POST, &path, json_call(body)).await?.request_id)
    }

    async fn done(&self, access: &Access, path: &str, call: Call<'_>, what: &str) -> Result<()> {
        self.call::<Success>(access, Method::POST, path, call).await?.check(what)
    }
}
