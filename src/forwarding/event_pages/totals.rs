//! What came for all customers together, and how it went out, by minute. With a thousand customers a day of it is
//! millions of rows, which take seconds to add up; so the sums are kept, and only the last minutes are read again.

use super::queries::{self, DeliveryMinute};
use crate::{
    store::{Result, Store},
    webhooks::{Minute, Webhooks},
};
use std::sync::Arc;
use tokio::{sync::Mutex, time::Instant};

/// How many minutes back counts may still change in the usual run of things.
const UNSETTLED: i64 = 5;
/// After a backlog, or when a customer is erased, older ones change too: then all are read again.
const ALL_AGAIN: std::time::Duration = std::time::Duration::from_secs(600);

/// The sums so far. Cloning shares them.
#[derive(Clone, Default)]
pub struct Totals(Arc<Mutex<Option<Sums>>>);

#[derive(Debug)]
struct Sums {
    since: i64,
    read_all: Instant,
    came: Vec<Minute>,
    sent: Vec<DeliveryMinute>,
}

impl Totals {
    /// What came since this minute, and how it went out. Who asks while another reads waits for the same.
    pub(super) async fn since(
        &self,
        store: &Store,
        webhooks: &Webhooks,
        since: i64,
        now: i64,
    ) -> Result<(Vec<Minute>, Vec<DeliveryMinute>)> {
        let mut kept = self.0.lock().await;
        let known = kept.take().filter(|sums| sums.since <= since && sums.read_all.elapsed() < ALL_AGAIN);
        let mut sums = known.unwrap_or(Sums { since, read_all: Instant::now(), came: Vec::new(), sent: Vec::new() });
        let from = match (sums.came.last(), sums.sent.last()) {
            (None, None) => since,
            (came, sent) => {
                let last = came.map(|one| one.minute).max(sent.map(|one| one.minute)).unwrap_or(now);
                (last.min(now) - UNSETTLED).max(sums.since)
            }
        };
        sums.came.retain(|one| one.minute < from);
        sums.sent.retain(|one| one.minute < from);
        sums.came.extend(webhooks.minutes(None, from).await?);
        sums.sent.extend(queries::delivery_minutes_of_all(&mut store.read().await?, from).await?);
        let came = sums.came.iter().filter(|one| one.minute >= since).cloned().collect();
        let sent = sums.sent.iter().filter(|one| one.minute >= since).cloned().collect();
        *kept = Some(sums);
        Ok((came, sent))
    }
}
