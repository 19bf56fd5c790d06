//! `/support/customers/{id}/timeline`: everything that happened with one customer, the newest first. Each feature tells
//! what is its own; here it is merged.

use super::{log_moments, pages::Support};
use crate::{
    accounts::{Customer, Staff},
    base::clock,
    web::{Badge, Before, Chrome, Error, Moment, Result, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use std::{cmp::Reverse, str::FromStr};
use time::{Duration, OffsetDateTime};
use url::form_urlencoded;

/// How many a page has.
const PAGE: usize = 40;

/// What it is about, as the filter has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Attempts,
    Permissions,
    Numbers,
    Templates,
    Quality,
    Calls,
    Other,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Attempts, Self::Permissions, Self::Numbers, Self::Templates, Self::Quality, Self::Calls, Self::Other];

    /// In the address.
    pub fn key(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Permissions => "permissions",
            Self::Numbers => "numbers",
            Self::Templates => "templates",
            Self::Quality => "quality",
            Self::Calls => "calls",
            Self::Other => "other",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Attempts => "Attempt",
            Self::Permissions => "Permissions",
            Self::Numbers => "Number",
            Self::Templates => "Template",
            Self::Quality => "Quality and notices",
            Self::Calls => "Call to Meta",
            Self::Other => "Other",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Attempts => "Attempts to connect",
            Self::Numbers => "Registrations, PINs, codes",
            Self::Templates => "Templates",
            Self::Quality => "Quality, limits, Meta’s notices",
            Self::Calls => "All calls to Meta",
            Self::Other => "Endpoints, profiles, the rest",
            Self::Permissions => "Permissions and connections",
        }
    }
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// All but calls to Meta that went well: the story.
    Story,
    /// All.
    Everything,
    /// One kind.
    Only(Kind),
}

impl Shown {
    fn of(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self::Story),
            "everything" => Some(Self::Everything),
            other => Kind::ALL.into_iter().find(|kind| kind.key() == other).map(Self::Only),
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Story => "",
            Self::Everything => "everything",
            Self::Only(kind) => kind.key(),
        }
    }

    fn has(self, kind: Kind) -> bool {
        match self {
            Self::Story | Self::Everything => true,
            Self::Only(only) => only == kind,
        }
    }
}

/// Where a page begins: after this moment. Moments of the same time are in the order of their sources.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    at_ms: i64,
    source: u8,
    id: String,
}

impl FromStr for Cursor {
    type Err = ();
    fn from_str(s: &str) -> std::result::Result<Self, ()> {
        let mut parts = s.splitn(3, '.');
        let at_ms: i64 = parts.next().and_then(|at| at.parse().ok()).ok_or(())?;
        let source = parts.next().and_then(|source| source.parse().ok()).ok_or(())?;
        // What lies outside of all times of ours is no cursor of ours.
        let is_time = (0..=32_503_680_000_000).contains(&at_ms);
        let id = parts.next().filter(|id| is_time && id.len() <= 64).ok_or(())?;
        Ok(Self { at_ms, source, id: id.to_owned() })
    }
}

impl Cursor {
    /// Where that is in a source.
    fn before(&self, source: u8) -> Before {
        let at = clock::from_ms(self.at_ms);
        match source.cmp(&self.source) {
            std::cmp::Ordering::Less => Before { at, id: String::new() },
            std::cmp::Ordering::Equal => Before { at, id: self.id.clone() },
            std::cmp::Ordering::Greater => Before { at: at + Duration::milliseconds(1), id: String::new() },
        }
    }
}

/// A row of `support/timeline_lines.html`.
pub(super) struct Line {
    pub kind: Kind,
    pub word: &'static str,
    pub badge: Option<Badge>,
    pub what: String,
    pub details: Vec<String>,
    pub when: When,
}

/// A page of it.
pub(super) struct Lines {
    pub lines: Vec<Line>,
    /// Where the next begins.
    pub older: Option<String>,
}

/// What happened with a customer, the newest first: those after the cursor.
pub(super) async fn read(
    support: &Support,
    customer: &Customer,
    shown: Shown,
    after: Option<&Cursor>,
    most: usize,
    operator: &str,
) -> Result<Lines> {
    let now = support.clock.now();
    // Clocks differ: what Meta tells may be a moment ahead.
    let newest = Before { at: now + Duration::days(1), id: String::new() };
    let from = |source: u8| after.map_or_else(|| newest.clone(), |cursor| cursor.before(source));
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let id = customer.id;
    let numbers = support.numbers.written(id).await?;
    let mut all: Vec<(u8, Kind, Moment)> = Vec::new();
    let mut add = |source: u8, kind: Kind, found: Vec<Moment>| {
        all.extend(found.into_iter().map(|moment| (source, kind, moment)));
    };
    if shown.has(Kind::Attempts) {
        add(0, Kind::Attempts, support.signup.moments(id, &from(0), limit, operator).await?);
    }
    if shown.has(Kind::Permissions) {
        add(1, Kind::Permissions, support.connections.check_moments(id, &from(1), limit).await?);
    }
    if shown.has(Kind::Quality) {
        add(2, Kind::Quality, support.numbers.change_moments(id, &from(2), limit).await?);
        let written = |number: &_| numbers.get(number).cloned();
        add(3, Kind::Quality, support.connections.notice_moments(id, &from(3), limit, written).await?);
    }
    if shown.has(Kind::Templates) {
        let wabas = support.connections.held_wabas(id).await?;
        add(4, Kind::Templates, support.templates.moments(&wabas, &from(4), limit).await?);
    }
    if shown.has(Kind::Numbers) {
        add(5, Kind::Numbers, support.numbers.try_moments(id, &from(5), limit).await?);
    }
    let logged = log_moments::read(support, id, &numbers, &|kind| shown.has(kind), &from(6), limit).await?;
    all.extend(logged.into_iter().map(|(kind, moment)| (6, kind, moment)));
    if shown.has(Kind::Calls) {
        let only_failed = shown == Shown::Story;
        let calls = support.connections.call_moments(id, &from(7), only_failed, limit).await?;
        all.extend(calls.into_iter().map(|moment| (7, Kind::Calls, moment)));
    }
    all.sort_by_cached_key(|(source, _, moment)| {
        (Reverse(clock::to_ms(moment.at)), *source, Reverse(moment.id.clone()))
    });
    let more = all.len() > most;
    all.truncate(most);
    let last = all.last().filter(|_| more);
    let older = last.map(|(source, _, last)| format!("{}.{source}.{}", clock::to_ms(last.at), last.id));
    Ok(Lines { lines: all.into_iter().map(|(_, kind, moment)| line(kind, moment, now)).collect(), older })
}

fn line(kind: Kind, moment: Moment, now: OffsetDateTime) -> Line {
    Line {
        kind,
        word: kind.word(),
        badge: moment.badge,
        what: moment.what,
        details: moment.details,
        when: When::new(moment.at, now),
    }
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    after: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "support/timeline.html")]
pub(super) struct TimelinePage {
    chrome: Chrome,
    id: String,
    name: String,
    /// Address, words, whether it is chosen.
    choices: Vec<(&'static str, &'static str, bool)>,
    moments: Vec<Line>,
    is_story: bool,
    is_later: bool,
    newest: String,
    older: Option<String>,
}

fn address(id: &str, kind: &str, after: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if !kind.is_empty() {
        query.append_pair("kind", kind);
    }
    if let Some(after) = after {
        query.append_pair("after", after);
    }
    let query = query.finish();
    let path = format!("/support/customers/{id}/timeline");
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

pub(super) async fn show(
    State(support): State<Support>,
    chrome: Chrome,
    _: Staff,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<TimelinePage> {
    let customer = super::pages::find(&support, &id).await?;
    let shown = Shown::of(&asked.kind).ok_or(Error::NotFound)?;
    let after: Option<Cursor> = match asked.after.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|()| Error::NotFound)?),
    };
    let found = read(&support, &customer, shown, after.as_ref(), PAGE, &chrome.site.operator).await?;
    let id = customer.id.to_string();
    let mut choices =
        vec![("", "What mattered", shown == Shown::Story), ("everything", "Everything", shown == Shown::Everything)];
    choices.extend(Kind::ALL.into_iter().map(|kind| (kind.key(), kind.words(), shown == Shown::Only(kind))));
    Ok(TimelinePage {
        chrome,
        name: customer.name,
        choices,
        moments: found.lines,
        is_story: shown == Shown::Story,
        is_later: after.is_some(),
        newest: address(&id, shown.key(), None),
        older: found.older.map(|older| address(&id, shown.key(), Some(&older))),
        id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_where_the_one_before_ended() {
        let cursor: Cursor = "1700000000000.3.abc".parse().unwrap();
        let at = clock::from_ms(1_700_000_000_000);
        assert_eq!(cursor.before(2), Before { at, id: String::new() }, "those of this time were shown");
        assert_eq!(cursor.before(3), Before { at, id: "abc".to_owned() });
        assert_eq!(cursor.before(4), Before { at: at + Duration::milliseconds(1), id: String::new() }, "not yet");
        for odd in ["", "1", "1.2", "x.1.a", "-5.1.a", "99999999999999999.1.a", "1.300.a"] {
            assert!(odd.parse::<Cursor>().is_err(), "{odd}");
        }
    }
}
