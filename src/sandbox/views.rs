//! The dialog's pages.

use super::{
    dialog_check::Refusal,
    flow::{CODE, Flow, Screen, Way},
    outcome::{ERROR_MESSAGE, Ending},
    scenario::Scenario,
    state::State,
};
use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// How many entries of a list are shown before the rest is folded away.
const SHOWN: usize = 5;

/// One entry of a list to choose from.
struct Choice {
    id: String,
    name: String,
    note: String,
    chosen: bool,
}

/// One entry of the side panel.
struct Option_ {
    name: String,
    title: String,
    chosen: bool,
}

struct Group {
    title: &'static str,
    options: Vec<Option_>,
}

#[derive(Template)]
#[template(path = "sandbox/screen.html")]
struct ScreenPage<'a> {
    flow: &'a Flow,
    app_name: &'a str,
    title: &'static str,
    screen: String,
    primary: &'static str,
    choices: Vec<Choice>,
    /// The older ones, folded away.
    more: Vec<Choice>,
    groups: Vec<Group>,
    any_chosen: bool,
    code: &'static str,
    error_message: &'static str,
    cancel_event: String,
    opener: &'a str,
    channel: &'a str,
    waba_id: String,
    progress: usize,
    of: usize,
}

#[derive(Template)]
#[template(path = "sandbox/ending.html")]
struct EndingPage<'a> {
    title: &'static str,
    text: &'static str,
    opener: &'a str,
    channel: &'a str,
    event: String,
    close_event: String,
    code: &'a str,
    delay_ms: u32,
    redirect: &'a str,
}

#[derive(Template)]
#[template(path = "sandbox/notice.html")]
struct NoticePage<'a> {
    title: &'a str,
    text: &'a str,
}

/// A page with the sandbox's headers. `form_target`: where a form's answer may lead besides the sandbox.
pub(super) fn page(template: &impl Template, status: StatusCode, form_target: &str) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page of the sandbox could not be rendered");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; \
         frame-ancestors 'none'; form-action 'self' {form_target}"
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    let policy = HeaderValue::from_str(policy.trim_end());
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.unwrap_or(HeaderValue::from_static("default-src 'none'")));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(super) fn refusal(refusal: &Refusal) -> Response {
    page(&NoticePage { title: refusal.title, text: &refusal.text }, StatusCode::BAD_REQUEST, "")
}

/// A walk that nobody knows (any more).
pub(super) fn gone() -> Response {
    let text = "This dialog is over. Go back to the page it was opened from and begin again.";
    page(&NoticePage { title: "Nothing here any more", text }, StatusCode::NOT_FOUND, "")
}

/// The current screen of a walk.
pub(super) fn screen(state: &State, flow: &Flow) -> Response {
    let (title, primary) = match flow.screen {
        Screen::SignIn => ("Sign in", "Continue"),
        Screen::Authorise => ("Allow access", "Continue"),
        Screen::CantOnboard => ("This provider can't onboard customers right now", "Continue"),
        Screen::Portfolio => ("Choose a business portfolio", "Continue"),
        Screen::Waba => ("Choose a WhatsApp Business account", "Continue"),
        Screen::Business => ("Business information", "Continue"),
        Screen::Number => ("Add a WhatsApp phone number", "Continue"),
        Screen::Verify => ("Verify the phone number", "Continue"),
        Screen::Permissions => ("Review permissions", "Confirm"),
        Screen::Done => ("Ready to finish", "Finish"),
        Screen::ReportError => ("Something is wrong", "Continue"),
    };
    let walk: &[Screen] = if flow.signup {
        &[
            Screen::SignIn,
            Screen::Authorise,
            Screen::Portfolio,
            Screen::Waba,
            Screen::Business,
            Screen::Number,
            Screen::Verify,
            Screen::Permissions,
            Screen::Done,
        ]
    } else {
        &[Screen::SignIn, Screen::Authorise, Screen::Waba, Screen::Permissions, Screen::Done]
    };
    let (opener, channel, form_target) = match &flow.way {
        Way::Popup { origin, channel } => (origin.as_str(), channel.as_str(), String::new()),
        Way::Page { redirect_uri, .. } => ("", "", origin_of(redirect_uri)),
    };
    let sends = flow.signup && !flow.has(super::scenario::Plain::EventLost);
    let mut choices = choices(state, flow);
    let more = choices.split_off(choices.len().min(SHOWN));
    let template = ScreenPage {
        flow,
        app_name: &state.app.name,
        title,
        screen: format!("{:?}", flow.screen),
        primary,
        choices,
        more,
        groups: groups(flow),
        any_chosen: !flow.scenarios.is_empty(),
        code: CODE,
        error_message: ERROR_MESSAGE,
        cancel_event: flow
            .step()
            .filter(|_| sends)
            .map(|step| super::outcome::cancelled(step).to_string())
            .unwrap_or_default(),
        opener,
        channel,
        waba_id: flow.waba_id.clone().unwrap_or_default(),
        progress: walk.iter().position(|screen| *screen == flow.screen).map_or(0, |at| at + 1),
        of: walk.len(),
    };
    page(&template, StatusCode::OK, &form_target)
}

fn origin_of(uri: &str) -> String {
    uri.parse::<url::Url>().map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// The chosen one first, then the newest.
fn choices(state: &State, flow: &Flow) -> Vec<Choice> {
    let mut choices = all_choices(state, flow);
    choices.reverse();
    choices.sort_by_key(|choice| !choice.chosen);
    choices
}

fn all_choices(state: &State, flow: &Flow) -> Vec<Choice> {
    match flow.screen {
        Screen::Portfolio => state
            .businesses
            .iter()
            .map(|business| Choice {
                id: business.id.clone(),
                name: business.name.clone(),
                note: match state.wabas_of(&business.id).count() {
                    1 => "1 WhatsApp account".to_owned(),
                    count => format!("{count} WhatsApp accounts"),
                },
                chosen: flow.business_id.as_ref() == Some(&business.id),
            })
            .collect(),
        Screen::Waba => state
            .wabas
            .iter()
            .filter(|waba| !flow.signup || flow.business_id.as_ref() == Some(&waba.business_id))
            .map(|waba| Choice {
                id: waba.id.clone(),
                name: waba.name.clone(),
                note: match state.phones_of(&waba.id).next() {
                    Some(phone) => format!("ID {} · {}", waba.id, phone.display),
                    None => format!("ID {} · no number", waba.id),
                },
                chosen: flow.waba_id.as_ref() == Some(&waba.id),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn groups(flow: &Flow) -> Vec<Group> {
    let mut groups = grouped();
    for group in &mut groups {
        for option in &mut group.options {
            option.chosen = flow.scenarios.iter().any(|scenario| scenario.to_string() == option.name);
        }
    }
    groups
}

fn grouped() -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for scenario in Scenario::all() {
        let title = match scenario {
            Scenario::Cancel(_) => "Cancelled",
            Scenario::Close(_) => "Window closed",
            Scenario::Plain(_) => "Ends otherwise",
            Scenario::Graph(_) => "The Graph API afterwards",
        };
        if groups.last().is_none_or(|group| group.title != title) {
            groups.push(Group { title, options: Vec::new() });
        }
        let option = Option_ { name: scenario.to_string(), title: scenario.title(), chosen: false };
        if let Some(group) = groups.last_mut() {
            group.options.push(option);
        }
    }
    groups
}

/// The last page: it hands the answer over and closes.
pub(super) fn ending(flow: &Flow, ending: &Ending) -> Response {
    let (title, text) = match (ending.finished, ending.code_delay_ms) {
        (true, 0) => ("All done", "This window closes by itself. If it stays, close it and go back."),
        (true, _) => ("Holding the code back", "The code is handed over after 31 seconds, when it has expired."),
        (false, _) => ("Nothing was connected", "This window closes by itself. If it stays, close it and go back."),
    };
    let (opener, channel) = match &flow.way {
        Way::Popup { origin, channel } => (origin.as_str(), channel.as_str()),
        Way::Page { .. } => ("", ""),
    };
    let text_of = |event: &Option<serde_json::Value>| event.as_ref().map(|e| json!(e).to_string()).unwrap_or_default();
    let template = EndingPage {
        title,
        text,
        opener,
        channel,
        event: text_of(&ending.event),
        close_event: text_of(&ending.close_event),
        code: ending.code.as_deref().unwrap_or_default(),
        delay_ms: ending.code_delay_ms,
        redirect: ending.redirect.as_deref().unwrap_or_default(),
    };
    page(&template, StatusCode::OK, "")
}
