//! What intake and router of one process tell each other: what was kept, how far it is dealt with, and the bodies
//! themselves as long as there is room for them, so that the router need not read them again.

use super::queries::Kept;
use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// How many bytes of bodies wait for the router in memory at most; it reads further ones from the database.
const ROOM: usize = 32 << 20;
/// How many bytes of bodies may be ahead of the router before the intake slows down for it.
const AHEAD: i64 = 256 << 20;
/// How long one transaction of the intake waits for it at most: then it is taken all the same, for the disk has room
/// when memory and the router have none.
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Default)]
struct Bodies {
    waiting: VecDeque<Kept>,
    bytes: usize,
}

/// Shared by both.
#[derive(Default)]
pub(super) struct Flow {
    /// Rings when bodies were kept.
    pub kept: Notify,
    /// Rings when bodies were routed.
    routed: Notify,
    bodies: Mutex<Bodies>,
    /// Whether this process routes.
    routes: AtomicBool,
    /// How many bytes are kept and not routed, of those that came to this process while it routes.
    ahead: AtomicI64,
    /// How many requests were refused since it was last asked.
    refused: AtomicI64,
}

impl Flow {
    fn bodies(&self) -> MutexGuard<'_, Bodies> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These were kept, in order.
    pub fn hand_on(&self, kept: Vec<Kept>) {
        let bytes: usize = kept.iter().map(|kept| kept.body.len()).sum();
        if self.routes.load(Ordering::Relaxed) {
            self.ahead.fetch_add(i64::try_from(bytes).unwrap_or(i64::MAX), Ordering::Relaxed);
        }
        let mut bodies = self.bodies();
        if bodies.bytes + bytes <= ROOM {
            bodies.bytes += bytes;
            bodies.waiting.extend(kept);
        }
        drop(bodies);
        self.kept.notify_one();
    }

    /// The bodies after this number that are here without a gap, in order, up to so many bytes and bodies; all before
    /// them are forgotten. Where the first is missing: the number of the first that is here.
    pub fn after(&self, seq: i64, limit: usize, most: usize) -> Result<Vec<Kept>, Option<i64>> {
        let mut bodies = self.bodies();
        while bodies.waiting.front().is_some_and(|first| first.seq <= seq) {
            bodies.take();
        }
        match bodies.waiting.front() {
            Some(first) if first.seq == seq + 1 => {}
            first => return Err(first.map(|first| first.seq)),
        }
        let mut taken: Vec<Kept> = Vec::new();
        let mut bytes = 0;
        while let Some(next) = bodies.waiting.front()
            && next.seq == seq + 1 + i64::try_from(taken.len()).unwrap_or(i64::MAX)
            && taken.len() < most
            && (taken.is_empty() || bytes + next.body.len() <= limit)
        {
            bytes += next.body.len();
            taken.extend(bodies.take());
        }
        Ok(taken)
    }

    /// Forgets the bodies: they are in the database.
    pub fn forget(&self) {
        *self.bodies() = Bodies::default();
    }

    /// Another process routes: nothing is held here for it, and the intake waits for nobody.
    pub fn elsewhere(&self) {
        self.forget();
        self.routes.store(false, Ordering::Relaxed);
        self.ahead.store(0, Ordering::Relaxed);
    }

    /// So many bytes were routed. What came before this process began was never counted.
    pub fn routed(&self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.ahead.update(Ordering::Relaxed, Ordering::Relaxed, |ahead| ahead.saturating_sub(bytes).max(0));
        self.routes.store(true, Ordering::Relaxed);
        self.routed.notify_one();
    }

    /// Waits a little for the router where it is far behind and still at work.
    pub async fn pace(&self) {
        let until = tokio::time::Instant::now() + PAUSE;
        while self.ahead.load(Ordering::Relaxed) > AHEAD {
            if tokio::time::timeout_at(until, self.routed.notified()).await.is_err() {
                break;
            }
        }
    }

    /// A request was refused.
    pub fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were refused; it counts from 0 again.
    pub fn take_refused(&self) -> i64 {
        self.refused.swap(0, Ordering::Relaxed)
    }
}

impl Bodies {
    fn take(&mut self) -> Option<Kept> {
        let first = self.waiting.pop_front()?;
        self.bytes -= first.body.len();
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(seqs: std::ops::Range<i64>) -> Vec<Kept> {
        let body = "0123456789".to_owned();
        seqs.map(|seq| Kept { seq, received_at: time::OffsetDateTime::UNIX_EPOCH, body: body.clone(), sender: None })
            .collect()
    }

    fn seqs(bodies: Result<Vec<Kept>, Option<i64>>) -> Result<Vec<i64>, Option<i64>> {
        bodies.map(|bodies| bodies.iter().map(|kept| kept.seq).collect())
    }

    #[test]
    fn bodies_come_in_order_and_without_gaps() {
        let flow = Flow::default();
        assert_eq!(seqs(flow.after(0, 100, 100)), Err(None));
        flow.hand_on(kept(1..4));
        flow.hand_on(kept(6..8));
        assert_eq!(seqs(flow.after(1, 100, 100)), Ok(vec![2, 3]), "what is routed is forgotten");
        assert_eq!(seqs(flow.after(3, 100, 100)), Err(Some(6)), "those between are in the database");
        assert_eq!(seqs(flow.after(5, 15, 100)), Ok(vec![6]), "no more than asked for, but one");
        flow.forget();
        assert_eq!(seqs(flow.after(6, 100, 100)), Err(None));
    }

    #[test]
    fn there_is_room_for_so_much() {
        let flow = Flow::default();
        let big = |seq| {
            vec![Kept { seq, received_at: time::OffsetDateTime::UNIX_EPOCH, body: "x".repeat(ROOM / 2), sender: None }]
        };
        (1..4).for_each(|seq| flow.hand_on(big(seq)));
        assert_eq!(seqs(flow.after(0, usize::MAX, 100)), Ok(vec![1, 2]));
        flow.hand_on(big(4));
        assert_eq!(seqs(flow.after(2, usize::MAX, 100)), Err(Some(4)));
    }
}
