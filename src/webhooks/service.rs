//! Verifying, keeping, and handing on.

use super::{
    change::{Change, EventId},
    flow::Flow,
    intake::{Intake, NotKept},
    own::OwnApps,
    queries::{self, Event},
    route::Consequences,
    router::Router,
    signature::{Signature, Signatures},
    young::Young,
};
use crate::{
    base::{clock::Clock, text},
    graph::LiveSetup,
    store::{Result, Store},
};
use secrecy::ExposeSecret;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The intake and what it took in. Cloning shares what is beneath.
#[derive(Clone)]
pub struct Webhooks {
    pub(super) store: Store,
    pub(super) clock: Clock,
    meta: LiveSetup,
    pub(super) intake: Intake,
    pub(super) own_apps: Arc<dyn OwnApps>,
    signatures: Signatures,
    flow: Arc<Flow>,
    pub(super) young: Arc<Young>,
    consequences: Arc<dyn Consequences>,
}

impl Webhooks {
    /// In this database.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Clock,
        meta: LiveSetup,
        consequences: Arc<dyn Consequences>,
        own_apps: Arc<dyn OwnApps>,
    ) -> Self {
        let flow = Arc::<Flow>::default();
        let intake = Intake::new(store.clone(), clock.clone(), flow.clone());
        let signatures = Signatures::new(meta.clone());
        Self { store, clock, meta, intake, own_apps, signatures, flow, young: Arc::default(), consequences }
    }

    /// Makes events of what was taken in, until `stop`.
    pub async fn make_events(self, stop: CancellationToken) {
        let Self { store, clock, flow, young, consequences, .. } = self;
        Router { store, clock, flow, young, consequences }.run(stop).await;
    }

    /// For measuring alone, what the server could do without a database: from now on webhooks are verified and
    /// answered, and lost.
    pub fn keep_nothing(&self) {
        self.intake.keep_nothing();
    }

    /// Whether this is the word of the handshake.
    #[must_use]
    pub fn knows_verify_token(&self, given: &str) -> bool {
        self.meta.now().verify_token.as_ref().is_some_and(|token| text::constant_time_eq(token.expose_secret(), given))
    }

    /// The signature in `X-Hub-Signature-256`; where there is none, that is counted.
    #[must_use]
    pub(super) fn signature(&self, header: &str) -> Option<Signature> {
        let signature = Signature::read(header);
        if signature.is_none() {
            self.flow.refuse();
        }
        signature
    }

    /// Whether it is that of these bytes, in constant time: with the app secret, or with the one before it while that
    /// is being rotated out. Where it is not, that is counted.
    #[must_use]
    pub(super) fn is_signed(&self, signature: &Signature, body: &[u8]) -> bool {
        let signed = self.signatures.verify(signature, body, self.clock.now());
        if !signed {
            self.flow.refuse();
        }
        signed
    }

    /// Keeps a verified body of the operator's app; when this returns, it is committed.
    ///
    /// # Errors
    /// Meta must be told to come again.
    pub async fn keep(&self, body: String) -> std::result::Result<(), NotKept> {
        self.intake.keep(body, None).await
    }

    /// One event.
    ///
    /// # Errors
    /// The database's.
    pub async fn event(&self, id: EventId) -> Result<Option<Event>> {
        queries::event(&mut self.store.read().await?, id).await
    }

    /// What `with` makes of an event's change; `None` where its body is not kept any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn change<T>(&self, id: EventId, with: impl FnOnce(&Change<'_>) -> T) -> Result<Option<T>> {
        let body = queries::body(&mut self.store.read().await?, id.seq()).await?;
        Ok(body.and_then(|body| {
            Change::all(&body).into_iter().find(|change| change.place == id.place()).map(|change| with(&change))
        }))
    }
}
