//! `/`: what the sandbox is, what is in it, and a form that arms a scenario.

use super::{
    Sandbox, control,
    dashboard::{self, Switch},
    record::{Seen, mask_token},
    scenario::{Armed, Scenario},
    views,
};
use crate::base::clock::from_ms;
use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::sync::PoisonError;
use time::macros::format_description;

struct Account {
    name: String,
    id: String,
    business: String,
    shared: bool,
    subscribed: bool,
    phones: Vec<Number>,
}

struct Number {
    display: String,
    name: String,
    id: String,
    status: &'static str,
}

struct Token {
    masked: String,
    kind: String,
    expires: String,
    state: &'static str,
}

#[derive(Template)]
#[template(path = "sandbox/home.html")]
struct Home {
    origin: String,
    app_id: String,
    app_name: String,
    config_id: String,
    callback: String,
    open: bool,
    armed: String,
    faults: Vec<String>,
    scenarios: Vec<(String, String)>,
    accounts: Vec<Account>,
    tokens: Vec<Token>,
    calls: Vec<Seen>,
    switches: Vec<Switch>,
    numbers: Vec<(String, String)>,
}

fn day(ms: i64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    from_ms(ms).format(&format).unwrap_or_default()
}

/// `GET /`. Off loopback the state is only for those with the control token, so not here.
pub(super) async fn show(State(sandbox): State<Sandbox>, headers: HeaderMap) -> Response {
    let open = sandbox.is_open() && control::same_site(&sandbox, &headers);
    let now_ms = sandbox.now_ms();
    let calls: Vec<Seen> = {
        let seen = sandbox.inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().rev().take(20).cloned().collect()
    };
    let origin = sandbox.origin();
    let home = sandbox.read(|state| Home {
        origin,
        app_id: state.app.id.clone(),
        app_name: state.app.name.clone(),
        config_id: state.app.config_id.clone(),
        callback: state.app.subscription.as_ref().map(|sub| sub.callback_url.clone()).unwrap_or_default(),
        open,
        armed: armed(state.armed.as_ref()),
        faults: state.faults.iter().map(|fault| fault.kind.as_str().to_owned()).collect(),
        scenarios: Scenario::all().map(|scenario| (scenario.to_string(), scenario.title())).collect(),
        accounts: state
            .wabas
            .iter()
            .rev()
            .map(|waba| Account {
                name: waba.name.clone(),
                id: waba.id.clone(),
                business: state.business(&waba.business_id).map(|business| business.name.clone()).unwrap_or_default(),
                shared: waba.shared,
                subscribed: waba.subscribed.is_some(),
                phones: state
                    .phones_of(&waba.id)
                    .map(|phone| Number {
                        display: phone.display.clone(),
                        name: phone.verified_name.clone(),
                        id: phone.id.clone(),
                        status: phone.status(),
                    })
                    .collect(),
            })
            .collect(),
        tokens: state
            .tokens
            .iter()
            .rev()
            .map(|token| Token {
                masked: mask_token(&token.secret).chars().take(12).collect(),
                kind: format!("{:?}", token.kind),
                expires: if token.expires_ms == 0 { "never".to_owned() } else { day(token.expires_ms) },
                state: match () {
                    () if token.revoked => "revoked",
                    () if token.expired(now_ms) => "expired",
                    () => "valid",
                },
            })
            .collect(),
        calls,
        switches: dashboard::switches(state, now_ms),
        numbers: state
            .phones
            .iter()
            .rev()
            .map(|phone| (phone.id.clone(), format!("{}, {}", phone.display, phone.verified_name)))
            .collect(),
    });
    let mut response = views::page(&home, StatusCode::OK, "");
    // Without a referrer browsers send `Origin: null` with a form, which the forms here would refuse.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

fn armed(armed: Option<&Armed>) -> String {
    let Some(armed) = armed else { return String::new() };
    let names: Vec<String> = armed.scenarios.iter().map(ToString::to_string).collect();
    match armed.times {
        Some(times) => format!("{} ({times} more)", names.join(", ")),
        None => format!("{} (until taken back)", names.join(", ")),
    }
}

/// `POST /arm`: the home page's form. An empty choice takes back what is armed.
pub(super) async fn arm(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    if !sandbox.is_open() || !control::same_site(&sandbox, &headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let chosen = form.iter().filter(|(name, _)| name == "scenario");
    let scenarios: Vec<Scenario> = chosen.filter_map(|(_, name)| name.parse().ok()).collect();
    let armed = (!scenarios.is_empty()).then_some(Armed { scenarios, times: Some(1) });
    match sandbox.change(|state| state.armed = armed) {
        Ok(()) => Redirect::to("/").into_response(),
        Err(error) => {
            tracing::error!(%error, "the sandbox's state could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
