//! `/{phone}/register` and `/{phone}/deregister`.
//!
//! Meta: business-phone-numbers/registration, error-codes; embedded-signup/onboarding-business-app-users
//! for numbers in use with the WhatsApp Business app. The subcode 2388001 of an unready display name is
//! what other products report (see the project's notes on registration); Meta's page names it for migration.

use super::{
    super::{
        Sandbox,
        assets::{NameStatus, Phone},
        tokens::DAY_MS,
    },
    auth::Caller,
    call::Call,
    error::GraphError,
};
use crate::base::text::constant_time_eq;
use serde_json::{Value, json};

const WINDOW_MS: i64 = 3 * DAY_MS;
const TRIES: usize = 10;
const REGIONS: [&str; 14] = ["AE", "AU", "BH", "BR", "CA", "CH", "DE", "GB", "ID", "IN", "JP", "KR", "SG", "ZA"];

pub(super) fn register(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    sandbox.read(|state| caller.phone(state, call, id).map(|_| ()))?;
    caller.messaging()?;
    if call.text("messaging_product").as_deref() != Some("whatsapp") {
        return Err(GraphError::parameter("The parameter messaging_product is required."));
    }
    let pin = call.text("pin").ok_or_else(|| GraphError::parameter("The parameter pin is required."))?;
    check_pin(&pin)?;
    if let Some(region) = call.text("data_localization_region").filter(|region| !REGIONS.contains(&region.as_str())) {
        return Err(GraphError::parameter(format!("Param data_localization_region has no value {region}")));
    }
    let now_ms = sandbox.now_ms();
    sandbox.change(|state| {
        let phone = state.phone_mut(id).ok_or_else(|| GraphError::unsupported(&call.method, id))?;
        attempt(phone, now_ms, |phone| &mut phone.register_tries_ms)?;
        if phone.on_biz_app {
            return Err(GraphError::parameter("This number is in use with the WhatsApp Business app.")
                .details("Registration is not needed for numbers in use with the WhatsApp Business app."));
        }
        if !phone.verified {
            return Err(GraphError::new(133_006, "(#133006) Phone number re-verification needed")
                .details("Verify the phone number before registering it."));
        }
        if phone.name_status == NameStatus::PendingReview {
            return Err(GraphError::parameter("Invalid parameter")
                .subcode(2_388_001)
                .user("Cannot Create Certificate", "The display name of this number is not ready yet."));
        }
        if phone.pin.as_ref().is_some_and(|set| !constant_time_eq(set, &pin)) {
            return Err(GraphError::new(133_005, "(#133005) Two step verification PIN Mismatch")
                .details("The two-step verification PIN is incorrect."));
        }
        phone.pin = Some(pin);
        phone.registered = true;
        Ok(json!({"success": true}))
    })?
}

pub(super) fn deregister(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    sandbox.read(|state| caller.phone(state, call, id).map(|_| ()))?;
    caller.messaging()?;
    let now_ms = sandbox.now_ms();
    sandbox.change(|state| {
        let phone = state.phone_mut(id).ok_or_else(|| GraphError::unsupported(&call.method, id))?;
        attempt(phone, now_ms, |phone| &mut phone.deregister_tries_ms)?;
        if phone.on_biz_app {
            return Err(GraphError::parameter(
                "A number in use with both Cloud API and the WhatsApp Business app can't be deregistered.",
            ));
        }
        if !phone.registered {
            return Err(GraphError::new(133_010, "(#133010) The account is not registered")
                .details("The phone number is not registered on the WhatsApp Business Platform."));
        }
        phone.registered = false;
        Ok(json!({"success": true}))
    })?
}

/// A PIN has six digits.
pub(super) fn check_pin(pin: &str) -> Result<(), GraphError> {
    if pin.len() == 6 && pin.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(GraphError::parameter("Param pin must be a six-digit number"))
}

/// Counts a try: the eleventh within 72 hours blocks the number for 72 hours.
fn attempt(phone: &mut Phone, now_ms: i64, tries: fn(&mut Phone) -> &mut Vec<i64>) -> Result<(), GraphError> {
    let blocked = GraphError::new(133_016, "(#133016) Account register deregister rate limit exceeded").details(
        "Registration or deregistration failed because there were too many attempts for this phone number in a short \
         period of time.",
    );
    if phone.blocked_until_ms > now_ms {
        return Err(blocked);
    }
    let made = tries(phone);
    made.retain(|at| at + WINDOW_MS > now_ms);
    if made.len() >= TRIES {
        phone.blocked_until_ms = now_ms + WINDOW_MS;
        return Err(blocked);
    }
    made.push(now_ms);
    Ok(())
}
