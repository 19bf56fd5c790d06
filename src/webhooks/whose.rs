//! Whose the changes in kept bodies are, also of those that became no event: they had come before, or are not routed
//! yet, or their event is gone already.

use super::{
    batch::understand,
    change::{Change, EventId},
    kept_queries as queries,
    queries::Kept,
    route::Route,
    understand::Address,
};
use crate::store::{Reads, Result};
use std::collections::HashMap;
use time::OffsetDateTime;

/// The routes that some bodies' changes took, and those that their places had.
#[derive(Default)]
pub(super) struct Whose {
    of_events: HashMap<EventId, Route>,
    of_places: HashMap<Address, Vec<(Route, OffsetDateTime)>>,
}

impl Whose {
    /// Reads the routes of these bodies' events; they are in order.
    pub async fn read(&mut self, db: &mut impl Reads, bodies: &[Kept]) -> Result<()> {
        let (Some(first), Some(last)) = (bodies.first(), bodies.last()) else { return Ok(()) };
        let (from, before) = (EventId::new(first.seq, 0), EventId::new(last.seq + 1, 0));
        self.of_events = queries::routes_between(db, from, before).await?.into_iter().collect();
        Ok(())
    }

    /// The route that an event took, if the change is one.
    pub fn of_event(&self, id: EventId) -> Option<&Route> {
        self.of_events.get(&id)
    }

    /// The route that a change would have taken which came then: the one that was taken last from its place.
    pub async fn of_place(
        &mut self,
        db: &mut impl Reads,
        change: &Change<'_>,
        at: OffsetDateTime,
    ) -> Result<(Address, Option<Route>)> {
        let address = understand(change).address;
        if !self.of_places.contains_key(&address) {
            let waba = address.waba.as_ref().map_or("", |waba| waba.as_str());
            let number = address.phone_number.as_ref().map_or("", |number| number.as_str());
            let routes = queries::routes_of_place(db, waba, number).await?;
            self.of_places.insert(address.clone(), routes);
        }
        let routes = self.of_places.get(&address).map_or(&[][..], Vec::as_slice);
        let taken = routes.iter().find(|(_, since)| *since <= at).or(routes.last());
        Ok((address, taken.map(|(route, _)| route.clone())))
    }
}
