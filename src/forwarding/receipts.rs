//! Messages that were sent and whose delivery an endpoint of the format MO/DLR waits for. Meta tries for a message's
//! time to live, at most 30 days, and says nothing when it gives up.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/time-to-live>

use super::{
    endpoint::Cause,
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

/// How long a delivery is waited for. A day less than Meta tries at most: the webhook that told of the message, with
/// the sender's reference in it, is kept for 30 days too. Shorter times to live (authentication: 10 minutes unless the
/// template says otherwise) stand in no webhook.
pub const AWAITED_FOR: Duration = Duration::days(29);
/// How long it is remembered that nothing is awaited: as long as Meta may still send what it sent before.
const SETTLED_FOR: Duration = Duration::days(8);
/// How many are told at once.
const TOGETHER: i64 = 100;
/// The bit of the status `sent`; all others settle a message.
const SENT: i64 = 1;

/// What changes tell about messages' delivery, by endpoint and message: where it was sent, or `None` where it came
/// to an end.
#[derive(Default)]
pub(super) struct Receipts {
    of: BTreeMap<(EndpointId, String), Option<(EventId, usize)>>,
}

impl Receipts {
    /// What a change tells.
    pub fn note(&mut self, endpoint: EndpointId, routed: &RoutedChange<'_>) {
        for (at, item) in routed.fresh().filter(|(_, item)| item.is_status) {
            let key = (endpoint, item.message.clone());
            if item.bit == SENT {
                self.of.entry(key).or_insert(Some((routed.id, at)));
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
            let (into, event, item, until) = match told {
                Some((event, item)) => (&mut sent, event.0, queries::item(Some(item)), now + AWAITED_FOR),
                None => (&mut settled, 0, -1, now + SETTLED_FOR),
            };
            into.extend([endpoint.into(), message.into(), event.into(), item.into(), until.into()]);
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
        for one in &overdue {
            let taken = queries::take_overdue(&mut tx, one, now).await?;
            if taken && one.event.0 != 0 {
                let item = usize::try_from(one.item).ok();
                plan.push(one.endpoint, NewDelivery { event: one.event, item, lane: 0, cause: Cause::Expired });
            }
        }
        let planned = self.number(&mut tx, plan).await?;
        tx.commit().await?;
        planned.into_keys().for_each(|endpoint| self.bells.ring_for(endpoint));
        Ok(true)
    }
}
