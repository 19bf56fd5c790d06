//! `/_sandbox/`: the control API, for tests and for people who test their own software.
//!
//! Everything is JSON. The `Host` must be the sandbox's own or loopback; an `Origin`, where there is
//! one, must be the sandbox's own; and where the sandbox's public URL is off loopback, each call needs
//! `Authorization: Bearer <control token>`.
//!
//! | Call | What it does |
//! |---|---|
//! | `GET /_sandbox/state` | app, portfolios, accounts, numbers, masked tokens, armed scenarios, faults |
//! | `POST /_sandbox/scenario` `{"scenarios": ["event_lost"], "times": 1}` | armed for the next popups (`times: null`: until taken back; left out: 1) |
//! | `DELETE /_sandbox/scenario` | takes it back |
//! | `POST /_sandbox/faults` `{"fault": "graph_500", "times": 2, "path": "subscribed_apps"}` | befalls the next Graph calls whose path contains `path` (both optional; without `times` until taken back) |
//! | `DELETE /_sandbox/faults` | takes all back |
//! | `POST /_sandbox/signups` `{"scenarios": [], "setup": {}, "featureType": "", "redirect_uri": null, "business_id": null, "waba_id": null, "plain": false, "scope": null}` | a whole signup without a browser (every member optional) |
//! | `POST /_sandbox/tokens/revoke`, `.../tokens/expire` `{"waba_id": "..."}` | of every token that reaches the account; without it, of all customers' |
//! | `POST /_sandbox/tokens/change` `{"waba_id": "...", "drop_scope": "whatsapp_business_messaging", "days": 3}` | takes a permission from those tokens, or has them end in so many days |
//! | `POST /_sandbox/accounts` `{"waba_id": "...", "closed": true, "subscribed": false}` | closes an account to all customers' tokens (`false` opens it again); ends the app's subscription to it |
//! | `POST /_sandbox/usage` `{"app": 85, "accounts": {"<WABA ID>": {"percent": 95, "regain_minutes": 5}}}` | what the usage headers tell from now on, in percent; an account at 100 is refused |
//! | `POST /_sandbox/webhooks` `{"kind": "partner_added", "waba_id": "..."}` or `{"raw": {...}}` | sends one; kinds: `partner_added`, `partner_removed`, `partner_app_installed`, `partner_app_uninstalled` |
//! | `POST /_sandbox/webhooks` `{"kind": "message", "phone_id": "...", "from": "491701234567", "name": "...", "type": "image", "text": "...", "data": "base64"}` | a person writes; also `type` with `content`; answers `message_id`, `media_id` |
//! | `POST /_sandbox/webhooks` `{"kind": "status", "phone_id": "...", "message_id": "...", "status": "read"}` | what became of a message |
//! | `POST /_sandbox/webhooks` `{"kind": "template_status", "waba_id": "...", "name": "...", "status": "APPROVED"}` | also `template_quality`, `template_category`, `quality` and `alert` (with `phone_id`), and `field` with any `field` and `value` |
//! | `POST /_sandbox/apps` `{"name": "", "waba_id": null, "require_app_secret": false, "scopes": null, "app_id": null}` | an app of a customer's own (or another token of one) with an account that its token opens; answers `app_id`, `app_secret`, `token`, `waba_id`, `phone_number_ids` |
//! | `POST /_sandbox/apps/callback` `{"app_id": "...", "callback_url": "...", "verify_token": "...", "fields": null}` | *Verify and save* in that app's dashboard; `.../apps/secret` `{"app_id": "..."}`: *Reset* of its secret |
//! | `POST /_sandbox/webhooks` with `"own_app_id"` | that app signs it, and it goes to that app's callback |
//! | `POST /_sandbox/templates` `{"waba_id": "...", "make": 2500}` | makes many; also `review_ms`, `verdict` (`{"status": "REJECTED", "reason": "...", "explained": ["what", "cure"], "category": "..."}`) for the next review, `verified` (250 or 6,000), and changes of one by `template_id` or `name`: `status` with `reason` and `rejection`, `quality`, `category`, `correct_category`, `components`; `told: false` without a webhook |
//! | `POST /_sandbox/phones` `{"phone_id": "...", "name_status": "AVAILABLE_WITHOUT_REVIEW", "verified": true}` | changes a number; see [`phones`](super::phones) |
//! | `POST /_sandbox/app` `{"js_sdk_login": true, "allowed_domains": [], "redirect_uris": [], "require_app_secret": true}` | changes the app's settings (those named) |
//! | `POST /_sandbox/profiles` `{"phone_id": "...", "about": "..."}` | the number’s business profile is edited on the phone: also address, description, email, websites, vertical, and picture (a PNG in base64; empty removes it) |
//! | `POST /_sandbox/dashboard` `{"approved_permissions": [], "privacy_policy_url": "", "subscribed": false}` | what else the dashboard holds (those named); also terms_of_service_url, icon_url, category, app_domains, business_verification, refused_fields, replaces_fields, is_native, uploads_need_role, subscription_active, system_token_revoked, system_token_days, system_token_scopes |
//! | `GET`, `DELETE /_sandbox/requests` | the recent Graph calls; forgets them |
//! | `POST /_sandbox/reset` | forgets what customers did |
//!
//! A signup answers `{"code": "..."|null, "event": {...}|null, "waba_ids": [], "phone_number_ids": [],
//! "business_id": "..."}` and sends its webhook like a real one. The scenarios are listed in the
//! answer of `GET /_sandbox/state`, under `scenarios`.

use super::{
    Sandbox, dashboard,
    finish::{self, Number, Plan},
    flow::{Flow, Way},
    inbox::{self, Asked},
    outcome, own_apps, permissions, phones,
    scenario::{Armed, Fault, Plain, Scenario},
    setup,
    state::State as Kept,
    summary, templates,
    tokens::Kind,
    usage, webhooks,
};
use crate::base::text::constant_time_eq;
use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::sync::PoisonError;

pub(super) fn router(sandbox: &Sandbox) -> Router<Sandbox> {
    Router::new()
        .route("/state", get(state))
        .route("/scenario", post(arm).delete(disarm))
        .route("/faults", post(add_fault).delete(clear_faults))
        .route("/signups", post(signup))
        .route("/tokens/revoke", post(revoke))
        .route("/tokens/expire", post(expire))
        .route("/tokens/change", post(permissions::tokens))
        .route("/accounts", post(permissions::accounts))
        .route("/usage", post(usage::change))
        .route("/webhooks", post(webhook))
        .route("/profiles", post(super::profiles::change))
        .route("/templates", post(change_templates))
        .route("/phones", post(phones::change))
        .route("/app", post(app))
        .route("/apps", post(own_apps::make))
        .route("/apps/callback", post(own_apps::callback))
        .route("/apps/secret", post(own_apps::reset_secret))
        .route("/dashboard", post(dashboard::change))
        .route("/requests", get(requests).delete(forget_requests))
        .route("/reset", post(reset))
        .fallback(async || refused(StatusCode::NOT_FOUND, "there is no such endpoint under /_sandbox/"))
        .layer(middleware::from_fn_with_state(sandbox.clone(), guard))
}

/// Why a control call is not carried out: `{"error": "..."}`.
pub(super) struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, axum::Json(json!({"error": self.1}))).into_response()
    }
}

pub(super) fn refused(status: StatusCode, why: impl std::fmt::Display) -> Refused {
    Refused(status, why.to_string())
}

pub(super) type Answer = Result<axum::Json<Value>, Refused>;

pub(super) fn ok(value: Value) -> Answer {
    Ok(axum::Json(value))
}

pub(super) fn unsaved(error: std::io::Error) -> Refused {
    refused(StatusCode::INTERNAL_SERVER_ERROR, error)
}

/// Whether a host name is this machine's own.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a request's `Host` and `Origin` are the sandbox's own (`Host` may also be loopback).
pub(super) fn same_site(sandbox: &Sandbox, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host: Option<http::uri::Authority> = text(header::HOST).and_then(|host| host.parse().ok());
    let Some(host) = host else { return false };
    let own = sandbox.inner.public_url.origin().ascii_serialization();
    let own_host = own.split_once("://").map_or("", |(_, rest)| rest);
    let host_fits = host.as_str() == own_host || is_loopback(host.host());
    host_fits && text(header::ORIGIN).is_none_or(|origin| origin == own)
}

async fn guard(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    if !same_site(&sandbox, request.headers()) {
        return refused(StatusCode::FORBIDDEN, "the Host or the Origin is not the sandbox's own").into_response();
    }
    if !sandbox.is_open() {
        let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if !sandbox.control_token().is_some_and(|token| constant_time_eq(token, given)) {
            return refused(StatusCode::UNAUTHORIZED, "the control token is needed as a bearer token").into_response();
        }
    }
    next.run(request).await
}

/// An empty body counts as `{}`.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
    let body = if body.is_empty() { b"{}" } else { body.as_ref() };
    serde_json::from_slice(body).map_err(|error| refused(StatusCode::BAD_REQUEST, error))
}

async fn state(State(sandbox): State<Sandbox>) -> Answer {
    ok(sandbox.read(summary::describe))
}

#[derive(Deserialize)]
struct Arm {
    scenarios: Vec<Scenario>,
    #[serde(default = "once")]
    times: Option<u32>,
}

fn once() -> Option<u32> {
    Some(1)
}

async fn arm(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let Arm { scenarios, times } = read(&body)?;
    let armed = (times != Some(0)).then_some(Armed { scenarios, times });
    sandbox.change(|state| state.armed = armed.clone()).map_err(unsaved)?;
    ok(json!({ "armed": armed }))
}

async fn disarm(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.change(|state| state.armed = None).map_err(unsaved)?;
    ok(json!({"armed": null}))
}

async fn add_fault(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let fault: Fault = read(&body)?;
    let faults = sandbox.change(|state| {
        if fault.times != Some(0) {
            state.faults.push(fault);
        }
        state.faults.clone()
    });
    ok(json!({"faults": faults.map_err(unsaved)?}))
}

async fn clear_faults(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.change(|state| state.faults.clear()).map_err(unsaved)?;
    ok(json!({"faults": []}))
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Signup {
    scenarios: Vec<Scenario>,
    setup: Value,
    #[serde(rename = "featureType")]
    feature_type: Option<String>,
    redirect_uri: Option<String>,
    business_id: Option<String>,
    waba_id: Option<String>,
    plain: bool,
    scope: Option<String>,
}

async fn signup(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let asked: Signup = read(&body)?;
    if let Some(uri) = &asked.redirect_uri
        && !sandbox.read(|state| state.app.redirect_uris.contains(uri))
    {
        return Err(refused(StatusCode::BAD_REQUEST, "this redirect_uri is not among the app's"));
    }
    let now_ms = sandbox.now_ms();
    let (answer, outbox) =
        sandbox.change(|state| (carry_out(state, asked, now_ms), state.outbox.clone())).map_err(unsaved)?;
    webhooks::send(&sandbox, outbox);
    ok(answer)
}

/// A walk without a browser: abandoned where a scenario says so, else finished.
fn carry_out(state: &mut Kept, asked: Signup, now_ms: i64) -> Value {
    let extras = setup::read(&json!({"setup": asked.setup, "featureType": asked.feature_type}));
    let (coexistence, without_number) = (extras.coexistence, extras.without_number);
    let way = Way::Popup { origin: String::new(), channel: String::new() };
    let flow = Flow::new(state, way, !asked.plain, Vec::new(), extras, now_ms);
    let has = |plain| asked.scenarios.contains(&Scenario::Plain(plain));
    let left = asked.scenarios.iter().find_map(|scenario| match scenario {
        Scenario::Cancel(step) | Scenario::Close(step) => Some(Some(outcome::cancelled(*step))),
        Scenario::Plain(Plain::ErrorReported) => Some(Some(outcome::error_reported(now_ms))),
        Scenario::Plain(Plain::ErrorEvent) => Some(Some(outcome::error_event(now_ms))),
        Scenario::Plain(Plain::CantOnboard | Plain::InvalidScopes) => Some(None),
        Scenario::Plain(_) | Scenario::Graph(_) => None,
    });
    if let Some(event) = left {
        let event = event.filter(|_| !has(Plain::EventLost));
        return json!({"code": null, "event": event, "waba_ids": [], "phone_number_ids": [], "business_id": null});
    }
    let mut scenarios = asked.scenarios.clone();
    if has(Plain::CodeExpired) {
        scenarios.push(Scenario::Plain(Plain::CodeExpiredNow));
    }
    let waba = asked.waba_id.as_deref().and_then(|id| state.waba(id)).cloned();
    let scopes = asked.scope.unwrap_or_default();
    let plan = Plan {
        business_id: waba.as_ref().map(|waba| waba.business_id.clone()).or(asked.business_id).or(flow.business_id),
        waba_id: waba.map(|waba| waba.id).or(flow.waba_id),
        fields: flow.fields,
        number: match (without_number, coexistence) {
            (true, _) => Number::None,
            (false, true) => Number::Coexistence,
            (false, false) => Number::Verified,
        },
        scenarios,
        kind: if asked.plain { Kind::User } else { Kind::Business },
        scopes: scopes.split([',', ' ']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        redirect_uri: asked.redirect_uri,
    };
    let done = finish::finish(state, &plan, now_ms);
    json!({
        "code": done.code, "event": done.event, "waba_ids": done.waba_ids,
        "phone_number_ids": done.phone_ids, "business_id": done.business_id,
    })
}

#[derive(Deserialize, Default)]
pub(super) struct OfWaba {
    pub waba_id: Option<String>,
}

async fn revoke(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    change_tokens(&sandbox, read(&body)?, |token, _| token.revoked = true)
}

async fn expire(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    change_tokens(&sandbox, read(&body)?, |token, now_ms| token.expires_ms = now_ms)
}

fn change_tokens(sandbox: &Sandbox, of: OfWaba, change: fn(&mut super::tokens::Token, i64)) -> Answer {
    let now_ms = sandbox.now_ms();
    let changed = sandbox.change(|state| {
        let concerned = state.tokens.iter_mut().filter(|token| {
            token.kind != Kind::System && of.waba_id.as_ref().is_none_or(|id| token.waba_ids.contains(id))
        });
        concerned.map(|token| change(token, now_ms)).count()
    });
    ok(json!({"tokens": changed.map_err(unsaved)?}))
}

async fn webhook(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let json: Value = read(&body)?;
    let bad = |why: String| refused(StatusCode::BAD_REQUEST, why);
    let asked: Asked = serde_json::from_value(json.clone()).map_err(|error| bad(error.to_string()))?;
    let now_ms = sandbox.now_ms();
    let (body, made) = if let Some(raw) = json.get("raw") {
        (raw.clone(), (None, None))
    } else if inbox::KINDS.contains(&asked.kind.as_str()) {
        let made = inbox::make(&sandbox, &asked).map_err(bad)?;
        (made.body, (made.message_id, made.media_id))
    } else {
        const PARTNER: [&str; 4] =
            ["PARTNER_ADDED", "PARTNER_REMOVED", "PARTNER_APP_INSTALLED", "PARTNER_APP_UNINSTALLED"];
        let (event, id) = (asked.kind.to_uppercase(), asked.waba_id.unwrap_or_default());
        if asked.kind.is_empty() || id.is_empty() {
            return Err(bad("give raw, or kind and waba_id".to_owned()));
        }
        let made = sandbox.read(|state| {
            let waba = state.waba(&id).ok_or("there is no such account")?;
            let known = PARTNER.contains(&event.as_str());
            known
                .then(|| webhooks::partner(state, &event, &id, &waba.business_id, now_ms))
                .ok_or("there is no such kind of webhook")
        });
        (made.map_err(|why: &str| bad(why.to_owned()))?, (None, None))
    };
    let sent = match json.get("own_app_id").and_then(Value::as_str) {
        Some(app) => webhooks::queue_of(&sandbox, body, app).map_err(unsaved)?,
        None => webhooks::queue(&sandbox, body).map_err(unsaved)?,
    };
    ok(json!({"sent": sent, "message_id": made.0, "media_id": made.1}))
}

async fn change_templates(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let asked: templates::Asked = read(&body)?;
    templates::control(&sandbox, &asked).map(axum::Json).map_err(|why| refused(StatusCode::BAD_REQUEST, why))
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct AppChange {
    js_sdk_login: Option<bool>,
    require_app_secret: Option<bool>,
    allowed_domains: Option<Vec<String>>,
    redirect_uris: Option<Vec<String>>,
}

async fn app(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let asked: AppChange = read(&body)?;
    let described = sandbox.change(|state| {
        let app = &mut state.app;
        app.js_sdk_login = asked.js_sdk_login.unwrap_or(app.js_sdk_login);
        app.require_app_secret = asked.require_app_secret.unwrap_or(app.require_app_secret);
        if let Some(domains) = asked.allowed_domains {
            app.allowed_domains = domains;
        }
        if let Some(uris) = asked.redirect_uris {
            app.redirect_uris = uris;
        }
        summary::describe(state)["app"].clone()
    });
    ok(json!({"app": described.map_err(unsaved)?}))
}

async fn requests(State(sandbox): State<Sandbox>) -> Answer {
    let calls = sandbox.inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
    ok(json!({"requests": calls.iter().collect::<Vec<_>>()}))
}

async fn forget_requests(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.inner.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
    ok(json!({"requests": []}))
}

async fn reset(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.change(Kept::reset).map_err(unsaved)?;
    sandbox.inner.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
    ok(json!({"success": true}))
}
