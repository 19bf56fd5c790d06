//! Times, as Meta writes them: texts or numbers, seconds since the epoch, at times milliseconds.

use serde_json::Value;
use time::OffsetDateTime;

/// Seconds beyond this (in the year 5138) are none: they are milliseconds.
const MOST_SECONDS: i64 = 100_000_000_000;
/// Milliseconds beyond this are microseconds.
const MOST_MILLISECONDS: i64 = MOST_SECONDS * 1_000;

/// The time that Meta wrote there; `None` where it is none, or none after 1970.
#[must_use]
pub fn told_at(value: &Value) -> Option<OffsetDateTime> {
    let number = match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let whole = number.as_f64().filter(|number| number.is_finite() && number.abs() < 9e15)?;
            #[allow(clippy::cast_possible_truncation, reason = "in range, and parts of seconds matter to nobody")]
            Some(whole as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.filter(|number| *number > 0)?;
    let nanos = match number {
        ..MOST_SECONDS => i128::from(number) * 1_000_000_000,
        MOST_SECONDS..MOST_MILLISECONDS => i128::from(number) * 1_000_000,
        _ => i128::from(number) * 1_000,
    };
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn seconds_milliseconds_texts_and_numbers_are_read() {
        let at = OffsetDateTime::from_unix_timestamp(1_750_263_773).unwrap();
        for same in
            [json!(1_750_263_773), json!("1750263773"), json!("1750263773000"), json!(1_750_263_773_000_000_i64)]
        {
            assert_eq!(told_at(&same), Some(at), "{same}");
        }
        for none in [json!(null), json!(""), json!("soon"), json!(0), json!(-5), json!([]), json!(1e300)] {
            assert_eq!(told_at(&none), None, "{none}");
        }
        for huge in [json!(i64::MAX), json!(u64::MAX), json!("9223372036854775807")] {
            assert!(told_at(&huge).is_none_or(|at| at.year() > 2026), "{huge}");
        }
    }
}
