//! The Graph API: finds the object and edge of a call, answers, and writes the exchange down.

mod app;
mod auth;
mod business;
mod call;
mod codes;
mod debug_token;
mod error;
mod fields;
mod health;
mod oauth;
mod paging;
mod phone;
pub(super) mod profile;
mod register;
mod settings;
mod smb;
mod template_rules;
mod templates;
mod upload;
mod waba;

use super::{
    Sandbox, ids, media, names,
    record::{self, Exchange, Seen},
    scenario::{self, FaultKind},
};
use crate::base::clock::from_ms;
pub(super) use auth::{Caller, by_token as caller_by_token};
use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use call::Call;
pub(super) use error::GraphError;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use std::time::Duration;
use time::format_description::well_known::Rfc3339;
pub(super) use upload::Upload;

/// Answers whatever no other route takes, as graph.facebook.com does.
pub(super) async fn handle(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let call = match Call::read(request).await {
        Ok(call) => call,
        Err(error) => return respond(&method, &path, "v25.0", StatusCode::BAD_REQUEST, &error.body(&ids::trace())),
    };
    let faulty = sandbox.read(|state| !state.faults.is_empty());
    let fault = match faulty {
        false => Ok(None),
        true => sandbox.change(|state| scenario::take_fault(&mut state.faults, &call.path)),
    };
    let refused = sandbox.read(|state| state.usage.refuses(&call.segments));
    let result = match fault {
        Err(error) => Err(error.into()),
        Ok(Some(FaultKind::Error500)) => Err(GraphError::internal()),
        Ok(Some(FaultKind::RateLimited)) => Err(rate_limited(&call)),
        Ok(Some(FaultKind::Down)) if call.file.is_some() => {
            return cut_short(&sandbox, call).await;
        }
        Ok(Some(FaultKind::Down)) => {
            note(&sandbox, &call, 0, Value::Null);
            return broken_off();
        }
        Ok(Some(FaultKind::Slow2s)) => slowly(&sandbox, &call, 2).await,
        Ok(Some(FaultKind::Slow40s)) => slowly(&sandbox, &call, 40).await,
        Ok(None) => match refused {
            Some(error) => Err(error),
            None => answer(&sandbox, &call).await,
        },
    };
    let trace = ids::trace();
    let (status, body) = match &result {
        Ok(body) => (StatusCode::OK, body.clone()),
        Err(error) => (error.status, error.body(&trace)),
    };
    note(&sandbox, &call, status.as_u16(), body.clone());
    let mut response = respond(&call.method, &call.path, &call.version, status, &body);
    sandbox.read(|state| state.usage.tell(&call.segments, response.headers_mut()));
    response
}

/// The call takes effect at once, but its answer comes late: whoever gave up waiting does not know.
async fn slowly(sandbox: &Sandbox, call: &Call, seconds: u64) -> Result<Value, GraphError> {
    let result = answer(sandbox, call).await;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    result
}

/// The connection ends when half of an upload has come, which stays.
async fn cut_short(sandbox: &Sandbox, mut call: Call) -> Response {
    if let Some(bytes) = &mut call.file {
        *bytes = bytes.slice(..bytes.len() / 2);
    }
    if let Err(error) = answer(sandbox, &call).await {
        tracing::debug!(code = error.code, "what broke off would have been refused");
    }
    note(sandbox, &call, 0, Value::Null);
    broken_off()
}

async fn answer(sandbox: &Sandbox, call: &Call) -> Result<Value, GraphError> {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let (get, post) = (call.method == Method::GET, call.method == Method::POST);
    if segments == ["oauth", "access_token"] && (get || post) {
        return oauth::access_token(sandbox, call);
    }
    names::end_due(sandbox)?;
    let now_ms = sandbox.now_ms();
    let caller = sandbox.read(|state| auth::caller(state, call, now_ms))?;
    let (id, edge) = match segments.as_slice() {
        ["debug_token"] if get => {
            return sandbox.read(|state| debug_token::debug_token(state, call, &caller, now_ms));
        }
        [id] if get && sandbox.read(|state| state.media.iter().any(|media| media.id == *id)) => {
            let (origin, phone) = (sandbox.origin(), call.text("phone_number_id"));
            return sandbox.read(|state| media::read(state, &origin, &caller, id, phone.as_deref(), now_ms));
        }
        _ if (get || post) && upload::is_session(&call.segments) => return upload::session(sandbox, call, &caller),
        ["app", "uploads"] if post => return upload::start(sandbox, call, &caller),
        [id] => (*id, None),
        [id, edge] => (*id, Some(*edge)),
        _ => return Err(unknown_path(call)),
    };
    let unsupported = || GraphError::unsupported(&call.method, id);
    match sandbox.read(|state| kind(state, id)).ok_or_else(unsupported)? {
        Object::App => match (call.method.as_str(), edge) {
            ("GET", None) => sandbox.read(|state| app::read(state, call, &caller)),
            ("GET", Some("permissions")) => sandbox.read(|state| app::permissions(state, &caller)),
            ("GET", Some("subscriptions")) => sandbox.read(|state| app::subscriptions(state, call, &caller)),
            ("POST", Some("uploads")) => upload::start(sandbox, call, &caller),
            ("POST", Some("subscriptions")) => app::subscribe(sandbox, call, &caller).await,
            ("DELETE", Some("subscriptions")) => app::unsubscribe(sandbox, call, &caller),
            _ => Err(unknown_edge(call, id, edge)),
        },
        Object::Waba => match (call.method.as_str(), edge) {
            ("GET", None) => sandbox.read(|state| waba::read(state, call, &caller, id)),
            ("GET", Some("phone_numbers")) => {
                sandbox.read(|state| waba::phone_numbers(sandbox, state, call, &caller, id))
            }
            ("GET", Some("message_templates")) => {
                sandbox.read(|state| templates::list(sandbox, state, call, &caller, id))
            }
            ("POST", Some("message_templates")) => templates::create(sandbox, call, &caller, id),
            ("DELETE", Some("message_templates")) => templates::delete(sandbox, call, &caller, id),
            ("POST", Some("phone_numbers")) => codes::add(sandbox, call, &caller, id),
            ("GET", Some("subscribed_apps")) => sandbox.read(|state| waba::subscriptions(state, call, &caller, id)),
            ("POST", Some("subscribed_apps")) => waba::subscribe(sandbox, call, &caller, id).await,
            ("DELETE", Some("subscribed_apps")) => waba::unsubscribe(sandbox, call, &caller, id),
            _ => Err(unknown_edge(call, id, edge)),
        },
        Object::Phone => match (call.method.as_str(), edge) {
            ("GET", None) => sandbox.read(|state| phone::read(state, call, &caller, id)),
            ("POST", None) => phone::update(sandbox, call, &caller, id).await,
            ("GET", Some("whatsapp_business_profile")) => {
                let origin = sandbox.origin();
                sandbox.read(|state| profile::read(state, &origin, call, &caller, id, now_ms))
            }
            ("POST", Some("whatsapp_business_profile")) => profile::update(sandbox, call, &caller, id),
            ("POST", Some("register")) => register::register(sandbox, call, &caller, id),
            ("POST", Some("deregister")) => register::deregister(sandbox, call, &caller, id),
            ("POST", Some("request_code")) => codes::request(sandbox, call, &caller, id),
            ("POST", Some("verify_code")) => codes::verify(sandbox, call, &caller, id),
            ("GET", Some("settings")) => sandbox.read(|state| settings::read(state, call, &caller, id)),
            ("POST", Some("settings")) => settings::update(sandbox, call, &caller, id),
            ("POST", Some("smb_app_data")) => smb::sync(sandbox, call, &caller, id),
            _ => Err(unknown_edge(call, id, edge)),
        },
        Object::Template => match (call.method.as_str(), edge) {
            ("GET", None) => sandbox.read(|state| templates::read(state, call, &caller, id)),
            ("POST", None) => templates::edit(sandbox, call, &caller, id),
            _ => Err(unknown_edge(call, id, edge)),
        },
        Object::Business => match (call.method.as_str(), edge) {
            ("GET", None) => sandbox.read(|state| business::read(state, call, &caller, id)),
            ("GET", Some("client_whatsapp_business_accounts")) => {
                sandbox.read(|state| business::client_wabas(sandbox, state, call, &caller, id))
            }
            ("GET", Some("owned_whatsapp_business_accounts")) => {
                sandbox.read(|state| business::owned_wabas(sandbox, state, call, &caller, id))
            }
            ("POST", Some("system_user_access_tokens")) => {
                business::system_user_access_tokens(sandbox, call, &caller, id)
            }
            _ => Err(unknown_edge(call, id, edge)),
        },
    }
}

enum Object {
    App,
    Waba,
    Phone,
    Template,
    Business,
}

fn kind(state: &super::state::State, id: &str) -> Option<Object> {
    if id == state.app.id {
        Some(Object::App)
    } else if state.waba(id).is_some() {
        Some(Object::Waba)
    } else if state.phone(id).is_some() {
        Some(Object::Phone)
    } else if state.template(id).is_some() {
        Some(Object::Template)
    } else if id == state.app.business_id || state.business(id).is_some() {
        Some(Object::Business)
    } else {
        None
    }
}

fn unknown_path(call: &Call) -> GraphError {
    GraphError::new(2500, format!("Unknown path components: /{}", call.segments.join("/")))
}

fn unknown_edge(call: &Call, id: &str, edge: Option<&str>) -> GraphError {
    match edge {
        Some(edge) => GraphError::new(2500, format!("Unknown path components: /{edge}")),
        None => GraphError::unsupported(&call.method, id),
    }
}

/// Code 4 for the app, 80008 for an account (error-codes, *Throttling errors*; Graph API, *Rate limits*).
fn rate_limited(call: &Call) -> GraphError {
    let of_an_object = call.segments.first().is_some_and(|id| id.bytes().all(|b| b.is_ascii_digit()));
    if of_an_object {
        GraphError::new(
            80008,
            "(#80008) There have been too many calls to this WhatsApp Business account. Wait a bit and try again.",
        )
        .transient()
    } else {
        GraphError::new(4, "(#4) Application request limit reached").transient()
    }
}

/// The connection ends in the middle of an answer.
fn broken_off() -> Response {
    let broken = futures_util::stream::iter([Err::<&[u8], _>(std::io::Error::other("the sandbox plays dead"))]);
    Body::from_stream(broken).into_response()
}

fn note(sandbox: &Sandbox, call: &Call, status: u16, response: Value) {
    let seen = Seen {
        at: from_ms(sandbox.now_ms()).format(&Rfc3339).unwrap_or_default(),
        method: call.method.to_string(),
        path: call.path.clone(),
        status,
        auth: call.auth_kind(),
        proof: call.value("appsecret_proof").is_some(),
    };
    let exchange = Exchange {
        method: call.method.to_string(),
        path: call.path.clone(),
        query: call.query.clone(),
        request: call.body.clone(),
        status,
        response,
    };
    record::exchange(sandbox, exchange, seen);
}

fn respond(method: &Method, path: &str, version: &str, status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let error = &body["error"];
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("content-type", "application/json; charset=UTF-8");
    set("cache-control", "private, no-cache, no-store, must-revalidate");
    set("facebook-api-version", version);
    set("x-fb-request-id", &ids::trace());
    set("x-fb-trace-id", error["fbtrace_id"].as_str().unwrap_or(&ids::trace()));
    set("x-fb-rev", "1000000000");
    set("x-app-usage", r#"{"call_count":0,"total_cputime":0,"total_time":0}"#);
    if let Some(message) = error["message"].as_str() {
        let reason = if error["code"] == 190 { "invalid_token" } else { "invalid_request" };
        set(header::WWW_AUTHENTICATE.as_str(), &format!("OAuth \"Facebook Platform\" \"{reason}\" \"{message}\""));
        tracing::debug!(%method, path, code = %error["code"], message, "Graph refused a call");
    }
    response
}
