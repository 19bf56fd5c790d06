//! A check of a connection's permissions: looked at, compared with what was known, kept.

use super::{
    look::{Found, look},
    queries::{self, NewCheck},
    standing::{AccountStanding, Answer, Change, Standing, Verdict, changes},
};
use crate::{
    accounts::{self, User, audit},
    base::{
        clock,
        ids::{ConnectionId, UserId},
    },
    connections::{
        Connections, Overview, erase::note_standing, model::ConnectionState, queries as rows, service::TokenError,
    },
    graph::Setup,
    phone_numbers,
    store::{Reads, StoreError},
};
use std::str::FromStr;
use time::{Duration, OffsetDateTime};

/// For how long checks are kept.
const KEPT: Duration = Duration::days(400);

/// How many checks are looked at for what a connection's page tells.
const LOOKED_AT: i64 = 20;
/// For how long it tells what was found.
const TOLD: Duration = Duration::days(14);
/// How much it tells at most.
const MOST: usize = 3;

/// Why permissions were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Somebody asked for it.
    Asked,
    /// It was time.
    Schedule,
    /// A webhook, or a refused call, made it seem that the access has ended.
    Doubt,
    /// Somebody connected again.
    Reconnect,
}

const CAUSES: [(Cause, &str); 4] =
    [(Cause::Asked, "asked"), (Cause::Schedule, "schedule"), (Cause::Doubt, "doubt"), (Cause::Reconnect, "reconnect")];

impl Cause {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        CAUSES.iter().find(|(cause, _)| *cause == self).map_or("asked", |(_, word)| word)
    }
}

impl Cause {
    /// For support.
    pub(in crate::connections) fn words(self) -> &'static str {
        match self {
            Self::Asked => "somebody asked for it",
            Self::Schedule => "it was time",
            Self::Doubt => "a webhook or a refused call raised doubts",
            Self::Reconnect => "somebody connected again",
        }
    }
}

impl FromStr for Cause {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        CAUSES.iter().find(|(_, word)| *word == s).map(|(cause, _)| *cause).ok_or(())
    }
}

/// A check that was kept.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its ID.
    pub id: String,
    /// The connection.
    pub connection: ConnectionId,
    /// When.
    pub at: OffsetDateTime,
    /// Who asked for it; `None`: nobody, it was done in the background.
    pub by: Option<UserId>,
    /// Why.
    pub cause: Cause,
    /// How it stood, as far as was known.
    pub before: Standing,
    /// How it stands; `None` where Meta was not asked.
    pub after: Option<Standing>,
    /// What changed.
    pub changes: Vec<Change>,
}

/// What came of a look.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The check's ID, where it was kept: those that somebody asked for, and those that found a change.
    pub check: Option<String>,
    /// Whether something could not be asked.
    pub is_partial: bool,
}

/// How a connection stands as far as is known here.
pub(in crate::connections) async fn known(db: &mut impl Reads, overview: &Overview) -> Result<Standing, StoreError> {
    let connection = &overview.connection;
    let scopes = queries::scopes(db, connection.id).await?;
    let account = |(waba, numbers): &(crate::connections::WabaRecord, Vec<phone_numbers::Number>)| AccountStanding {
        id: waba.id.to_string(),
        name: waba.name.clone(),
        opens: if waba.closed_at.is_some() { Answer::No } else { Answer::Yes },
        subscribed: Some(waba.subscribed_at.is_some()),
        made_again: false,
        numbers: numbers.iter().map(phone_numbers::Number::international).collect(),
        refusal: None,
    };
    Ok(Standing {
        token: if connection.state == ConnectionState::NeedsReconnect { Answer::No } else { Answer::Yes },
        refusal: None,
        scopes: (!scopes.is_empty()).then_some(scopes),
        expires_at: connection.token_expires_at.map(|at| clock::to_ms(at) / 1_000),
        accounts: overview.wabas.iter().map(account).collect(),
    })
}

impl Connections {
    /// Looks at a connection's permissions at Meta, and keeps what is found. `None` where there is nothing to look at:
    /// it is over, being undone, or has no token.
    ///
    /// # Errors
    /// The database's. Meta's trouble is no error: what could not be asked stays as it was.
    pub async fn look_at(
        &self,
        setup: &Setup,
        id: ConnectionId,
        cause: Cause,
        by: Option<&User>,
    ) -> Result<Option<Looked>, StoreError> {
        let Some(overview) = self.overview(id).await? else { return Ok(None) };
        if !matches!(overview.connection.state, ConnectionState::Active | ConnectionState::NeedsReconnect) {
            return Ok(None);
        }
        let ours = setup.app.as_ref();
        let (access, app) = match (self.access_with(id, ours.map(|app| &app.secret)).await, self.app_of(id, ours).await)
        {
            (Ok(access), Ok(app)) => (access, app),
            (Err(TokenError::Store(error)), _) | (_, Err(TokenError::Store(error))) => return Err(error),
            _ => return Ok(None),
        };
        let before = known(&mut self.store.read().await?, &overview).await?;
        let wabas: Vec<_> = overview.wabas.iter().map(|(waba, _)| waba.clone()).collect();
        let asked = self.clock.now();
        let found = look(&setup.graph, app.as_ref(), &access, &wabas).await;
        let check = self.keep_look(&overview, &before, &found, asked, (cause, by)).await?;
        Ok(Some(Looked { check, is_partial: found.standing.is_partial() }))
    }

    async fn keep_look(
        &self,
        overview: &Overview,
        before: &Standing,
        found: &Found,
        asked: OffsetDateTime,
        (cause, by): (Cause, Option<&User>),
    ) -> Result<Option<String>, StoreError> {
        let (id, customer, at) = (overview.connection.id, overview.connection.customer_id, self.clock.now());
        let after = &found.standing;
        let mut tx = self.store.write().await?;
        accounts::lock_customer(&mut tx, customer).await?;
        // Connected again, renewed, or undone, while Meta was asked: that was about the token before.
        let now = rows::get(&mut tx, id).await?;
        let same = now.as_ref().is_some_and(|now| {
            let known = &overview.connection;
            now.state == known.state
                && now.connected_at == known.connected_at
                && now.token_renewed_at == known.token_renewed_at
        });
        if !same {
            return Ok(None);
        }
        for account in &after.accounts {
            let Some((waba, _)) = overview.wabas.iter().find(|(waba, _)| waba.id.as_str() == account.id) else {
                continue;
            };
            if rows::owner(&mut tx, &waba.id).await?.is_none_or(|owner| owner.connection != id) {
                continue;
            }
            match account.opens {
                Answer::Yes => queries::set_closed(&mut tx, &waba.id, None).await?,
                Answer::No => queries::set_closed(&mut tx, &waba.id, Some(at)).await?,
                Answer::Unknown => {}
            }
            match (account.opens, account.subscribed) {
                (Answer::No, _) | (_, Some(false)) => rows::set_unsubscribed(&mut tx, &waba.id, at).await?,
                (_, Some(true)) if waba.subscribed_at.is_none() => {
                    self.mark_subscribed(&mut tx, &waba.id).await?;
                }
                _ => {}
            }
            if let Some((_, numbers)) = found.numbers.iter().find(|(listed, _)| *listed == waba.id) {
                phone_numbers::replace(&mut tx, &waba.id, numbers, asked).await?;
                if by.is_some() {
                    phone_numbers::read_soon(&mut tx, &self.queue, &waba.id, at).await?;
                }
            }
        }
        if let (Some(info), Some(scopes)) = (&found.info, &after.scopes) {
            // What is not told stays as it was; zero says that it never ends.
            let end = info.expires_at.map(|_| info.end());
            let data_end = info.data_access_expires_at.map(|_| info.data_access_end());
            queries::set_told(&mut tx, id, scopes, (end, data_end)).await?;
        }
        queries::set_checked(&mut tx, id, at).await?;
        let changed = changes(before, after);
        let turned = match (overview.connection.state, after.verdict()) {
            (ConnectionState::Active, Verdict::Ended) => Some((ConnectionState::NeedsReconnect, "connection.ended")),
            (ConnectionState::NeedsReconnect, Verdict::Works) => Some((ConnectionState::Active, "connection.restored")),
            _ => None,
        };
        let subject = id.to_string();
        let entry = |actor, action| audit::Entry {
            actor,
            customer: Some(customer),
            action,
            subject: Some(&subject),
            detail: None,
        };
        if let Some((state, action)) = turned {
            match state {
                ConnectionState::NeedsReconnect => rows::set_stale(&mut tx, id, at).await?,
                _ => rows::restore(&mut tx, id).await?,
            }
            note_standing(&mut tx, customer).await?;
            audit::record(&mut tx, &self.clock, entry(None, action)).await?;
        }
        if let Some(user) = by {
            audit::record(&mut tx, &self.clock, entry(Some(user.id), "connection.permissions_checked")).await?;
        }
        let mut check = None;
        if by.is_some() || !changed.is_empty() {
            let by = by.map(|user| user.id);
            let new =
                NewCheck { connection: id, customer, at, by, cause, before, after: Some(after), changes: &changed };
            check = Some(queries::insert(&mut tx, new).await?);
            queries::prune(&mut tx, id, at - KEPT).await?;
        }
        // Not the next look: asked for while it runs, it would run once more at once.
        let end = found.info.as_ref().and_then(|info| info.end()).or(overview.connection.token_expires_at);
        self.plan_renewal(&mut tx, id, end).await?;
        tx.commit().await?;
        self.queue.wake();
        if let Some((_, action)) = turned {
            tracing::info!(connection = %id, action, cause = cause.as_str(), "a connection’s access changed");
        }
        Ok(check)
    }

    /// The checks of a connection that were kept, the last first.
    ///
    /// # Errors
    /// The database's.
    pub async fn checks(&self, id: ConnectionId, limit: i64) -> Result<Vec<Check>, StoreError> {
        queries::list(&mut self.store.read().await?, id, limit).await
    }

    /// What was found of late, as notices; what came before the customer connected last is over.
    pub(in crate::connections) async fn permission_news(
        &self,
        overview: &Overview,
        now: OffsetDateTime,
    ) -> Result<Vec<crate::connections::News>, StoreError> {
        let connection = &overview.connection;
        if connection.state != ConnectionState::Active {
            return Ok(Vec::new());
        }
        let checks = self.checks(connection.id, LOOKED_AT).await?;
        let of_late = |check: &&Check| check.at > connection.connected_at && check.at > now - TOLD;
        let all = checks.iter().filter(of_late).flat_map(|check| {
            check.changes.iter().filter_map(|change| super::words::news(change, check.at, connection.id, now))
        });
        Ok(all.take(MOST).collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// The database's.
    pub async fn permission_check(&self, id: ConnectionId, check: &str) -> Result<Option<Check>, StoreError> {
        queries::get(&mut self.store.read().await?, id, check).await
    }
}

/// Somebody connected again: how it stood, and that it works, in the transaction that keeps the new token.
pub(in crate::connections) async fn note_reconnected(
    tx: &mut crate::store::WriteTx,
    overview: &Overview,
    by: UserId,
    scopes: &[String],
    at: OffsetDateTime,
) -> Result<(), StoreError> {
    let before = known(tx, overview).await?;
    let after = Standing { token: Answer::Yes, scopes: Some(scopes.to_vec()), ..before.clone() };
    let connection = &overview.connection;
    let new = NewCheck {
        connection: connection.id,
        customer: connection.customer_id,
        at,
        by: Some(by),
        cause: Cause::Reconnect,
        before: &before,
        after: Some(&after),
        changes: &[Change::Reconnected],
    };
    queries::insert(tx, new).await.map(drop)
}
