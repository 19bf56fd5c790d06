//! How long what is taken in is kept.

use super::raw::Raw;
use time::Duration;

/// Days for each kind. What had come already is known for 8 days, which is Meta's own measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The bodies that Meta posted: they hold people's messages.
    pub bodies: Duration,
    /// That there was an event: its kind, number and outcome.
    pub events: Duration,
    /// Deliveries with their attempts.
    pub deliveries: Duration,
    /// The counts by minute behind the charts.
    pub charts: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        let (month, quarter) = (Duration::days(30), Duration::days(90));
        Self { bodies: month, events: month, deliveries: month, charts: quarter }
    }
}

/// What is retried for 7 days, and known as a duplicate for 8, must be there for as long.
const LEAST: i64 = 8;
const MOST: i64 = 3_650;

pub(super) fn read(raw: &mut Raw) -> Retention {
    let usual = Retention::default();
    let mut days = |name: &'static str, usual: Duration, least: i64| {
        let days = raw.parse::<i64>(name, "a number of days").unwrap_or(usual.whole_days());
        if !(least..=MOST).contains(&days) {
            raw.faults.push(format!(
                "DOORWAY_{}: must be between {least} and {MOST} days: deliveries are retried for 7 days, duplicates known for 8",
                name.to_uppercase()
            ));
        }
        Duration::days(days.clamp(least, MOST))
    };
    Retention {
        bodies: days("keep_bodies_days", usual.bodies, LEAST),
        events: days("keep_events_days", usual.events, LEAST),
        deliveries: days("keep_deliveries_days", usual.deliveries, LEAST),
        charts: days("keep_charts_days", usual.charts, 1),
    }
}
