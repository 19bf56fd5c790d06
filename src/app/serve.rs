//! Serving: what runs beside the routes, and how it comes to its end.

use super::{App, jobs};
use crate::{
    backoffice::CHECK_JOB,
    connections, forwarding,
    jobs::Worker,
    message_templates,
    phone_numbers::{POLL_JOB, POLL_SUBJECT},
};
use axum::{Router, extract::Request};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::trace::TraceLayer;

/// How long open connections get when the process is told to end.
const DRAIN: Duration = Duration::from_millis(1_200);

impl App {
    /// Serves until `stop`, then drains.
    ///
    /// # Errors
    /// Where the listener breaks, or the database is not reachable at the start.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> Result<(), Box<dyn std::error::Error>> {
        self.accounts.index_customers().await?;
        self.settings.begin().await?;
        if self.settings.live().now().app.is_none() {
            tracing::warn!("nobody can connect yet: an admin must enter App ID and App Secret in /backoffice/settings");
        }
        tokio::spawn(self.settings.clone().follow(stop.clone()));
        self.connections.plan_all().await?;
        let mut tx = self.store.write().await?;
        self.queue.enqueue(&mut tx, jobs::PRUNE_JOB, "all", self.clock.now()).await?;
        self.queue.enqueue(&mut tx, message_templates::PLAN_JOB, "all", self.clock.now()).await?;
        self.queue.enqueue(&mut tx, CHECK_JOB, "all", self.clock.now() + jobs::CHECK_AFTER).await?;
        self.queue.enqueue(&mut tx, POLL_JOB, POLL_SUBJECT, self.clock.now()).await?;
        tx.commit().await?;
        let worker = Worker::new(self.store.clone(), self.clock.clone(), self.queue.clone(), self.handlers);
        let working = tokio::spawn(worker.run(stop.clone()));
        let routing = tokio::spawn(self.webhooks.clone().make_events(stop.clone()));
        let files = forwarding::MetaFiles::new(self.connections.clone(), self.settings.live());
        let formats = forwarding::format::Formats {
            clock: self.clock.clone(),
            files: Arc::new(files),
            memory: forwarding::format::Memory::default(),
        };
        let own = listener.local_addr()?;
        let forwarding = self.forwarding.clone().run(self.webhooks.clone(), formats, own, stop.clone());
        let forwarding = tokio::spawn(forwarding);
        let recording = connections::keep_calls(self.store.clone(), self.watch.records(), stop.clone());
        let recording = tokio::spawn(recording);
        let tending = tokio::spawn(self.store.clone().tend(stop.clone()));
        serve(listener, self.router, stop.clone()).await?;
        stop.cancel();
        working.await??;
        routing.await?;
        forwarding.await?;
        recording.await?;
        tending.await?;
        self.store.close().await;
        Ok(())
    }
}

/// Serves a router until `stop`; then open connections get a moment, and no more.
///
/// # Errors
/// Where the listener breaks.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let signal = stop.clone();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move { signal.cancelled().await });
    tokio::select! {
        result = serving => result,
        // Open streams (SSE) would keep it for ever.
        () = async { stop.cancelled().await; tokio::time::sleep(DRAIN).await } => Ok(()),
    }
}

/// Traces a router of our own that is not the portal (the sandbox).
pub fn traced(router: Router) -> Router {
    router.layer(TraceLayer::new_for_http().make_span_with(
        |request: &Request| tracing::debug_span!("sandbox", method = %request.method(), path = request.uri().path()),
    ))
}
