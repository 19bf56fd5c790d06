//! When a delivery is tried again.

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc2822};

/// How long a delivery is tried, from its first attempt on; from the first after a pause, where there was one.
pub const TRIED_FOR: Duration = Duration::days(7);
/// The longest wait that an endpoint can ask for.
pub const LONGEST_WAIT: Duration = Duration::hours(24);
/// When attempts are made, in seconds after the first: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 24 h, and then each day.
const AT: [i64; 13] = {
    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;
    [5, 300, 1_800, 2 * HOUR, 5 * HOUR, 10 * HOUR, DAY, 2 * DAY, 3 * DAY, 4 * DAY, 5 * DAY, 6 * DAY, 7 * DAY]
};
/// By how much a pause is longer or shorter at most.
const JITTER: f64 = 0.2;

/// When the next attempt is made after so many that failed; `None`: no more. What an endpoint asked for
/// (`Retry-After`) makes the pause longer, never shorter; `random` is between 0 and 1.
#[must_use]
pub fn next(
    made: i64,
    first_at: OffsetDateTime,
    now: OffsetDateTime,
    retry_after: Option<Duration>,
    random: f64,
) -> Option<OffsetDateTime> {
    let made = usize::try_from(made).ok().filter(|made| *made > 0)?;
    let (at, end) = (*AT.get(made - 1)?, first_at + TRIED_FOR);
    if now >= end {
        return None;
    }
    let pause = Duration::seconds(at - if made > 1 { AT[made - 2] } else { 0 });
    let mut wait = pause * (1.0 - JITTER + 2.0 * JITTER * random.clamp(0.0, 1.0));
    if let Some(asked) = retry_after.map(|asked| asked.clamp(Duration::ZERO, LONGEST_WAIT))
        && asked > wait
    {
        // Not all at the same moment, and none too early.
        wait = asked * (1.0 + JITTER * random.clamp(0.0, 1.0));
    }
    Some((now + wait).min(end))
}

/// The wait that a `Retry-After` header asks for: seconds, or a date.
/// <https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>
#[must_use]
pub fn retry_after(header: &str, now: OffsetDateTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(Duration::seconds(i64::from(seconds)));
    }
    let at = OffsetDateTime::parse(&header.replace("GMT", "+0000"), &Rfc2822).ok()?;
    Some((at - now).max(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn attempts_are_made_at_the_times_that_were_promised() {
        let (mut now, mut at) = (START, Vec::new());
        for made in 1.. {
            let Some(next) = next(made, START, now, None, 0.5) else { break };
            now = next;
            at.push((now - START).whole_seconds());
        }
        let hours: Vec<i64> = at[3..].iter().map(|at| at / 3_600).collect();
        assert_eq!(at[..3], [5, 300, 1_800]);
        assert_eq!(hours, [2, 5, 10, 24, 48, 72, 96, 120, 144, 168]);
    }

    #[test]
    fn pauses_differ_by_a_fifth_at_most_and_end_after_seven_days() {
        for made in 1..=13 {
            let pause = AT[made - 1] - if made > 1 { AT[made - 2] } else { 0 };
            let waits = |random| next(made as i64, START, START, None, random).unwrap() - START;
            assert_eq!(waits(0.0), Duration::seconds(pause) * 0.8);
            assert_eq!(waits(1.0), Duration::seconds(pause) * 1.2);
        }
        let late = START + TRIED_FOR - Duration::HOUR;
        assert_eq!(next(9, START, late, None, 1.0), Some(START + TRIED_FOR), "the last one");
        assert_eq!(next(9, START, START + TRIED_FOR, None, 0.0), None);
        assert_eq!(next(14, START, START, None, 0.0), None);
        assert_eq!(next(0, START, START, None, 0.0), None);
    }

    #[test]
    fn an_endpoint_may_ask_for_more_time_but_not_for_less() {
        let wait = |asked: i64, random| {
            (next(1, START, START, Some(Duration::seconds(asked)), random).unwrap() - START).whole_seconds()
        };
        assert_eq!(wait(1, 0.5), 5);
        assert_eq!((wait(60, 0.0), wait(60, 1.0)), (60, 72));
        assert_eq!(wait(1_000_000, 0.0), 86_400, "a day at most");
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = OffsetDateTime::from_unix_timestamp(784_111_777).unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::seconds(120)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), Some(Duration::seconds(60)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO));
        for odd in ["", "soon", "-5", "1.5", "99999999999"] {
            assert_eq!(retry_after(odd, now), None, "{odd}");
        }
    }
}
