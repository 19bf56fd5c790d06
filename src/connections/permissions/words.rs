//! Permissions in plain words: how they stand, what changed, why, and what to do.

use super::standing::{Answer, Change, MANAGEMENT, MESSAGING, Refusal, Standing, Verdict};
use crate::{
    base::{clock, ids::ConnectionId},
    connections::News,
    web::when::When,
};
use time::OffsetDateTime;

/// A line of the table: what, before, now.
pub(in crate::connections) struct Line {
    /// About which account; empty for the connection as a whole.
    pub group: String,
    /// What it is about.
    pub what: String,
    /// How it was.
    pub before: String,
    /// How it is.
    pub after: String,
    /// The look of the badge beside it: `good`, `problem`, `waiting`, `neutral`.
    pub look: &'static str,
    /// Whether it is another than before.
    pub changed: bool,
}

/// A permission as one reads it.
pub(in crate::connections) fn scope_words(scope: &str) -> String {
    match scope {
        MANAGEMENT => "See and change your accounts, numbers and templates".to_owned(),
        MESSAGING => "Send and receive messages".to_owned(),
        "business_management" => "See your business at Meta".to_owned(),
        "public_profile" => "See the name of who connected".to_owned(),
        other => other.to_owned(),
    }
}

fn answer(answer: Answer, yes: &str, no: &str) -> (String, &'static str) {
    match answer {
        Answer::Yes => (yes.to_owned(), "good"),
        Answer::No => (no.to_owned(), "problem"),
        Answer::Unknown => ("Meta could not say".to_owned(), "waiting"),
    }
}

fn scope_of(standing: &Standing, scope: &str) -> Answer {
    match &standing.scopes {
        _ if standing.token == Answer::No => Answer::No,
        None => Answer::Unknown,
        Some(scopes) if scopes.iter().any(|one| one == scope) => Answer::Yes,
        Some(_) => Answer::No,
    }
}

fn end(standing: &Standing, now: OffsetDateTime) -> String {
    match standing.expires_at {
        None => "No end".to_owned(),
        Some(at) => When::new(clock::from_ms(at.saturating_mul(1_000)), now).exact,
    }
}

fn numbers(list: &[String]) -> String {
    if list.is_empty() { "None".to_owned() } else { list.join(", ") }
}

/// The table of a check.
pub(in crate::connections) fn lines(before: &Standing, after: &Standing, now: OffsetDateTime) -> Vec<Line> {
    let mut all = Vec::new();
    let mut push = |group: &str, what: &str, was: (String, &'static str), is: (String, &'static str)| {
        // What could not be asked has not changed.
        let changed = was.0 != is.0 && is.1 != "waiting";
        let (group, what) = (group.to_owned(), what.to_owned());
        all.push(Line { group, what, before: was.0, after: is.0, look: is.1, changed });
    };
    let works = |one: Answer| answer(one, "Works", "Ended");
    let now_works = match after.verdict() {
        Verdict::Works => Answer::Yes,
        Verdict::Ended => Answer::No,
        Verdict::Unknown => Answer::Unknown,
    };
    push("", "Access", works(before.token), works(now_works));
    for scope in [MANAGEMENT, MESSAGING] {
        let allowed = |standing: &Standing| answer(scope_of(standing, scope), "Allowed", "Not allowed");
        push("", &scope_words(scope), allowed(before), allowed(after));
    }
    if now_works == Answer::Yes && (before.expires_at.is_some() || after.expires_at.is_some()) {
        push("", "Good until, if we did not renew it", (end(before, now), "neutral"), (end(after, now), "neutral"));
    }
    for is in &after.accounts {
        let Some(was) = before.accounts.iter().find(|was| was.id == is.id) else { continue };
        let opens = |one: Answer| answer(one, "Open to us", "Closed to us");
        push(&is.name, "Account", opens(was.opens), opens(is.opens));
        if is.opens == Answer::Yes {
            let on = |one: Option<bool>| match one {
                Some(true) => ("On".to_owned(), "good"),
                Some(false) => ("Off".to_owned(), "problem"),
                None => ("Meta could not say".to_owned(), "waiting"),
            };
            let is_on = if is.made_again { ("Was off; on again".to_owned(), "good") } else { on(is.subscribed) };
            push(&is.name, "Messages reach us", on(was.subscribed), is_on);
            push(&is.name, "Numbers", (numbers(&was.numbers), "neutral"), (numbers(&is.numbers), "neutral"));
        }
    }
    all
}

/// What it all comes to: the notice's class and icon, title, text.
pub(in crate::connections) fn summary(
    before: &Standing,
    after: &Standing,
    changes: &[Change],
) -> (&'static str, &'static str, String, String) {
    let said = |class, icon, title: &str, text: &str| (class, icon, title.to_owned(), text.to_owned());
    match after.verdict() {
        Verdict::Ended => {
            let text = format!("{} Names, settings and history stay as they are.", cause(after));
            ("notice-error", "error", "The access has ended: connect again".to_owned(), text)
        }
        Verdict::Unknown => said(
            "notice-warning",
            "warning",
            "Meta could not answer now",
            "Nothing has changed here. Try again in some minutes.",
        ),
        Verdict::Works if after.accounts.iter().any(|one| one.opens == Answer::No) => said(
            "notice-warning",
            "warning",
            "Not all accounts are open to us",
            "What is open works. For the rest, connect again and tick all accounts in Facebook’s window.",
        ),
        Verdict::Works if before.token == Answer::No => {
            said("notice-success", "done", "The access works again", "Nothing is left to do.")
        }
        Verdict::Works if changes.is_empty() => {
            said("notice-success", "done", "All permissions are in place", "Nothing has changed.")
        }
        Verdict::Works => said("notice-success", "done", "The access works", "Something changed: see below."),
    }
}

/// Why a token works no longer.
/// <https://developers.facebook.com/docs/graph-api/guides/error-handling>
pub(in crate::connections) fn cause(standing: &Standing) -> String {
    let subcode = standing.refusal.as_ref().and_then(|refusal| refusal.subcode);
    if standing.token == Answer::Yes && !standing.missing().is_empty() {
        let missing: Vec<_> =
            standing.missing().into_iter().map(|scope| format!("“{}”", scope_words(scope).to_lowercase())).collect();
        return format!("A permission was taken away: {}.", missing.join(" and "));
    }
    match subcode {
        Some(460) => "Meta says that a password was changed, or that it ended the session for safety.",
        Some(458) => "Meta says that the grant was removed.",
        Some(463) => "Meta says that the time of the access is over.",
        _ if standing.token == Answer::Yes => "Meta lets us in, but opens no account to us any more.",
        _ => "Meta does not take the access that was given to us any more.",
    }
    .to_owned()
}

/// The usual causes, and what each means.
pub(in crate::connections) const CAUSES: [(&str, &str); 3] = [
    ("The password was changed", "Of the Facebook account that connected. Facebook then ends what was allowed before."),
    ("The person is no admin any more", "Who connected has left the business, or lost their rights at Meta."),
    ("The grant was removed", "In Facebook’s settings under Business integrations, or in the WhatsApp Business app."),
];

/// What changed, as one line.
pub(in crate::connections) fn change(change: &Change) -> String {
    match change {
        Change::Ended => "The access ended.".to_owned(),
        Change::WorksAgain => "The access works again.".to_owned(),
        Change::Reconnected => "Connected again.".to_owned(),
        Change::ScopeDropped { scope } => format!("Not allowed any more: {}.", scope_words(scope).to_lowercase()),
        Change::ScopeAdded { scope } => format!("Now allowed: {}.", scope_words(scope).to_lowercase()),
        Change::AccountClosed { name } => format!("The account {name} is closed to us."),
        Change::AccountOpened { name } => format!("The account {name} is open to us again."),
        Change::SubscriptionGone { name, made_again: true } => {
            format!("Meta had stopped sending us the messages of {name}; it does again.")
        }
        Change::SubscriptionGone { name, made_again: false } => {
            format!("Meta does not send us the messages of {name}.")
        }
        Change::NumberGone { number } => format!("{number} is not in the account any more."),
        Change::NumberNew { number } => format!("{number} is new."),
    }
}

/// A change as a notice on the connection's page; `None` for what is no news there.
pub(super) fn news(of: &Change, at: OffsetDateTime, id: ConnectionId, now: OffsetDateTime) -> Option<News> {
    let again = || Some((format!("/connections/{id}/reconnect"), "Connect again"));
    let (look, title, text, link) = match of {
        Change::ScopeDropped { .. } => {
            ("warning", "A permission was taken away", "Connect again, and leave all permissions switched on.", again())
        }
        Change::AccountClosed { .. } => (
            "problem",
            "An account is closed to us",
            "Connect again, and tick this account in Facebook’s window.",
            again(),
        ),
        Change::SubscriptionGone { made_again: true, .. } => (
            "info",
            "Messages were switched off at Meta",
            "We switched them on again. What came meanwhile is not sent once more.",
            None,
        ),
        Change::SubscriptionGone { made_again: false, .. } => {
            ("problem", "Messages are switched off at Meta", "We could not switch them on: connect again.", None)
        }
        _ => return None,
    };
    let text = format!("{} {text}", change(of));
    Some(News { look, title: title.to_owned(), text, link, when: When::new(at, now) })
}

/// Code and trace of a refusal, for support.
pub(in crate::connections) fn details(standing: &Standing) -> Vec<(String, String)> {
    let refusals = standing.accounts.iter().filter_map(|one| Some((one.name.clone(), one.refusal.as_ref()?)));
    let all = standing.refusal.iter().map(|refusal| ("Token".to_owned(), refusal)).chain(refusals);
    all.map(|(of, refusal)| (of, refusal_words(refusal))).collect()
}

fn refusal_words(refusal: &Refusal) -> String {
    let subcode = refusal.subcode.map(|subcode| format!("/{subcode}")).unwrap_or_default();
    let trace = refusal.fbtrace_id.as_ref().map(|trace| format!(" (fbtrace_id {trace})")).unwrap_or_default();
    format!("Code {}{subcode}: {}{trace}", refusal.code, refusal.message)
}
