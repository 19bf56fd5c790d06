//! `/{app}`, `/{app}/permissions` and `/{app}/subscriptions`.
//!
//! Meta: Graph API reference, *Application* and *Application Subscriptions*; webhooks/create-webhook-endpoint.

use super::{
    super::{
        Sandbox, dashboard,
        state::{State, Subscription},
        webhooks,
    },
    auth::Caller,
    call::Call,
    error::GraphError,
    fields::Node,
    waba,
};
use serde_json::{Value, json};

const OBJECT: &str = "whatsapp_business_account";
/// The fields of `whatsapp_business_account` (webhooks/reference).
const FIELDS: [&str; 24] = [
    "account_alerts",
    "account_offboarded",
    "account_reconnected",
    "account_review_update",
    "account_settings_update",
    "account_update",
    "automatic_events",
    "business_capability_update",
    "business_status_update",
    "calls",
    "flows",
    "group_lifecycle_update",
    "group_participants_update",
    "history",
    "message_echoes",
    "message_template_components_update",
    "message_template_quality_update",
    "message_template_status_update",
    "messages",
    "partner_solutions",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
    "smb_app_state_sync",
];
const MORE_FIELDS: [&str; 8] = [
    "group_settings_update",
    "group_status_update",
    "messaging_handovers",
    "payment_configuration_update",
    "smb_message_echoes",
    "template_category_update",
    "tracking_events",
    "user_preferences",
];

pub(super) fn read(state: &State, call: &Call, caller: &Caller) -> Result<Value, GraphError> {
    let board = &state.app.dashboard;
    // What is not filled in is left out of the answer.
    let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
    let domains = dashboard::app_domains(state);
    let all = json!({
        "id": state.app.id,
        "name": state.app.name,
        "category": filled(&board.category),
        "link": format!("https://www.facebook.com/games/?app_id={}", state.app.id),
        "app_domains": (!domains.is_empty()).then_some(domains),
        "icon_url": filled(&board.icon_url),
        "logo_url": filled(&board.icon_url),
        "privacy_policy_url": filled(&board.privacy_policy_url),
        "terms_of_service_url": filled(&board.terms_of_service_url),
        "namespace": null,
        "business": caller.kind().map(|_| json!({"id": state.app.business_id})),
    });
    let all = all.as_object().cloned().unwrap_or_default();
    Node { kind: "Application", all, defaults: &["category", "link", "name", "id"] }.select(&waba::requested(call)?)
}

/// The permissions that App Review has approved (Graph API reference, *Application Permissions*).
pub(super) fn permissions(state: &State, caller: &Caller) -> Result<Value, GraphError> {
    app_token(caller)?;
    let approved = state.app.dashboard.approved_permissions.iter();
    let data: Vec<Value> = approved.map(|name| json!({"permission": name, "status": "live"})).collect();
    Ok(json!({ "data": data }))
}

fn app_token(caller: &Caller) -> Result<(), GraphError> {
    if caller.is_app() {
        return Ok(());
    }
    Err(GraphError::new(15, "(#15) This method must be called with an app access_token."))
}

pub(super) fn subscriptions(state: &State, call: &Call, caller: &Caller) -> Result<Value, GraphError> {
    app_token(caller)?;
    let entries = state.app.subscription.iter().map(|subscription| {
        let fields: Vec<Value> =
            subscription.fields.iter().map(|field| json!({"name": field, "version": call.version})).collect();
        json!({"object": OBJECT, "callback_url": subscription.callback_url, "active": subscription.active, "fields": fields})
    });
    Ok(json!({"data": entries.collect::<Vec<_>>()}))
}

pub(super) async fn subscribe(sandbox: &Sandbox, call: &Call, caller: &Caller) -> Result<Value, GraphError> {
    app_token(caller)?;
    object(call)?;
    let required = |name: &str| {
        call.text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| GraphError::parameter(format!("The parameter {name} is required")))
    };
    let callback_url = required("callback_url")?;
    let verify_token = required("verify_token")?;
    let fields: Vec<String> = match call.value("fields") {
        Some(Value::Array(items)) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => list(&required("fields")?),
    };
    let refused = sandbox.read(|state| state.app.dashboard.refused_fields.clone());
    for field in &fields {
        if refused.contains(field) {
            return Err(GraphError::parameter(format!("Param fields[0] has no field {field} on object {OBJECT}")));
        }
        if !FIELDS.contains(&field.as_str()) && !MORE_FIELDS.contains(&field.as_str()) {
            return Err(GraphError::parameter(format!("Param fields[0] has no field {field} on object {OBJECT}")));
        }
    }
    webhooks::handshake(sandbox, &callback_url, &verify_token).await.map_err(|why| {
        GraphError::new(2200, format!("(#2200) Callback verification failed with the following errors: {why}"))
    })?;
    sandbox.change(|state| {
        // By the reference a subscription is amended "without overwriting existing fields"; others saw it replaced.
        let there = state.app.subscription.take().filter(|_| !state.app.dashboard.replaces_fields);
        let mut all = there.map(|old| old.fields).unwrap_or_default();
        all.extend(fields.into_iter().filter(|field| !all.contains(field)).collect::<Vec<_>>());
        state.app.subscription = Some(Subscription { callback_url, fields: all, active: true });
    })?;
    Ok(json!({"success": true}))
}

/// Removes the named fields, or the whole subscription.
pub(super) fn unsubscribe(sandbox: &Sandbox, call: &Call, caller: &Caller) -> Result<Value, GraphError> {
    app_token(caller)?;
    if call.text("object").is_some() {
        object(call)?;
    }
    let fields = call.text("fields").map(|text| list(&text));
    sandbox.change(|state| match (fields, &mut state.app.subscription) {
        (Some(fields), Some(subscription)) => subscription.fields.retain(|field| !fields.contains(field)),
        (_, subscription) => *subscription = None,
    })?;
    Ok(json!({"success": true}))
}

fn object(call: &Call) -> Result<(), GraphError> {
    match call.text("object").as_deref() {
        Some(OBJECT) => Ok(()),
        _ => Err(GraphError::parameter(format!("Param object must be one of {{{OBJECT}}}"))),
    }
}

fn list(text: &str) -> Vec<String> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    text.split(',').map(|field| field.trim().trim_matches('"').to_owned()).filter(|field| !field.is_empty()).collect()
}
