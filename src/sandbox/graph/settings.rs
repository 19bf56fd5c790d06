//! `/{phone}/settings`: where messages are kept.
//!
//! Meta: local-storage. The status is written as there (`IN_COUNTRY_STORAGE_ENABLED`); the reference writes it in lower
//! case.

use super::{
    super::{Sandbox, state::State},
    auth::Caller,
    call::Call,
    error::GraphError,
    register::REGIONS,
};
use serde_json::{Value, json};

pub(super) fn read(state: &State, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    let phone = caller.phone(state, call, id)?;
    Ok(match &phone.more.storage_region {
        Some(region) => json!({"storage_configuration":
            {"status": "IN_COUNTRY_STORAGE_ENABLED", "data_localization_region": region}}),
        None => json!({"storage_configuration": {"status": "DEFAULT"}}),
    })
}

pub(super) fn update(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    sandbox.read(|state| caller.phone(state, call, id).map(|_| ()))?;
    let storage = match call.value("storage_configuration") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(value) => value.clone(),
        None => return Err(GraphError::parameter("The parameter storage_configuration is required.")),
    };
    let status = storage["status"].as_str().unwrap_or_default().to_uppercase();
    let region = match (status.as_str(), storage["data_localization_region"].as_str()) {
        ("IN_COUNTRY_STORAGE_ENABLED", Some(region)) if REGIONS.contains(&region) => Some(region.to_owned()),
        ("IN_COUNTRY_STORAGE_DISABLED", _) => None,
        _ => return Err(GraphError::parameter("Param storage_configuration is not valid")),
    };
    sandbox.change(|state| {
        let phone = state.phone_mut(id).ok_or_else(|| GraphError::unsupported(&call.method, id))?;
        if phone.connected() {
            return Err(GraphError::parameter(
                "Local storage can only be changed while the phone number is not registered",
            ));
        }
        phone.more.storage_region = region;
        Ok(json!({"success": true}))
    })?
}
