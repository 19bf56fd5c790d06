//! `/{phone}`: everything known about a number, and its settings.
//!
//! Meta: reference/whatsapp-business-phone-number/whatsapp-business-account-phone-number-api,
//! reference/whatsapp-business-account/phone-number-management-api, webhooks/override.

use super::{
    super::{
        Sandbox,
        assets::{NameStatus, Phone, Waba, digits},
        state::State,
    },
    auth::Caller,
    call::Call,
    error::GraphError,
    fields::Node,
    health, waba,
};
use crate::base::clock::from_ms;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

const LISTED: &[&str] = &[
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "last_onboarded_time",
    "webhook_configuration",
    "id",
];

pub(super) fn node(state: &State, phone: &Phone, waba: &Waba) -> Node {
    let connected = phone.connected();
    let hosted = if connected { "CLOUD_API" } else { "NOT_APPLICABLE" };
    let ready = phone.name_status == NameStatus::AvailableWithoutReview;
    let number = digits(&phone.display);
    let all = json!({
        "id": phone.id,
        "display_phone_number": phone.display,
        "verified_name": phone.verified_name,
        "quality_rating": if connected { "GREEN" } else { "NA" },
        "quality_score": {"score": if connected { "GREEN" } else { "UNKNOWN" }},
        "code_verification_status": if phone.verified { "VERIFIED" } else { "UNVERIFIED" },
        "name_status": phone.name_status.as_str(),
        "new_name_status": "NONE",
        "status": phone.status(),
        "platform_type": hosted,
        "host_platform": hosted,
        "throughput": {"level": if connected { "STANDARD" } else { "NOT_APPLICABLE" }},
        "account_mode": "LIVE",
        "is_official_business_account": false,
        "is_on_biz_app": phone.on_biz_app,
        "is_pin_enabled": phone.pin.is_some(),
        "is_preverified_number": false,
        "messaging_limit_tier": "TIER_250",
        "whatsapp_business_manager_messaging_limit": "TIER_250",
        "unified_cert_status": if ready { "APPROVED" } else { "NAME_PENDING_REVIEW" },
        "certificate": ready.then(|| format!("CmYKIgjsandbox{}", phone.id)),
        "new_certificate": null,
        "search_visibility": "NON_VISIBLE",
        "eligibility_for_api_business_global_search": "NON_ELIGIBLE_UNDEFINED_COUNTRY",
        "country_code": number.starts_with('1').then_some("US"),
        "country_dial_code": number.starts_with('1').then_some("1"),
        "username": null,
        "conversational_automation": null,
        "last_onboarded_time": from_ms(phone.created_ms).format(&Rfc3339).unwrap_or_default(),
        "webhook_configuration": configuration(state, phone, waba),
        "health_status": health::of_phone(state, phone, waba),
    });
    Node {
        kind: "WhatsAppBusinessPhoneNumber",
        all: all.as_object().cloned().unwrap_or_default(),
        defaults: &[
            "verified_name",
            "code_verification_status",
            "display_phone_number",
            "quality_rating",
            "platform_type",
            "throughput",
            "last_onboarded_time",
            "webhook_configuration",
            "id",
        ],
    }
}

/// A number as its account lists it. There Meta's reference has another `status`: `LINKED` or `PENDING`.
pub(super) fn listed(state: &State, phone: &Phone, waba: &Waba) -> Node {
    let mut node = node(state, phone, waba);
    node.all.insert("status".to_owned(), json!(if phone.connected() { "LINKED" } else { "PENDING" }));
    node.defaults = LISTED;
    node
}

fn configuration(state: &State, phone: &Phone, waba: &Waba) -> Value {
    let mut found = json!({});
    if let Some(uri) = &phone.override_callback_uri {
        found["phone_number"] = json!(uri);
    }
    if let Some(uri) = waba.subscribed.as_ref().and_then(|subscribed| subscribed.override_callback_uri.as_ref()) {
        found["whatsapp_business_account"] = json!(uri);
    }
    if let Some(subscription) = &state.app.subscription {
        found["application"] = json!(subscription.callback_url);
    }
    found
}

pub(super) fn read(state: &State, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    let phone = caller.phone(state, call, id)?;
    let waba = caller.waba(state, call, &phone.waba_id)?;
    node(state, phone, waba).select(&waba::requested(call)?)
}

/// Sets the PIN or an alternate callback.
pub(super) async fn update(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    sandbox.read(|state| caller.phone(state, call, id).map(|_| ()))?;
    if let Some(pin) = call.text("pin") {
        super::register::check_pin(&pin)?;
        sandbox.change(|state| {
            if let Some(phone) = state.phone_mut(id) {
                phone.pin = Some(pin);
            }
        })?;
        return Ok(json!({"success": true}));
    }
    let configuration = match call.value("webhook_configuration") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(value) => value.clone(),
        None => return Err(GraphError::parameter("The parameters pin or webhook_configuration are required")),
    };
    let uri = configuration["override_callback_uri"].as_str().unwrap_or_default().to_owned();
    if !uri.is_empty() {
        let token = configuration["verify_token"].as_str().map(str::to_owned);
        waba::check_override(sandbox, call, &uri, token).await?;
    }
    sandbox.change(|state| {
        if let Some(phone) = state.phone_mut(id) {
            phone.override_callback_uri = Some(uri).filter(|uri| !uri.is_empty());
        }
    })?;
    Ok(json!({"success": true}))
}
