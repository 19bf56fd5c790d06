//! How the dispatcher learns at once of what is due, where it was planned in the same process. Where it was another,
//! it looks by itself.

use crate::base::ids::EndpointId;
use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Notify;

#[derive(Default)]
struct Waiting {
    /// In a transaction that is not committed yet.
    staged: HashSet<EndpointId>,
    ready: HashSet<EndpointId>,
    /// Whether endpoints themselves may have changed.
    all: bool,
}

/// The bells. Cloning shares them.
#[derive(Clone, Default)]
pub(super) struct Bells {
    waiting: Arc<Mutex<Waiting>>,
    rung: Arc<Notify>,
}

/// For whom it rang.
#[derive(Default)]
pub(super) struct Rung {
    pub endpoints: HashSet<EndpointId>,
    pub all: bool,
}

impl Bells {
    fn with<T>(&self, work: impl FnOnce(&mut Waiting) -> T) -> T {
        work(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// These will have something due when the router's transaction is committed.
    pub fn stage(&self, endpoints: impl IntoIterator<Item = EndpointId>) {
        self.with(|waiting| waiting.staged.extend(endpoints));
    }

    /// It is.
    pub fn release(&self) {
        let any = self.with(|waiting| {
            let staged = mem::take(&mut waiting.staged);
            waiting.ready.extend(&staged);
            !staged.is_empty()
        });
        if any {
            self.rung.notify_one();
        }
    }

    /// This one has something due.
    pub fn ring_for(&self, endpoint: EndpointId) {
        self.with(|waiting| waiting.ready.insert(endpoint));
        self.rung.notify_one();
    }

    /// Endpoints may have changed.
    pub fn ring(&self) {
        self.with(|waiting| waiting.all = true);
        self.rung.notify_one();
    }

    /// Waits until it rings.
    pub async fn rung(&self) {
        self.rung.notified().await;
    }

    /// For whom it rang since it was asked last.
    pub fn take(&self) -> Rung {
        self.with(|waiting| Rung { endpoints: mem::take(&mut waiting.ready), all: mem::take(&mut waiting.all) })
    }
}
