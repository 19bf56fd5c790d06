//! What needs attention, the worst first: what it is, why, since when, and what to do.

use super::pages::Support;
use crate::{
    accounts::CustomerState,
    base::ids::CustomerId,
    connections::{Attention, Trouble},
    forwarding::{EndpointState, UnwellEndpoint},
    message_templates::{Template as MessageTemplate, TroubledTemplate},
    phone_numbers::Registration,
    signup::{Reason, Step, Stuck, StuckAttempt},
    web::{Badge, Result, when::When},
};
use std::collections::{HashMap, hash_map::Entry};
use time::{Duration, OffsetDateTime};

/// How many lines the list of all customers has.
const LINES: usize = 60;

/// A row of `support/attention.html`.
pub(super) struct Line {
    /// How bad it is: the smaller, the worse.
    rank: u8,
    at: OffsetDateTime,
    pub customer: CustomerId,
    /// The company, and its page; empty on its own page.
    pub company: Option<(String, String)>,
    pub badge: Badge,
    /// What is the matter.
    pub what: String,
    /// What to do.
    pub to_do: String,
    /// Where to do it: address, words.
    pub link: Option<(String, &'static str)>,
    pub since: When,
}

/// What is shown of the list.
pub(super) struct List {
    pub lines: Vec<Line>,
    /// The rest, folded.
    pub folded: Vec<Line>,
    /// How many more there are.
    pub more: usize,
}

/// How many templates of an account are named.
const NAMED: usize = 3;

/// How many lines stand open on a customer's page, above how all stands.
const OPEN: usize = 4;

/// Within how many days the end of a token is urgent.
const URGENT: Duration = Duration::days(3);

/// An account's templates that need a look: what, and what to do. `name`: the connection's.
fn of_templates(unwell: &[MessageTemplate], name: &str) -> (String, String) {
    let one = |template: &MessageTemplate| {
        let TroubledTemplate { name, badge, why } = TroubledTemplate::new(template);
        (format!("{name}: {}", badge.word.to_lowercase()), why)
    };
    if let [template] = unwell {
        let (what, why) = one(template);
        return (format!("Template {what}"), why);
    }
    let named: Vec<String> = unwell.iter().take(NAMED).map(|template| one(template).0).collect();
    let more = if unwell.len() > NAMED { ", and others" } else { "" };
    (format!("{name}: {} templates need a look", unwell.len()), format!("{}{more}.", named.join(", ")))
}

fn of_connection(one: &Attention, now: OffsetDateTime) -> Line {
    let name = &one.name;
    let customer = format!("/support/customers/{}", one.customer);
    let own_app = || format!("{customer}/own-app/{}", one.connection);
    let (rank, look, word, what, to_do): (u8, _, _, String, String) = match &one.trouble {
        Trouble::AccessEnded { is_own_app: true } => (
            0,
            "problem",
            "Access ended",
            format!("{name}: Meta does not take the token of the customer’s own app any more"),
            "Have them make a new one, and replace it.".to_owned(),
        ),
        Trouble::AccessEnded { is_own_app: false } => (
            0,
            "problem",
            "Access ended",
            format!("{name}: Meta does not take the token any more"),
            "Usual causes: password changed, admin rights lost, access removed. An admin of the business must connect \
             again."
                .to_owned(),
        ),
        Trouble::NumberBlocked(number) => (
            1,
            "problem",
            "Blocked",
            format!("Meta has blocked {number}"),
            "Business Support Home at Meta says why; an admin of the business can ask for a review there.".to_owned(),
        ),
        Trouble::AccountClosed(waba) => (
            1,
            "problem",
            "Closed to us",
            format!("{name}: the account {waba} does not open to us any more"),
            "An admin of the business must connect again, and tick this account in Facebook’s window.".to_owned(),
        ),
        Trouble::NotSubscribed(waba) => (
            2,
            "problem",
            "Webhooks off",
            format!("{name}: Meta does not send the webhooks of {waba}"),
            "No message comes in. Have them connect once more and choose the same account.".to_owned(),
        ),
        Trouble::TokenEnds(at) if *at <= now => (
            0,
            "problem",
            "Token over",
            format!("{name}: the token’s time is over"),
            "It must be connected again.".to_owned(),
        ),
        Trouble::TokenEnds(at) => (
            if *at - now <= URGENT { 3 } else { 7 },
            "attention",
            "Token ends",
            format!("{name}: the token ends {}", When::new(*at, now).relative),
            "It is renewed by itself where Meta allows it; if not, they must connect again before.".to_owned(),
        ),
        Trouble::Obstacle(number, what, solution) => {
            (4, "problem", "Meta says no", format!("Meta says about {number}: {what}"), solution.clone())
        }
        Trouble::QualityLow(number) => (
            5,
            "attention",
            "Low quality",
            format!("The quality of {number} is low"),
            "People block or report it. Fewer and more useful messages, or Meta limits the number.".to_owned(),
        ),
        Trouble::Templates { unwell, .. } => {
            let (what, to_do) = of_templates(unwell, name);
            (7, "attention", "Templates", what, to_do)
        }
        Trouble::NotReady(number, why) => (
            if *why == Registration::NamePending { 6 } else { 4 },
            match why {
                Registration::NamePending => "waiting",
                Registration::NameDeclined => "problem",
                _ => "attention",
            },
            "Not ready",
            format!("{number} can’t send or receive yet"),
            match why {
                Registration::Unverified => "It is not confirmed by code.",
                Registration::NamePending => "Meta is checking its display name. Nothing to do but wait.",
                Registration::NameDeclined => "Meta has declined its display name: they must choose another one.",
                Registration::Unclear => "Meta says something else of it: its page has Meta’s word.",
                _ => "It is not registered.",
            }
            .to_owned(),
        ),
    };
    let reconnect =
        || Some((format!("/support/connections/{}/permissions", one.connection), "Permissions and reconnect link"));
    let link = match &one.trouble {
        Trouble::AccessEnded { is_own_app: true } => Some((own_app(), "Replace the token")),
        Trouble::AccessEnded { is_own_app: false }
        | Trouble::AccountClosed(_)
        | Trouble::NotSubscribed(_)
        | Trouble::TokenEnds(_) => reconnect(),
        Trouble::Templates { waba, .. } => Some((format!("{customer}#templates-{waba}"), "Look at the templates")),
        Trouble::NumberBlocked(_) | Trouble::QualityLow(_) | Trouble::NotReady(..) | Trouble::Obstacle(..) => {
            one.number.as_ref().map(|number| (format!("{customer}#number-{number}"), "Look at the number"))
        }
    };
    Line {
        rank,
        at: one.since,
        customer: one.customer,
        company: None,
        badge: Badge::new(look, word),
        what,
        to_do,
        link,
        since: When::new(one.since, now),
    }
}

fn of_endpoint(one: &UnwellEndpoint, now: OffsetDateTime) -> Line {
    let (rank, look, word, to_do) = match one.state {
        EndpointState::Active => {
            (3, "problem", "Failing", "Their server does not answer well. Its page shows the answers.")
        }
        EndpointState::Disabled => {
            (3, "problem", "Switched off", "It is not called any more. Find out why, and resume it.")
        }
        EndpointState::Paused => {
            (8, "waiting", "Paused", "What comes is kept for it. Resume it when their server is ready.")
        }
    };
    Line {
        rank,
        at: one.since,
        customer: one.customer,
        company: None,
        badge: Badge::new(look, word),
        what: format!("Endpoint {}: {}", one.name, word.to_lowercase()),
        to_do: to_do.to_owned(),
        link: Some((format!("/support/customers/{}/endpoints", one.customer), "Endpoints")),
        since: When::new(one.since, now),
    }
}

/// A customer who is stuck while connecting.
fn of_attempt(one: &StuckAttempt, operator: &str, now: OffsetDateTime) -> Line {
    let attempt = &one.attempt;
    let words = attempt.failure.as_ref().filter(|_| one.how == Stuck::Failed).map(|failure| failure.words(operator));
    let has_left = attempt.failure.as_ref().is_some_and(|failure| failure.reason == Reason::Cancelled);
    let (rank, look, word, what) = match (one.how, &words) {
        (Stuck::Failed, Some(words)) if has_left => (7, "attention", "Left", words.title.clone()),
        (Stuck::Failed, Some(words)) => (3, "problem", "Could not connect", words.title.clone()),
        (Stuck::Failed, None) => (3, "problem", "Could not connect", "It failed".to_owned()),
        (Stuck::Hangs, _) => (3, "problem", "Hangs", "Connecting goes on, but gets no further".to_owned()),
        (Stuck::Waits, _) => (6, "waiting", "Waits", "Connecting waits for their choice".to_owned()),
        (Stuck::Left, _) => (8, "waiting", "Left", "Facebook’s window was opened, and nothing came back".to_owned()),
    };
    let to_do = match (&words, one.how) {
        (Some(words), _) => {
            let staff = words.for_staff.map(|text| format!(" For you: {text}")).unwrap_or_default();
            format!("Tell them: {}{staff}", words.to_do.join(" Or: "))
        }
        (None, Stuck::Hangs) => {
            "Meta has trouble, or does not answer. It goes on by itself; the timeline shows the calls.".to_owned()
        }
        (None, Stuck::Waits) => "Have them open “Connections” here and answer the question.".to_owned(),
        (None, _) => "Ask them to try again, and stay with them while they do.".to_owned(),
    };
    let decides = attempt.reconnect.is_some() && attempt.step == Step::Choosing;
    let link = match decides {
        true => (format!("/support/attempts/{}/decide", attempt.id), "Decide for them"),
        false => (format!("/support/customers/{}/timeline?kind=attempts", attempt.customer_id), "Their attempts"),
    };
    Line {
        rank,
        at: one.since,
        customer: attempt.customer_id,
        company: None,
        badge: Badge::new(look, word),
        what: format!("Connecting WhatsApp: {what}"),
        to_do,
        link: Some(link),
        since: When::new(one.since, now),
    }
}

/// What needs attention, of all customers that are not shut out, or of one.
pub(super) async fn list(support: &Support, customer: Option<CustomerId>, operator: &str) -> Result<List> {
    let now = support.clock.now();
    let mut lines: Vec<Line> = Vec::new();
    lines.extend(support.connections.attention(customer).await?.iter().map(|one| of_connection(one, now)));
    lines.extend(support.signup.stuck(customer).await?.iter().map(|one| of_attempt(one, operator, now)));
    lines.extend(support.events.unwell_endpoints(customer).await?.iter().map(|one| of_endpoint(one, now)));
    // The worst first; among equals who waits longest.
    lines.sort_by_key(|line| (line.rank, line.at));
    if customer.is_none() {
        let mut companies: HashMap<CustomerId, Option<String>> = HashMap::new();
        for line in &mut lines {
            let company = match companies.entry(line.customer) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(new) => {
                    let found = support.accounts.customer(line.customer).await?;
                    let open = found.filter(|customer| customer.state == CustomerState::Active);
                    new.insert(open.map(|customer| customer.name)).clone()
                }
            };
            line.company = company.map(|name| (name, format!("/support/customers/{}", line.customer)));
        }
        lines.retain(|line| line.company.is_some());
    }
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    // On a customer's page, where it would hide what it is about.
    let folded = match customer {
        Some(_) if lines.len() > OPEN + 1 => lines.split_off(OPEN),
        _ => Vec::new(),
    };
    Ok(List { lines, folded, more })
}
