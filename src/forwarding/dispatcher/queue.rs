//! What an endpoint's task has read and not begun: what is new in the order of the numbers and, for each
//! conversation, one at a time; and what is tried again, which waits for nobody and holds nobody up.

use super::due::Due;
use crate::webhooks::EventId;
use std::collections::{HashSet, VecDeque};

/// Of so many calls one is a retry, where there are both.
const RETRY_EACH: usize = 4;

#[derive(Default)]
pub(super) struct Queue {
    new: VecDeque<Due>,
    retries: VecDeque<Due>,
    /// Conversations of which one is being called.
    busy: HashSet<i64>,
    turn: usize,
}

impl Queue {
    pub fn len(&self) -> usize {
        self.new.len() + self.retries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn holds(&self, number: i64) -> bool {
        self.new.iter().chain(&self.retries).any(|due| due.delivery.number == number)
    }

    /// One that is due at once; they are given in order.
    pub fn add_new(&mut self, due: Due) {
        self.new.push_back(due);
    }

    /// One that is tried again. It belongs to no lane any more.
    pub fn add_retry(&mut self, mut due: Due) {
        due.delivery.lane = 0;
        self.retries.push_back(due);
    }

    /// The next ones that may begin, at most so many.
    pub fn take(&mut self, room: usize) -> Vec<Due> {
        let mut taken = Vec::new();
        while taken.len() < room {
            self.turn += 1;
            let retry_first = self.turn.is_multiple_of(RETRY_EACH);
            let next = if retry_first {
                self.retries.pop_front().or_else(|| self.next_new())
            } else {
                self.next_new().or_else(|| self.retries.pop_front())
            };
            match next {
                Some(due) => taken.push(due),
                None => break,
            }
        }
        taken
    }

    fn next_new(&mut self) -> Option<Due> {
        let at = self.new.iter().position(|due| due.delivery.lane == 0 || !self.busy.contains(&due.delivery.lane))?;
        let due = self.new.remove(at)?;
        if due.delivery.lane != 0 {
            self.busy.insert(due.delivery.lane);
        }
        Some(due)
    }

    /// What those tell that will begin soon: of so many, in about the order in which they will.
    pub fn soon(&self, n: usize) -> impl Iterator<Item = EventId> {
        let retries = self.retries.iter().take(n / 4);
        self.new.iter().take(n).chain(retries).filter_map(|due| due.delivery.event)
    }

    /// They were not begun after all.
    pub fn give_back(&mut self, begun: Vec<Due>) {
        for due in begun.into_iter().rev() {
            self.free(due.delivery.lane);
            if due.delivery.attempts == 0 || due.delivery.lane != 0 {
                self.new.push_front(due);
            } else {
                self.retries.push_front(due);
            }
        }
        self.new.make_contiguous().sort_by_key(|due| due.delivery.number);
    }

    /// The attempt that this lane waited for has ended.
    pub fn free(&mut self, lane: i64) {
        self.busy.remove(&lane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::ids::EndpointId,
        forwarding::{Cause, Delivery, DeliveryState},
    };
    use time::OffsetDateTime;

    fn due(number: i64, lane: i64) -> Due {
        let (at, endpoint) = (OffsetDateTime::UNIX_EPOCH, EndpointId::new());
        let delivery = Delivery {
            endpoint,
            number,
            event: None,
            item: None,
            cause: Cause::Event,
            state: DeliveryState::Pending,
            lane,
            attempts: 0,
            next_at: Some(at),
            created_at: at,
            done_at: None,
        };
        Due { delivery, first_at: None }
    }

    fn numbers(taken: &[Due]) -> Vec<i64> {
        taken.iter().map(|due| due.delivery.number).collect()
    }

    #[test]
    fn a_conversation_begins_one_at_a_time_and_holds_no_other_up() {
        let mut queue = Queue::default();
        for (number, lane) in [(1, 7), (2, 7), (3, 8), (4, 0), (5, 0), (6, 7)] {
            queue.add_new(due(number, lane));
        }
        assert_eq!(numbers(&queue.take(10)), [1, 3, 4, 5]);
        assert!(queue.take(10).is_empty() && queue.holds(2) && queue.len() == 2);
        queue.free(7);
        assert_eq!(numbers(&queue.take(10)), [2]);
        queue.free(7);
        assert_eq!(numbers(&queue.take(10)), [6]);
    }

    #[test]
    fn retries_wait_for_nobody_and_have_their_share() {
        let mut queue = Queue::default();
        (1..=8).for_each(|number| queue.add_new(due(number, 7 + number)));
        (100..=108).for_each(|number| queue.add_retry(due(number, 7)));
        let taken = numbers(&queue.take(8));
        assert_eq!(taken.iter().filter(|number| **number >= 100).count(), 2, "{taken:?}");
        let (back, left) = (queue.take(4), queue.len());
        assert!(numbers(&back).starts_with(&[7, 8]));
        queue.give_back(back);
        assert_eq!(queue.len(), left + 4);
        assert!(numbers(&queue.take(4)).starts_with(&[7, 8]), "what was not begun comes first");
    }
}
