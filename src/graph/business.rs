//! Business portfolios: whose WABAs they share with us, and the token of a customer whose signup got lost.

use super::{Access, Call, Client, Result, Waba};
use crate::base::ids::BusinessId;
use http::Method;
use secrecy::SecretString;
use serde::Deserialize;

/// A business portfolio.
/// <https://developers.facebook.com/docs/marketing-api/reference/business/>
#[derive(Clone, Debug, Deserialize)]
pub struct Business {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// `verified`, `not_verified`, `pending` ...
    pub verification_status: Option<String>,
}

impl Client {
    /// Reads a business portfolio.
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn business(&self, access: &Access, business: &BusinessId) -> Result<Business> {
        let query = vec![("fields", "id,name,verification_status".to_owned())];
        self.call(access, Method::GET, business.as_str(), Call { query, ..Call::default() }).await
    }

    /// The WABAs that other businesses share with this one.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/business/client-whatsapp-business-accounts-api>
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn client_wabas(&self, access: &Access, business: &BusinessId) -> Result<Vec<Waba>> {
        self.list(access, &format!("{business}/client_whatsapp_business_accounts"), "id,name").await
    }

    /// The WABAs that this business owns.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/business/owned-whatsapp-business-accounts>
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn owned_wabas(&self, access: &Access, business: &BusinessId) -> Result<Vec<Waba>> {
        self.list(access, &format!("{business}/owned_whatsapp_business_accounts"), "id,name").await
    }

    /// Fetches the business token of a customer that finished the signup while the code got lost. `system`
    /// is our own system token with the app's secret.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/hosted-es>, step 5
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn fetch_business_token(&self, system: &Access, customer: &BusinessId) -> Result<SecretString> {
        #[derive(Deserialize)]
        struct Answer {
            access_token: String,
        }
        let mut form = vec![("fetch_only", "true".to_owned())];
        if let Some(proof) = system.proof() {
            form.push(("appsecret_proof", proof));
        }
        let path = format!("{customer}/system_user_access_tokens");
        let answer: Answer =
            self.call(system, Method::POST, &path, Call { form: Some(form), ..Call::default() }).await?;
        Ok(answer.access_token.into())
    }
}
