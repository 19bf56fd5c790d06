//! What becomes of a grant after it was given: a permission is taken away, an account is closed to it, its end comes
//! near, the app's subscription ends. What Meta then answers follows from the state.

use super::{
    Sandbox,
    assets::Subscribed,
    control::{Answer, ok, read, refused, unsaved},
    tokens::{DAY_MS, Kind, Token},
};
use axum::{body::Bytes, extract::State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TokenChange {
    /// Only tokens that reach this account; all customers' without it.
    waba_id: Option<String>,
    /// A permission that is taken away.
    drop_scope: Option<String>,
    /// In how many days they end; 0: never.
    days: Option<i64>,
}

fn drop_scope(token: &mut Token, scope: &str) {
    token.scopes.retain(|have| have != scope);
    token.granular.retain(|granular| granular.scope != scope);
}

/// `POST /_sandbox/tokens/change`.
pub(super) async fn tokens(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let asked: TokenChange = read(&body)?;
    let now_ms = sandbox.now_ms();
    let changed = sandbox.change(|state| {
        let of = |token: &&mut Token| {
            token.kind != Kind::System && asked.waba_id.as_ref().is_none_or(|id| token.waba_ids.contains(id))
        };
        let mut count = 0;
        for token in state.tokens.iter_mut().filter(of) {
            if let Some(scope) = &asked.drop_scope {
                drop_scope(token, scope);
            }
            if let Some(days) = asked.days {
                token.expires_ms = if days == 0 { 0 } else { now_ms + days * DAY_MS };
            }
            count += 1;
        }
        count
    });
    ok(json!({"tokens": changed.map_err(unsaved)?}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountChange {
    waba_id: String,
    /// Whether customers' tokens do not reach it any more.
    closed: Option<bool>,
    /// Whether the app is subscribed to its webhooks.
    subscribed: Option<bool>,
}

/// `POST /_sandbox/accounts`.
pub(super) async fn accounts(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let asked: AccountChange = read(&body)?;
    let found = sandbox.change(|state| {
        let waba = state.waba_mut(&asked.waba_id)?;
        if let Some(on) = asked.subscribed {
            waba.subscribed = on.then(Subscribed::default);
        }
        let business = waba.business_id.clone();
        if let Some(closed) = asked.closed {
            waba.shared = !closed;
            for token in state.tokens.iter_mut().filter(|token| token.business_id == business) {
                token.waba_ids.retain(|id| *id != asked.waba_id);
                if !closed {
                    token.waba_ids.push(asked.waba_id.clone());
                }
                for granular in &mut token.granular {
                    if let Some(targets) = &mut granular.target_ids {
                        targets.retain(|id| *id != asked.waba_id);
                    }
                }
            }
        }
        Some(())
    });
    match found.map_err(unsaved)? {
        Some(()) => ok(json!({"success": true})),
        None => Err(refused(StatusCode::NOT_FOUND, "there is no such account")),
    }
}
