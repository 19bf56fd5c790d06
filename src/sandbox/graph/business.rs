//! `/{business}` and its edges.
//!
//! Meta: reference/business/*, embedded-signup/hosted-es (step 5) for `system_user_access_tokens`.

use super::{
    super::{
        Sandbox,
        assets::Waba,
        state::State,
        tokens::{Kind, Token},
    },
    auth::Caller,
    call::Call,
    error::GraphError,
    fields::Node,
    paging, waba,
};
use serde_json::{Value, json};

/// Whether this business is the operator's, or one the caller has to do with.
pub(super) fn visible(state: &State, caller: &Caller, id: &str) -> bool {
    match caller {
        Caller::App | Caller::OwnApp(_) => false,
        Caller::Token(token) if token.kind == Kind::System => {
            id == state.app.business_id || state.wabas_of(id).any(|waba| waba.shared)
        }
        Caller::Token(token) => token.business_id == id,
    }
}

pub(super) fn read(state: &State, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    if !visible(state, caller, id) {
        return Err(GraphError::unsupported(&call.method, id));
    }
    let name = match state.business(id) {
        Some(business) => business.name.clone(),
        None => state.app.name.clone(),
    };
    let created = state.business(id).map_or(0, |business| business.created_ms / 1000);
    let ours = id == state.app.business_id;
    let verification = if ours { state.app.dashboard.business_verification.as_str() } else { "not_verified" };
    let all = json!({
        "id": id,
        "name": name,
        "timezone_id": 1,
        "verification_status": verification,
        "created_time": created,
    });
    let all = all.as_object().cloned().unwrap_or_default();
    Node { kind: "Business", all, defaults: &["id", "name"] }.select(&waba::requested(call)?)
}

fn list<'a>(
    sandbox: &Sandbox,
    state: &State,
    call: &Call,
    wabas: impl Iterator<Item = &'a Waba>,
) -> Result<Value, GraphError> {
    let fields = waba::requested(call)?;
    let items = wabas
        .map(|waba| Ok((waba.id.clone(), waba::node(state, waba).select(&fields)?)))
        .collect::<Result<Vec<_>, GraphError>>()?;
    paging::page(call, &sandbox.origin(), items)
}

/// The customers' WABAs that are shared with this business: the operator's alone has any.
pub(super) fn client_wabas(
    sandbox: &Sandbox,
    state: &State,
    call: &Call,
    caller: &Caller,
    id: &str,
) -> Result<Value, GraphError> {
    if !visible(state, caller, id) {
        return Err(GraphError::unsupported(&call.method, id));
    }
    let ours = id == state.app.business_id;
    list(sandbox, state, call, state.wabas.iter().filter(|waba| ours && waba.shared))
}

/// The WABAs that this business owns, as far as the token reaches.
pub(super) fn owned_wabas(
    sandbox: &Sandbox,
    state: &State,
    call: &Call,
    caller: &Caller,
    id: &str,
) -> Result<Value, GraphError> {
    if !visible(state, caller, id) {
        return Err(GraphError::unsupported(&call.method, id));
    }
    list(sandbox, state, call, state.wabas_of(id).filter(|waba| caller.reaches(waba)))
}

/// The business token of a customer who finished, for the operator's system token with its proof.
pub(super) fn system_user_access_tokens(
    sandbox: &Sandbox,
    call: &Call,
    caller: &Caller,
    id: &str,
) -> Result<Value, GraphError> {
    if caller.kind() != Some(Kind::System) {
        return Err(GraphError::permission("A system user access token of the app's business is required."));
    }
    if call.value("appsecret_proof").is_none() {
        return Err(GraphError::new(100, "API calls from the server require an appsecret_proof argument").method());
    }
    let now_ms = sandbox.now_ms();
    let unsupported = || GraphError::unsupported(&call.method, id);
    if !sandbox.read(|state| visible(state, caller, id)) {
        return Err(unsupported());
    }
    let fetch_only = call.flag("fetch_only");
    sandbox.change(|state| {
        let usable = |token: &&Token| {
            token.kind == Kind::Business && token.business_id == id && !token.revoked && !token.expired(now_ms)
        };
        if let Some(token) = state.tokens.iter().rev().find(usable).filter(|_| fetch_only) {
            return Ok(json!({"access_token": token.secret}));
        }
        let grant = state.business(id).and_then(|business| business.grant.clone()).ok_or_else(unsupported)?;
        let token = Token::of(&grant, now_ms);
        let answer = json!({"access_token": token.secret});
        state.tokens.push(token);
        Ok(answer)
    })?
}
