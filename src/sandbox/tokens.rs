//! Tokens, the codes they are exchanged for, and the grants behind both.
//!
//! Codes live 30 seconds (embedded-signup/implementation, *Response callback*); business tokens of the
//! 60-day template live 60 days (embedded-signup/implementation, step 2).

use super::ids;
use serde::{Deserialize, Serialize};

pub(super) const CODE_LIFE_MS: i64 = 30_000;
pub(super) const DAY_MS: i64 = 86_400_000;
pub(super) const TOKEN_LIFE_MS: i64 = 60 * DAY_MS;
const DATA_ACCESS_MS: i64 = 90 * DAY_MS;

pub(super) const MANAGEMENT: &str = "whatsapp_business_management";
pub(super) const MESSAGING: &str = "whatsapp_business_messaging";
pub(super) const BUSINESS: &str = "business_management";
pub(super) const PROFILE: &str = "public_profile";

/// Whom a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// A customer's business integration system user, through Embedded Signup.
    Business,
    /// The person, through the plain OAuth flow.
    User,
    /// The operator's own system user.
    System,
}

/// One entry of `granular_scopes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Granular {
    pub scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_ids: Option<Vec<String>>,
}

/// What a customer allowed: a code carries it, and the token made of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Grant {
    pub kind: Kind,
    pub business_id: String,
    /// Every WABA of that business that was ever shared.
    pub waba_ids: Vec<String>,
    pub scopes: Vec<String>,
    pub granular: Vec<Granular>,
    pub lifetime_ms: i64,
    /// The token is revoked as soon as it was given out.
    pub revoke_at_once: bool,
}

/// An authorization code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Code {
    pub code: String,
    /// The dialog's redirect URI; codes of the SDK have none.
    pub redirect_uri: Option<String>,
    pub expires_ms: i64,
    pub used: bool,
    pub grant: Grant,
}

/// An access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Token {
    pub secret: String,
    /// The app that it is of; `None`: the operator's.
    #[serde(default)]
    pub app_id: Option<String>,
    pub kind: Kind,
    pub business_id: String,
    pub waba_ids: Vec<String>,
    pub scopes: Vec<String>,
    pub granular: Vec<Granular>,
    pub user_id: String,
    pub issued_ms: i64,
    /// 0: never.
    pub expires_ms: i64,
    pub data_access_expires_ms: i64,
    pub revoked: bool,
    pub lifetime_ms: i64,
}

impl Token {
    pub fn of(grant: &Grant, now_ms: i64) -> Self {
        Self {
            secret: ids::access_token(),
            app_id: None,
            kind: grant.kind,
            business_id: grant.business_id.clone(),
            waba_ids: grant.waba_ids.clone(),
            scopes: grant.scopes.clone(),
            granular: grant.granular.clone(),
            user_id: ids::object(),
            issued_ms: now_ms,
            expires_ms: now_ms + grant.lifetime_ms,
            data_access_expires_ms: now_ms + DATA_ACCESS_MS,
            revoked: grant.revoke_at_once,
            lifetime_ms: grant.lifetime_ms,
        }
    }

    /// The same access for another term, as `fb_exchange_token` gives it.
    pub fn renewed(&self, now_ms: i64) -> Self {
        Self {
            secret: ids::access_token(),
            issued_ms: now_ms,
            expires_ms: now_ms + TOKEN_LIFE_MS,
            data_access_expires_ms: now_ms + DATA_ACCESS_MS,
            lifetime_ms: TOKEN_LIFE_MS,
            ..self.clone()
        }
    }

    /// The operator's own system token, which never expires.
    pub fn system(secret: &str, business_id: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            app_id: None,
            kind: Kind::System,
            business_id: business_id.to_owned(),
            waba_ids: Vec::new(),
            scopes: [BUSINESS, MANAGEMENT, MESSAGING].map(str::to_owned).to_vec(),
            granular: Vec::new(),
            user_id: "122100000000000".to_owned(),
            issued_ms: 0,
            expires_ms: 0,
            data_access_expires_ms: 0,
            revoked: false,
            lifetime_ms: 0,
        }
    }

    pub fn may(&self, scope: &str) -> bool {
        self.scopes.iter().any(|have| have == scope)
    }

    pub fn expired(&self, now_ms: i64) -> bool {
        self.expires_ms != 0 && self.expires_ms <= now_ms
    }
}
