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
        due.delivery.more_lanes.clear();
        self.retries.push_back(due);
    }

    /// The next ones that may begin, at most so many.
    pub fn take(&mut self, room: usize) -> Vec<Due> {
        let mut taken = Vec::new();
        let mut skipped = Skipped::default();
        while taken.len() < room {
            self.turn += 1;
            let retry_first = self.turn.is_multiple_of(RETRY_EACH);
            let next = if retry_first {
                self.retries.pop_front().or_else(|| self.next_new(&mut skipped))
            } else {
                self.next_new(&mut skipped).or_else(|| self.retries.pop_front())
            };
            match next {
                Some(due) => taken.push(due),
                None => break,
            }
        }
        taken
    }

    /// The next whose conversations are all free, of what has not been skipped. Nobody comes before one of the same
    /// conversation that has to wait for another.
    fn next_new(&mut self, skipped: &mut Skipped) -> Option<Due> {
        while let Some(due) = self.new.get(skipped.n) {
            let lanes = || due.delivery.lanes();
            if lanes().all(|lane| !self.busy.contains(&lane) && !skipped.lanes.contains(&lane)) {
                let due = self.new.remove(skipped.n)?;
                self.busy.extend(due.delivery.lanes());
                return Some(due);
            }
            skipped.lanes.extend(lanes());
            skipped.n += 1;
        }
        None
    }

    /// What those tell that will begin soon: of so many, in about the order in which they will.
    pub fn soon(&self, n: usize) -> impl Iterator<Item = EventId> {
        let retries = self.retries.iter().take(n / 4);
        self.new.iter().take(n).chain(retries).filter_map(|due| due.delivery.event)
    }

    /// They were not begun after all.
    pub fn give_back(&mut self, begun: Vec<Due>) {
        for due in begun.into_iter().rev() {
            self.free(due.delivery.lanes());
            if due.delivery.attempts == 0 || due.delivery.lane != 0 {
                self.new.push_front(due);
            } else {
                self.retries.push_front(due);
            }
        }
        self.new.make_contiguous().sort_by_key(|due| due.delivery.number);
    }

    /// The attempt that these lanes waited for has ended.
    pub fn free(&mut self, lanes: impl IntoIterator<Item = i64>) {
        for lane in lanes {
            self.busy.remove(&lane);
        }
    }
}

/// What was looked at and has to wait: the first so many, and their conversations.
#[derive(Default)]
struct Skipped {
    n: usize,
    lanes: HashSet<i64>,
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
            more_lanes: Vec::new(),
            attempts: 0,
            next_at: Some(at),
            created_at: at,
            done_at: None,
            report: None,
        };
        Due { delivery, first_at: None, made: 0 }
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
        queue.free([7]);
        assert_eq!(numbers(&queue.take(10)), [2]);
        queue.free([7]);
        assert_eq!(numbers(&queue.take(10)), [6]);
    }

    #[test]
    fn what_tells_of_several_conversations_waits_for_all_and_all_wait_for_it() {
        let mut queue = Queue::default();
        let both = |number| {
            let mut due = due(number, 7);
            due.delivery.more_lanes = vec![8];
            due
        };
        queue.add_new(due(1, 8));
        queue.add_new(both(2));
        queue.add_new(due(3, 7));
        queue.add_new(due(4, 8));
        queue.add_new(due(5, 9));
        assert_eq!(numbers(&queue.take(10)), [1, 5]);
        queue.free([8]);
        let begun = queue.take(10);
        assert_eq!(numbers(&begun), [2]);
        queue.give_back(begun);
        assert_eq!(numbers(&queue.take(1)), [2]);
        assert!(queue.take(10).is_empty());
        queue.free([7, 8]);
        assert_eq!(numbers(&queue.take(10)), [3, 4]);
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
