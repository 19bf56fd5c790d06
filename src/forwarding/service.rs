//! Endpoints: made, changed, paused, resumed, removed by those whose they are.

use super::{
    bells::Bells,
    cache::Cache,
    endpoint::{Endpoint, EndpointState, Format},
    queries::{self, DELETED, ENDPOINTS, EndpointRow},
    secrets,
};
use crate::{
    accounts::{User, audit},
    base::{
        clock::Clock,
        ids::{CustomerId, EndpointId, PhoneNumberId, WabaId},
        sealed::{KeyRing, SealError},
    },
    jobs::Queue,
    store::{Store, StoreError, WriteTx},
    webhooks::Kind,
};
use secrecy::SecretString;
use time::Duration;
use url::Url;

/// How many endpoints a customer may have.
pub const MAX_ENDPOINTS: usize = 20;
/// How long calls are signed with the old secret too.
pub const OLD_SECRET_FOR: Duration = Duration::hours(24);
/// The longest name, in characters.
const MAX_NAME: usize = 80;

/// Why something about an endpoint was not done.
#[derive(Debug, thiserror::Error)]
pub enum ForwardingError {
    /// It is not there, or another customer's.
    #[error("no such endpoint")]
    NotFound,
    /// The customer has [`MAX_ENDPOINTS`].
    #[error("You have {MAX_ENDPOINTS} endpoints already. Remove one first.")]
    TooMany,
    /// Its name is empty or too long.
    #[error("Give it a name of at most {MAX_NAME} characters.")]
    Name,
    /// Its address can't be called; the text says why.
    #[error("{0}")]
    Url(&'static str),
    /// It is paused or disabled.
    #[error("This endpoint is not called now. Resume it first.")]
    NotActive,
    /// All since a time is being sent to it already.
    #[error("Events since a time are being sent again to this endpoint already. Wait until that is done.")]
    Replaying,
    /// Too many at once.
    #[error("Choose at most {0} events, or all since a time.")]
    TooManyEvents(usize),
    /// A sealed value does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ForwardingError> for crate::web::Error {
    fn from(error: ForwardingError) -> Self {
        match error {
            ForwardingError::NotFound => Self::NotFound,
            ForwardingError::Seal(_) | ForwardingError::Store(_) => Self::internal(error),
            ForwardingError::NotActive | ForwardingError::TooMany | ForwardingError::Replaying => {
                Self::Conflict(error.to_string())
            }
            other => Self::BadRequest(other.to_string()),
        }
    }
}

/// What somebody chose for an endpoint.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// Whose it is.
    pub customer: CustomerId,
    /// What they call it.
    pub name: String,
    /// Its address; `None` for the built-in receiver.
    pub url: Option<Url>,
    /// How it is spoken to; it stays so.
    pub format: Format,
    /// Which kinds of events it wants; `None`: all.
    pub kinds: Option<Vec<Kind>>,
    /// Of which WABAs; `None`: all.
    pub wabas: Option<Vec<WabaId>>,
    /// Of which numbers; `None`: all.
    pub numbers: Option<Vec<PhoneNumberId>>,
    /// What it is to know our calls by; one is made where it is left out. Ignored when it is changed.
    pub secret: Option<SecretString>,
    /// The word of Meta's handshake. Left out, it stays as it was.
    pub verify_token: Option<SecretString>,
}

fn texts<T: ToString>(all: Option<&[T]>) -> Option<Vec<String>> {
    all.map(|all| all.iter().map(ToString::to_string).collect())
}

/// Endpoints and deliveries. Cloning shares what is beneath.
#[derive(Clone)]
pub struct Forwarding {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) keys: KeyRing,
    pub(super) queue: Queue,
    pub(super) private: bool,
    pub(super) bells: Bells,
    pub(super) wishes: Cache,
}

impl Forwarding {
    /// Endpoints that are not called or do not answer well, of one customer or of all; the longest unwell first.
    ///
    /// # Errors
    /// The database's.
    pub async fn unwell(&self, customer: Option<CustomerId>) -> Result<Vec<queries::UnwellEndpoint>, StoreError> {
        queries::unwell(&mut self.store.read().await?, customer).await
    }

    /// In this database. `private`: whether endpoints may lie inside private networks, and be plain http.
    #[must_use]
    pub fn new(store: Store, clock: Clock, keys: KeyRing, queue: Queue, private: bool) -> Self {
        Self { store, clock, keys, queue, private, bells: Bells::default(), wishes: Cache::default() }
    }

    /// Whether endpoints may lie inside private networks.
    #[must_use]
    pub fn allows_private(&self) -> bool {
        self.private
    }

    /// A customer's endpoints, the oldest first.
    ///
    /// # Errors
    /// The database's, or a secret that does not open.
    pub async fn endpoints(&self, customer: CustomerId) -> Result<Vec<Endpoint>, ForwardingError> {
        let rows = queries::endpoints(&mut self.store.read().await?, customer).await?;
        rows.into_iter().map(|row| self.open(row)).collect()
    }

    /// One of a customer's.
    ///
    /// # Errors
    /// [`ForwardingError::NotFound`] also where it is another's.
    pub async fn endpoint(&self, customer: CustomerId, id: EndpointId) -> Result<Endpoint, ForwardingError> {
        let row = queries::endpoint_of(&mut self.store.read().await?, customer, id).await?;
        self.open(row.ok_or(ForwardingError::NotFound)?)
    }

    /// One, whosesoever: for staff, and for the built-in receiver.
    ///
    /// # Errors
    /// [`ForwardingError::NotFound`].
    pub async fn any_endpoint(&self, id: EndpointId) -> Result<Endpoint, ForwardingError> {
        let row = queries::by_id(&mut self.store.read().await?, id).await?;
        self.open(row.filter(|row| row.state_reason.as_deref() != Some(DELETED)).ok_or(ForwardingError::NotFound)?)
    }

    /// Whether an address may be called: http(s), no name or password in it; https unless private networks are allowed.
    ///
    /// # Errors
    /// Why not, to be shown.
    pub fn check_url(&self, url: &Url) -> Result<(), ForwardingError> {
        let refuse = |why| Err(ForwardingError::Url(why));
        match url.scheme() {
            "https" => {}
            "http" if self.private => {}
            "http" => return refuse("The address must begin with https://: events hold people’s messages."),
            _ => return refuse("The address must begin with https://."),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("Leave name and password out of the address: calls are signed instead.");
        }
        if url.host_str().is_none_or(str::is_empty) {
            return refuse("The address names no host.");
        }
        if url.as_str().len() > 2_000 {
            return refuse("The address is too long.");
        }
        if !self.private && crate::base::http::names_private_address(url) {
            return refuse("Addresses inside a private network can’t be reached from here.");
        }
        Ok(())
    }

    fn check(&self, new: &NewEndpoint) -> Result<(), ForwardingError> {
        if new.name.trim().is_empty() || new.name.chars().count() > MAX_NAME {
            return Err(ForwardingError::Name);
        }
        new.url.as_ref().map_or(Ok(()), |url| self.check_url(url))
    }

    fn row(&self, id: EndpointId, new: &NewEndpoint) -> EndpointRow {
        let now = self.clock.now();
        let secret = new.secret.clone().unwrap_or_else(|| secrets::new_secret(new.format));
        EndpointRow {
            id,
            customer: new.customer,
            name: new.name.trim().to_owned(),
            url: new.url.as_ref().map(Url::to_string).unwrap_or_default(),
            format: new.format,
            kinds: texts(new.kinds.as_deref()),
            wabas: texts(new.wabas.as_deref()),
            numbers: texts(new.numbers.as_deref()),
            secret: self.seal_secret(id, &secret),
            old_secret: None,
            verify_token: new.verify_token.as_ref().map(|word| self.seal_verify_token(id, word)),
            state: EndpointState::Active,
            state_reason: None,
            state_since: now,
            failing_since: None,
            created_at: now,
        }
    }

    pub(super) async fn note(
        &self,
        tx: &mut WriteTx,
        actor: Option<&User>,
        customer: CustomerId,
        action: &'static str,
        subject: &str,
        detail: Option<String>,
    ) -> Result<(), StoreError> {
        let (actor, customer) = (actor.map(|user| user.id), Some(customer));
        audit::record(tx, &self.clock, audit::Entry { actor, customer, action, subject: Some(subject), detail }).await
    }

    /// Makes an endpoint; from now on it gets what it wants.
    ///
    /// # Errors
    /// [`ForwardingError::TooMany`], [`ForwardingError::Name`], [`ForwardingError::Url`], or the database's.
    pub async fn create(&self, actor: &User, new: NewEndpoint) -> Result<EndpointId, ForwardingError> {
        self.check(&new)?;
        let id = EndpointId::new();
        let row = self.row(id, &new);
        let mut tx = self.store.write().await?;
        // Two at the same moment would each count one too few.
        crate::accounts::lock_customer(&mut tx, new.customer).await?;
        if queries::endpoints(&mut tx, new.customer).await?.len() >= MAX_ENDPOINTS {
            return Err(ForwardingError::TooMany);
        }
        queries::insert(&mut tx, &row).await?;
        self.changed(&mut tx, actor, &row, "endpoint.created").await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Tells the log, and the caches that endpoints have changed.
    pub(super) async fn changed(
        &self,
        tx: &mut WriteTx,
        actor: &User,
        row: &EndpointRow,
        action: &'static str,
    ) -> Result<(), StoreError> {
        ENDPOINTS.advance(tx, 1).await?;
        self.note(tx, Some(actor), row.customer, action, &row.id.to_string(), None).await
    }

    /// Changes what was chosen; the format and the secret stay.
    ///
    /// # Errors
    /// As [`Forwarding::create`]; [`ForwardingError::NotFound`].
    pub async fn update(&self, actor: &User, id: EndpointId, new: NewEndpoint) -> Result<(), ForwardingError> {
        self.check(&new)?;
        let mut tx = self.store.write().await?;
        let before = queries::endpoint_of(&mut tx, new.customer, id).await?.ok_or(ForwardingError::NotFound)?;
        let mut row = self.row(id, &new);
        row.verify_token = row.verify_token.or(before.verify_token);
        queries::update(&mut tx, &row, self.clock.now()).await?;
        self.changed(&mut tx, actor, &row, "endpoint.changed").await?;
        tx.commit().await?;
        self.wake();
        Ok(())
    }

    /// Lets the dispatcher look at once.
    pub fn wake(&self) {
        self.bells.ring();
    }

    /// What was planned is committed.
    pub fn committed(&self) {
        self.bells.release();
    }
}
