//! Use cases: keep a grant, read a connection.

use super::{
    erase::note_standing,
    grant::Grant,
    holders,
    model::{Connection, ConnectionState, Owner, WabaRecord},
    own_app_queries,
    permissions::check::note_reconnected,
    queries::{self, TokenRow},
};
use crate::{
    accounts::{self, audit},
    base::{
        clock::Clock,
        ids::{BusinessId, ConnectionId, CustomerId, WabaId},
        sealed::{KeyRing, Place, SealError},
    },
    graph,
    jobs::Queue,
    message_templates::MessageTemplates,
    phone_numbers::{self, Number},
    store::{Reads, Store, StoreError, WriteTx},
};
use secrecy::SecretString;
use time::OffsetDateTime;

/// The table in which business tokens stand.
pub const TOKEN_TABLE: &str = "connections";
/// The column in which they stand.
pub const TOKEN_COLUMN: &str = "token_sealed";

/// Why a grant was not kept.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// WABAs that belong to another customer: nothing was kept.
    #[error("WABAs of another customer: {0:?}")]
    Claimed(Vec<WabaId>),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a token could not be had.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The connection has none (it is over).
    #[error("the connection has no token")]
    None,
    /// It does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Connections. Cloning shares what is beneath.
#[derive(Clone)]
pub struct Connections {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) keys: KeyRing,
    pub(super) queue: Queue,
    pub(super) templates: MessageTemplates,
}

/// A connection with all that its page shows.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The connection.
    pub connection: Connection,
    /// Its WABAs, each with its numbers.
    pub wabas: Vec<(WabaRecord, Vec<Number>)>,
}

impl Connections {
    /// In this database.
    #[must_use]
    pub fn new(store: Store, clock: Clock, keys: KeyRing, queue: Queue) -> Self {
        let templates = MessageTemplates::new(store.clone(), clock.clone(), queue.clone());
        Self { store, clock, keys, queue, templates }
    }

    pub(super) fn place(row: &str) -> Place<'_> {
        Place { table: TOKEN_TABLE, column: TOKEN_COLUMN, row }
    }

    /// How many customers connected for the first time since then: what Meta's onboarding limit counts.
    ///
    /// # Errors
    /// The database's.
    pub async fn onboarded_since(&self, since: OffsetDateTime) -> Result<i64, StoreError> {
        queries::onboarded_since(&mut self.store.read().await?, since).await
    }

    /// How many connections there are in this state.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_in(&self, state: ConnectionState) -> Result<i64, StoreError> {
        queries::count_in(&mut self.store.read().await?, state).await
    }

    /// Keeps a grant, all or nothing. Connections of the same customer that hold one of its WABAs, or
    /// the connection to the same business, get the new token; what is new goes with them, or makes a
    /// connection of its own.
    ///
    /// # Errors
    /// [`SaveError::Claimed`] where a WABA is another customer's; drop the transaction then.
    pub async fn save(&self, tx: &mut WriteTx, grant: &Grant) -> Result<Vec<ConnectionId>, SaveError> {
        let now = self.clock.now();
        // Two attempts at the same moment would each find no connection, and make one.
        accounts::lock_customer(tx, grant.customer).await?;
        let mut holders = Vec::new();
        let mut claimed = Vec::new();
        let mut is_nobodys = false;
        for (waba, _) in &grant.wabas {
            match queries::owner(tx, &waba.id).await? {
                None => is_nobodys = true,
                Some(owner) if owner.customer != grant.customer => claimed.push(waba.id.clone()),
                Some(owner) if !holders.contains(&owner.connection) => holders.push(owner.connection),
                Some(_) => {}
            }
        }
        if !claimed.is_empty() {
            return Err(SaveError::Claimed(claimed));
        }
        let into = match grant.into {
            Some(into) if is_nobodys => queries::get(tx, into).await?.filter(|one| one.may_be_renewed(grant.customer)),
            _ => None,
        };
        if let Some(into) = into.filter(|into| !holders.contains(&into.id)) {
            holders.insert(0, into.id);
        }
        let business = grant.business();
        if holders.is_empty()
            && let Some((business, _)) = &business
            && let Some(existing) = queries::by_business(tx, grant.customer, business).await?
        {
            holders.push(existing);
        }
        let is_new = holders.is_empty();
        if is_new {
            holders.push(ConnectionId::new());
        }
        let scopes = serde_json::to_string(&grant.scopes).map_err(|_| StoreError::Value("scopes".to_owned()))?;
        for id in &holders {
            let row = id.to_string();
            let sealed = self.keys.seal(Self::place(&row), &grant.token);
            let token = TokenRow {
                id: *id,
                sealed: &sealed,
                expires_at: grant.token_expires_at,
                data_access_expires_at: grant.data_access_expires_at,
                scopes: scopes.clone(),
                now,
            };
            if is_new {
                queries::insert(tx, &token, grant.customer, &grant.name(), business.as_ref()).await?;
            } else {
                if let Some(before) = queries::get(tx, *id).await? {
                    let before = fill(tx, before).await?;
                    note_reconnected(tx, &before, grant.by, &grant.scopes, now).await?;
                }
                queries::renew(tx, &token).await?;
                // Whatever app it went through before: this token is of the operator's.
                own_app_queries::becomes_ours(tx, *id).await?;
            }
            self.plan(tx, *id, grant.token_expires_at).await?;
        }
        for (waba, numbers) in &grant.wabas {
            let connection = match queries::owner(tx, &waba.id).await? {
                Some(owner) => owner.connection,
                None => holders[0],
            };
            let owner = Owner { customer: grant.customer, connection };
            if !queries::claim(tx, waba, owner, now).await? {
                return Err(SaveError::Claimed(vec![waba.id.clone()]));
            }
            phone_numbers::replace(tx, &waba.id, numbers, now).await?;
            holders::note(tx, &waba.id, now).await?;
            self.templates.begin_sync(tx, &waba.id).await?;
        }
        if let Some(into) = grant.into.filter(|into| grant.instead && holders.contains(into)) {
            for waba in queries::wabas(tx, into).await? {
                if !grant.wabas.iter().any(|(kept, _)| kept.id == waba.id) {
                    holders::note(tx, &waba.id, now).await?;
                    self.let_go(tx, &waba.id, into).await?;
                }
            }
            queries::set_business(tx, into, business.as_ref()).await?;
        }
        for id in &holders {
            let subject = id.to_string();
            let entry = audit::Entry {
                actor: Some(grant.by),
                customer: Some(grant.customer),
                action: if is_new { "connection.created" } else { "connection.renewed" },
                subject: Some(&subject),
                detail: None,
            };
            audit::record(tx, &self.clock, entry).await?;
        }
        note_standing(tx, grant.customer).await?;
        Ok(holders)
    }

    /// Notes that Meta sends us a WABA's webhooks.
    ///
    /// # Errors
    /// The database's.
    pub async fn mark_subscribed(&self, tx: &mut WriteTx, waba: &WabaId) -> Result<(), StoreError> {
        queries::set_subscribed(tx, waba, self.clock.now()).await?;
        phone_numbers::begin_sync(tx, &self.queue, waba, self.clock.now()).await
    }

    /// Marks a connection whose token does not work any more. Only an answer about authorisation may
    /// lead here.
    ///
    /// # Errors
    /// The database's.
    pub async fn mark_stale(&self, id: ConnectionId) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        let Some(connection) = queries::get(&mut tx, id).await? else { return Ok(()) };
        accounts::lock_customer(&mut tx, connection.customer_id).await?;
        queries::set_stale(&mut tx, id, self.clock.now()).await?;
        note_standing(&mut tx, connection.customer_id).await?;
        tx.commit().await
    }

    /// To whom a WABA belongs here.
    ///
    /// # Errors
    /// The database's.
    pub async fn owner(&self, waba: &WabaId) -> Result<Option<Owner>, StoreError> {
        queries::owner(&mut self.store.read().await?, waba).await
    }

    /// The same, in the caller's transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn owner_in(&self, db: &mut impl Reads, waba: &WabaId) -> Result<Option<Owner>, StoreError> {
        owner(db, waba).await
    }

    /// Whether a WABA, or a connection to the business that owns it, is another customer's.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_anothers(
        &self,
        customer: CustomerId,
        waba: &WabaId,
        business: &BusinessId,
    ) -> Result<bool, StoreError> {
        let mut db = self.store.read().await?;
        let owner = queries::owner(&mut db, waba).await?;
        Ok(owner.is_some_and(|owner| owner.customer != customer)
            || queries::is_business_of_others(&mut db, customer, business).await?)
    }

    /// Whether a WABA is still this customer's.
    ///
    /// # Errors
    /// The database's.
    pub async fn holds(&self, tx: &mut WriteTx, customer: CustomerId, waba: &WabaId) -> Result<bool, StoreError> {
        Ok(queries::owner(tx, waba).await?.is_some_and(|owner| owner.customer == customer))
    }

    /// The token of a connection.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn token(&self, id: ConnectionId) -> Result<SecretString, TokenError> {
        let sealed = queries::sealed_token(&mut self.store.read().await?, id).await?.ok_or(TokenError::None)?;
        Ok(self.keys.open(Self::place(&id.to_string()), &sealed)?)
    }

    /// With what to call Graph for a connection; `app_secret` is that of the operator's app, which does not count for
    /// a connection through the customer's own.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn access(&self, id: ConnectionId, app_secret: &SecretString) -> Result<graph::Access, TokenError> {
        self.access_with(id, Some(app_secret)).await
    }

    /// A customer's connections with their numbers, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, customer: CustomerId) -> Result<Vec<Overview>, StoreError> {
        let mut db = self.store.read().await?;
        let mut all = Vec::new();
        for connection in queries::list(&mut db, customer).await? {
            all.push(fill(&mut db, connection).await?);
        }
        Ok(all)
    }

    /// A customer's connection; `None` where it is not theirs or not there.
    ///
    /// # Errors
    /// The database's.
    pub async fn get(&self, customer: CustomerId, id: ConnectionId) -> Result<Option<Overview>, StoreError> {
        let mut db = self.store.read().await?;
        match queries::get(&mut db, id).await? {
            Some(connection) if connection.customer_id == customer => Ok(Some(fill(&mut db, connection).await?)),
            _ => Ok(None),
        }
    }

    /// Any connection, whoever's it is: for jobs and staff.
    ///
    /// # Errors
    /// The database's.
    pub async fn overview(&self, id: ConnectionId) -> Result<Option<Overview>, StoreError> {
        let mut db = self.store.read().await?;
        match queries::get(&mut db, id).await? {
            Some(connection) => Ok(Some(fill(&mut db, connection).await?)),
            None => Ok(None),
        }
    }
}

async fn fill(db: &mut impl Reads, connection: Connection) -> Result<Overview, StoreError> {
    let mut wabas = Vec::new();
    for waba in queries::wabas(db, connection.id).await? {
        let numbers = phone_numbers::list(db, &waba.id).await?;
        wabas.push((waba, numbers));
    }
    Ok(Overview { connection, wabas })
}

/// To whom a WABA belongs here.
///
/// # Errors
/// The database's.
pub async fn owner(db: &mut impl Reads, waba: &WabaId) -> Result<Option<Owner>, StoreError> {
    queries::owner(db, waba).await
}

/// With what a connection's token calls Graph, where an app is set up or not.
pub(super) fn access_of(id: ConnectionId, token: SecretString, app_secret: Option<&SecretString>) -> graph::Access {
    graph::Access { token, app_secret: app_secret.cloned(), connection: Some(id), customer: None }
}
