//! The whole state in short, as `GET /_sandbox/state` tells it: no secret, tokens masked.

use super::{record::mask_token, scenario::Scenario, state::State};
use serde_json::{Value, json};

pub(super) fn describe(state: &State) -> Value {
    let tokens = state.tokens.iter().map(|token| {
        json!({
            "token": mask_token(&token.secret).chars().take(12).collect::<String>(),
            "kind": format!("{:?}", token.kind).to_lowercase(),
            "business_id": token.business_id, "waba_ids": token.waba_ids, "scopes": token.scopes,
            "issued_at": token.issued_ms / 1000, "expires_at": token.expires_ms / 1000, "revoked": token.revoked,
        })
    });
    let phones = state.phones.iter().map(|phone| {
        json!({
            "id": phone.id, "waba_id": phone.waba_id, "display_phone_number": phone.display,
            "verified_name": phone.verified_name, "verified": phone.verified, "registered": phone.registered,
            "is_on_biz_app": phone.on_biz_app, "name_status": phone.name_status.as_str(),
            // What a person would read on their phone.
            "code": phone.more.code.as_ref().map(|sent| &sent.code),
            "has_pin": phone.pin.is_some(), "storage_region": phone.more.storage_region,
        })
    });
    let businesses = state.businesses.iter().map(|business| json!({"id": business.id, "name": business.name}));
    let wabas = state.wabas.iter().map(|waba| {
        json!({
            "id": waba.id, "name": waba.name, "business_id": waba.business_id, "shared": waba.shared,
            "subscribed": waba.subscribed.is_some(), "own_subscribed": waba.own_subscribed,
            "override_callback_uri": waba.subscribed.as_ref().and_then(|sub| sub.override_callback_uri.clone()),
        })
    });
    json!({
        "app": {
            "id": state.app.id, "name": state.app.name, "config_id": state.app.config_id,
            "business_id": state.app.business_id, "redirect_uris": state.app.redirect_uris,
            "allowed_domains": state.app.allowed_domains, "js_sdk_login": state.app.js_sdk_login,
            "require_app_secret": state.app.require_app_secret, "subscription": state.app.subscription,
            "dashboard": state.app.dashboard,
        },
        "businesses": businesses.collect::<Vec<_>>(),
        "wabas": wabas.collect::<Vec<_>>(),
        "phones": phones.collect::<Vec<_>>(),
        "tokens": tokens.collect::<Vec<_>>(),
        "armed": state.armed,
        "faults": state.faults,
        "webhooks_waiting": state.outbox.len(),
        "scenarios": Scenario::all().map(|scenario| scenario.to_string()).collect::<Vec<_>>(),
    })
}
