//! How much came, and how fast it went out: small drawings with the numbers behind them.

use super::{
    EventPages,
    filter::{Asked, Meant},
    queries::{self, DeliveryMinute},
    words::Group,
};
use crate::{base::clock, web::Result, webhooks::Kind};
use std::collections::BTreeMap;
use time::{OffsetDateTime, macros::format_description};

/// The width of a bar with its gap, in the drawing's units; it is 100 high.
const WIDTH: i64 = 10;

/// What is looked back at: the last hour by minutes, or the last day by quarters of an hour.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub name: &'static str,
    pub words: &'static str,
    bars: i64,
    minutes: i64,
}

const HOUR: Range = Range { name: "hour", words: "Last hour", bars: 60, minutes: 1 };
const DAY: Range = Range { name: "day", words: "Last day", bars: 96, minutes: 15 };

/// A bar with up to three parts, each as high as it reaches from the ground.
pub(super) struct Bar {
    pub x: i64,
    pub heights: [i64; 3],
}

impl Bar {
    pub fn has(&self, part: usize) -> bool {
        self.heights[part] > 0
    }
}

/// One drawing.
pub(super) struct Chart {
    pub id: &'static str,
    pub title: &'static str,
    pub unit: &'static str,
    /// What the parts are, the uppermost first.
    pub parts: Vec<&'static str>,
    pub top: String,
    pub bars: Vec<Bar>,
    pub width: i64,
    pub labels: [String; 3],
    /// The numbers: when, and each part.
    pub lines: Vec<(String, Vec<String>)>,
    /// It in a sentence, for those who do not see it.
    pub says: String,
}

/// All of them.
pub(super) struct Charts {
    pub ranges: Vec<(Range, String, bool)>,
    pub is_open: bool,
    pub summary: String,
    /// Staff's: what was refused for its signature, and what had come before.
    pub aside: Vec<(&'static str, i64)>,
    pub charts: Vec<Chart>,
}

struct Slots {
    range: Range,
    /// The first minute.
    from: i64,
}

impl Slots {
    fn of(&self, minute: i64) -> i64 {
        ((minute - self.from) / self.range.minutes).clamp(0, self.range.bars - 1)
    }

    fn label(&self, slot: i64) -> String {
        let at = clock::from_ms((self.from + slot * self.range.minutes) * 60_000);
        at.format(format_description!("[hour]:[minute]")).unwrap_or_default()
    }

    /// A drawing of values; each slot's are sums of parts from below: all, without the first, and so on.
    fn chart(&self, about: About, values: &BTreeMap<i64, [i64; 3]>, show: impl Fn(i64) -> String) -> Chart {
        let most = values.values().map(|parts| parts[0]).max().unwrap_or(0);
        let scale = most.max(1);
        let height = |value: i64| if value == 0 { 0 } else { (value * 100 / scale).max(2) };
        let bars = values.iter().filter(|(_, parts)| parts[0] > 0);
        let bars = bars.map(|(slot, parts)| Bar { x: slot * WIDTH, heights: parts.map(height) });
        let labels = [0, self.range.bars / 2, self.range.bars - 1].map(|slot| self.label(slot));
        let own = |parts: &[i64; 3]| {
            let parts = if about.is_sum { [parts[0] - parts[1], parts[1] - parts[2], parts[2]] } else { *parts };
            parts.iter().take(about.parts.len()).map(|value| show(*value)).collect::<Vec<_>>()
        };
        Chart {
            id: about.id,
            title: about.title,
            unit: about.unit,
            top: show(most),
            bars: bars.collect(),
            width: self.range.bars * WIDTH,
            says: format!(
                "{}, {} to {} UTC: at most {}. The table has the numbers.",
                about.title,
                labels[0],
                labels[2],
                show(most)
            ),
            labels,
            lines: values
                .iter()
                .rev()
                .filter(|(_, parts)| parts[0] > 0)
                .map(|(slot, parts)| (self.label(*slot), own(parts)))
                .collect(),
            parts: about.parts,
        }
    }
}

struct About {
    id: &'static str,
    title: &'static str,
    unit: &'static str,
    parts: Vec<&'static str>,
    /// Whether the parts add up; otherwise each stands for itself, the highest first.
    is_sum: bool,
}

fn events(n: i64) -> String {
    if n == 1 { "1 event".to_owned() } else { format!("{n} events") }
}

fn count(value: i64) -> String {
    value.to_string()
}

fn latency(ms: i64) -> String {
    if ms < 1_000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1_000, ms % 1_000 / 100) }
}

/// Reads what the filter's customer is about; for what is nobody's there are none.
pub(super) async fn read(
    pages: &EventPages,
    meant: &Meant,
    for_staff: bool,
    asked: &Asked,
    now: OffsetDateTime,
) -> Result<Charts> {
    let range = if asked.range == DAY.name { DAY } else { HOUR };
    let until = clock::to_ms(now) / 60_000;
    let slots = Slots { range, from: (until / range.minutes - range.bars + 1) * range.minutes };
    let (minutes, sent) = match meant.customer {
        Some(customer) => (
            pages.webhooks.minutes(Some(customer), slots.from).await?,
            queries::delivery_minutes(&mut pages.store.read().await?, customer, slots.from).await?,
        ),
        None if for_staff && meant.customer_name.is_none() => {
            pages.totals.since(&pages.store, &pages.webhooks, slots.from, until).await?
        }
        None => (Vec::new(), Vec::new()),
    };
    let mut came: BTreeMap<i64, [i64; 3]> = BTreeMap::new();
    let (mut all, mut duplicates, mut refused, mut problems) = (0, 0, 0, 0);
    for minute in &minutes {
        let reaches = match (minute.kind.as_str(), Kind::named(&minute.kind).map(Group::of)) {
            ("duplicate", _) => {
                duplicates += minute.n;
                continue;
            }
            ("problem", _) => {
                problems += minute.n;
                continue;
            }
            ("refused", _) => {
                refused += minute.n;
                continue;
            }
            (_, None) => continue,
            (_, Some(Group::Messages)) => 3,
            (_, Some(Group::Statuses)) => 2,
            (_, Some(_)) => 1,
        };
        all += minute.n;
        let slot = came.entry(slots.of(minute.minute)).or_default();
        slot.iter_mut().take(reaches).for_each(|part| *part += minute.n);
    }
    let failed: i64 = sent.iter().map(|minute| minute.failed).sum();
    let delivered: i64 = sent.iter().map(|minute| minute.delivered).sum();
    let charts = vec![came_chart(&slots, &came), latency_chart(&slots, &sent), failure_chart(&slots, &sent)];
    let aside = [
        ("Refused: wrong or missing signature", refused),
        ("Had come before", duplicates),
        ("Could not be worked with", problems),
    ];
    Ok(Charts {
        ranges: [HOUR, DAY].map(|one| (one, asked.link("", "range", one.name), one == range)).into(),
        is_open: !asked.range.is_empty(),
        summary: format!("{}: {}, {delivered} delivered, {failed} failed", range.words, events(all)),
        aside: aside.into_iter().filter(|_| for_staff).collect(),
        charts,
    })
}

fn came_chart(slots: &Slots, came: &BTreeMap<i64, [i64; 3]>) -> Chart {
    let unit = if slots.range.minutes == 1 { "a minute" } else { "a quarter of an hour" };
    let parts = vec!["Others", "Message statuses", "Messages"];
    let about = About { id: "came", title: "Events", unit, parts, is_sum: true };
    slots.chart(about, came, count)
}

fn latency_chart(slots: &Slots, sent: &[DeliveryMinute]) -> Chart {
    let mut sums: BTreeMap<i64, (i64, i64, i64)> = BTreeMap::new();
    for minute in sent {
        let (max, sum, n) = sums.entry(slots.of(minute.minute)).or_default();
        *max = (*max).max(minute.latency_ms_max);
        *sum += minute.latency_ms_sum;
        *n += minute.delivered;
    }
    let values = sums.into_iter().map(|(slot, (max, sum, n))| (slot, [max, if n > 0 { sum / n } else { 0 }, 0]));
    let parts = vec!["Longest", "On average"];
    let about =
        About {
            id: "latency", title: "From Meta’s webhook to your endpoint’s answer", unit: "", parts, is_sum: false
        };
    slots.chart(about, &values.collect(), latency)
}

fn failure_chart(slots: &Slots, sent: &[DeliveryMinute]) -> Chart {
    let mut values: BTreeMap<i64, [i64; 3]> = BTreeMap::new();
    for minute in sent {
        let slot = values.entry(slots.of(minute.minute)).or_default();
        slot[0] += minute.delivered + minute.failed;
        slot[1] += minute.failed;
    }
    let parts = vec!["Delivered", "Failed"];
    let unit = if slots.range.minutes == 1 { "a minute" } else { "a quarter of an hour" };
    slots.chart(About { id: "calls", title: "Calls to endpoints", unit, parts, is_sum: true }, &values, count)
}
