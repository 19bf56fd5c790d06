//! How many lists somebody has open: each costs a look a second.

use crate::base::ids::UserId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How many lists of one person are kept up to date at the same time, in this process.
pub(super) const MOST: usize = 5;

/// Who has how many open. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Places(Arc<Mutex<HashMap<UserId, usize>>>);

/// One of a person's places, theirs until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    of: Places,
    user: UserId,
}

impl Places {
    /// A place for one more; `None` where they have [`MOST`].
    pub(super) fn take(&self, user: UserId) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let n = taken.entry(user).or_default();
        if *n >= MOST {
            return None;
        }
        *n += 1;
        Some(Place { of: self.clone(), user })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = taken.get_mut(&self.user) {
            *n -= 1;
            if *n == 0 {
                taken.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_places_of_their_own_and_gives_them_back() {
        let (places, one, other) = (Places::default(), UserId::new(), UserId::new());
        let mut held: Vec<Place> = (0..MOST).map(|_| places.take(one).unwrap()).collect();
        assert!(places.take(one).is_none());
        assert!(places.take(other).is_some());
        held.pop();
        held.push(places.take(one).unwrap());
        assert!(places.take(one).is_none());
        held.clear();
        assert!(places.0.lock().unwrap().is_empty(), "nothing is kept of those who are gone");
    }
}
