//! How far the limits on calls are used up, as `X-App-Usage` and `X-Business-Use-Case-Usage` tell it: percent of what is
//! allowed in a rolling hour; an account at 100 is refused with code 80008 (Graph API, *Rate limits*).

use super::control::{Answer, ok, read, unsaved};
use super::{Sandbox, graph::GraphError};
use axum::{body::Bytes, extract::State};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What an account has used up.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Share {
    /// Percent of the calls.
    percent: u32,
    /// Minutes until calls are taken again.
    regain_minutes: u32,
}

/// What is used up; nothing where it is not named.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Usage {
    /// Percent of the app's calls.
    app: u32,
    /// By the account's ID.
    accounts: BTreeMap<String, Share>,
}

impl Usage {
    fn of(&self, path: &[String]) -> Option<(&str, Share)> {
        let (id, share) = self.accounts.get_key_value(path.first()?)?;
        Some((id, *share))
    }

    /// Writes the headers of an answer to a call of this path.
    pub(super) fn tell(&self, path: &[String], headers: &mut HeaderMap) {
        let mut set = |name: &'static str, value: Value| {
            if let Ok(value) = value.to_string().parse() {
                headers.insert(name, value);
            }
        };
        set("x-app-usage", json!({"call_count": self.app, "total_cputime": 0, "total_time": 0}));
        if let Some((id, share)) = self.of(path) {
            let told = json!([{
                "type": "whatsapp",
                "call_count": share.percent,
                "total_cputime": 1,
                "total_time": 1,
                "estimated_time_to_regain_access": share.regain_minutes,
            }]);
            set("x-business-use-case-usage", json!({ id: told }));
        }
    }

    /// Whether a call of this path is one too many.
    pub(super) fn refuses(&self, path: &[String]) -> Option<GraphError> {
        let (_, share) = self.of(path)?;
        let message =
            "(#80008) There have been too many calls to this WhatsApp Business account. Wait a bit and try again.";
        (share.percent >= 100).then(|| GraphError::new(80008, message).transient())
    }
}

/// `POST /_sandbox/usage`: from now on that much is used up.
pub(super) async fn change(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let asked: Usage = read(&body)?;
    sandbox.change(|state| state.usage = asked.clone()).map_err(unsaved)?;
    ok(json!({"usage": asked}))
}
