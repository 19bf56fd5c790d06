//! Times as people read them: how long ago, with the exact one beside it.

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// A time for a page: `<time datetime="{{ iso }}" title="{{ exact }}">{{ relative }}</time>`; a small
/// script turns the title into the reader's own zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// Machine-readable, in UTC.
    pub iso: String,
    /// To the minute, in UTC.
    pub exact: String,
    /// `3 minutes ago`, `in 2 days`.
    pub relative: String,
}

impl When {
    /// How `at` looks from `now`.
    #[must_use]
    pub fn new(at: OffsetDateTime, now: OffsetDateTime) -> Self {
        let exact = format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
        Self {
            iso: at.format(&Rfc3339).unwrap_or_default(),
            exact: at.format(exact).unwrap_or_default(),
            relative: relative(at - now),
        }
    }
}

fn relative(distance: Duration) -> String {
    let (size, past) = (distance.unsigned_abs().as_secs(), distance.is_negative());
    let (number, unit) = match size {
        0..45 => return if past || size < 5 { "just now".to_owned() } else { "in a moment".to_owned() },
        45..3_570 => ((size + 30) / 60, "minute"),
        3_570..84_600 => ((size + 1_800) / 3_600, "hour"),
        84_600..3_888_000 => ((size + 43_200) / 86_400, "day"),
        3_888_000..31_536_000 => (size / 2_592_000, "month"),
        _ => (size / 31_536_000, "year"),
    };
    let number = number.max(1);
    let plural = if number == 1 { "" } else { "s" };
    if past { format!("{number} {unit}{plural} ago") } else { format!("in {number} {unit}{plural}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_people_say_it() {
        for (seconds, text) in [
            (-3, "just now"),
            (-60, "1 minute ago"),
            (-3_600, "1 hour ago"),
            (-7_300, "2 hours ago"),
            (-86_400 * 3, "3 days ago"),
            (86_400 * 60, "in 2 months"),
            (-86_400 * 800, "2 years ago"),
        ] {
            assert_eq!(relative(Duration::seconds(seconds)), text);
        }
    }
}
