//! `/events`: what came from Meta, and what became of it on its way to the customer's endpoints. Members see their own
//! company's, staff see all.

mod again;
mod charts;
mod filter;
mod health;
mod list_page;
mod one_page;
mod places;
mod pretty;
mod queries;
mod rows;
mod stream;
mod totals;
mod words;

pub use health::Health;
pub use places::Places;
pub use totals::Totals;

use super::Forwarding;
use crate::{
    accounts::{Accounts, User},
    base::clock::Clock,
    connections::Connections,
    store::Store,
    web::{Access, Error, Result, Routes},
    webhooks::{Event, EventId, Of, Webhooks},
};

/// What the pages draw on.
#[derive(Clone)]
pub struct EventPages {
    /// What came.
    pub webhooks: Webhooks,
    /// Where it goes.
    pub forwarding: Forwarding,
    /// Whose it is.
    pub accounts: Accounts,
    /// Which numbers they have.
    pub connections: Connections,
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Who has lists open.
    pub places: Places,
    /// The sums of all customers.
    pub totals: Totals,
}

/// The routes of these pages.
pub fn routes(pages: EventPages) -> Routes {
    Routes::new()
        .get(Access::SignedIn, "/events", list_page::list)
        .get(Access::SignedIn, "/events/stream", stream::stream)
        .get(Access::SignedIn, "/events/again", again::back)
        .post(Access::SignedIn, "/events/again", again::selection)
        .get(Access::SignedIn, "/events/since", again::ask_since)
        .post(Access::SignedIn, "/events/since", again::since)
        .get(Access::SignedIn, "/events/{id}", one_page::show)
        .get(Access::SignedIn, "/events/{id}/raw", one_page::raw)
        .get(Access::SignedIn, "/events/{id}/again", one_page::back)
        .post(Access::SignedIn, "/events/{id}/again", again::one)
        .with_state(pages)
}

impl EventPages {
    /// An event that this person may see.
    async fn event_for(&self, user: &User, id: &str) -> Result<Event> {
        let id: EventId = id.parse().map_err(|_| Error::NotFound)?;
        let event = self.webhooks.event(id).await?.ok_or(Error::NotFound)?;
        let owner = event.route.place.owner.map(|owner| owner.customer);
        let may = user.role.is_staff() || (owner.is_some() && owner == user.customer_id);
        if may { Ok(event) } else { Err(Error::NotFound) }
    }

    /// The events among which an event has its neighbours: those of its customer, or nobody's.
    async fn around(&self, event: &Event) -> Result<Of> {
        Ok(Of::Routes(match event.route.place.owner {
            Some(owner) => self.webhooks.routes_of(owner.customer).await?,
            None => self.webhooks.nobodys_routes().await?,
        }))
    }
}
