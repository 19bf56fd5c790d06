//! `/{waba}/phone_numbers` (POST), `/{phone}/request_code` and `/{phone}/verify_code`. The code stands in
//! `GET /_sandbox/state`, as on the phone that it was sent to.
//!
//! Meta: solution-providers/registering-phone-numbers; the pages of both endpoints below reference/; Graph API reference
//! of `request_code` (136024) and `verify_code` (136025). Meta gives no figures for *too many codes*.

use super::{
    super::{
        Sandbox,
        assets::{NameStatus, Phone, PhoneMore, SentCode, digits},
        ids,
        tokens::DAY_MS,
    },
    auth::Caller,
    call::Call,
    error::GraphError,
};
use crate::base::text::constant_time_eq;
use serde_json::{Value, json};

/// A code's life, in milliseconds (verify-code-api: about ten minutes).
const CODE_LIFE_MS: i64 = 10 * 60_000;
/// So many codes in a day.
const CODES_A_DAY: usize = 5;
/// So many wrong guesses at one code.
const GUESSES: u32 = 5;
/// New portfolios may have so many registered numbers (phone-numbers, *Registered number cap*).
const NUMBERS: usize = 20;

pub(super) fn add(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    sandbox.read(|state| caller.waba(state, call, id).map(|_| ()))?;
    let text =
        |name: &str| call.text(name).ok_or_else(|| GraphError::parameter(format!("The parameter {name} is required.")));
    let (code, number, name) =
        (digits(&call.text("cc").unwrap_or_default()), digits(&text("phone_number")?), text("verified_name")?);
    let whole = if number.starts_with(&code) { number } else { format!("{code}{number}") };
    let parsed = phonenumber::parse(None, format!("+{whole}"));
    let Ok(parsed) = parsed.map(|number| number.format().mode(phonenumber::Mode::International).to_string()) else {
        return Err(GraphError::parameter("Invalid parameter")
            .subcode(2_388_103)
            .user("Invalid phone number", "This is not a phone number."));
    };
    if !(2..=75).contains(&name.trim().chars().count()) {
        return Err(GraphError::parameter("Param verified_name must be 2 to 75 characters long"));
    }
    let now_ms = sandbox.now_ms();
    sandbox.change(|state| {
        if state.phones.iter().any(|phone| digits(&phone.display) == whole) {
            return Err(GraphError::parameter("Invalid parameter")
                .subcode(2_388_012)
                .user("Phone number exists", "This phone number already exists in a list of phone numbers."));
        }
        if state.phones_of(id).count() >= NUMBERS {
            return Err(GraphError::parameter("This business portfolio has as many phone numbers as it may have"));
        }
        let new = ids::object();
        state.phones.push(Phone {
            id: new.clone(),
            waba_id: id.to_owned(),
            display: parsed,
            verified_name: name.trim().to_owned(),
            category: "OTHER".to_owned(),
            description: String::new(),
            created_ms: now_ms,
            verified: false,
            registered: false,
            on_biz_app: false,
            name_status: NameStatus::AvailableWithoutReview,
            pin: None,
            register_tries_ms: Vec::new(),
            deregister_tries_ms: Vec::new(),
            blocked_until_ms: 0,
            override_callback_uri: None,
            more: PhoneMore::default(),
        });
        Ok(json!({ "id": new }))
    })?
}

pub(super) fn request(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    sandbox.read(|state| caller.phone(state, call, id).map(|_| ()))?;
    if !matches!(call.text("code_method").as_deref(), Some("SMS" | "VOICE")) {
        return Err(GraphError::parameter("Param code_method must be one of {SMS, VOICE}"));
    }
    if call.text("language").is_none_or(|language| language.len() < 2) {
        return Err(GraphError::parameter("The parameter language is required."));
    }
    let now_ms = sandbox.now_ms();
    sandbox.change(|state| {
        let phone = state.phone_mut(id).ok_or_else(|| GraphError::unsupported(&call.method, id))?;
        if phone.verified {
            return Err(refused(136_024, "The phone number is verified already."));
        }
        let asks = &mut phone.more.code_asks_ms;
        asks.retain(|at| at + DAY_MS > now_ms);
        if asks.len() >= CODES_A_DAY {
            return Err(refused(136_024, "Too many codes were asked for. Try again in 24 hours."));
        }
        asks.push(now_ms);
        let code = format!("{:06}", rand::random_range(0..1_000_000));
        phone.more.code = Some(SentCode { code, sent_ms: now_ms, wrong: 0 });
        Ok(json!({"success": true}))
    })?
}

pub(super) fn verify(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    sandbox.read(|state| caller.phone(state, call, id).map(|_| ()))?;
    let given = digits(&call.text("code").ok_or_else(|| GraphError::parameter("The parameter code is required."))?);
    let now_ms = sandbox.now_ms();
    sandbox.change(|state| {
        let phone = state.phone_mut(id).ok_or_else(|| GraphError::unsupported(&call.method, id))?;
        let sent = phone.more.code.as_mut().filter(|sent| sent.sent_ms + CODE_LIFE_MS > now_ms);
        let Some(sent) = sent else { return Err(refused(136_025, "The code has expired. Ask for another one.")) };
        if sent.wrong >= GUESSES {
            return Err(refused(136_025, "Too many wrong codes. Ask for another one."));
        }
        if !constant_time_eq(&sent.code, &given) {
            sent.wrong += 1;
            return Err(refused(136_025, "The code is not the right one."));
        }
        phone.more.code = None;
        phone.verified = true;
        Ok(json!({"success": true, "id": id}))
    })?
}

fn refused(code: u32, details: &str) -> GraphError {
    let what = if code == 136_024 { "Request code error" } else { "Verify code error" };
    GraphError::new(code, format!("(#{code}) {what}")).details(details).user("The code could not be used", details)
}
