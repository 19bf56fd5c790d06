//! `/oauth/access_token`: codes for tokens, tokens for longer ones, and the app's own token.
//!
//! Meta: embedded-signup/onboarding-customers-as-a-tech-provider (step 1), *Manually build a login
//! flow* (exchanging a code), *Long-lived access tokens*.

use super::{
    super::{
        Sandbox,
        state::State,
        tokens::{Kind, Token},
    },
    auth,
    call::Call,
    error::GraphError,
};
use crate::base::text::constant_time_eq;
use serde_json::{Value, json};

pub(super) fn access_token(sandbox: &Sandbox, call: &Call) -> Result<Value, GraphError> {
    let now_ms = sandbox.now_ms();
    sandbox.read(|state| client(state, call))?;
    match call.text("grant_type").as_deref() {
        None | Some("authorization_code") => sandbox.change(|state| exchange(state, call, now_ms))?,
        Some("fb_exchange_token") => sandbox.change(|state| renew(state, call, now_ms))?,
        Some("client_credentials") => sandbox.read(|state| {
            let own = call.text("client_id").and_then(|id| state.own_app(&id).cloned());
            let (id, secret) = own.map_or((state.app.id.clone(), state.app.secret.clone()), |own| (own.id, own.secret));
            let token = format!("{id}|{secret}");
            Ok(json!({"access_token": token, "token_type": "bearer"}))
        }),
        Some(other) => Err(GraphError::new(1, format!("Unsupported grant_type: {other}"))),
    }
}

fn client(state: &State, call: &Call) -> Result<(), GraphError> {
    let id = call.text("client_id").ok_or_else(|| GraphError::new(101, "Missing client_id parameter."))?;
    let own = state.own_app(&id);
    if id != state.app.id && own.is_none() {
        return Err(GraphError::new(101, auth::NO_APP));
    }
    let right = own.map_or(&state.app.secret, |own| &own.secret);
    let secret = call.text("client_secret").ok_or_else(|| GraphError::new(1, "Missing client_secret parameter."))?;
    if constant_time_eq(&secret, right) { Ok(()) } else { Err(GraphError::new(1, "Error validating client secret.")) }
}

fn exchange(state: &mut State, call: &Call, now_ms: i64) -> Result<Value, GraphError> {
    let text = call
        .text("code")
        .filter(|code| !code.is_empty())
        .ok_or_else(|| GraphError::new(100, "Missing authorization code"))?;
    let code = state.codes.iter_mut().find(|code| constant_time_eq(&code.code, &text));
    let code = code.ok_or_else(|| GraphError::new(100, "Invalid verification code format."))?;
    if code.used {
        return Err(GraphError::new(100, "This authorization code has been used.").subcode(36009));
    }
    if code.expires_ms <= now_ms {
        return Err(GraphError::new(100, "This authorization code has expired.").subcode(36007));
    }
    if call.text("redirect_uri").unwrap_or_default() != code.redirect_uri.clone().unwrap_or_default() {
        return Err(GraphError::new(
            100,
            "Error validating verification code. Please make sure your redirect_uri is identical to the one you used \
             in the OAuth dialog request",
        )
        .subcode(36008));
    }
    code.used = true;
    let token = Token::of(&code.grant, now_ms);
    let answer = answer(&token, now_ms);
    state.tokens.push(token);
    Ok(answer)
}

fn renew(state: &mut State, call: &Call, now_ms: i64) -> Result<Value, GraphError> {
    let text = call
        .text("fb_exchange_token")
        .ok_or_else(|| GraphError::new(1, "fb_exchange_token parameter not specified"))?;
    let old = auth::find(state, &text)?;
    auth::usable(old, now_ms)?;
    let client = call.text("client_id").unwrap_or_default();
    if state.app_of(old).0 != client {
        return Err(GraphError::parameter("The access_token does not belong to application ".to_owned() + &client));
    }
    if old.kind == Kind::System {
        return Err(GraphError::new(1, "This token does not expire and can't be exchanged."));
    }
    let token = old.renewed(now_ms);
    let answer = answer(&token, now_ms);
    state.tokens.push(token);
    Ok(answer)
}

fn answer(token: &Token, now_ms: i64) -> Value {
    json!({
        "access_token": token.secret,
        "token_type": "bearer",
        "expires_in": (token.expires_ms - now_ms) / 1000,
    })
}
