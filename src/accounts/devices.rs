//! Where a person is signed in: one device a session, as they would call it.

use super::{AccountError, Accounts, User};
use crate::{
    base::{clock, ids::UserId},
    store::query,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Where [`Visit`] stands in the session.
pub(super) const VISIT_KEY: &str = "visit";
/// How often a visit is written down, in milliseconds; that also prolongs the session.
const EVERY_MS: i64 = 15 * 60_000;

/// What a session keeps of its device.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Visit {
    /// `Chrome on Android`.
    what: String,
    address: Option<String>,
    /// In milliseconds since the epoch, as `seen`.
    since: i64,
    seen: i64,
}

impl Visit {
    /// The visit as it is now, where it is to be written down.
    pub fn now(before: Option<Self>, agent: &str, address: Option<String>, now: i64) -> Option<Self> {
        match before {
            Some(before) if now - before.seen < EVERY_MS => None,
            before => {
                let since = before.map_or(now, |before| before.since);
                Some(Self { what: device_words(agent), address, since, seen: now })
            }
        }
    }
}

/// A place where somebody is signed in.
#[derive(Clone, Debug)]
pub struct Device {
    /// Names the session in a form: a hash of its cookie.
    pub handle: String,
    /// `Chrome on Android`.
    pub what: String,
    /// From which address it was used last.
    pub address: Option<String>,
    /// When they signed in.
    pub since: Option<OffsetDateTime>,
    /// When it was used last, to a quarter of an hour.
    pub seen: Option<OffsetDateTime>,
}

#[derive(Deserialize)]
struct Data {
    visit: Option<Visit>,
}

impl Accounts {
    /// Where a person is signed in, the place used last first.
    ///
    /// # Errors
    /// The database's.
    pub async fn devices(&self, id: UserId) -> Result<Vec<Device>, AccountError> {
        let rows = query("SELECT id, data FROM sessions WHERE user_id = $1 AND expires_at > $2")
            .bind(id)
            .bind(self.clock.now())
            .all(&mut self.store.read().await?, |row| Ok((row.text("id")?, row.json::<Data>("data")?.visit)))
            .await?;
        let mut devices: Vec<Device> = rows.into_iter().map(|(handle, visit)| device(handle, visit)).collect();
        devices.sort_by_key(|device| std::cmp::Reverse(device.seen));
        Ok(devices)
    }

    /// Ends one session of this person; whether there was one of that name.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_session(&self, user: &User, handle: &str) -> Result<bool, AccountError> {
        let mut tx = self.store.write().await?;
        let ended = query("DELETE FROM sessions WHERE id = $1 AND user_id = $2")
            .bind(handle)
            .bind(user.id)
            .execute(&mut tx)
            .await?;
        if ended == 1 {
            self.note(&mut tx, user, "user.session_ended").await?;
        }
        tx.commit().await?;
        Ok(ended == 1)
    }

    /// Ends all sessions of this person but one.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_other_sessions(&self, user: &User, but: &str) -> Result<(), AccountError> {
        let mut tx = self.store.write().await?;
        query("DELETE FROM sessions WHERE user_id = $1 AND id <> $2").bind(user.id).bind(but).execute(&mut tx).await?;
        self.note(&mut tx, user, "user.other_sessions_ended").await?;
        Ok(tx.commit().await?)
    }
}

fn device(handle: String, visit: Option<Visit>) -> Device {
    match visit {
        Some(visit) => Device {
            handle,
            what: visit.what,
            address: visit.address,
            since: Some(clock::from_ms(visit.since)),
            seen: Some(clock::from_ms(visit.seen)),
        },
        None => Device { handle, what: UNKNOWN.to_owned(), address: None, since: None, seen: None },
    }
}

const UNKNOWN: &str = "Unknown browser";

/// A browser as people call it, by what its `User-Agent` says. The order counts: most claim to be Chrome and
/// Safari as well.
fn device_words(agent: &str) -> String {
    let first =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("CrOS", "ChromeOS"),
        ("Windows", "Windows"),
        ("Macintosh", "Mac"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (None, Some(system)) => format!("A browser on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, None) => UNKNOWN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_in_words() {
        for (agent, words) in [
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/131.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPad",
            ),
            ("curl/8.5.0", "Unknown browser"),
            ("", "Unknown browser"),
        ] {
            assert_eq!(device_words(agent), words);
        }
    }

    #[test]
    fn a_visit_is_written_down_every_quarter_of_an_hour() {
        let first = Visit::now(None, "", None, 1_000).unwrap();
        assert!(Visit::now(Some(first.clone()), "", None, EVERY_MS).is_none());
        let later = Visit::now(Some(first), "", Some("10.0.0.1".to_owned()), 1_000 + EVERY_MS).unwrap();
        assert_eq!((later.since, later.seen, later.address.as_deref()), (1_000, 1_000 + EVERY_MS, Some("10.0.0.1")));
    }
}
