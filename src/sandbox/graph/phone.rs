//! `/{phone}`: everything known about a number, and its settings.
//!
//! Meta: reference/whatsapp-business-phone-number/whatsapp-business-account-phone-number-api,
//! reference/whatsapp-business-account/phone-number-management-api, webhooks/override.

use super::{
    super::{
        Sandbox,
        assets::{NameStatus, Phone, Waba, digits},
        names,
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
    let ready = phone.name_status.is_ready();
    let more = &phone.more;
    let quality = more.quality.as_deref();
    let limit = more.limit.as_deref().unwrap_or("TIER_250");
    let (new_name, new_status) = new_name(phone);
    let number = digits(&phone.display);
    let all = json!({
        "id": phone.id,
        "display_phone_number": phone.display,
        "verified_name": phone.verified_name,
        "quality_rating": quality.unwrap_or(if connected { "GREEN" } else { "NA" }),
        "quality_score": {"score": quality.unwrap_or(if connected { "GREEN" } else { "UNKNOWN" })},
        "code_verification_status": if phone.verified { "VERIFIED" } else { "UNVERIFIED" },
        "name_status": phone.name_status.as_str(),
        "new_display_name": new_name,
        "new_name_status": new_status,
        "status": phone.status(),
        "platform_type": hosted,
        "host_platform": hosted,
        "throughput": {"level": if connected { "STANDARD" } else { "NOT_APPLICABLE" }},
        "account_mode": "LIVE",
        "is_official_business_account": false,
        "is_on_biz_app": phone.on_biz_app,
        "is_pin_enabled": phone.pin.is_some(),
        "is_preverified_number": false,
        "messaging_limit_tier": limit,
        "whatsapp_business_manager_messaging_limit": limit,
        "unified_cert_status": match phone.name_status {
            NameStatus::PendingReview => "NAME_PENDING_REVIEW",
            NameStatus::Declined => "NAME_REJECTED",
            NameStatus::Approved | NameStatus::AvailableWithoutReview => "APPROVED",
        },
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

/// The name that was asked for instead, and Meta's word on it (display-names, *Updating display name via API*).
fn new_name(phone: &Phone) -> (Option<&str>, &'static str) {
    match phone.more.review.as_ref().filter(|review| !review.first) {
        Some(review) if !review.over => (Some(&review.name), "PENDING_REVIEW"),
        Some(review) if review.rejected.is_some() => (Some(&review.name), "DECLINED"),
        _ => (None, "NONE"),
    }
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

/// Asks for another display name, which is then reviewed (display-names).
fn rename(sandbox: &Sandbox, id: &str, name: &str) -> Result<Value, GraphError> {
    if !(2..=75).contains(&name.chars().count()) {
        return Err(GraphError::parameter("Param new_display_name must be 2 to 75 characters long"));
    }
    let now_ms = sandbox.now_ms();
    sandbox.change(|state| {
        if let Some(phone) = state.phone_mut(id) {
            let mut review = names::another(name, now_ms);
            if !phone.connected() {
                // The name that it would begin with.
                phone.verified_name = name.to_owned();
                phone.name_status = NameStatus::PendingReview;
                review.first = true;
            }
            phone.more.review = Some(review);
        }
    })?;
    Ok(json!({"success": true}))
}

/// Sets the PIN, the name or an alternate callback.
pub(super) async fn update(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    sandbox.read(|state| caller.phone(state, call, id).map(|_| ()))?;
    if let Some(pin) = call.text("pin") {
        super::register::check_pin(&pin)?;
        sandbox.change(|state| {
            if let Some(phone) = state.phone_mut(id) {
                phone.pin = Some(pin);
                // That it lifts the pause after wrong ones, no document says.
            }
        })?;
        return Ok(json!({"success": true}));
    }
    if let Some(name) = call.text("new_display_name") {
        return rename(sandbox, id, name.trim());
    }
    let configuration = match call.value("webhook_configuration") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(value) => value.clone(),
        None => {
            return Err(GraphError::parameter(
                "The parameters pin, new_display_name or webhook_configuration are required",
            ));
        }
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
