//! Messages that were sent and whose delivery an endpoint of the format MO/DLR waits for. Meta tries for a message's
//! time to live, at most 30 days, and says nothing when it gives up.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/time-to-live>

use super::{
    endpoint::Cause,
    format,
    plan::Plan,
    plan_queries::{self as queries, NewDelivery},
    service::Forwarding,
};
use crate::{
    base::ids::EndpointId,
    jobs::Lease,
    store::{Arg, Result, WriteTx},
    webhooks::{EventId, RoutedChange},
};
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

/// How long a delivery is waited for: as long as Meta tries at most. Shorter times to live (authentication: 10 minutes
/// unless the template says otherwise) stand in no webhook. What is told in the end is kept from the beginning on: the
/// webhook that told of the message, with the sender's reference in it, may be gone by then.
pub const AWAITED_FOR: Duration = Duration::days(30);
/// How long it is remembered that nothing is awaited: as long as Meta may still send what it sent before.
const SETTLED_FOR: Duration = Duration::days(8);
/// How many are told at once.
const TOGETHER: i64 = 100;
/// The bit of the status `sent`; all others settle a message.
const SENT: i64 = 1;

/// What changes tell about messages' delivery, by endpoint and the message's ID: that it was sent, or `None` where it
/// came to an end. A message to a group is sent once, and comes to its end with the first of the participants.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/groups-messaging>
#[derive(Default)]
pub(super) struct Receipts {
    of: BTreeMap<(EndpointId, String), Option<Sent>>,
}

/// That a message was sent.
struct Sent {
    event: EventId,
    item: usize,
    report: Option<String>,
}

impl Receipts {
    /// What a change tells.
    pub fn note(&mut self, endpoint: EndpointId, routed: &RoutedChange<'_>) {
        let told = format::told(&routed.change);
        for (at, item) in routed.fresh().filter(|(_, item)| item.is_status) {
            let Some(message) = told.message_of(item) else { continue };
            let key = (endpoint, message);
            if item.bit == SENT {
                let sent = || Some(Sent { event: routed.id, item: at, report: told.expired(item) });
                self.of.entry(key).or_insert_with(sent);
            } else {
                self.of.insert(key, None);
            }
        }
    }

    /// Keeps it.
    ///
    /// # Errors
    /// The database's.
    pub async fn keep(self, tx: &mut WriteTx, now: OffsetDateTime) -> Result<()> {
        let (mut sent, mut settled): (Vec<Arg>, Vec<Arg>) = (Vec::new(), Vec::new());
        for ((endpoint, message), told) in self.of {
            let (into, event, item, until, report) = match told {
                Some(Sent { event, item, report }) => {
                    (&mut sent, event.0, queries::item(Some(item)), now + AWAITED_FOR, report)
                }
                None => (&mut settled, 0, -1, now + SETTLED_FOR, None),
            };
            into.extend([endpoint.into(), message.into(), event.into(), item.into(), until.into(), report.into()]);
        }
        queries::AWAIT.execute(tx, sent).await?;
        queries::SETTLE.execute(tx, settled).await
    }
}

impl Forwarding {
    /// Plans deliveries for messages whose time is over. Whether there may be more.
    pub(super) async fn expire(&self, lease: &Lease) -> Result<bool> {
        let now = self.clock.now();
        let overdue = queries::overdue(&mut self.store.read().await?, now, TOGETHER).await?;
        if overdue.is_empty() {
            return Ok(false);
        }
        let mut tx = self.store.write().await?;
        if !lease.confirm(&mut tx).await? {
            return Ok(false);
        }
        let mut plan = Plan::default();
        for one in overdue {
            let taken = queries::take_overdue(&mut tx, &one, now).await?;
            if taken && one.event.0 != 0 {
                let (item, lane, more_lanes, cause) = (usize::try_from(one.item).ok(), 0, Vec::new(), Cause::Expired);
                let new = NewDelivery { event: one.event, item, lane, more_lanes, cause, report: one.report };
                plan.push(one.endpoint, new);
            }
        }
        let planned = self.number(&mut tx, plan).await?;
        tx.commit().await?;
        planned.into_keys().for_each(|endpoint| self.bells.ring_for(endpoint));
        Ok(true)
    }
}
