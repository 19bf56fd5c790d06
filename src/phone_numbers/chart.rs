//! How quality and limit went, as small drawings with the readings behind them.

use super::{model::Number, model::Quality, readings::Reading};
use crate::web::when::When;
use time::{Duration, OffsetDateTime};

/// How far it looks back.
pub(super) const BACK: Duration = Duration::days(90);
/// From how much on something can be seen in a drawing.
const ENOUGH: Duration = Duration::days(2);
/// The drawing's width, in its own units; it is 100 high.
const WIDTH: i64 = 900;

/// A stretch of time in which nothing changed.
pub(super) struct Stretch {
    pub x: i64,
    pub width: i64,
    pub height: i64,
    /// The class that gives it its shade.
    pub class: &'static str,
}

/// One drawing.
pub(super) struct Chart {
    pub title: &'static str,
    /// The levels from the top, for the scale.
    pub levels: Vec<String>,
    pub stretches: Vec<Stretch>,
    pub says: String,
}

/// A reading that changed something.
pub(super) struct Line {
    pub when: When,
    pub quality: &'static str,
    pub limit: String,
    pub status: String,
}

pub(super) struct Charts {
    /// None as long as there is little to see.
    pub all: Vec<Chart>,
    pub lines: Vec<Line>,
    pub width: i64,
    pub since: String,
}

/// Of these readings, the oldest first; `None` where there is nothing to draw.
pub(super) fn of(readings: &[Reading], now: OffsetDateTime) -> Option<Charts> {
    let first = readings.first()?;
    let begin = first.at.max(now - BACK);
    let span = (now - begin).whole_seconds().max(1);
    let x = |at: OffsetDateTime| ((at - begin).whole_seconds().max(0) * WIDTH / span).min(WIDTH);
    let stretches = |height: &dyn Fn(&Reading) -> (i64, &'static str)| {
        let mut all: Vec<Stretch> = Vec::new();
        for (index, reading) in readings.iter().enumerate() {
            let end = readings.get(index + 1).map_or(WIDTH, |next| x(next.at));
            let (height, class) = height(reading);
            let start = x(reading.at);
            if end > start || index + 1 == readings.len() {
                all.push(Stretch { x: start.min(WIDTH - 4), width: (end - start).max(4), height, class });
            }
        }
        all
    };
    let quality = |reading: &Reading| match Quality::of(reading.quality.as_deref()) {
        Quality::High => (100, "bar-good"),
        Quality::Medium => (66, "bar-attention"),
        Quality::Low => (33, "bar-problem"),
        Quality::Unknown => (6, "bar-unknown"),
    };
    let limit = |reading: &Reading| (level(reading.limit.as_deref()), "bar-connected");
    let words = |reading: &Reading| Quality::of(reading.quality.as_deref()).word();
    let last = readings.last()?;
    let says = |what: &str, first: String, last: String| match first == last {
        true => format!("{what}: {last} all the time. The table below has the readings."),
        false => format!("{what}: {first} at first, {last} now. The table below has the readings."),
    };
    let limits = |reading: &Reading| Number::limit_of(reading.limit.as_deref()).words();
    let mut all = vec![
        Chart {
            title: "Quality",
            levels: ["High", "Medium", "Low"].map(str::to_owned).to_vec(),
            stretches: stretches(&quality),
            says: says("Quality", words(first).to_owned(), words(last).to_owned()),
        },
        Chart {
            title: "Limit in 24 hours",
            levels: ["No limit", "10,000", "250"].map(str::to_owned).to_vec(),
            stretches: stretches(&limit),
            says: says("Limit", limits(first), limits(last)),
        },
    ];
    if now - begin < ENOUGH {
        all.clear();
    }
    let mut lines: Vec<Line> = Vec::new();
    let mut before: Option<&Reading> = None;
    for reading in readings {
        let shown = |reading: &Reading| (reading.quality.clone(), reading.limit.clone(), reading.status.clone());
        let same = |before: &&Reading| shown(before) == shown(reading);
        if before.as_ref().is_some_and(same) {
            continue;
        }
        before = Some(reading);
        lines.push(Line {
            when: When::new(reading.at, now),
            quality: words(reading),
            limit: limits(reading),
            status: super::words::plain(reading.status.as_deref()),
        });
    }
    lines.reverse();
    Some(Charts { all, lines, width: WIDTH, since: When::new(begin, now).relative })
}

/// How high a limit stands, the steps being what they are: the scale names 10,000 in its middle.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messaging-limits>
fn level(tier: Option<&str>) -> i64 {
    use super::model::Limit;
    match Number::limit_of(tier) {
        Limit::Unlimited => 100,
        Limit::PerDay(people) if people >= 100_000 => 75,
        Limit::PerDay(people) if people >= 10_000 => 50,
        Limit::PerDay(people) if people >= 1_000 => 30,
        Limit::PerDay(_) => 15,
        Limit::Other(_) | Limit::Unknown => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(days: i64, quality: &str, limit: &str) -> Reading {
        Reading {
            at: OffsetDateTime::UNIX_EPOCH + Duration::days(days),
            quality: Some(quality.to_owned()),
            limit: Some(limit.to_owned()),
            throughput: None,
            status: Some("CONNECTED".to_owned()),
            name_status: None,
            can_send: None,
            webhooks: None,
        }
    }

    #[test]
    fn stretches_lie_side_by_side() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(30);
        let readings = [reading(0, "GREEN", "TIER_250"), reading(10, "RED", "TIER_2K"), reading(20, "RED", "TIER_2K")];
        let charts = of(&readings, now).unwrap();
        let drawn: Vec<_> = charts.all[0].stretches.iter().map(|one| (one.x, one.width, one.height)).collect();
        assert_eq!(drawn, [(0, 300, 100), (300, 300, 33), (600, 300, 33)]);
        assert_eq!(charts.lines.len(), 2, "what changed nothing is no line");
        assert_eq!(charts.lines[0].quality, "Low");
        assert!(charts.all[0].says.contains("High at first, Low now"));
        assert!(of(&[], now).is_none());
        let young = of(&readings, OffsetDateTime::UNIX_EPOCH + Duration::hours(40)).unwrap();
        assert!(young.all.is_empty() && !young.lines.is_empty());
    }
}
