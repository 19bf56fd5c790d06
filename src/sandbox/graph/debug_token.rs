//! `/debug_token`: what a token is and may do (Graph API reference, *Debug-Token*).

use super::{
    super::{
        state::State,
        tokens::{Kind, Token},
    },
    auth::{self, Caller},
    call::Call,
    error::GraphError,
};
use serde_json::{Value, json};

/// The beginning of a token that another app's system user is taken to have.
const FOREIGN: &str = "EAAFOREIGN";

pub(super) fn debug_token(state: &State, call: &Call, caller: &Caller, now_ms: i64) -> Result<Value, GraphError> {
    let is_app = caller.is_app() || matches!(caller, Caller::OwnApp(_));
    if !is_app && caller.kind() != Some(Kind::System) {
        return Err(GraphError::parameter(
            "You must provide an app access token, or a user access token that is an owner or developer of the app",
        ));
    }
    let text =
        call.text("input_token").ok_or_else(|| GraphError::parameter("The parameter input_token is required"))?;
    // Nobody else's tokens are known here: a token that begins so stands for one.
    if text.starts_with(FOREIGN) {
        return Err(GraphError::parameter("The App_id in the input_token did not match the Viewing App"));
    }
    let data = match auth::find(state, &text) {
        Ok(token) if token.app_id.as_deref() != caller.own_app() => {
            return Err(GraphError::parameter("The App_id in the input_token did not match the Viewing App"));
        }
        Ok(token) => describe(state, token, now_ms),
        Err(error) => json!({
            "error": {"code": error.code, "message": error.message},
            "is_valid": false,
            "scopes": [],
        }),
    };
    Ok(json!({ "data": data }))
}

fn describe(state: &State, token: &Token, now_ms: i64) -> Value {
    let usable = auth::usable(token, now_ms);
    let mut data = json!({
        "app_id": state.app_of(token).0,
        "type": if token.kind == Kind::User { "USER" } else { "SYSTEM_USER" },
        "application": state.app_of(token).1,
        "data_access_expires_at": token.data_access_expires_ms / 1000,
        "expires_at": token.expires_ms / 1000,
        "is_valid": usable.is_ok(),
        "issued_at": token.issued_ms / 1000,
        "scopes": token.scopes,
        "granular_scopes": token.granular,
        "user_id": token.user_id,
    });
    if let Err(error) = usable {
        data["error"] = json!({"code": error.code, "message": error.message, "subcode": error.subcode});
    }
    data
}
