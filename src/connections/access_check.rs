//! Asks Meta whether a connection's access still stands, after a webhook that may mean its end. The webhook alone
//! ends nothing: it may come late, when the customer has long connected again.

use super::{
    model::ConnectionState,
    queries,
    service::{Connections, Overview, TokenError},
};
use crate::{
    accounts,
    base::ids::{ConnectionId, WabaId},
    graph::{self, ErrorClass, GraphError},
    jobs::{JobError, Outcome},
    phone_numbers,
    store::StoreError,
};
use secrecy::SecretString;
use time::Duration;

/// The pause between two tries while Meta can't be asked.
const PAUSE: Duration = Duration::minutes(1);

/// What Meta said of one account.
enum Seen {
    /// These are its numbers.
    Open(Vec<graph::PhoneNumber>),
    /// The token does not open it.
    Closed,
    /// Meta could not say.
    Unknown,
}

impl Seen {
    fn of(answer: Result<Vec<graph::PhoneNumber>, GraphError>) -> Self {
        match answer {
            Ok(numbers) => Self::Open(numbers),
            Err(error) => match error.class() {
                ErrorClass::Authorization => Self::Closed,
                // Graph's answer for what is not there, or not for us to see.
                // https://developers.facebook.com/docs/graph-api/guides/error-handling
                ErrorClass::Rejected if error.api().is_some_and(|error| error.code == 100) => Self::Closed,
                ErrorClass::Rejected | ErrorClass::RateLimited | ErrorClass::Transient => Self::Unknown,
            },
        }
    }
}

impl Connections {
    /// Reads the accounts of a connection anew. Where none opens any more, the customer must connect again; one of
    /// several that is closed sends us nothing any more. Bears being run twice.
    ///
    /// # Errors
    /// The database's; Meta's trouble is waited out.
    pub async fn check_access(
        &self,
        graph: &graph::Client,
        app_secret: Option<&SecretString>,
        id: ConnectionId,
    ) -> Result<Outcome, JobError> {
        let Some(overview) = self.overview(id).await? else { return Ok(Outcome::Done) };
        if overview.connection.state != ConnectionState::Active || overview.wabas.is_empty() {
            return Ok(Outcome::Done);
        }
        let access = match self.access_with(id, app_secret).await {
            Ok(access) => access,
            Err(TokenError::None | TokenError::Seal(_)) => return Ok(Outcome::Done),
            Err(TokenError::Store(error)) => return Err(error.into()),
        };
        let mut seen = Vec::new();
        for (waba, _) in &overview.wabas {
            seen.push((&waba.id, Seen::of(graph.phone_numbers(&access, &waba.id).await)));
        }
        self.keep_seen(&overview, &seen).await?;
        let unknown = seen.iter().any(|(_, seen)| matches!(seen, Seen::Unknown));
        Ok(if unknown { Outcome::Again(self.clock.now() + PAUSE) } else { Outcome::Done })
    }

    async fn keep_seen(&self, overview: &Overview, seen: &[(&WabaId, Seen)]) -> Result<(), StoreError> {
        let id = overview.connection.id;
        let mut tx = self.store.write().await?;
        accounts::lock_customer(&mut tx, overview.connection.customer_id).await?;
        let now = queries::get(&mut tx, id).await?;
        // Connected again while Meta was asked: that was about the token before.
        let same = |now: super::Connection| {
            now.state == ConnectionState::Active && now.connected_at == overview.connection.connected_at
        };
        if !now.is_some_and(same) {
            return Ok(());
        }
        for (waba, seen) in seen {
            if queries::owner(&mut tx, waba).await?.is_none_or(|owner| owner.connection != id) {
                continue;
            }
            match seen {
                Seen::Open(numbers) => phone_numbers::replace(&mut tx, waba, numbers, self.clock.now()).await?,
                Seen::Closed => queries::set_subscribed(&mut tx, waba, None).await?,
                Seen::Unknown => {}
            }
        }
        if seen.iter().all(|(_, seen)| matches!(seen, Seen::Closed)) {
            queries::set_stale(&mut tx, id, self.clock.now()).await?;
            super::erase::note_standing(&mut tx, overview.connection.customer_id).await?;
        }
        tx.commit().await
    }
}
