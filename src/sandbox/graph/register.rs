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
use http::StatusCode;
use serde_json::{Value, json};

/// After so many wrong PINs none is looked at for a while. Meta names neither figure.
const WRONG_PINS: usize = 3;
const GUESSES_PAUSE_MS: i64 = 10 * 60_000;
/// So soon after a wrong PIN the next one is too fast.
const TOO_FAST_MS: i64 = 2_000;
const WINDOW_MS: i64 = 3 * DAY_MS;
const TRIES: usize = 10;
pub(super) const REGIONS: [&str; 14] =
    ["AE", "AU", "BH", "BR", "CA", "CH", "DE", "GB", "ID", "IN", "JP", "KR", "SG", "ZA"];

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
        attempt(phone, now_ms, |phone| (&mut phone.register_tries_ms, &mut phone.blocked_until_ms))?;
        if phone.on_biz_app {
            return Err(GraphError::parameter("This number is in use with the WhatsApp Business app.")
                .details("Registration is not needed for numbers in use with the WhatsApp Business app."));
        }
        if !phone.verified {
            return Err(GraphError::new(133_006, "(#133006) Phone number re-verification needed")
                .details("Verify the phone number before registering it."));
        }
        let more = &phone.more;
        if more.half_deregistered {
            return Err(GraphError::new(133_000, "(#133000) Incomplete Deregistration")
                .status(StatusCode::INTERNAL_SERVER_ERROR)
                .details("A previous deregistration attempt failed."));
        }
        if more.deleting_until_ms > now_ms {
            let text = "(#133015) Please wait a few minutes before attempting to register this phone number";
            return Err(GraphError::new(133_015, text)
                .details("The phone number was recently deleted, and deletion has not yet completed."));
        }
        if more.storage_region.is_some() && call.value("data_localization_region").is_some() {
            return Err(GraphError::parameter("Param data_localization_region is set in the number's settings"));
        }
        if phone.name_status == NameStatus::Declined {
            return Err(GraphError::parameter("Invalid parameter")
                .subcode(2_388_001)
                .user("Cannot Create Certificate", "The display name of this number was declined."));
        }
        if phone.name_status == NameStatus::PendingReview {
            return Err(GraphError::parameter("Invalid parameter")
                .subcode(2_388_001)
                .user("Cannot Create Certificate", "The display name of this number is not ready yet."));
        }
        guess(phone, &pin, now_ms)?;
        phone.pin = Some(pin);
        phone.more.wrong_pins_ms.clear();
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
        attempt(phone, now_ms, |phone| (&mut phone.deregister_tries_ms, &mut phone.more.deregister_blocked_until_ms))?;
        if phone.on_biz_app {
            return Err(GraphError::parameter(
                "A number in use with both Cloud API and the WhatsApp Business app can't be deregistered.",
            ));
        }
        if !phone.registered && !phone.more.half_deregistered {
            return Err(GraphError::new(133_010, "(#133010) The account is not registered")
                .details("The phone number is not registered on the WhatsApp Business Platform."));
        }
        phone.registered = false;
        phone.more.half_deregistered = false;
        // Local storage ends with the registration (registration, *Deregister*).
        phone.more.storage_region = None;
        Ok(json!({"success": true}))
    })?
}

/// Holds a PIN against the one that is set, and counts the wrong ones (error-codes, 133005, 133008, 133009).
fn guess(phone: &mut Phone, pin: &str, now_ms: i64) -> Result<(), GraphError> {
    let more = &mut phone.more;
    if more.pin_blocked_until_ms > now_ms {
        let minutes = (more.pin_blocked_until_ms - now_ms + 59_999) / 60_000;
        return Err(GraphError::new(133_008, "(#133008) Too Many two step verification PIN Guesses")
            .details(format!("Too many two-step verification PIN guesses. Try again in {minutes} minutes.")));
    }
    if phone.pin.as_ref().is_none_or(|set| constant_time_eq(set, pin)) {
        return Ok(());
    }
    more.wrong_pins_ms.retain(|at| at + GUESSES_PAUSE_MS > now_ms);
    let soon = more.wrong_pins_ms.last().is_some_and(|at| at + TOO_FAST_MS > now_ms);
    more.wrong_pins_ms.push(now_ms);
    if more.wrong_pins_ms.len() >= WRONG_PINS {
        more.pin_blocked_until_ms = now_ms + GUESSES_PAUSE_MS;
    }
    if soon {
        return Err(GraphError::new(133_009, "(#133009) Two step verification PIN Guessed Too Fast")
            .details("The two-step verification PIN was entered too quickly. Try again in 1 minute."));
    }
    Err(GraphError::new(133_005, "(#133005) Two step verification PIN Mismatch")
        .details("The two-step verification PIN is incorrect."))
}

/// A PIN has six digits.
pub(super) fn check_pin(pin: &str) -> Result<(), GraphError> {
    if pin.len() == 6 && pin.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(GraphError::parameter("Param pin must be a six-digit number"))
}

/// The tries of one kind, and until when that kind is blocked.
type Tries = for<'a> fn(&'a mut Phone) -> (&'a mut Vec<i64>, &'a mut i64);

/// Counts a try: the eleventh within 72 hours blocks its kind for 72 hours.
fn attempt(phone: &mut Phone, now_ms: i64, tries: Tries) -> Result<(), GraphError> {
    let blocked = GraphError::new(133_016, "(#133016) Account register deregister rate limit exceeded").details(
        "Registration or deregistration failed because there were too many attempts for this phone number in a short \
         period of time.",
    );
    let (made, blocked_until_ms) = tries(phone);
    if *blocked_until_ms > now_ms {
        return Err(blocked);
    }
    made.retain(|at| at + WINDOW_MS > now_ms);
    if made.len() >= TRIES {
        *blocked_until_ms = now_ms + WINDOW_MS;
        return Err(blocked);
    }
    made.push(now_ms);
    Ok(())
}
