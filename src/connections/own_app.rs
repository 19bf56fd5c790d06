//! Meta apps that customers bring: a connection whose token is of such an app. Its calls are proven with that app's
//! secret, or with none where the customer gave none; its webhooks come to an address of its own.
//! <https://developers.facebook.com/docs/graph-api/guides/secure-requests>

use super::{
    model::{Connection, ConnectionState},
    own_app_queries as queries,
    service::{Connections, TokenError, access_of},
};
use crate::{
    base::{
        ids::{AppId, ConnectionId},
        sealed::{Place, SealError},
    },
    graph::{Access, AppCredentials},
    store::{Result, WriteTx},
};
use secrecy::SecretString;
use time::{Duration, OffsetDateTime};

const TABLE: &str = "own_apps";
/// How long the secret before counts beside a new one: webhooks that were signed with it may still come.
pub(super) const OLD_SECRET_COUNTS: Duration = Duration::hours(24);
/// That something was refused or left out is written down once in this time at most.
const NOTED_EVERY: Duration = Duration::minutes(1);

pub(super) fn place<'a>(column: &'a str, row: &'a str) -> Place<'a> {
    Place { table: TABLE, column, row }
}

/// The app of a connection's own.
#[derive(Clone, Debug)]
pub struct OwnApp {
    /// The connection.
    pub connection: ConnectionId,
    /// What the callback's address ends with.
    pub callback_key: String,
    /// The word of the callback's handshake.
    pub verify_token: SecretString,
    /// The app's ID, where it is known.
    pub app_id: Option<AppId>,
    /// The app's secret, where it is known.
    pub secret: Option<SecretString>,
    /// The one before, and until when it counts.
    pub old_secret: Option<(SecretString, OffsetDateTime)>,
    /// When Meta last verified the callback.
    pub handshake_at: Option<OffsetDateTime>,
    /// When something last came that the secret had not signed.
    pub refused_at: Option<OffsetDateTime>,
    /// When something last came about accounts that are not the connection's.
    pub left_out_at: Option<OffsetDateTime>,
}

impl OwnApp {
    /// ID and secret, where both are known.
    #[must_use]
    pub fn credentials(&self) -> Option<AppCredentials> {
        let (id, secret) = self.app_id.clone().zip(self.secret.clone())?;
        Some(AppCredentials { id, secret })
    }

    /// The secrets with which its webhooks may be signed now.
    #[must_use]
    pub fn secrets(&self, now: OffsetDateTime) -> Vec<SecretString> {
        let old = self.old_secret.iter().filter(|(_, until)| *until > now).map(|(secret, _)| secret);
        self.secret.iter().chain(old).cloned().collect()
    }
}

/// What keeps the webhooks of a customer's own app from coming in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unheard {
    /// Meta signs them with a secret that was not given: they are refused.
    NoSecret,
    /// Meta has not checked the address to which it would send them.
    NoCallback,
}

impl Connections {
    /// What keeps a connection's webhooks from coming in, where it goes through the customer's own app, and works.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn unheard(&self, connection: &Connection) -> Result<Option<Unheard>> {
        if !connection.is_own_app || connection.state != ConnectionState::Active {
            return Ok(None);
        }
        let row = queries::get(&mut self.store.read().await?, connection.id).await?;
        Ok(row.and_then(|row| match (row.app_secret_sealed, row.handshake_at) {
            (None, _) => Some(Unheard::NoSecret),
            (Some(_), None) => Some(Unheard::NoCallback),
            (Some(_), Some(_)) => None,
        }))
    }

    fn opened(&self, row: queries::OwnAppRow) -> std::result::Result<OwnApp, SealError> {
        let id = row.connection.to_string();
        let open = |column: &str, sealed: &Option<String>| {
            sealed.as_ref().map(|sealed| self.keys.open(place(column, &id), sealed)).transpose()
        };
        Ok(OwnApp {
            verify_token: self.keys.open(place("verify_token_sealed", &id), &row.verify_token_sealed)?,
            secret: open("app_secret_sealed", &row.app_secret_sealed)?,
            old_secret: open("old_secret_sealed", &row.old_secret_sealed)?.zip(row.old_secret_until),
            connection: row.connection,
            callback_key: row.callback_key,
            app_id: row.app_id,
            handshake_at: row.handshake_at,
            refused_at: row.refused_at,
            left_out_at: row.left_out_at,
        })
    }

    /// The app of a connection's own; `None` where its token is of the operator's app.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn own_app(&self, id: ConnectionId) -> std::result::Result<Option<OwnApp>, TokenError> {
        let row = queries::get(&mut self.store.read().await?, id).await?;
        Ok(row.map(|row| self.opened(row)).transpose()?)
    }

    /// The one whose callback's address ends with this key. What does not open is as good as not there, and is told in
    /// the log.
    ///
    /// # Errors
    /// The database's.
    pub async fn own_app_by_key(&self, key: &str) -> Result<Option<(OwnApp, super::Owner)>> {
        let Some((row, owner)) = queries::by_key(&mut self.store.read().await?, key).await? else { return Ok(None) };
        match self.opened(row) {
            Ok(app) => Ok(Some((app, owner))),
            Err(error) => {
                tracing::error!(%error, connection = %owner.connection, "the secrets of a customer's app do not open");
                Ok(None)
            }
        }
    }

    /// With what to call Graph for a connection: its token, proven with the secret of the app that the token is of.
    /// `ours`: the secret of the operator's app.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn access_with(
        &self,
        id: ConnectionId,
        ours: Option<&SecretString>,
    ) -> std::result::Result<Access, TokenError> {
        let app_secret = match self.own_app(id).await? {
            Some(own) => own.secret,
            None => ours.cloned(),
        };
        Ok(access_of(id, self.token(id).await?, app_secret.as_ref()))
    }

    /// The app with whose own token a connection's token is inspected and renewed; `None` where that can't be done.
    /// `ours`: the operator's app.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn app_of(
        &self,
        id: ConnectionId,
        ours: Option<&AppCredentials>,
    ) -> std::result::Result<Option<AppCredentials>, TokenError> {
        Ok(match self.own_app(id).await? {
            Some(own) => own.credentials(),
            None => ours.cloned(),
        })
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Meta has verified a callback.
    ///
    /// # Errors
    /// The database's.
    pub async fn own_app_verified(&self, id: ConnectionId) -> Result<()> {
        let mut tx = self.store.write().await?;
        queries::note_handshake(&mut tx, id, self.clock.now()).await?;
        tx.commit().await
    }

    /// Something came that the app's secret had not signed. Anybody may send such: it is written down now and
    /// then; `before`: when it was last.
    ///
    /// # Errors
    /// The database's.
    pub async fn own_app_refused(&self, id: ConnectionId, before: Option<OffsetDateTime>) -> Result<()> {
        let now = self.clock.now();
        if before.is_some_and(|at| at + NOTED_EVERY > now) {
            return Ok(());
        }
        let mut tx = self.store.write().await?;
        queries::note_refused(&mut tx, id, now).await?;
        tx.commit().await
    }

    /// Something came about accounts that are not the connection's.
    ///
    /// # Errors
    /// The database's.
    pub async fn own_app_left_out(&self, tx: &mut WriteTx, id: ConnectionId) -> Result<()> {
        queries::note_left_out(tx, id, self.clock.now()).await
    }
}
