//! `/{waba}`, `/{waba}/phone_numbers`, `/{waba}/subscribed_apps`.
//!
//! Meta: reference/whatsapp-business-account/whatsapp-business-account-api, .../phone-number-management-api,
//! .../subscribed-apps-api, webhooks/override.

use super::{
    super::{
        Sandbox,
        assets::{Subscribed, Waba},
        state::State,
        webhooks,
    },
    auth::Caller,
    call::Call,
    error::GraphError,
    fields::{self, Field, Node},
    health, paging, phone,
};
use serde_json::{Value, json};

pub(super) fn node(state: &State, waba: &Waba) -> Node {
    let owner = state.business(&waba.business_id);
    let phones: Vec<Value> = state.phones_of(&waba.id).map(brief).collect();
    let verification = if state.templates.verified.contains(&waba.id) { "VERIFIED" } else { "UNVERIFIED" };
    let all = json!({
        "id": waba.id,
        "name": waba.name,
        "timezone_id": "1",
        "message_template_namespace": format!("{:0>8}_doorway_sandbox", &waba.id[..8.min(waba.id.len())]),
        "currency": waba.currency,
        "country": owner.map(|owner| owner.country.clone()).filter(|country| country.len() == 2),
        "account_review_status": "APPROVED",
        "business_verification_status": verification,
        "ownership_type": "CLIENT_OWNED",
        "is_enabled_for_insights": true,
        "marketing_messages_onboarding_status": "ELIGIBLE",
        "owner_business_info": owner.map(|owner| json!({"id": owner.id, "name": owner.name})),
        "on_behalf_of_business_info": owner.map(|owner| json!({"id": owner.id, "name": owner.name})),
        "primary_funding_id": null,
        "purchase_order_number": null,
        "status": "ACTIVE",
        "health_status": health::of_waba(state, waba),
        "phone_numbers": {"data": phones},
        "subscribed_apps": subscribed(state, waba),
    });
    Node {
        kind: "WhatsAppBusinessAccount",
        all: all.as_object().cloned().unwrap_or_default(),
        defaults: &["id", "name", "timezone_id", "message_template_namespace"],
    }
}

fn brief(phone: &super::super::assets::Phone) -> Value {
    json!({"id": phone.id, "display_phone_number": phone.display, "verified_name": phone.verified_name})
}

pub(super) fn read(state: &State, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    let waba = caller.waba(state, call, id)?;
    node(state, waba).select(&requested(call)?)
}

/// What the `fields` parameter asks for.
pub(super) fn requested(call: &Call) -> Result<Vec<Field>, GraphError> {
    fields::parse(&call.text("fields").unwrap_or_default())
}

pub(super) fn phone_numbers(
    sandbox: &Sandbox,
    state: &State,
    call: &Call,
    caller: &Caller,
    id: &str,
) -> Result<Value, GraphError> {
    let waba = caller.waba(state, call, id)?;
    let fields = requested(call)?;
    let items = state
        .phones_of(&waba.id)
        .map(|phone| Ok((phone.id.clone(), phone::listed(state, phone, waba).select(&fields)?)))
        .collect::<Result<Vec<_>, GraphError>>()?;
    paging::page(call, &sandbox.origin(), items)
}

fn subscribed(state: &State, waba: &Waba) -> Value {
    let apps = waba.subscribed.iter().map(|subscribed| {
        let mut entry = json!({"whatsapp_business_api_data": {
            "id": state.app.id,
            "link": format!("https://www.facebook.com/games/?app_id={}", state.app.id),
            "name": state.app.name,
        }});
        if let Some(uri) = &subscribed.override_callback_uri {
            entry["override_callback_uri"] = json!(uri);
        }
        entry
    });
    let own = waba.own_subscribed.iter().filter_map(|id| state.own_app(id)).map(|app| {
        let link = format!("https://www.facebook.com/games/?app_id={}", app.id);
        json!({"whatsapp_business_api_data": {"id": app.id, "link": link, "name": app.name}})
    });
    json!({"data": apps.chain(own).collect::<Vec<_>>()})
}

pub(super) fn subscriptions(state: &State, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    caller.waba(state, call, id).map(|waba| subscribed(state, waba))
}

/// Subscribes the app. An override needs a default callback that is subscribed to `messages`.
pub(super) async fn subscribe(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    let uri = call.text("override_callback_uri").filter(|uri| !uri.is_empty());
    if let Some(own) = caller.own_app() {
        sandbox.read(|state| caller.waba(state, call, id).map(|_| ()))?;
        sandbox.change(|state| {
            if let Some(waba) = state.waba_mut(id).filter(|waba| !waba.own_subscribed.iter().any(|id| id == own)) {
                waba.own_subscribed.push(own.to_owned());
            }
        })?;
        return Ok(json!({"success": true}));
    }
    sandbox.read(|state| {
        caller.waba(state, call, id)?;
        let fields = state.app.subscription.as_ref().map(|subscription| subscription.fields.as_slice());
        if uri.is_some() && !fields.unwrap_or_default().iter().any(|field| field == "messages") {
            return Err(GraphError::parameter(
                "Before override the current callback uri, your app must be subscribed to receive messages for \
                 WhatsApp Business Account",
            ));
        }
        Ok(())
    })?;
    if let Some(uri) = &uri {
        check_override(sandbox, call, uri, call.text("verify_token")).await?;
    }
    sandbox.change(|state| {
        if let Some(waba) = state.waba_mut(id) {
            waba.subscribed = Some(Subscribed { override_callback_uri: uri });
        }
    })?;
    Ok(json!({"success": true}))
}

/// Holds an alternate callback to the rules of webhooks/override and to the handshake.
pub(super) async fn check_override(
    sandbox: &Sandbox,
    call: &Call,
    uri: &str,
    verify_token: Option<String>,
) -> Result<(), GraphError> {
    if uri.chars().count() > 200 {
        return Err(GraphError::parameter("override_callback_uri must be at most 200 characters long"));
    }
    let token = verify_token.ok_or_else(|| GraphError::parameter("The parameter verify_token is required"))?;
    webhooks::handshake(sandbox, uri, &token).await.map_err(|why| {
        tracing::info!(path = call.path, why, "an alternate callback did not pass the handshake");
        GraphError::new(2200, format!("(#2200) Callback verification failed with the following errors: {why}"))
    })
}

pub(super) fn unsubscribe(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    sandbox.read(|state| caller.waba(state, call, id).map(|_| ()))?;
    sandbox.change(|state| {
        if let Some(waba) = state.waba_mut(id) {
            match caller.own_app() {
                Some(own) => waba.own_subscribed.retain(|id| id != own),
                None => waba.subscribed = None,
            }
        }
    })?;
    Ok(json!({"success": true}))
}
