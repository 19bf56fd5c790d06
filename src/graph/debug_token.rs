//! What a token is good for.
//! <https://developers.facebook.com/docs/graph-api/reference/debug_token>

use super::{Access, AppCredentials, Call, Client, Result};
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeSet;
use time::OffsetDateTime;

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
    /// Why it does not work.
    pub error: Option<TokenFault>,
}

/// Why a token does not work.
#[derive(Clone, Debug, Deserialize)]
pub struct TokenFault {
    /// Graph's code.
    #[serde(default)]
    pub code: i64,
    /// Graph's subcode.
    pub subcode: Option<i64>,
    /// In Meta's words.
    #[serde(default)]
    pub message: String,
}

impl TokenInfo {
    /// All permissions, from both lists: in some weeks Meta filled only one of them.
    #[must_use]
    pub fn all_scopes(&self) -> Vec<String> {
        let granular = self.granular_scopes.iter().map(|granular| granular.scope.clone());
        self.scopes.iter().cloned().chain(granular).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// When it ends, in seconds since the epoch; `None`: never, or not told.
    #[must_use]
    pub fn ends_at(&self) -> Option<i64> {
        self.expires_at.filter(|at| *at > 0)
    }

    /// When it ends; `None`: never, or not told.
    #[must_use]
    pub fn end(&self) -> Option<OffsetDateTime> {
        self.ends_at().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok())
    }

    /// When access to the data ends.
    #[must_use]
    pub fn data_access_end(&self) -> Option<OffsetDateTime> {
        let at = self.data_access_expires_at.filter(|at| *at > 0);
        at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok())
    }
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
