//! What a token is good for.
//! <https://developers.facebook.com/docs/graph-api/reference/debug_token>

use super::{Access, AppCredentials, Call, Client, Result};
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// `data` of `/debug_token`. All of it is optional: what Meta sends has changed from week to week.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct TokenInfo {
    /// The app that it was made for.
    #[serde(default, deserialize_with = "optional_id")]
    pub app_id: Option<String>,
    /// Whether it works.
    #[serde(default)]
    pub is_valid: bool,
    /// Seconds since the epoch; 0 means never.
    pub expires_at: Option<i64>,
    /// Seconds since the epoch; another thing than `expires_at`: when access to the data ends.
    pub data_access_expires_at: Option<i64>,
    /// The permissions.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The permissions and the assets they hold for.
    #[serde(default)]
    pub granular_scopes: Vec<GranularScope>,
}

/// One permission with the assets it holds for.
#[derive(Clone, Debug, Deserialize)]
pub struct GranularScope {
    /// The permission.
    pub scope: String,
    /// IDs of WABAs (of businesses for `business_management`). Missing means: not told which.
    pub target_ids: Option<Vec<serde_json::Value>>,
}

impl GranularScope {
    /// The targets as text, whether Meta wrote them as strings or numbers.
    #[must_use]
    pub fn targets(&self) -> Option<Vec<String>> {
        self.target_ids.as_ref().map(|ids| {
            ids.iter()
                .filter_map(|id| match id {
                    serde_json::Value::String(text) => Some(text.clone()),
                    serde_json::Value::Number(number) => Some(number.to_string()),
                    _ => None,
                })
                .collect()
        })
    }
}

fn optional_id<'de, D: serde::Deserializer<'de>>(de: D) -> std::result::Result<Option<String>, D::Error> {
    crate::base::ids::deserialize_meta_id(de).map(Some)
}

#[derive(Deserialize)]
struct Wrapped {
    data: TokenInfo,
}

impl Client {
    /// Inspects a token with the app's own.
    ///
    /// # Errors
    /// See [`super::GraphError`]. A token that does not work is no error: see [`TokenInfo::is_valid`].
    pub async fn debug_token(&self, app: &AppCredentials, token: &SecretString) -> Result<TokenInfo> {
        let access = Access::new(app.token(), app.secret.clone());
        let query = vec![("input_token", token.expose_secret().to_owned())];
        let wrapped: Wrapped =
            self.call(&access, Method::GET, "debug_token", Call { query, ..Call::default() }).await?;
        Ok(wrapped.data)
    }
}
