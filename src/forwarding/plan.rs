//! Which calls follow from changes: rows in `deliveries`, made in the transaction that makes events of the changes.

use super::{
    cache::Wish,
    endpoint::{Cause, Format},
    format::{self, Part},
    plan_queries::{self as queries, NewDelivery},
    receipts::Receipts,
    service::Forwarding,
};
use crate::{
    base::ids::EndpointId,
    store::{Result, WriteTx},
    webhooks::{EventId, Kind, RoutedChange},
};
use std::collections::BTreeMap;

/// What is to be delivered to whom. Endpoints in order, as two transactions that take several must take them in the
/// same order.
#[derive(Default)]
pub(super) struct Plan {
    of: BTreeMap<EndpointId, Vec<NewDelivery>>,
}

impl Plan {
    /// What an endpoint gets of a change: what it chose, or, where somebody chose for it, all.
    pub fn add(&mut self, wish: &Wish, routed: &RoutedChange<'_>, cause: Cause, all: bool) {
        let kinds = if all { None } else { wish.kinds.as_deref() };
        for Part { item, lane, more_lanes } in format::parts(wish.format, routed, kinds) {
            let new = NewDelivery { event: routed.id, item, lane, more_lanes, cause, report: None };
            self.push(wish.id, new);
        }
    }

    /// One delivery more.
    pub fn push(&mut self, endpoint: EndpointId, new: NewDelivery) {
        self.of.entry(endpoint).or_default().push(new);
    }
}

impl Forwarding {
    /// Plans what customers' endpoints get of these changes, in the transaction that makes events of them. Those that
    /// are paused get it later.
    ///
    /// # Errors
    /// The database's.
    pub async fn plan(&self, tx: &mut WriteTx, changes: &[RoutedChange<'_>]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let wishes = self.wishes.now(tx).await?;
        if wishes.is_empty() {
            return Ok(());
        }
        let (mut plan, mut receipts) = (Plan::default(), Receipts::default());
        for routed in changes {
            let Some(customer) = routed.customer() else { continue };
            for wish in wishes.of(customer).iter().filter(|wish| wish.wants(routed)) {
                plan.add(wish, routed, Cause::Event, false);
                let wants_statuses = wish.kinds.as_ref().is_none_or(|kinds| kinds.contains(&Kind::MessageStatus));
                if wish.format == Format::MoDlr && wants_statuses {
                    receipts.note(wish.id, routed);
                }
            }
        }
        let planned = self.number(tx, plan).await?;
        receipts.keep(tx, self.clock.now()).await?;
        self.bells.stage(planned.into_keys());
        Ok(())
    }

    /// Gives numbers to what is planned, and keeps it. Tells how many each endpoint got; those that are disabled by
    /// now get none.
    pub(super) async fn number(&self, tx: &mut WriteTx, plan: Plan) -> Result<BTreeMap<EndpointId, i64>> {
        let (mut taken, now) = (BTreeMap::new(), self.clock.now());
        let (mut rows, mut rows_with_more) = (Vec::new(), Vec::new());
        for (endpoint, new) in plan.of {
            let n = i64::try_from(new.len()).unwrap_or(i64::MAX);
            let Some(last) = queries::take_numbers(tx, endpoint, n).await? else { continue };
            taken.insert(endpoint, n);
            for (number, new) in (last - n + 1..).zip(new) {
                if new.has_more() {
                    queries::row(&mut rows_with_more, endpoint, number, &new, now);
                    queries::more(&mut rows_with_more, &new)?;
                } else {
                    queries::row(&mut rows, endpoint, number, &new, now);
                }
            }
        }
        queries::INSERT.execute(tx, rows).await?;
        queries::INSERT_WITH_MORE.execute(tx, rows_with_more).await?;
        Ok(taken)
    }

    /// One delivery of its own; its number.
    pub(super) async fn plan_one(&self, tx: &mut WriteTx, endpoint: EndpointId, cause: Cause) -> Result<Option<i64>> {
        let Some(number) = queries::take_numbers(tx, endpoint, 1).await? else { return Ok(None) };
        let mut row = Vec::new();
        let (event, more_lanes) = (EventId(0), Vec::new());
        let new = NewDelivery { event, item: None, lane: 0, more_lanes, cause, report: None };
        queries::row(&mut row, endpoint, number, &new, self.clock.now());
        queries::INSERT.execute(tx, row).await?;
        Ok(Some(number))
    }
}
