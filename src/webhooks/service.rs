//! Verifying, keeping, and handing on.

use super::{
    change::{Change, EventId},
    intake::{Intake, NotKept},
    queries::{self, Event},
    route::Consequences,
    router::Router,
};
use crate::{
    base::{clock::Clock, text},
    graph::LiveSetup,
    store::{Result, Store},
};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The intake and what it took in. Cloning shares what is beneath.
#[derive(Clone)]
pub struct Webhooks {
    pub(super) store: Store,
    pub(super) clock: Clock,
    meta: LiveSetup,
    intake: Intake,
    bell: Arc<Notify>,
    consequences: Arc<dyn Consequences>,
}

impl Webhooks {
    /// In this database.
    #[must_use]
    pub fn new(store: Store, clock: Clock, meta: LiveSetup, consequences: Arc<dyn Consequences>) -> Self {
        let bell = Arc::new(Notify::new());
        let ring = bell.clone();
        let intake = Intake::new(store.clone(), clock.clone(), move || ring.notify_one());
        Self { store, clock, meta, intake, bell, consequences }
    }

    /// Makes events of what was taken in, until `stop`.
    pub async fn make_events(self, stop: CancellationToken) {
        let Self { store, clock, bell, consequences, .. } = self;
        Router { store, clock, bell, consequences }.run(stop).await;
    }

    /// Whether this is the word of the handshake.
    #[must_use]
    pub fn knows_verify_token(&self, given: &str) -> bool {
        self.meta.now().verify_token.as_ref().is_some_and(|token| text::constant_time_eq(token.expose_secret(), given))
    }

    /// Whether `X-Hub-Signature-256` is that of these bytes, in constant time: with the app secret, or with the
    /// one before it while that is being rotated out.
    #[must_use]
    pub fn is_signed(&self, header: &str, body: &[u8]) -> bool {
        let Some(given) = header.strip_prefix("sha256=").and_then(|given| hex::decode(given).ok()) else {
            return false;
        };
        let meta = self.meta.now();
        let old = meta.old_app_secret.as_ref().filter(|(_, until)| *until > self.clock.now());
        let secrets = meta.app.iter().map(|app| &app.secret).chain(old.map(|(secret, _)| secret));
        secrets.into_iter().any(|secret| {
            let mut mac =
                Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("any key length will do");
            mac.update(body);
            mac.verify_slice(&given).is_ok()
        })
    }

    /// Keeps a verified body; when this returns, it is committed.
    ///
    /// # Errors
    /// Meta must be told to come again.
    pub async fn keep(&self, body: String) -> std::result::Result<(), NotKept> {
        self.intake.keep(body).await
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
