//! Limits on guesses, in the database, so that they hold for all processes and survive a restart.
//!
//! Every guess counts *before* it is looked at ([`Limits::begin`]); one that was right is taken back
//! ([`Limits::right`]). So a hundred guesses at once are no better than one after the other. What is
//! counted are *subjects*: an account, by a hash of what was typed, known or not, and the network address.

use crate::{
    base::{clock::Clock, ids::UserId},
    store::{Result, Store, WriteTx, query},
};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv6Addr};
use time::{Duration, OffsetDateTime};

/// How a kind of subject is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    /// After so many the first wait begins; each further one makes it longer, up to an hour.
    free: i64,
    /// One is forgotten in so many milliseconds.
    forgotten_in: i64,
}

const MINUTE: i64 = 60_000;
/// An account: at most about 24 guesses a day once the waits are at their longest.
const ACCOUNT: Rule = Rule { free: 5, forgotten_in: 60 * MINUTE };
/// An address: an office behind one address mistypes too; at most about 30 guesses an hour.
const ADDRESS: Rule = Rule { free: 50, forgotten_in: 2 * MINUTE };
/// Somebody who invites colleagues: a team at once, and then about six an hour.
const INVITER: Rule = Rule { free: 20, forgotten_in: 10 * MINUTE };

/// How a subject is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Account,
    Address,
    Inviter,
}

/// What guesses are counted for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    key: String,
    kind: Kind,
}

impl Subject {
    fn account(kind: &str, of: &str) -> Self {
        Self { key: format!("{kind}:{}", hex::encode(Sha256::digest(of))), kind: Kind::Account }
    }

    /// Guesses at the password of the account with this address, as it was typed.
    #[must_use]
    pub fn password(typed_email: &str) -> Self {
        Self::account("password", &typed_email.trim().to_lowercase())
    }

    /// The same in a browser in which the right password was given before: counted apart, so that guesses from
    /// elsewhere do not keep the person out. `mark` is that browser's own word.
    #[must_use]
    pub fn password_in(typed_email: &str, mark: &str) -> Self {
        Self::account("known", &format!("{}\n{mark}", typed_email.trim().to_lowercase()))
    }

    /// Guesses at a person's one-time codes.
    #[must_use]
    pub fn code(user: UserId) -> Self {
        Self::account("code", &user.to_string())
    }

    /// Mails that somebody asks for to this address, as it was typed.
    #[must_use]
    pub fn mail(typed_email: &str) -> Self {
        Self::account("mail", &typed_email.trim().to_lowercase())
    }

    /// Invites that are mailed to this address. Not those that somebody outside asks for: whoever wants to could
    /// then keep a person from being invited.
    #[must_use]
    pub fn invite(email: &str) -> Self {
        Self::account("invite", email)
    }

    /// Invites that a customer's member makes: the portal is no way to send mail to whom one likes.
    #[must_use]
    pub fn inviter(user: UserId) -> Self {
        Self { kind: Kind::Inviter, ..Self::account("inviter", &user.to_string()) }
    }

    /// Guesses at the set-up code from this address. Not for all addresses together: whoever wants to could
    /// then keep the operator out.
    #[must_use]
    pub fn setup_code(from: IpAddr) -> Self {
        Self::account("setup", &network(from))
    }

    /// Guesses from a network address: an IPv6 network (/64) is one, since that is what one customer has.
    #[must_use]
    pub fn address(address: IpAddr) -> Self {
        Self { key: format!("address:{}", network(address)), kind: Kind::Address }
    }

    fn rule(&self) -> Rule {
        match self.kind {
            Kind::Account => ACCOUNT,
            Kind::Address => ADDRESS,
            Kind::Inviter => INVITER,
        }
    }
}

fn network(address: IpAddr) -> String {
    let network = match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    };
    network.to_string()
}

/// A guess that was counted.
#[derive(Debug)]
#[must_use = "a guess that was right is taken back"]
pub struct Guess(Vec<(Subject, Option<OffsetDateTime>)>);

/// Why a guess is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many tries; wait {wait}")]
pub struct TooMany {
    /// How long, for people.
    pub wait: Wait,
}

/// A time to wait, in words: `1 minute`, `3 minutes`, `1 hour`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(i64);

impl std::fmt::Display for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0 + MINUTE - 1) / MINUTE {
            ..=1 => f.write_str("1 minute"),
            60.. => f.write_str("1 hour"),
            minutes => write!(f, "{minutes} minutes"),
        }
    }
}

/// Counts guesses. Cloning shares the database.
#[derive(Clone, Debug)]
pub struct Limits {
    store: Store,
    clock: Clock,
}

/// `$3` is what one guess weighs in milliseconds, `$4` the number of free ones. What was there before weighs
/// `forgotten_at - $2`, so this one is the n-th where that is about `$3 * (n - 1)`: to the nearest, since the
/// clocks of two requests at once differ by a little.
const COUNT: &str = "INSERT INTO guesses (subject, forgotten_at, blocked_until) VALUES ($1, $2 + $3, NULL) \
    ON CONFLICT (subject) DO UPDATE SET \
    forgotten_at = CASE WHEN guesses.forgotten_at > $2 THEN guesses.forgotten_at ELSE $2 END + $3, \
    blocked_until = CASE \
        WHEN guesses.forgotten_at - $2 > $3 * ($4 + 2) + $3 / 2 THEN $2 + 3600000 \
        WHEN guesses.forgotten_at - $2 > $3 * ($4 + 1) + $3 / 2 THEN $2 + 900000 \
        WHEN guesses.forgotten_at - $2 > $3 * $4 + $3 / 2 THEN $2 + 300000 \
        WHEN guesses.forgotten_at - $2 > $3 * ($4 - 1) + $3 / 2 THEN $2 + 120000 \
        WHEN guesses.forgotten_at - $2 > $3 * ($4 - 2) + $3 / 2 THEN $2 + 60000 \
        ELSE NULL END \
    WHERE guesses.blocked_until IS NULL OR guesses.blocked_until <= $2 \
    RETURNING blocked_until";

impl Limits {
    /// In this database.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Counts a guess for all of these, unless one of them has to wait: then for none. What comes back must be
    /// given to [`Limits::right`] where the guess was right, and dropped where it was wrong. Where asking
    /// itself is to be limited (mails), it is dropped always.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin(&self, subjects: &[Subject]) -> Result<std::result::Result<Guess, TooMany>> {
        // In one order, so that two of them never wait for each other.
        let mut subjects = subjects.to_vec();
        subjects.sort();
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let mut counted = Vec::new();
        for subject in subjects {
            let rule = subject.rule();
            let row = query(COUNT)
                .bind(&subject.key)
                .bind(now)
                .bind(rule.forgotten_in)
                .bind(rule.free)
                .optional(&mut tx, |row| row.opt_time("blocked_until"))
                .await?;
            match row {
                Some(until) => counted.push((subject, until)),
                None => {
                    let until = blocked_until(&mut tx, &subject).await?;
                    return Ok(Err(too_many(until.unwrap_or(now), now)));
                }
            }
        }
        tx.commit().await?;
        Ok(Ok(Guess(counted)))
    }

    /// A guess was right: the account begins anew, the address gets this one back and no more.
    ///
    /// # Errors
    /// The database's.
    pub async fn right(&self, guess: Guess) -> Result<()> {
        let mut tx = self.store.write().await?;
        for (subject, until) in guess.0 {
            if subject.kind != Kind::Address {
                forget(&mut tx, &subject).await?;
                continue;
            }
            // While it was blocked nobody else counted, so the block is this guess's own.
            query(
                "UPDATE guesses SET forgotten_at = forgotten_at - $1, \
                 blocked_until = CASE WHEN blocked_until = $2 THEN NULL ELSE blocked_until END WHERE subject = $3",
            )
            .bind(subject.rule().forgotten_in)
            .bind(until)
            .bind(&subject.key)
            .execute(&mut tx)
            .await?;
        }
        tx.commit().await
    }

    /// Removes what is forgotten; tells how many rows.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune(&self) -> Result<u64> {
        let mut tx = self.store.write().await?;
        let gone =
            query("DELETE FROM guesses WHERE forgotten_at < $1 AND (blocked_until IS NULL OR blocked_until < $1)")
                .bind(self.clock.now())
                .execute(&mut tx)
                .await?;
        tx.commit().await?;
        Ok(gone)
    }
}

/// Forgets all guesses at an account: somebody proved otherwise that it is theirs, or has a new password.
///
/// # Errors
/// The database's.
pub async fn forget(tx: &mut WriteTx, subject: &Subject) -> Result<()> {
    query("DELETE FROM guesses WHERE subject = $1").bind(&subject.key).execute(tx).await?;
    Ok(())
}

async fn blocked_until(tx: &mut WriteTx, subject: &Subject) -> Result<Option<OffsetDateTime>> {
    let row = query("SELECT blocked_until FROM guesses WHERE subject = $1").bind(&subject.key);
    Ok(row.optional(tx, |row| row.opt_time("blocked_until")).await?.flatten())
}

fn too_many(until: OffsetDateTime, now: OffsetDateTime) -> TooMany {
    let left = (until - now).max(Duration::ZERO);
    TooMany { wait: Wait(i64::try_from(left.whole_milliseconds()).unwrap_or(i64::MAX)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_say_nothing_of_the_person_and_networks_are_one() {
        assert_eq!(Subject::password(" Maria@Example.org "), Subject::password("maria@example.org"));
        assert_ne!(Subject::password("maria@example.org"), Subject::mail("maria@example.org"));
        assert!(!Subject::password("maria@example.org").key.contains("maria"));
        let address = |text: &str| Subject::address(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:0:0:2"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
        assert_ne!(address("10.0.0.1"), address("10.0.0.2"));
    }

    #[test]
    fn waits_are_rounded_up() {
        for (ms, words) in [
            (0, "1 minute"),
            (59_000, "1 minute"),
            (61_000, "2 minutes"),
            (900_000, "15 minutes"),
            (3_600_000, "1 hour"),
        ] {
            assert_eq!(Wait(ms).to_string(), words);
        }
    }
}
