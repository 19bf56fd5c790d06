//! Verifying, keeping, and handing on.

use super::{
    model::{Change, Payload},
    queries,
};
use crate::{
    base::{clock::Clock, ids, text},
    graph::LiveSetup,
    jobs::{JobError, Outcome, Queue},
    store::{Result, Store, StoreError, WriteTx},
};
use futures_util::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;
use std::sync::Arc;

/// The kind of the job that reads a kept webhook; its subject is the delivery's ID.
pub const PROCESS_JOB: &str = "webhooks.process";

/// How long a webhook's body is kept: it holds people's messages.
pub const KEPT: time::Duration = time::Duration::days(30);

/// What other features make of a change, in the transaction that marks it as read.
pub type ChangeHandler = Arc<
    dyn for<'a> Fn(&'a mut WriteTx, &'a Change) -> BoxFuture<'a, std::result::Result<(), StoreError>> + Send + Sync,
>;

/// The intake. Cloning shares what is beneath.
#[derive(Clone)]
pub struct Webhooks {
    pub(super) store: Store,
    pub(super) clock: Clock,
    queue: Queue,
    meta: LiveSetup,
    handler: ChangeHandler,
}

impl Webhooks {
    /// In this database.
    #[must_use]
    pub fn new(store: Store, clock: Clock, queue: Queue, meta: LiveSetup, handler: ChangeHandler) -> Self {
        Self { store, clock, queue, meta, handler }
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
    /// The database's: then Meta must be told to come again.
    pub async fn keep(&self, body: &str) -> Result<()> {
        let id = ids::new_uuid().to_string();
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        queries::insert(&mut tx, &id, body, now).await?;
        self.queue.enqueue(&mut tx, PROCESS_JOB, &id, now).await?;
        tx.commit().await?;
        self.queue.wake();
        Ok(())
    }

    /// Removes what was kept longer than [`KEPT`] after it was read, in small steps.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune(&self) -> Result<()> {
        loop {
            let mut tx = self.store.write().await?;
            let gone = queries::prune(&mut tx, self.clock.now() - KEPT).await?;
            tx.commit().await?;
            if gone == 0 {
                return Ok(());
            }
        }
    }

    /// Reads a kept webhook: what follows from it and the mark that it was read are one transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn process(&self, id: &str) -> std::result::Result<Outcome, JobError> {
        let mut tx = self.store.write().await?;
        let Some(body) = queries::take(&mut tx, id, self.clock.now()).await? else { return Ok(Outcome::Done) };
        let payload = Payload::read(&body);
        for change in payload.iter().flat_map(|payload| &payload.changes) {
            (self.handler)(&mut tx, change).await?;
        }
        if payload.is_none() {
            queries::set_error(&mut tx, id, "not a webhook of Meta's").await?;
        }
        tx.commit().await?;
        self.queue.wake();
        Ok(Outcome::Done)
    }
}
