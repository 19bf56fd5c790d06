//! `/dialog/oauth`: opens a walk through the dialog, shows its screens and takes their forms.

use super::{
    Sandbox, dialog_check,
    flow::{Flow, Screen, Way},
    scenario::{self, Plain, Scenario},
    setup, views, webhooks,
};
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use serde_json::Value;
use std::collections::HashMap;

/// `GET /dialog/oauth`: checks what was asked for and begins.
pub(super) async fn start(State(sandbox): State<Sandbox>, Query(query): Query<HashMap<String, String>>) -> Response {
    let asked = match sandbox.read(|state| dialog_check::check(&state.app, &query)) {
        Ok(asked) => asked,
        Err(refusal) => return views::refusal(&refusal),
    };
    let extras = query.get("extras").and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
    let now_ms = sandbox.now_ms();
    let begun = sandbox.change(|state| {
        state.prune(now_ms);
        let mut flow = Flow::new(state, asked.way, asked.signup, asked.scopes, setup::read(&extras), now_ms);
        flow.scenarios = scenario::take_armed(&mut state.armed);
        let id = flow.id.clone();
        state.flows.push(flow);
        id
    });
    match begun {
        Ok(id) => Redirect::to(&format!("/dialog/flow/{id}")).into_response(),
        Err(error) => failed(&error),
    }
}

/// `GET /dialog/flow/{id}`: the current screen, or the last page.
pub(super) async fn show(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Response {
    sandbox.read(|state| match state.flows.iter().find(|flow| flow.id == id) {
        None => views::gone(),
        Some(flow) if flow.has(Plain::InvalidScopes) => {
            let scopes = "whatsapp_business_management, whatsapp_business_messaging";
            views::refusal(&dialog_check::invalid_scopes(scopes))
        }
        Some(flow) => match &flow.ended {
            Some(ending) => views::ending(flow, ending),
            None => views::screen(state, flow),
        },
    })
}

/// `POST /dialog/flow/{id}`: a button of the current screen, or the side panel's choice.
pub(super) async fn step(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    let now_ms = sandbox.now_ms();
    let stepped = sandbox.change(|state| {
        let at = state.flows.iter().position(|flow| flow.id == id)?;
        let mut flow = state.flows[at].clone();
        if flow.ended.is_none() {
            apply(&mut flow, state, &form, now_ms);
        }
        let target = match (&flow.way, &flow.ended) {
            (Way::Page { .. }, Some(ending)) => ending.redirect.clone(),
            _ => None,
        };
        state.flows[at] = flow;
        Some((target, state.outbox.clone()))
    });
    match stepped {
        Err(error) => failed(&error),
        Ok(None) => views::gone(),
        Ok(Some((target, outbox))) => {
            webhooks::send(&sandbox, outbox);
            Redirect::to(&target.unwrap_or_else(|| format!("/dialog/flow/{id}"))).into_response()
        }
    }
}

fn apply(flow: &mut Flow, state: &mut super::state::State, form: &[(String, String)], now_ms: i64) {
    let value =
        |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default();
    // A form of a screen that was left already (the back button, two clicks) changes nothing.
    if value("screen") != format!("{:?}", flow.screen) {
        return;
    }
    match value("do") {
        "scenarios" => {
            let chosen = form.iter().filter(|(key, _)| key == "scenario");
            flow.scenarios = chosen.filter_map(|(_, name)| name.parse::<Scenario>().ok()).collect();
            flow.arrive();
        }
        "cancel" => flow.cancel(),
        action => {
            for (name, value) in form {
                flow.fields.update(name, value);
            }
            if action == "skip" {
                flow.skip();
            } else {
                flow.advance(state, value("choice"), value("code"), now_ms);
            }
        }
    }
    if flow.screen != Screen::CantOnboard && flow.ended.is_none() {
        flow.arrive();
    }
}

fn failed(error: &std::io::Error) -> Response {
    tracing::error!(%error, "the sandbox's state could not be written");
    (StatusCode::INTERNAL_SERVER_ERROR, "The sandbox's state could not be written.").into_response()
}
