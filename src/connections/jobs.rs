//! Undoing a connection at Meta, in the background: deregister where asked, unsubscribe, then forget the
//! token. What Meta does not let us undo does not keep the customer's token here for ever.

use super::{
    erase::note_standing,
    holders, own_app_queries, queries,
    service::{Connections, Overview, TokenError},
};
use crate::{
    accounts::{self, audit},
    base::{
        clock,
        ids::{ConnectionId, WabaId},
    },
    graph::{self, Access, ErrorClass, GraphError},
    jobs::{JobError, Outcome},
    phone_numbers::{self, Registration, Release},
    store::{StoreError, WriteTx},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

/// The kind of the job; its subject is the connection's ID.
pub const DISCONNECT_JOB: &str = "connections.disconnect";
/// How long Meta's trouble is waited out before the token is deleted all the same.
const PATIENCE: Duration = Duration::minutes(30);
/// The pause between two tries.
const PAUSE: Duration = Duration::seconds(20);

/// What was asked for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct DisconnectRequest {
    /// Whether the numbers are to be taken off the Cloud API as well.
    pub deregister: bool,
    /// Since when, in milliseconds since the epoch.
    pub since: i64,
}

/// How taking numbers off went.
#[derive(Default)]
struct Released {
    /// Meta did not answer, for one at least.
    trouble: bool,
    /// Of one at least nobody knows.
    given_up: bool,
}

/// Whether it may go better later. Otherwise the grant is gone already, or there is nothing to undo.
fn is_trouble(error: &GraphError) -> bool {
    matches!(error.class(), ErrorClass::Transient | ErrorClass::RateLimited)
}

impl Connections {
    /// Undoes a connection that [`Connections::disconnect`] marked. Bears being run twice.
    ///
    /// # Errors
    /// The database's; Meta's trouble is waited out.
    pub async fn undo(
        &self,
        graph: &graph::Client,
        app_secret: Option<&SecretString>,
        id: ConnectionId,
    ) -> Result<Outcome, JobError> {
        let Some((request, written)) = self.request(id).await? else { return Ok(Outcome::Done) };
        let Some(overview) = self.overview(id).await? else { return Ok(Outcome::Done) };
        let (mut trouble, mut given_up) = (false, false);
        match self.access_with(id, app_secret).await {
            Ok(access) => {
                if request.deregister {
                    let released =
                        self.release_numbers(graph, &access, &overview, clock::from_ms(request.since)).await?;
                    (trouble, given_up) = (released.trouble, released.given_up);
                }
                for (waba, _) in overview.wabas.iter().filter(|(waba, _)| waba.may_unsubscribe) {
                    // A WABA belongs to one connection (its primary key), so no sibling number of another
                    // connection can lose its webhooks by this.
                    trouble |= graph.unsubscribe_app(&access, &waba.id).await.is_err_and(|error| is_trouble(&error));
                }
            }
            // Nothing can be undone without the token.
            Err(TokenError::None | TokenError::Seal(_)) => {}
            Err(TokenError::Store(error)) => return Err(error.into()),
        }
        let patient = self.clock.now() < clock::from_ms(request.since) + PATIENCE;
        if trouble && patient {
            return Ok(Outcome::Again(self.clock.now() + PAUSE));
        }
        if trouble {
            tracing::warn!(connection = %id, "disconnected without Meta's confirmation: it did not answer in time");
        }
        if given_up {
            tracing::warn!(connection = %id, "disconnected, and a number may still be registered: Meta's tries are used up");
        }
        if !self.forget(&overview, &written, trouble || given_up).await? {
            // Connected again meanwhile. The end of the subscription may have come after its new beginning.
            self.subscribe_again(graph, app_secret, &overview).await?;
        }
        Ok(Outcome::Done)
    }

    /// Takes the numbers off that are registered. Each call counts at Meta, so none is made twice that was answered.
    async fn release_numbers(
        &self,
        graph: &graph::Client,
        access: &Access,
        overview: &Overview,
        since: OffsetDateTime,
    ) -> Result<Released, StoreError> {
        let mut released = Released::default();
        // A number that the app uses as well must never be deregistered.
        let ready = overview.wabas.iter().flat_map(|(_, numbers)| numbers);
        for number in ready.filter(|number| number.registration() == Registration::Ready) {
            let mut tx = self.store.write().await?;
            let counted = phone_numbers::begin_release(&mut tx, number, since, self.clock.now()).await?;
            tx.commit().await?;
            let counted = match counted {
                Release::Counted(counted) => counted,
                Release::Settled => continue,
                Release::GivenUp => {
                    released.given_up = true;
                    continue;
                }
            };
            let answer = graph.deregister(access, &number.id).await;
            let mut tx = self.store.write().await?;
            phone_numbers::end_release(&mut tx, &number.id, &counted, &answer).await?;
            tx.commit().await?;
            released.trouble |= answer.is_err_and(|error| is_trouble(&error));
        }
        Ok(released)
    }

    /// Takes a WABA out of a connection that still holds it, and what was still to be done for it.
    pub(super) async fn let_go(&self, tx: &mut WriteTx, waba: &WabaId, from: ConnectionId) -> Result<(), StoreError> {
        queries::remove_waba_of(tx, waba, from).await?;
        if queries::owner(tx, waba).await?.is_none() {
            self.templates.end_sync(tx, waba).await?;
        }
        Ok(())
    }

    /// Forgets the connection, if it is still the one that was to be undone. False where it was connected
    /// again while Meta was being called. That Meta has not confirmed it is noted in the log.
    async fn forget(&self, overview: &Overview, written: &str, unconfirmed: bool) -> Result<bool, StoreError> {
        let id = overview.connection.id;
        let mut tx = self.store.write().await?;
        accounts::lock_customer(&mut tx, overview.connection.customer_id).await?;
        if !queries::end_if(&mut tx, id, written, self.clock.now()).await? {
            return Ok(false);
        }
        for (waba, _) in &overview.wabas {
            holders::note(&mut tx, &waba.id, self.clock.now()).await?;
            self.let_go(&mut tx, &waba.id, id).await?;
        }
        note_standing(&mut tx, overview.connection.customer_id).await?;
        if unconfirmed {
            let subject = id.to_string();
            let entry = audit::Entry {
                actor: None,
                customer: Some(overview.connection.customer_id),
                action: "connection.left_unconfirmed",
                subject: Some(&subject),
                detail: Some("Meta did not answer in time".to_owned()),
            };
            audit::record(&mut tx, &self.clock, entry).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn subscribe_again(
        &self,
        graph: &graph::Client,
        app_secret: Option<&SecretString>,
        overview: &Overview,
    ) -> Result<(), JobError> {
        let access = match self.access_with(overview.connection.id, app_secret).await {
            Ok(access) => access,
            Err(TokenError::None) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for (waba, _) in &overview.wabas {
            if let Err(error) = graph.subscribe_app(&access, &waba.id).await {
                // The connection's page then says so, and what to do.
                tracing::warn!(waba = %waba.id, %error, "could not be subscribed again");
                let mut tx = self.store.write().await?;
                queries::set_unsubscribed(&mut tx, &waba.id, self.clock.now()).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// What was asked for, and how it is written: that tells this request from a later one.
    async fn request(&self, id: ConnectionId) -> Result<Option<(DisconnectRequest, String)>, JobError> {
        let Some(json) = queries::disconnect_request(&mut self.store.read().await?, id).await? else { return Ok(None) };
        Ok(Some((serde_json::from_str(&json)?, json)))
    }

    /// Takes a WABA from the customer that holds it, so that another may connect it: staff only.
    /// `false` where nobody holds it. The connection ends where that was its last WABA.
    ///
    /// Before that the app is taken off the WABA, where there is a token that Meta takes: later it could end the
    /// subscription of whoever connects it next. Meta's trouble holds nothing up; it is noted in the log.
    ///
    /// # Errors
    /// The database's.
    pub async fn release(
        &self,
        graph: &graph::Client,
        app_secret: Option<&SecretString>,
        actor: &accounts::User,
        waba: &WabaId,
    ) -> Result<bool, StoreError> {
        let Some(holder) = self.owner(waba).await? else { return Ok(false) };
        let unsubscribed = self.unsubscribe(graph, app_secret, holder.connection, waba).await?;
        let mut tx = self.store.write().await?;
        let Some(owner) = queries::owner(&mut tx, waba).await? else { return Ok(false) };
        accounts::lock_customer(&mut tx, owner.customer).await?;
        holders::note(&mut tx, waba, self.clock.now()).await?;
        queries::remove_waba(&mut tx, waba).await?;
        self.templates.end_sync(&mut tx, waba).await?;
        if queries::wabas(&mut tx, owner.connection).await?.is_empty() {
            queries::end(&mut tx, owner.connection, self.clock.now()).await?;
        }
        note_standing(&mut tx, owner.customer).await?;
        let entry = audit::Entry {
            actor: Some(actor.id),
            customer: Some(owner.customer),
            action: "waba.released",
            subject: Some(waba.as_str()),
            detail: (!unsubscribed).then(|| "Meta may go on sending its webhooks".to_owned()),
        };
        audit::record(&mut tx, &self.clock, entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Tells Meta to send no more webhooks of a WABA; whether it does.
    async fn unsubscribe(
        &self,
        graph: &graph::Client,
        app_secret: Option<&SecretString>,
        connection: ConnectionId,
        waba: &WabaId,
    ) -> Result<bool, StoreError> {
        if !own_app_queries::may_unsubscribe(&mut self.store.read().await?, waba).await? {
            return Ok(true);
        }
        let access = match self.access_with(connection, app_secret).await {
            Ok(access) => access,
            Err(TokenError::None | TokenError::Seal(_)) => return Ok(false),
            Err(TokenError::Store(error)) => return Err(error),
        };
        let done = graph.unsubscribe_app(&access, waba).await;
        if let Err(error) = &done {
            tracing::warn!(%waba, %error, "an account is released while Meta may go on sending its webhooks");
        }
        Ok(done.is_ok())
    }
}
