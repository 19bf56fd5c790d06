//! How far Meta's limits on calls are used up, as it says with its answers. What is done in the background asks here
//! first, so that what is left is left to people.
//!
//! `X-App-Usage` tells of the app, `X-Business-Use-Case-Usage` of an account: percent of what is allowed in a rolling
//! hour, and, once that is used up, the minutes until calls are taken again.
//! <https://developers.facebook.com/docs/graph-api/overview/rate-limiting>

use super::{Access, ErrorClass, GraphError};
use http::HeaderMap;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use time::{Duration, OffsetDateTime};

/// From this share on, in percent, what is done in the background waits.
const NEAR: f64 = 80.0;
/// How long it waits where Meta names no time. What was used an hour ago counts no more.
const PAUSE: Duration = Duration::minutes(10);
/// The longest time that Meta's word is waited for.
const LONGEST: Duration = Duration::hours(24);
/// How many readings are kept.
const MOST: usize = 20_000;

/// What Meta said last of one limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The most used up of calls, processor time and time, in percent.
    pub percent: f64,
    /// When calls are taken again, where Meta says that they are not now (`estimated_time_to_regain_access`).
    pub regained_at: Option<OffsetDateTime>,
    /// When it said so.
    pub at: OffsetDateTime,
}

impl Reading {
    /// Until when background work waits; `None`: it need not.
    fn wait(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let near = (self.percent >= NEAR).then_some(self.at + PAUSE);
        self.regained_at.or(near).filter(|until| *until > now)
    }
}

/// Whose limit it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Limit {
    /// An app's, by a digest of its secret (of the token where the secret is not known).
    App(u64),
    /// An account's, by its ID.
    Account(String),
}

fn app(access: &Access) -> Limit {
    let known = access.app_secret.as_ref().unwrap_or(&access.token);
    let digest = Sha256::digest(known.expose_secret().as_bytes());
    Limit::App(u64::from_be_bytes(digest[..8].try_into().expect("a SHA-256 has 32 bytes")))
}

/// All readings. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Usage(Arc<Mutex<HashMap<Limit, Reading>>>);

#[derive(Deserialize)]
struct Shares {
    #[serde(default)]
    call_count: f64,
    #[serde(default)]
    total_cputime: f64,
    #[serde(default)]
    total_time: f64,
    /// In minutes.
    #[serde(default)]
    estimated_time_to_regain_access: f64,
}

impl Shares {
    fn reading(&self, now: OffsetDateTime) -> Reading {
        let minutes = self.estimated_time_to_regain_access;
        let regained_at = (minutes > 0.0).then(|| now + waiting(minutes * 60.0));
        Reading { percent: self.call_count.max(self.total_cputime).max(self.total_time), regained_at, at: now }
    }
}

/// A time to wait that somebody names, in seconds: whatever the number, none below zero, and none beyond [`LONGEST`].
fn waiting(seconds: f64) -> Duration {
    // NaN becomes zero, too.
    Duration::seconds_f64(seconds.max(0.0).min(LONGEST.as_seconds_f64()))
}

fn header<T: serde::de::DeserializeOwned>(headers: &HeaderMap, name: &str) -> Option<T> {
    serde_json::from_str(headers.get(name)?.to_str().ok()?).ok()
}

impl Usage {
    /// Takes in what came with the answer to a call of this path, and that it was refused for too many calls.
    pub(super) fn note(
        &self,
        access: Option<&Access>,
        path: &str,
        (headers, error): (&HeaderMap, Option<&GraphError>),
        now: OffsetDateTime,
    ) {
        let mut found: Vec<(Limit, Reading)> = Vec::new();
        if let (Some(access), Some(shares)) = (access, header::<Shares>(headers, "x-app-usage")) {
            found.push((app(access), shares.reading(now)));
        }
        // What stands first in the path is what was asked about: the limit may be named by the business above it.
        let asked = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let asked = asked.bytes().all(|b| b.is_ascii_digit()).then(|| Limit::Account(asked.to_owned()));
        let accounts: HashMap<String, Vec<Value>> = header(headers, "x-business-use-case-usage").unwrap_or_default();
        for (id, uses) in accounts {
            let uses = uses.into_iter().filter_map(|one| serde_json::from_value::<Shares>(one).ok());
            let Some(reading) = uses.map(|one| one.reading(now)).reduce(worse) else { continue };
            found.push((Limit::Account(id), reading));
            found.extend(asked.clone().map(|asked| (asked, reading)));
        }
        if let Some(error) = error.filter(|error| error.class() == ErrorClass::RateLimited) {
            let after = error.api().and_then(|api| api.retry_after);
            let after = after.map_or(PAUSE, |seconds| Duration::seconds(seconds.max(0)).min(LONGEST));
            let reading = Reading { percent: 100.0, regained_at: Some(now + after), at: now };
            // Code 4 is the app's limit, what else there is the account's.
            let of_app = error.api().is_some_and(|api| api.code == 4);
            let limit = if of_app { access.map(app) } else { asked };
            let told =
                limit.filter(|limit| !found.iter().any(|(known, one)| known == limit && one.regained_at.is_some()));
            found.extend(told.map(|limit| (limit, reading)));
        }
        if found.is_empty() {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() > MOST {
            kept.retain(|_, reading| reading.at + Duration::hours(1) > now);
        }
        for (limit, reading) in found {
            kept.insert(limit, reading);
        }
    }

    /// Until when what is done in the background should not call for this account; `None`: it may call now.
    #[must_use]
    pub fn wait(&self, access: &Access, account: Option<&str>, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let account = account.map(|id| Limit::Account(id.to_owned()));
        let limits = [Some(app(access)), account];
        limits.iter().flatten().filter_map(|limit| kept.get(limit)?.wait(now)).max()
    }

    /// What Meta said last of an account's limit.
    #[must_use]
    pub fn of_account(&self, id: &str) -> Option<Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&Limit::Account(id.to_owned())).copied()
    }
}

fn worse(one: Reading, other: Reading) -> Reading {
    Reading {
        percent: one.percent.max(other.percent),
        regained_at: one.regained_at.max(other.regained_at),
        at: one.at.max(other.at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::from_ms;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn access() -> Access {
        Access::new("token".into(), "secret".into())
    }

    #[test]
    fn near_the_apps_limit_background_work_waits() {
        let (usage, now) = (Usage::default(), from_ms(0));
        let say = |percent: u32, at: OffsetDateTime| {
            let text = format!(r#"{{"call_count":{percent},"total_cputime":3,"total_time":4}}"#);
            usage.note(Some(&access()), "1/x", (&headers(&[("x-app-usage", &text)]), None), at);
            usage.wait(&access(), None, at)
        };
        assert_eq!(say(79, now), None);
        assert_eq!(say(80, now), Some(now + PAUSE));
        assert_eq!(say(12, now + Duration::minutes(1)), None, "the last word counts");
        let other = Access::new("token".into(), "another app's".into());
        say(99, now);
        assert_eq!(usage.wait(&other, None, now), None);
        assert_eq!(usage.wait(&access(), None, now + PAUSE), None, "for a while");
    }

    #[test]
    fn the_time_until_calls_are_taken_again_is_kept() {
        let (usage, now) = (Usage::default(), from_ms(0));
        let text = r#"{"900":[{"type":"whatsapp","call_count":100,"total_cputime":1,"total_time":1,
            "estimated_time_to_regain_access":19},{"type":"other","call_count":1}]}"#;
        let text = text.replace(['\n', ' '], "");
        usage.note(Some(&access()), "42/phone_numbers", (&headers(&[("x-business-use-case-usage", &text)]), None), now);
        let until = Some(now + Duration::minutes(19));
        assert_eq!(usage.wait(&access(), Some("42"), now), until, "the account that was asked about");
        assert_eq!(usage.of_account("900").unwrap().regained_at, until, "and who Meta names");
        assert_eq!(usage.wait(&access(), Some("43"), now), None);
    }

    #[test]
    fn a_refusal_without_headers_is_taken_in_as_well() {
        let (usage, now) = (Usage::default(), from_ms(0));
        let error = |code: i64| {
            GraphError::Api(Box::new(super::super::ApiError {
                code,
                has_body: true,
                ..super::super::ApiError::bare(400, Some(90))
            }))
        };
        usage.note(Some(&access()), "42/x", (&HeaderMap::new(), Some(&error(80_008))), now);
        assert_eq!(usage.wait(&access(), Some("42"), now), Some(now + Duration::seconds(90)));
        assert_eq!(usage.wait(&access(), None, now), None);
        usage.note(Some(&access()), "42/x", (&HeaderMap::new(), Some(&error(4))), now);
        assert!(usage.wait(&access(), None, now).is_some());
        let odd = headers(&[("x-app-usage", "no JSON"), ("x-business-use-case-usage", "[]")]);
        usage.note(Some(&access()), "1", (&odd, None), now);
    }

    #[test]
    fn no_number_of_metas_is_too_odd() {
        for (seconds, waits) in [
            (f64::NAN, Duration::ZERO),
            (f64::NEG_INFINITY, Duration::ZERO),
            (-1.0, Duration::ZERO),
            (90.0, Duration::seconds(90)),
            (1e300, LONGEST),
            (f64::INFINITY, LONGEST),
        ] {
            assert_eq!(waiting(seconds), waits, "{seconds}");
        }
        let (usage, now) = (Usage::default(), from_ms(0));
        let told = headers(&[("x-app-usage", r#"{"estimated_time_to_regain_access":1e300}"#)]);
        usage.note(Some(&access()), "1/x", (&told, None), now);
        assert_eq!(usage.wait(&access(), None, now), Some(now + LONGEST));
        for (after, waits) in [(i64::MIN, None), (-5, None), (i64::MAX, Some(now + LONGEST))] {
            let error = super::super::ApiError { code: 80_008, ..super::super::ApiError::bare(400, Some(after)) };
            let usage = Usage::default();
            usage.note(Some(&access()), "42/x", (&HeaderMap::new(), Some(&GraphError::Api(Box::new(error)))), now);
            assert_eq!(usage.wait(&access(), Some("42"), now), waits, "{after}");
        }
    }
}
