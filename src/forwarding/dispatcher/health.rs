//! How many calls an endpoint gets at once.

use time::Duration;

/// At most.
const MOST: usize = 32;
/// With how many it begins.
const BEGIN: usize = 4;
/// What takes longer than this is no reason for more.
const SLOW: Duration = Duration::seconds(3);

/// What is known of how an endpoint takes calls: it gets more at once while it takes them well, and one or two while
/// it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Health {
    limit: usize,
    /// How many failed in a row.
    pub failures: u32,
}

impl Default for Health {
    fn default() -> Self {
        Self { limit: BEGIN, failures: 0 }
    }
}

impl Health {
    /// How many calls at once.
    pub fn limit(self) -> usize {
        self.limit
    }

    /// A call ended so.
    pub fn learn(&mut self, succeeded: bool, took: Duration) {
        if succeeded {
            self.failures = 0;
            if took < SLOW {
                self.limit = (self.limit + (self.limit / 4).max(1)).min(MOST);
            } else {
                self.limit = (self.limit - 1).max(2);
            }
        } else {
            self.failures = self.failures.saturating_add(1);
            self.limit = (self.limit / 2).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_is_called_less_and_who_recovers_soon_more() {
        let (mut health, quick) = (Health::default(), Duration::milliseconds(20));
        (0..12).for_each(|_| health.learn(true, quick));
        assert_eq!(health.limit(), MOST);
        (0..5).for_each(|_| health.learn(false, Duration::seconds(15)));
        assert_eq!((health.limit(), health.failures), (1, 5));
        (0..3).for_each(|_| health.learn(true, quick));
        assert_eq!((health.limit(), health.failures), (4, 0));
        (0..40).for_each(|_| health.learn(true, Duration::seconds(10)));
        assert_eq!(health.limit(), 2, "slow, but it answers");
    }
}
