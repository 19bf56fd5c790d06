//! The `health_status` field of accounts and numbers (support/health-status).

use super::super::{
    assets::{Phone, Waba},
    state::State,
};
use serde_json::{Value, json};

/// Of a number, with the nodes behind it.
pub(super) fn of_phone(state: &State, phone: &Phone, waba: &Waba) -> Value {
    let mut node = json!({"entity_type": "PHONE_NUMBER", "id": phone.id, "can_send_message": "AVAILABLE"});
    if !phone.connected() {
        node["can_send_message"] = json!("BLOCKED");
        node["errors"] = json!([{
            "error_code": 141_000,
            "error_description": "The phone number is not registered with Cloud API.",
            "possible_solution": "Register the phone number.",
        }]);
    } else if !phone.name_status.is_ready() {
        node["can_send_message"] = json!("LIMITED");
        node["additional_info"] =
            json!(["The display name is not approved yet. The message limit will rise once it is."]);
    }
    overall(std::iter::once(node).chain(behind(state, waba)).collect())
}

/// Of a WABA, with the nodes behind it.
pub(super) fn of_waba(state: &State, waba: &Waba) -> Value {
    overall(behind(state, waba).to_vec())
}

fn behind(state: &State, waba: &Waba) -> [Value; 3] {
    [("WABA", &waba.id), ("BUSINESS", &waba.business_id), ("APP", &state.app.id)]
        .map(|(kind, id)| json!({"entity_type": kind, "id": id, "can_send_message": "AVAILABLE"}))
}

fn overall(entities: Vec<Value>) -> Value {
    let any = |status: &str| entities.iter().any(|entity| entity["can_send_message"] == status);
    let status = ["BLOCKED", "LIMITED"].into_iter().find(|status| any(status)).unwrap_or("AVAILABLE");
    json!({"can_send_message": status, "entities": entities})
}
