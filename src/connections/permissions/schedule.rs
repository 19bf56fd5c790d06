//! What is done in the background: each connection is looked at once a day, at a time of day of its own, and a token
//! that ends is renewed well before it does.

use super::check::Cause;
use crate::{
    accounts::{self, audit},
    base::{clock, ids::ConnectionId},
    connections::{
        Connections, model::ConnectionState, notices::ACCESS_JOB, queries as rows, renewal_queries as renewals,
        service::TokenError,
    },
    graph::{ErrorClass, GraphError, Setup},
    jobs::{JobError, Outcome},
    store::{StoreError, WriteTx},
};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

/// The kind of the job that looks at a connection's permissions; its subject is the connection's ID.
pub const RECHECK_JOB: &str = "connections.recheck";
/// The kind of the job that renews a connection's token; its subject is the connection's ID.
pub const RENEW_JOB: &str = "connections.renew_token";

/// How often a connection is looked at.
const EVERY: Duration = Duration::days(1);
/// The pause where Meta could not be asked.
const PAUSE: Duration = Duration::minutes(15);
/// A token is renewed when it has this long to go: tokens of the template live 60 days, and one that has ended can't be
/// renewed any more.
/// <https://developers.facebook.com/docs/business-management-apis/system-users/install-apps-and-generate-tokens>
const AHEAD: Duration = Duration::days(20);
/// The longest pause between two tries to renew a token.
const LONGEST: Duration = Duration::hours(6);

/// A number of a connection's own below `range`, always the same: spreads the work over time.
fn jitter(id: ConnectionId, range: Duration) -> Duration {
    let digest = Sha256::digest(id.to_string().as_bytes());
    let number = u64::from_be_bytes(digest[..8].try_into().expect("a SHA-256 has 32 bytes"));
    let ms = u64::try_from(range.whole_milliseconds()).unwrap_or(1).max(1);
    Duration::milliseconds(i64::try_from(number % ms).unwrap_or(0))
}

/// When a connection is looked at next.
fn next_look(id: ConnectionId, now: OffsetDateTime) -> OffsetDateTime {
    let (period, offset) = (EVERY.whole_milliseconds(), jitter(id, EVERY).whole_milliseconds());
    let now = i128::from(clock::to_ms(now));
    let next = (now - offset).div_euclid(period) * period + offset + period;
    clock::from_ms(i64::try_from(next).unwrap_or(i64::MAX))
}

/// When a token that ends then is renewed.
fn renewal(id: ConnectionId, end: OffsetDateTime) -> OffsetDateTime {
    end - AHEAD - jitter(id, Duration::days(2))
}

/// The pause after so many tries that failed.
fn pause(tries: i64) -> Duration {
    Duration::minutes(1i64 << tries.clamp(0, 9)).min(LONGEST)
}

impl Connections {
    /// Plans the next look at a connection, and the renewal of its token where that ends.
    pub(in crate::connections) async fn plan(
        &self,
        tx: &mut WriteTx,
        id: ConnectionId,
        end: Option<OffsetDateTime>,
    ) -> Result<(), StoreError> {
        let (subject, now) = (id.to_string(), self.clock.now());
        self.queue.enqueue(tx, RECHECK_JOB, &subject, next_look(id, now)).await?;
        self.plan_renewal(tx, id, end).await
    }

    /// Plans the renewal of a connection's token where that ends.
    pub(in crate::connections) async fn plan_renewal(
        &self,
        tx: &mut WriteTx,
        id: ConnectionId,
        end: Option<OffsetDateTime>,
    ) -> Result<(), StoreError> {
        let (subject, now) = (id.to_string(), self.clock.now());
        if let Some(end) = end.filter(|end| *end > now) {
            self.queue.enqueue(tx, RENEW_JOB, &subject, renewal(id, end).max(now)).await?;
        }
        Ok(())
    }

    /// Plans for all connections that are not over: for those that were made before this was done.
    ///
    /// # Errors
    /// The database's.
    pub async fn plan_all(&self) -> Result<(), StoreError> {
        let live = renewals::unplanned(&mut self.store.read().await?, RECHECK_JOB).await?;
        for some in live.chunks(100) {
            let mut tx = self.store.write().await?;
            for (id, end) in some {
                self.plan(&mut tx, *id, *end).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Looks at a connection because it is time. Near Meta's limits it waits.
    ///
    /// # Errors
    /// The database's.
    pub async fn recheck(&self, setup: &Setup, id: ConnectionId) -> Result<Outcome, JobError> {
        if let Some(until) = self.must_wait(setup, id).await? {
            return Ok(Outcome::Again(until + jitter(id, Duration::minutes(5))));
        }
        let now = self.clock.now();
        Ok(match self.look_at(setup, id, Cause::Schedule, None).await? {
            None if self.is_over(id).await? => Outcome::Done,
            Some(looked) if looked.is_partial => Outcome::Again(now + PAUSE + jitter(id, PAUSE)),
            None | Some(_) => Outcome::Again(next_look(id, now)),
        })
    }

    async fn is_over(&self, id: ConnectionId) -> Result<bool, StoreError> {
        let connection = rows::get(&mut self.store.read().await?, id).await?;
        Ok(connection.is_none_or(|one| one.state == ConnectionState::Disconnected))
    }

    /// Until when background work for this connection waits, by what Meta said of its limits.
    ///
    /// # Errors
    /// The database's.
    pub async fn must_wait(&self, setup: &Setup, id: ConnectionId) -> Result<Option<OffsetDateTime>, StoreError> {
        let access = match self.access_with(id, setup.app.as_ref().map(|app| &app.secret)).await {
            Ok(access) => access,
            Err(TokenError::None | TokenError::Seal(_)) => return Ok(None),
            Err(TokenError::Store(error)) => return Err(error),
        };
        let wabas = rows::wabas(&mut self.store.read().await?, id).await?;
        let of_accounts = wabas.iter().filter_map(|waba| setup.graph.wait(&access, Some(waba.id.as_str())));
        Ok(of_accounts.chain(setup.graph.wait(&access, None)).max())
    }

    /// Renews a token that has not long to go. Bears being run twice: then it is renewed twice.
    ///
    /// # Errors
    /// The database's; Meta's trouble is waited out.
    pub async fn renew_token(&self, setup: &Setup, id: ConnectionId) -> Result<Outcome, JobError> {
        let Some(connection) = rows::get(&mut self.store.read().await?, id).await? else { return Ok(Outcome::Done) };
        let (Some(end), Some(app)) = (connection.token_expires_at, self.app_of(id, setup.app.as_ref()).await?) else {
            return Ok(Outcome::Done);
        };
        let now = self.clock.now();
        if connection.state != ConnectionState::Active || end <= now {
            return Ok(Outcome::Done);
        }
        if renewal(id, end) > now {
            return Ok(Outcome::Again(renewal(id, end)));
        }
        // What is urgent does not wait for the limits.
        if let Some(until) = self.must_wait(setup, id).await?.filter(|until| *until < end - Duration::days(2)) {
            return Ok(Outcome::Again(until));
        }
        let Some(sealed) = rows::sealed_token(&mut self.store.read().await?, id).await? else {
            return Ok(Outcome::Done);
        };
        let token = self.keys.open(Self::place(&id.to_string()), &sealed)?;
        let renewed = match setup.graph.for_connection(id).renew_token(&app, &token).await {
            Ok(renewed) => renewed,
            Err(error) => return self.renewal_failed(id, &error).await,
        };
        let new_end = match renewed.expires_in {
            Some(lives) => Some(now + lives),
            None => match setup.graph.debug_token(&app, &renewed.token).await {
                Ok(info) => info.end(),
                Err(error) => return self.renewal_failed(id, &error).await,
            },
        };
        let new_sealed = self.keys.seal(Self::place(&id.to_string()), &renewed.token);
        let mut tx = self.store.write().await?;
        accounts::lock_customer(&mut tx, connection.customer_id).await?;
        // Connected again, or undone, meanwhile: that token counts.
        if !renewals::replace_token(&mut tx, id, (&sealed, &new_sealed), new_end, now).await? {
            return Ok(Outcome::Done);
        }
        let subject = id.to_string();
        let entry = audit::Entry {
            actor: None,
            customer: Some(connection.customer_id),
            action: "connection.token_renewed",
            subject: Some(&subject),
            detail: None,
        };
        audit::record(&mut tx, &self.clock, entry).await?;
        tx.commit().await?;
        tracing::info!(connection = %id, "a token was renewed");
        Ok(new_end.map_or(Outcome::Done, |end| Outcome::Again(renewal(id, end).max(now + Duration::hours(1)))))
    }

    /// Meta did not renew it. Where it says that the token works no longer, that is looked into; the token may have
    /// weeks to go, so it is tried again in any case.
    async fn renewal_failed(&self, id: ConnectionId, error: &GraphError) -> Result<Outcome, JobError> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let tries = renewals::note_failure(&mut tx, id, &error.to_string()).await?;
        if error.class() == ErrorClass::Authorization {
            self.queue.enqueue(&mut tx, ACCESS_JOB, &id.to_string(), now).await?;
        }
        tx.commit().await?;
        self.queue.wake();
        tracing::warn!(connection = %id, %error, tries, "a token could not be renewed yet");
        let after = error.api().and_then(|api| api.retry_after).map_or(Duration::ZERO, Duration::seconds);
        Ok(Outcome::Again(now + pause(tries).max(after.min(LONGEST))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::from_ms;

    #[test]
    fn each_connection_has_a_time_of_day_of_its_own() {
        let (id, now) = (ConnectionId::new(), from_ms(1_800_000_000_000));
        let next = next_look(id, now);
        assert!(next > now && next <= now + EVERY);
        assert_eq!(next_look(id, next), next + EVERY);
        assert_eq!(next_look(id, next - Duration::milliseconds(1)), next);
        let mut hours: Vec<u8> = (0..200).map(|_| next_look(ConnectionId::new(), now).hour()).collect();
        hours.sort_unstable();
        hours.dedup();
        assert!(hours.len() > 20, "spread over the day: {hours:?}");
    }

    #[test]
    fn tokens_are_renewed_well_before_they_end() {
        let (id, end) = (ConnectionId::new(), from_ms(1_800_000_000_000));
        let at = renewal(id, end);
        assert!(at <= end - Duration::days(20) && at > end - Duration::days(23));
        assert_eq!(pause(0), Duration::minutes(1));
        assert_eq!(pause(40), LONGEST);
    }
}
