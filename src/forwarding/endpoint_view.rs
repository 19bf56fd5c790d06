//! Endpoints, deliveries and attempts in the words of their pages.

use super::{
    endpoint::{Cause, Delivery, DeliveryState, Endpoint, EndpointState, Format},
    queries::Attempt,
};
use crate::{
    connections::Overview,
    web::{Badge, when::When},
    webhooks::Event,
};
use time::OffsetDateTime;

/// What a format is called.
pub(super) fn format_name(format: Format) -> &'static str {
    match format {
        Format::Meta => "Meta’s own",
        Format::Events => "Events",
        Format::MoDlr => "MO/DLR",
    }
}

/// What it is good for.
pub(super) fn format_hint(format: Format) -> &'static str {
    match format {
        Format::Meta => {
            "The same JSON and signature as from Meta: any WhatsApp library works unchanged. Your server must answer Meta’s handshake."
        }
        Format::Events => "One small JSON object for each message, status or other event, signed by Standard Webhooks.",
        Format::MoDlr => {
            "Incoming messages and delivery reports, as gateways for text messages send them. Files come along."
        }
    }
}

/// Where calls go.
pub(super) fn target(endpoint: &Endpoint) -> String {
    endpoint.url.as_ref().map_or_else(|| "Built-in receiver".to_owned(), ToString::to_string)
}

/// How it stands.
pub(super) fn state(endpoint: &Endpoint) -> Badge {
    match (endpoint.state, endpoint.state_reason.as_deref(), endpoint.failing_since) {
        (EndpointState::Active, _, None) => Badge::new("good", "Active"),
        (EndpointState::Active, _, Some(_)) => Badge::new("attention", "Failing"),
        (EndpointState::Paused, Some("failing"), _) => Badge::new("problem", "Paused after failures"),
        (EndpointState::Paused, _, _) => Badge::new("neutral", "Paused"),
        (EndpointState::Disabled, _, _) => Badge::new("problem", "Disabled"),
    }
}

/// What it gets, in a sentence each.
pub(super) struct Gets {
    pub kinds: String,
    pub accounts: String,
    pub numbers: String,
}

pub(super) fn gets(endpoint: &Endpoint, connected: &[Overview]) -> Gets {
    let wabas = || connected.iter().flat_map(|overview| &overview.wabas);
    let list = |all: Vec<String>| all.join(", ");
    let accounts = endpoint.wabas.as_ref().map(|ids| {
        let name = |id: &crate::base::ids::WabaId| {
            let found = wabas().find(|(waba, _)| waba.id == *id);
            found.map_or_else(|| id.to_string(), |(waba, _)| waba.name.clone())
        };
        list(ids.iter().map(name).collect())
    });
    let numbers = endpoint.numbers.as_ref().map(|ids| {
        let name = |id: &crate::base::ids::PhoneNumberId| {
            let found = wabas().flat_map(|(_, numbers)| numbers).find(|number| number.id == *id);
            found.map_or_else(|| id.to_string(), crate::phone_numbers::Number::international)
        };
        list(ids.iter().map(name).collect())
    });
    let all = match endpoint.format {
        Format::MoDlr => "Messages and their statuses",
        _ => "Everything",
    };
    let kinds = endpoint.kinds.as_ref().map(|kinds| list(kinds.iter().map(|kind| kind.words().to_owned()).collect()));
    Gets {
        kinds: kinds.unwrap_or_else(|| all.to_owned()),
        accounts: accounts.unwrap_or_else(|| "All, also those connected later".to_owned()),
        numbers: numbers.unwrap_or_else(|| "All, also those connected later".to_owned()),
    }
}

/// A try as it is shown.
pub(super) struct AttemptLine {
    pub number: i64,
    pub at: When,
    pub outcome: String,
    pub good: bool,
    pub took: String,
    pub answer: Option<String>,
}

fn outcome(attempt: &Attempt) -> String {
    let why = attempt.error.as_deref().map(|error| match error {
        "timeout" => "no answer in time",
        "refused_address" => "the address leads into a private network",
        "connect" => "no connection",
        "dns" => "the name of the server is not known",
        "tls" => "its certificate is not valid",
        "redirect" => "a redirect, which is not followed",
        other => other,
    });
    match (attempt.status, why) {
        (Some(status), Some(why)) => format!("{status}: {why}"),
        (Some(status), None) => status.to_string(),
        (None, why) => why.unwrap_or("no answer").to_owned(),
    }
}

pub(super) fn attempt_line(attempt: &Attempt, now: OffsetDateTime) -> AttemptLine {
    let ms = attempt.duration_ms;
    let took = if ms < 1_000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1_000, ms % 1_000 / 100) };
    AttemptLine {
        number: attempt.attempt,
        at: When::new(attempt.at, now),
        outcome: outcome(attempt),
        good: attempt.status.is_some_and(|status| (200..300).contains(&status)),
        took,
        answer: attempt.answer.clone().filter(|answer| !answer.trim().is_empty()),
    }
}

/// A delivery as it is shown.
pub(super) struct DeliveryLine {
    pub number: i64,
    pub what: String,
    /// The event's page.
    pub event: Option<String>,
    pub badge: Badge,
    pub planned: When,
    /// When it is tried next, once it was tried.
    pub next: Option<When>,
    pub attempts: Vec<AttemptLine>,
}

impl DeliveryLine {
    /// The last try.
    pub fn last(&self) -> Option<&AttemptLine> {
        self.attempts.last()
    }
}

/// What is due by now comes in a moment.
fn upcoming(at: OffsetDateTime, now: OffsetDateTime) -> When {
    let near = at - now < time::Duration::seconds(10);
    let when = When::new(at, now);
    if near { When { relative: "in a moment".to_owned(), ..when } } else { when }
}

pub(super) fn delivery_line(
    delivery: &Delivery,
    event: Option<&Event>,
    attempts: &[Attempt],
    now: OffsetDateTime,
) -> DeliveryLine {
    let badge = match (delivery.state, delivery.attempts) {
        (DeliveryState::Pending, 0) => Badge::new("waiting", "Waiting"),
        (DeliveryState::Pending, _) => Badge::new("attention", "Failed, is tried again"),
        (DeliveryState::Delivered, _) => Badge::new("good", "Delivered"),
        (DeliveryState::Failed, _) => Badge::new("problem", "Given up"),
        (DeliveryState::Cancelled, _) => Badge::new("neutral", "Not sent"),
    };
    let about = match event {
        Some(event) if event.detail.is_empty() => event.kind.words().to_owned(),
        Some(event) => format!("{}: {}", event.kind.words(), event.detail),
        None => "An event".to_owned(),
    };
    let what = match delivery.cause {
        Cause::Test => "Test event".to_owned(),
        Cause::Event => about,
        Cause::Replay => format!("{about} (again)"),
        Cause::Expired => "Message not delivered within its time".to_owned(),
    };
    DeliveryLine {
        number: delivery.number,
        what,
        event: delivery.event.map(|event| event.to_string()),
        badge,
        planned: When::new(delivery.created_at, now),
        next: delivery.next_at.filter(|_| delivery.attempts > 0).map(|at| upcoming(at, now)),
        attempts: attempts.iter().map(|attempt| attempt_line(attempt, now)).collect(),
    }
}
