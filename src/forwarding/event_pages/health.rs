//! Why do a customer's messages not arrive? What support looks at first.

use super::{
    EventPages,
    rows::Names,
    words::{Group, Told},
};
use crate::{
    base::ids::CustomerId,
    forwarding::{EndpointState, UnwellEndpoint},
    web::{Badge, Result, when::When},
    webhooks::{EventId, Of},
};
use std::collections::BTreeMap;

/// How many events are looked through for failed ones, and how many of those are shown.
const LOOK: usize = 1_000;
const FAILED: usize = 5;

/// A number with the last that came for it.
pub struct NumberLine {
    /// As people read it.
    pub number: String,
    /// The last event's ID and what it is.
    pub last: Option<(EventId, &'static str, When)>,
}

/// An endpoint that is not well.
pub struct EndpointLine {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub badge: Badge,
    /// Since when.
    pub since: When,
}

/// A message that did not arrive, by Meta's word.
pub struct FailedLine {
    /// The event.
    pub id: EventId,
    /// When it came.
    pub when: When,
    /// To whom.
    pub contact: Option<String>,
    /// Meta's reason, with its code.
    pub reason: String,
}

/// What is known of whether a customer's messages arrive.
pub struct Health {
    /// Each number.
    pub numbers: Vec<NumberLine>,
    /// Whether there is an endpoint at all.
    pub has_endpoints: bool,
    /// Those that do not get what they want.
    pub endpoints: Vec<EndpointLine>,
    /// Messages that Meta could not deliver, the newest first.
    pub failed: Vec<FailedLine>,
}

impl EventPages {
    /// Endpoints that need somebody's attention, of one customer or of all.
    ///
    /// # Errors
    /// The database's.
    pub async fn unwell_endpoints(&self, customer: Option<CustomerId>) -> Result<Vec<UnwellEndpoint>> {
        Ok(self.forwarding.unwell(customer).await?)
    }

    /// What is known of a customer.
    ///
    /// # Errors
    /// The database's.
    pub async fn health(&self, customer: CustomerId) -> Result<Health> {
        let now = self.clock.now();
        let routes = self.webhooks.routes_of(customer).await?;
        let mut names = Names::default();
        let mut numbers: BTreeMap<String, Option<(EventId, &'static str, When)>> = BTreeMap::new();
        for overview in self.connections.list(customer).await? {
            for number in overview.wabas.iter().flat_map(|(_, numbers)| numbers) {
                numbers.insert(number.international(), None);
            }
        }
        for route in routes.iter().filter(|route| route.place.phone_number.is_some()) {
            let of = Of::Routes(vec![route.clone()]);
            let Some(event) = self.webhooks.newest(&of, None).next().await? else { continue };
            let number = names.number(self, &event).await?.unwrap_or_default();
            let last = numbers.entry(number).or_insert(None);
            if last.as_ref().is_none_or(|(id, ..)| *id < event.id) {
                *last = Some((event.id, event.kind.words(), When::new(event.received_at, now)));
            }
        }
        let endpoints = self.forwarding.endpoints(customer).await?;
        let unwell = endpoints.iter().filter_map(|endpoint| {
            let (badge, since) = match (endpoint.state, endpoint.failing_since) {
                (EndpointState::Active, None) => return None,
                (EndpointState::Active, Some(since)) => (Badge::new("problem", "Failing"), since),
                (EndpointState::Paused, _) => (Badge::new("attention", "Paused"), endpoint.state_since),
                (EndpointState::Disabled, _) => (Badge::new("problem", "Switched off"), endpoint.state_since),
            };
            Some(EndpointLine { name: endpoint.name.clone(), badge, since: When::new(since, now) })
        });
        Ok(Health {
            numbers: numbers.into_iter().map(|(number, last)| NumberLine { number, last }).collect(),
            has_endpoints: !endpoints.is_empty(),
            endpoints: unwell.collect(),
            failed: self.failed(&Of::Routes(routes)).await?,
        })
    }

    async fn failed(&self, of: &Of) -> Result<Vec<FailedLine>> {
        let now = self.clock.now();
        let (mut events, mut failed) = (self.webhooks.newest(of, None), Vec::new());
        for _ in 0..LOOK {
            let Some(event) = events.next().await? else { break };
            if Group::of(event.kind) == Group::Statuses && event.detail == "failed" {
                failed.push(event);
            }
            if failed.len() == FAILED {
                break;
            }
        }
        let ids: Vec<EventId> = failed.iter().map(|event| event.id).collect();
        let mut told = self.webhooks.changes(&ids, |_, change| Told::of(&change.json())).await?;
        let lines = failed.into_iter().map(|event| {
            let told = told.remove(&event.id).unwrap_or_default();
            FailedLine {
                id: event.id,
                when: When::new(event.received_at, now),
                contact: told.contact,
                reason: told.failure.unwrap_or_else(|| "Meta gave no reason".to_owned()),
            }
        });
        Ok(lines.collect())
    }
}
