//! What an open list hears: new lines, and lines whose deliveries went on. Each process looks for itself, so that it
//! does not matter which one took an event in.

use super::{
    EventPages,
    filter::{self, Asked, Meant},
    places::{MOST, Place},
    queries,
    rows::{self, Fit, Names, PAGE, RowTemplate},
    words::Outcome,
};
use crate::{
    accounts::{Presence, SignedIn},
    web::{Badge, Chrome, Error, Result},
    webhooks::EventId,
};
use askama::Template;
use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::StreamExt;
use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    time::Duration,
};
use tokio::time::Instant;
use tower_sessions::Session;

/// How long one stream lasts; then the browser comes again.
const MAX_STREAM: Duration = Duration::from_secs(600);
/// How often it is seen whether somebody may still see it.
const CHECK: Duration = Duration::from_secs(5);
/// How often is looked.
const LOOK: Duration = Duration::from_secs(1);

/// How the deliveries of an event stand.
#[derive(Template)]
#[template(path = "web/badge.html")]
struct BadgeTemplate<'a> {
    chrome: &'a Chrome,
    badge: Badge,
}

/// An open list.
struct Open {
    pages: EventPages,
    who: Presence,
    checked: Instant,
    _place: Place,
    asked: Asked,
    meant: Meant,
    chrome: Chrome,
    for_staff: bool,
    names: Names,
    /// The newest that was looked at.
    last: EventId,
    routed: i64,
    /// What is shown, with how its deliveries stood.
    shown: HashMap<EventId, Outcome>,
    waiting: VecDeque<Event>,
    until: Instant,
}

/// Server-sent events: `rows` with the HTML of new lines, the newest first; `badges` with that of how deliveries stand,
/// by event, as JSON. Somebody who has too many open hears `full`, with why in words, and nothing after it: browsers
/// tell pages nothing of a refusal's status.
pub(super) async fn stream(
    State(pages): State<EventPages>,
    chrome: Chrome,
    session: Session,
    SignedIn(user): SignedIn,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let Some(place) = pages.places.take(user.id) else {
        let words = format!("You have {MOST} lists of events open already, so this one is not kept up to date.");
        let full = Event::default().event("full").data(words);
        return Ok(Sse::new(futures_util::stream::iter([Ok::<_, Infallible>(full)])).into_response());
    };
    let meant = filter::meaning(&pages, &user, &asked).await?;
    // A browser that comes again says what it had last.
    let again = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let last = again.or_else(|| asked.after.parse().ok()).unwrap_or(EventId(0));
    let mut open = Open {
        for_staff: user.role.is_staff(),
        names: Names::default(),
        last,
        routed: -1,
        shown: HashMap::new(),
        waiting: VecDeque::new(),
        until: Instant::now() + MAX_STREAM,
        who: Presence::new(&session, user),
        checked: Instant::now(),
        _place: place,
        asked,
        meant,
        chrome,
        pages,
    };
    open.begin().await?;
    let stream = futures_util::stream::unfold(open, |mut open| async move {
        loop {
            if let Some(event) = open.waiting.pop_front() {
                return Some((event, open));
            }
            if Instant::now() >= open.until {
                return None;
            }
            tokio::time::sleep(LOOK).await;
            if !open.may_go_on().await {
                return None;
            }
            if let Err(error) = open.look().await {
                tracing::warn!(%error, "an open list could not be kept up to date");
                return None;
            }
        }
    });
    let stream = stream.map(Ok::<_, Infallible>);
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()).into_response())
}

impl Open {
    /// Takes note of what the page shows already.
    async fn begin(&mut self) -> Result<()> {
        if self.meant.has_errors() {
            self.until = Instant::now();
            return Ok(());
        }
        let shown = self.pages.webhooks.newest(&self.meant.of, Some(EventId(self.last.0.saturating_add(1))));
        let found = rows::find(&self.pages, &self.meant, shown, EventId(i64::MIN)).await?;
        self.shown = found.fits.iter().map(|fit| (fit.event.id, fit.outcome)).collect();
        // Since the page was made, some may have gone on.
        self.badges(self.shown.iter().map(|(id, outcome)| (*id, *outcome)).collect())
    }

    /// Whether whoever looks is still signed in, in the same company; asked now and then.
    async fn may_go_on(&mut self) -> bool {
        if self.checked.elapsed() < CHECK {
            return true;
        }
        self.checked = Instant::now();
        match self.who.is_there(&self.pages.accounts).await {
            Ok(is_there) => is_there,
            Err(error) => {
                tracing::warn!(%error, "it is not known who looks at an open list; it ends");
                false
            }
        }
    }

    async fn look(&mut self) -> Result<()> {
        let routed = self.pages.webhooks.routed_until().await?;
        if routed != self.routed {
            // A number's first event makes a route that was not there yet.
            self.meant = filter::meaning(&self.pages, self.who.user(), &self.asked).await?;
            let events = self.pages.webhooks.newest(&self.meant.of, None);
            let found = rows::find(&self.pages, &self.meant, events, self.last).await?;
            self.routed = routed;
            // Also where nothing fits: what was looked at once is not looked at again.
            self.last = found.newest.unwrap_or(self.last);
            if let Some(newest) = found.fits.first().map(|fit| fit.event.id) {
                let html = self.html(&found.fits).await?;
                self.waiting.push_back(Event::default().event("rows").id(newest.to_string()).data(html));
            }
            self.shown.extend(found.fits.iter().map(|fit| (fit.event.id, fit.outcome)));
            let mut ids: Vec<EventId> = self.shown.keys().copied().collect();
            ids.sort_unstable();
            for id in ids.iter().rev().skip(PAGE) {
                self.shown.remove(id);
            }
        }
        let ids: Vec<EventId> = self.shown.keys().copied().collect();
        let outcomes = queries::outcomes(&mut self.pages.store.read().await?, &ids).await?;
        let mut changed = Vec::new();
        for (id, outcome) in &mut self.shown {
            let now = outcomes.get(id).copied().unwrap_or(Outcome::NoEndpoint);
            if now != *outcome {
                *outcome = now;
                changed.push((*id, now));
            }
        }
        self.badges(changed)
    }

    fn badges(&mut self, of: Vec<(EventId, Outcome)>) -> Result<()> {
        let mut badges = serde_json::Map::new();
        for (id, outcome) in of {
            let badge = BadgeTemplate { chrome: &self.chrome, badge: outcome.badge() };
            badges.insert(id.to_string(), badge.render().map_err(Error::internal)?.into());
        }
        if !badges.is_empty() {
            let json = serde_json::Value::from(badges).to_string();
            self.waiting.push_back(Event::default().event("badges").data(json));
        }
        Ok(())
    }

    async fn html(&mut self, fits: &[Fit]) -> Result<String> {
        let now = self.pages.clock.now();
        let rows = rows::rows(&self.pages, &mut self.names, self.for_staff, fits, now).await?;
        let mut html = String::new();
        for row in &rows {
            let line = RowTemplate { chrome: &self.chrome, row, for_staff: self.for_staff };
            html.push_str(&line.render().map_err(Error::internal)?);
        }
        Ok(html)
    }
}
