//! What the page of an attempt shows, made from how the attempt stands.

use super::{
    attempt::Attempt,
    connect_page::Launcher,
    model::{Flow, Step},
    service::Signup,
    words::{Action, Words},
};
use crate::{
    accounts::Member,
    phone_numbers::Quality,
    web::{Chrome, Result},
};
use askama::Template;
use askama_web::WebTemplate;

/// A line of the list of steps.
pub(super) struct StepLine {
    pub(super) name: &'static str,
    pub(super) words: &'static str,
    /// `done`, `working`, `waiting`, `failed`.
    pub(super) status: &'static str,
    pub(super) icon: &'static str,
    pub(super) state: &'static str,
    pub(super) hint: Option<String>,
}

/// The lines, and the step that each is done with.
const LINES: [(&str, &str, Step); 6] = [
    ("code", "Answer received from Facebook", Step::CodeReceived),
    ("access", "Access confirmed", Step::TokenInspected),
    ("accounts", "Accounts found", Step::Chosen),
    ("saved", "Saved", Step::Saved),
    ("subscribed", "Messages switched on", Step::Subscribed),
    ("numbers", "Numbers read", Step::Done),
];

fn step_lines(attempt: &Attempt, now_ms: i64) -> Vec<StepLine> {
    let failed_at = attempt.failure.as_ref().filter(|_| attempt.step == Step::Failed).map(|failure| failure.at);
    let reached = failed_at.unwrap_or(attempt.step);
    let mut current = true;
    LINES
        .iter()
        .map(|(name, words, done_with)| {
            let is_current = current;
            current = current && reached >= *done_with;
            let (status, icon, state) = match (reached >= *done_with, is_current) {
                (true, _) => ("done", "done", "Done"),
                (false, true) if failed_at.is_some() => ("failed", "error", "Stopped"),
                (false, true) if attempt.step.waits_for_customer() => ("working", "person", "Your turn"),
                (false, true) => ("working", "working", "Working"),
                (false, false) if failed_at.is_some() => ("waiting", "circle", "Not started"),
                (false, false) => ("waiting", "circle", "Waiting"),
            };
            let hint = attempt.trouble.as_ref().filter(|_| status == "working").map(|trouble| {
                let seconds = ((trouble.next_ms - now_ms) / 1_000).max(1);
                format!("Facebook answers slowly. Trying again in {seconds} s (try {}).", trouble.tries + 1)
            });
            StepLine { name, words, status, icon, state, hint }
        })
        .collect()
}

/// An account as the chooser shows it.
pub(super) struct Choice {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) numbers: Vec<ChoiceNumber>,
    pub(super) checked: bool,
    /// The event named it.
    pub(super) hinted: bool,
    pub(super) already: bool,
    pub(super) others: bool,
}

/// A connection that was to be connected again, where its accounts did not all come back.
pub(super) struct Instead {
    /// Its ID.
    pub(super) id: String,
    /// What the customer calls it.
    pub(super) name: String,
    /// The accounts that did not come back.
    pub(super) missing: Vec<String>,
    /// None of them came back.
    pub(super) none: bool,
}

pub(super) struct ChoiceNumber {
    pub(super) number: String,
    pub(super) name: String,
    pub(super) badge: crate::web::Badge,
}

#[derive(Template, WebTemplate)]
#[template(path = "signup/attempt.html")]
pub(super) struct AttemptPage {
    pub(super) chrome: Chrome,
    pub(super) id: String,
    pub(super) state: &'static str,
    pub(super) reason: String,
    pub(super) title: String,
    pub(super) lead: Option<String>,
    /// How far the way of three stations is.
    pub(super) station: u8,
    pub(super) lines: Vec<StepLine>,
    pub(super) launched: bool,
    pub(super) choices: Vec<Choice>,
    pub(super) choice_error: Option<&'static str>,
    /// The connection that was to be connected again, and what of it did not come back.
    pub(super) instead: Option<Instead>,
    pub(super) waba_id_needed: bool,
    /// Message events count from here as well as from facebook.com.
    pub(super) dialog_origin: String,
    pub(super) typed: String,
    pub(super) typed_error: Option<String>,
    pub(super) words: Option<Words>,
    pub(super) launcher: Option<Launcher>,
    /// Trying again is there, but not the obvious next step.
    pub(super) is_quiet: bool,
    pub(super) is_oauth: bool,
    /// The connection that it is to connect again.
    pub(super) reconnects: Option<String>,
    pub(super) connections: Vec<(String, String)>,
    pub(super) numbers: Vec<String>,
    /// Whether all of them can send and receive already.
    pub(super) all_ready: bool,
    pub(super) details: Vec<(&'static str, String)>,
    pub(super) version: i64,
    pub(super) refresh: bool,
}

impl AttemptPage {
    fn goes_on(&self) -> bool {
        self.words.as_ref().is_some_and(|words| words.action == Action::GoOn)
    }

    fn writes(&self) -> bool {
        self.words.as_ref().is_some_and(|words| words.action == Action::Write)
    }
}

fn details(attempt: &Attempt) -> Vec<(&'static str, String)> {
    let mut all = vec![("Attempt", attempt.id.to_string()), ("Step", attempt.step.as_str().to_owned())];
    let Some(failure) = &attempt.failure else { return all };
    all.push(("Reason", failure.reason.as_str().to_owned()));
    if let Some(detail) = &failure.detail {
        all.push(("Detail", detail.clone()));
    }
    if let Some(error) = &failure.graph {
        if let Some(api) = error.api() {
            let subcode = api.subcode.map(|code| format!(", subcode {code}")).unwrap_or_default();
            all.push(("Code", format!("{} ({}){subcode}, HTTP {}", api.code, api.kind, api.status)));
            all.extend(api.fbtrace_id.clone().map(|trace| ("fbtrace_id", trace)));
        } else {
            all.push(("Meta", error.to_string()));
        }
    }
    all
}

/// From this try on, the page says that it takes longer.
const LONG_TROUBLE: u32 = 3;

fn heading(attempt: &Attempt) -> (String, Option<String>) {
    if attempt.trouble.as_ref().is_some_and(|trouble| trouble.tries >= LONG_TROUBLE) && !attempt.step.is_final() {
        let lead = "Facebook has trouble answering. We keep trying for some minutes; you can close this page.";
        return ("Connecting your WhatsApp".to_owned(), Some(lead.to_owned()));
    }
    let step = |number: u8, doing: &str| {
        ("Connecting your WhatsApp".to_owned(), Some(format!("Step {number} of 6: {doing}. This takes a few seconds.")))
    };
    match attempt.step {
        Step::Launched if attempt.hint.as_ref().is_some_and(super::Hint::is_finish) => (
            "Waiting for Facebook".to_owned(),
            Some("Facebook says you are done. We wait for its answer; a few seconds.".to_owned()),
        ),
        Step::Launched if attempt.window_closed_at.is_some() => (
            "Waiting for Facebook".to_owned(),
            Some("The window is closed. We look whether an answer came.".to_owned()),
        ),
        Step::Launched => (
            "Finish in the Facebook window".to_owned(),
            Some("This page goes on by itself when you are done there.".to_owned()),
        ),
        Step::CodeReceived => step(2, "confirming the access"),
        Step::TokenExchanged => step(2, "confirming the access"),
        Step::TokenInspected => step(3, "looking for your accounts"),
        Step::Choosing => (
            "Which WhatsApp accounts shall we connect?".to_owned(),
            Some(format!("Facebook gave us access to {} accounts. You can take several.", attempt.candidates.len())),
        ),
        Step::WabaIdNeeded => (
            "Tell us your WhatsApp account".to_owned(),
            Some(
                "Facebook let us in, but does not say which account is yours. Every account has a number of its own."
                    .to_owned(),
            ),
        ),
        Step::Chosen => step(4, "saving"),
        Step::Saved => step(5, "switching on messages"),
        Step::Subscribed => step(6, "reading your numbers"),
        Step::Done => ("Your WhatsApp is connected".to_owned(), None),
        Step::Failed => (String::new(), None),
    }
}

pub(super) async fn page(signup: &Signup, chrome: Chrome, member: &Member, attempt: Attempt) -> Result<AttemptPage> {
    let (mut title, mut lead) = heading(&attempt);
    let words = attempt
        .failure
        .as_ref()
        .filter(|_| attempt.step == Step::Failed)
        .map(|failure| failure.words(&chrome.site.operator));
    if let Some(words) = &words {
        title.clone_from(&words.title);
    }
    let mut connections = Vec::new();
    let mut numbers = Vec::new();
    let mut all_ready = true;
    if attempt.step == Step::Done {
        for id in &attempt.connections {
            if let Some(overview) = signup.connections.get(member.customer, *id).await? {
                connections.push((id.to_string(), overview.connection.name.clone()));
                let chosen = overview.wabas.iter().filter(|(waba, _)| attempt.chosen.contains(&waba.id));
                for number in chosen.flat_map(|(_, numbers)| numbers) {
                    all_ready &= number.is_ready();
                    numbers.push(number.international());
                }
            }
        }
    }
    let typed_error = attempt.failure.as_ref().filter(|_| attempt.step == Step::WabaIdNeeded).map(|_| {
        "Facebook does not let us use this account. Check the digits. If they are right, connect as an admin of the business, and leave WhatsApp switched on.".to_owned()
    });
    let instead = instead(signup, &attempt).await?;
    if let Some(instead) = &instead {
        title = if instead.none { "Another account came back" } else { "Not all accounts came back" }.to_owned();
        lead = None;
    }
    let launches = attempt.step == Step::Failed || attempt.step == Step::Launched;
    let mut launcher = None;
    if launches {
        let details = signup.details(member.customer).await?;
        launcher = Launcher::new(&signup.meta(), member, &details, Some(&attempt));
    }
    let writes = words.as_ref().is_some_and(|words| words.action == Action::Write);
    let is_quiet = writes && chrome.site.support_email.is_some();
    if let Some(launcher) = &mut launcher {
        launcher.is_quiet = is_quiet;
    }
    Ok(AttemptPage {
        id: attempt.id.to_string(),
        state: attempt.machine_state(),
        reason: attempt.machine_reason(),
        title,
        lead,
        station: match attempt.step {
            Step::Launched => 2,
            Step::Failed if attempt.failure.as_ref().is_some_and(|failure| failure.at == Step::Launched) => 2,
            Step::Done => 4,
            _ => 3,
        },
        lines: step_lines(&attempt, signup.clock.now_ms()),
        launched: attempt.step == Step::Launched,
        choices: choices(signup, &attempt).await?,
        choice_error: None,
        instead,
        waba_id_needed: attempt.step == Step::WabaIdNeeded,
        dialog_origin: signup.meta().dialog_url.origin().ascii_serialization(),
        typed: attempt.chosen.first().filter(|_| typed_error.is_some()).map(ToString::to_string).unwrap_or_default(),
        typed_error,
        words,
        launcher,
        is_quiet,
        is_oauth: attempt.flow == Flow::OAuth,
        reconnects: attempt.reconnect.as_ref().map(|reconnect| reconnect.connection.to_string()),
        connections,
        numbers,
        all_ready,
        details: details(&attempt),
        version: attempt.version,
        refresh: attempt.machine_state() == "working",
        chrome,
    })
}

/// An account's name; where another has the same, with the end of its ID.
fn told_apart(attempt: &Attempt, waba: &crate::graph::Waba) -> String {
    let same = attempt.candidates.iter().filter(|candidate| candidate.waba.name == waba.name).count();
    // Where another was wanted, that one may have the same name.
    if same > 1 || attempt.reconnect.is_some() { with_end(&waba.name, waba.id.as_str()) } else { waba.name.clone() }
}

/// A name with the end of the ID behind it.
fn with_end(name: &str, id: &str) -> String {
    format!("{name} (ID ends in {})", &id[id.len().saturating_sub(4)..])
}

pub(super) async fn instead(signup: &Signup, attempt: &Attempt) -> Result<Option<Instead>> {
    let (Step::Choosing, Some(reconnect)) = (attempt.step, &attempt.reconnect) else { return Ok(None) };
    let Some(overview) = signup.connections.get(attempt.customer_id, reconnect.connection).await? else {
        return Ok(None);
    };
    let came = |id: &crate::base::ids::WabaId| attempt.candidates.iter().any(|candidate| candidate.waba.id == *id);
    let (back, missing): (Vec<_>, Vec<_>) = overview.wabas.iter().partition(|(waba, _)| came(&waba.id));
    Ok((!missing.is_empty()).then(|| Instead {
        id: reconnect.connection.to_string(),
        name: overview.connection.name.clone(),
        missing: missing.iter().map(|(waba, _)| with_end(&waba.name, waba.id.as_str())).collect(),
        none: back.is_empty(),
    }))
}

pub(super) async fn choices(signup: &Signup, attempt: &Attempt) -> Result<Vec<Choice>> {
    if attempt.step != Step::Choosing {
        return Ok(Vec::new());
    }
    let hinted = attempt.hint.as_ref().and_then(|hint| hint.waba_id.clone());
    let mut all = Vec::new();
    for candidate in &attempt.candidates {
        let owner = signup.is_connected(attempt.customer_id, &candidate.waba.id).await?;
        let is_hinted = hinted.as_ref() == Some(&candidate.waba.id);
        all.push(Choice {
            id: candidate.waba.id.to_string(),
            name: told_apart(attempt, &candidate.waba),
            numbers: candidate
                .numbers
                .iter()
                .map(|number| {
                    let quality = Quality::of(number.quality_rating.as_deref());
                    ChoiceNumber {
                        number: crate::phone_numbers::international(&number.display_phone_number),
                        name: number.verified_name.clone(),
                        badge: crate::web::Badge::new(quality.badge(), quality.phrase()),
                    }
                })
                .collect(),
            checked: is_hinted && owner != Some(false),
            hinted: is_hinted,
            already: owner == Some(true),
            others: owner == Some(false),
        });
    }
    Ok(all)
}
