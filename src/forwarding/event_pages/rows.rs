//! The lines of the list: events that fit the filters, with what their changes and deliveries tell.

use super::{
    EventPages,
    filter::{Meant, Numbers},
    queries,
    words::{self, Group, Outcome, Told},
};
use crate::{
    base::ids::CustomerId,
    web::{Badge, Chrome, Result, when::When},
    webhooks::{Event, EventId, Newest, Of, is_message_id},
};
use askama::Template;
use std::collections::HashMap;
use time::OffsetDateTime;

/// Events on a page.
pub(super) const PAGE: usize = 50;
/// How many events one request looks through where few fit: by kind alone, by outcome, by what stands in the JSON.
const LOOK: [usize; 3] = [20_000, 2_000, 1_000];
/// How many are looked at together.
const TOGETHER: usize = 50;

/// An event that fits.
pub(super) struct Fit {
    pub event: Event,
    /// `None` where the change is not kept any more.
    pub told: Option<Told>,
    pub outcome: Outcome,
}

/// What a search came to.
pub(super) struct Found {
    pub fits: Vec<Fit>,
    /// The newest that was looked at, whether it fits or not.
    pub newest: Option<EventId>,
    /// Where the next page begins, if there is one.
    pub older: Option<EventId>,
    /// The last that was looked at, where the search was broken off before the page was full.
    pub broken_off: Option<Event>,
}

/// The next events that fit.
pub(super) async fn find(pages: &EventPages, meant: &Meant, mut events: Newest, until: EventId) -> Result<Found> {
    let look = match (&meant.text, &meant.outcome) {
        (Some(_), _) => LOOK[2],
        (None, Some(_)) => LOOK[1],
        (None, None) => LOOK[0],
    };
    let mut found = Found { fits: Vec::new(), newest: None, older: None, broken_off: None };
    let (mut looked, mut is_over) = (0, false);
    while !is_over && found.fits.len() <= PAGE {
        let mut some = Vec::new();
        let mut last = None;
        while some.len() < TOGETHER && looked < look {
            let Some(event) = events.next().await?.filter(|event| event.id > until) else {
                is_over = true;
                break;
            };
            looked += 1;
            found.newest = found.newest.or(Some(event.id));
            last = Some(event.clone());
            if meant.group.is_none_or(|group| Group::of(event.kind) == group) {
                some.push(event);
            }
        }
        found.fits.extend(fitting(pages, meant, some).await?);
        if !is_over && looked >= look && found.fits.len() <= PAGE {
            found.broken_off = last;
            break;
        }
    }
    if found.fits.len() > PAGE {
        found.fits.truncate(PAGE);
        found.older = found.fits.last().map(|fit| fit.event.id);
    }
    Ok(found)
}

/// Adds what is known of a message by its ID at once, however far back it is.
pub(super) async fn add_message(pages: &EventPages, meant: &Meant, found: &mut Found) -> Result<()> {
    let Some(id) = meant.text.as_ref().filter(|text| is_message_id(text)) else { return Ok(()) };
    let routes = match &meant.of {
        Of::All => None,
        Of::Routes(routes) => Some(routes.iter().map(|route| route.id).collect::<Vec<_>>()),
    };
    let mut events = Vec::new();
    for last in pages.webhooks.told_last_of(id, routes.as_deref()).await? {
        let Some(event) = pages.webhooks.event(last).await? else { continue };
        // A number may have been another customer's, and the mark with it.
        let is_theirs = routes.as_ref().is_none_or(|routes| routes.contains(&event.route.id));
        let is_group = meant.group.is_none_or(|group| Group::of(event.kind) == group);
        if is_theirs && is_group && found.fits.iter().all(|fit| fit.event.id != event.id) {
            events.push(event);
        }
    }
    found.fits.extend(fitting(pages, meant, events).await?);
    found.fits.sort_by_key(|fit| std::cmp::Reverse(fit.event.id));
    Ok(())
}

async fn fitting(pages: &EventPages, meant: &Meant, events: Vec<Event>) -> Result<Vec<Fit>> {
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    let outcomes = queries::outcomes(&mut pages.store.read().await?, &ids).await?;
    let outcome = |id: &EventId| outcomes.get(id).copied().unwrap_or(Outcome::NoEndpoint);
    let is_sought = |id: &EventId| meant.outcome.as_ref().is_none_or(|sought| outcome(id).is_sought_by(sought));
    let ids: Vec<EventId> = ids.into_iter().filter(is_sought).collect();
    let mut told: HashMap<EventId, (Told, bool)> = pages
        .webhooks
        .changes(&ids, |_, change| {
            let fits = meant.text.as_ref().is_none_or(|text| change.raw.contains(text.as_str()));
            // What does not fit is not read.
            (if fits { Told::of(&change.json()) } else { Told::default() }, fits)
        })
        .await?;
    let fits = events.into_iter().filter(|event| ids.contains(&event.id)).filter_map(|event| {
        let told = told.remove(&event.id);
        let fits = told.as_ref().map_or(meant.text.is_none(), |(_, fits)| *fits);
        fits.then(|| Fit { outcome: outcome(&event.id), told: told.map(|(told, _)| told), event })
    });
    Ok(fits.collect())
}

/// A line.
pub(super) struct EventRow {
    pub id: EventId,
    pub when: When,
    pub icon: &'static str,
    pub kind: &'static str,
    pub detail: String,
    pub failure: Option<String>,
    pub name: Option<String>,
    pub contact: Option<String>,
    pub more: usize,
    pub stale: usize,
    pub number: Option<String>,
    /// Staff's: whose it is.
    pub customer: Option<String>,
    pub outcome: Badge,
    pub is_kept: bool,
}

/// What lines need of others, read once.
#[derive(Default)]
pub(super) struct Names {
    numbers: Numbers,
    customers: HashMap<CustomerId, String>,
}

impl Names {
    pub async fn customer(&mut self, pages: &EventPages, id: CustomerId) -> Result<String> {
        if let Some(name) = self.customers.get(&id) {
            return Ok(name.clone());
        }
        let name = pages.accounts.customer(id).await?.map_or_else(|| "Deleted customer".to_owned(), |one| one.name);
        self.customers.insert(id, name.clone());
        Ok(name)
    }

    pub async fn number(&mut self, pages: &EventPages, event: &Event) -> Result<Option<String>> {
        self.numbers.of(pages, &event.route).await
    }
}

/// Lines of these events.
pub(super) async fn rows(
    pages: &EventPages,
    names: &mut Names,
    for_staff: bool,
    fits: &[Fit],
    now: OffsetDateTime,
) -> Result<Vec<EventRow>> {
    let mut rows = Vec::new();
    for fit in fits {
        let (event, group) = (&fit.event, Group::of(fit.event.kind));
        let told = fit.told.clone().unwrap_or_default();
        let customer = match event.route.place.owner {
            Some(owner) if for_staff => Some(names.customer(pages, owner.customer).await?),
            None if for_staff => Some("Nobody’s".to_owned()),
            _ => None,
        };
        rows.push(EventRow {
            id: event.id,
            when: When::new(event.received_at, now),
            icon: group.icon(),
            kind: event.kind.words(),
            detail: words::detail(event.kind, &event.detail),
            failure: told.failure,
            name: told.name,
            contact: told.contact,
            more: told.more,
            stale: event.stale.len(),
            number: names.number(pages, event).await?,
            customer,
            outcome: fit.outcome.badge(),
            is_kept: fit.told.is_some(),
        });
    }
    Ok(rows)
}

/// A line alone, for the stream.
#[derive(Template)]
#[template(path = "forwarding/event_row.html")]
pub(super) struct RowTemplate<'a> {
    pub chrome: &'a Chrome,
    pub row: &'a EventRow,
    pub for_staff: bool,
}
