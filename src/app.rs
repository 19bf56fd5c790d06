//! Puts the parts together: which feature gets what, which route has which layers, and what a webhook
//! changes in other features (wired here, so that no cycle arises).

mod setup;

pub use setup::{setup_without_database, surroundings};

use setup::meta_settings;

use crate::{
    accounts::{self, AccountError, Accounts, FirstRun, Invites, Limits, SEND_MAIL_JOB, TwoStep},
    backoffice::{self, Backoffice, CHECK_JOB, Checks, MetaSettings, SettingsError},
    base::{
        clock::Clock,
        ids::{AttemptId, ConnectionId, InviteId, WabaId},
        mail::{BadSettings, Mailer},
        sealed::KeyRing,
    },
    config::Config,
    connections::{self, Connections, DISCONNECT_JOB},
    graph::LiveSetup,
    jobs::{self, Handlers, Outcome, Queue, Worker},
    signup::{self, ADVANCE_JOB, PartnerEvent, Signup},
    store::{self, SealedColumn, SealedError, Store, StoreError, WriteTx},
    support::{self, Support},
    web::{self, Access, Route, Routes, Site, assets, csp::FacebookOrigins, error, session::DbSessions},
    webhooks::{self, Change, ChangeHandler, PROCESS_JOB, Webhooks},
};
use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    middleware,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    csrf::CsrfLayer,
    request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    trace::TraceLayer,
};
use tracing::Instrument;

/// How long open connections get when the process is told to end.
const DRAIN: Duration = Duration::from_millis(1_200);
/// The kind of the job that tidies up; it has one subject.
const PRUNE_JOB: &str = "web.prune_sessions";
/// How often.
const PRUNE_EVERY: time::Duration = time::Duration::hours(6);

/// Why the portal could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Password hashing is not possible here.
    #[error(transparent)]
    Accounts(#[from] AccountError),
    /// The mail server's address or the sender can't be read.
    #[error("mail: {0}")]
    Mail(#[from] BadSettings),
    /// The public URL is no origin.
    #[error("the public URL can't be used as an origin")]
    Origin,
}

/// The portal, ready to be served.
pub struct App {
    /// People and companies, for seeding and the command line.
    pub accounts: Accounts,
    /// Single-use links.
    pub invites: Invites,
    /// The second step of signing in.
    pub two_step: TwoStep,
    /// The first run.
    pub first_run: FirstRun,
    /// Connections.
    pub connections: Connections,
    /// Signup attempts.
    pub signup: Signup,
    /// The webhook intake.
    pub webhooks: Webhooks,
    /// What is set up at Meta.
    pub settings: MetaSettings,
    /// The check of it.
    pub checks: Checks,
    /// The database.
    pub store: Store,
    queue: Queue,
    clock: Clock,
    keys: KeyRing,
    router: Router,
    table: Vec<Route>,
    handlers: Handlers,
}

impl App {
    /// Puts the portal together on a database that is migrated.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn build(config: &Config, store: Store, clock: Clock) -> Result<Self, BuildError> {
        let queue = Queue::new(clock.clone());
        let accounts = Accounts::new(store.clone(), clock.clone())?.of_operator(&config.operator_name);
        let keys = config.keys.clone();
        let first_run = FirstRun::new(store.clone(), clock.clone(), keys.clone(), accounts.clone());
        let (issuer, for_staff) = (&config.operator_name, config.staff_totp);
        let two_step = TwoStep::new(store.clone(), clock.clone(), keys, accounts.clone(), issuer, for_staff);
        let invites = invites(config, &accounts, &store, &queue, &clock)?;
        let connections = Connections::new(store.clone(), clock.clone(), config.keys.clone(), queue.clone());
        let settings = meta_settings(config, &store, &clock);
        let meta = settings.live();
        let signup = Signup::new(
            store.clone(),
            clock.clone(),
            config.keys.clone(),
            queue.clone(),
            accounts.clone(),
            connections.clone(),
            meta.clone(),
        );
        let webhooks =
            Webhooks::new(store.clone(), clock.clone(), queue.clone(), meta.clone(), on_change(signup.clone()));
        let sessions = DbSessions::new(store.clone(), clock.clone());
        let around = surroundings(config, clock.clone());
        let checks = Checks::new(settings.clone(), around, store.clone(), signup.clone(), connections.clone());
        let limits = Limits::new(store.clone(), clock.clone());
        let mut handlers =
            handlers(&meta, &signup, &connections, &webhooks, &invites, &sessions, &limits, &checks, &clock);
        let backoffice = Backoffice {
            accounts: accounts.clone(),
            invites: invites.clone(),
            connections: connections.clone(),
            signup: signup.clone(),
            webhooks: webhooks.clone(),
            meta: meta.clone(),
            settings: settings.clone(),
            checks: checks.clone(),
            store: store.clone(),
            queue: queue.clone(),
            keys: config.keys.clone(),
            clock: clock.clone(),
        };
        handlers.extend(backoffice::handlers(&backoffice));
        let support = Support {
            accounts: accounts.clone(),
            connections: connections.clone(),
            signup: signup.clone(),
            clock: clock.clone(),
        };
        let people =
            accounts::Pages { accounts: accounts.clone(), two_step: two_step.clone(), first_run: first_run.clone() };
        let (router, table) = router(
            config,
            people,
            invites.clone(),
            &connections,
            &signup,
            backoffice,
            support,
            webhooks.clone(),
            sessions,
            &store,
        )?;
        Ok(Self {
            accounts,
            invites,
            two_step,
            first_run,
            connections,
            signup,
            webhooks,
            settings,
            checks,
            store,
            queue,
            clock,
            keys: config.keys.clone(),
            router,
            table,
            handlers,
        })
    }

    /// Every route with who may call it, for the tests that walk them all.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.table
    }

    fn sealed() -> Vec<SealedColumn> {
        [accounts::SEALED, backoffice::SEALED, connections::SEALED, signup::SEALED].concat()
    }

    /// How many secrets at rest open with the current key, and how many with an old one.
    ///
    /// # Errors
    /// The first that does not open at all, or the database's.
    pub async fn check_keys(&self) -> Result<(u64, u64), SealedError> {
        store::check_sealed(&self.store, &self.keys, &Self::sealed()).await
    }

    /// Seals all secrets at rest with the current key; tells how many were changed.
    ///
    /// # Errors
    /// Where one does not open, nothing after it was changed.
    pub async fn rotate_keys(&self) -> Result<u64, SealedError> {
        store::reseal(&self.store, &self.keys, &Self::sealed()).await
    }

    /// The routes, for serving and for tests.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Reads what is set up at Meta in the backoffice; [`App::serve`] does it by itself.
    ///
    /// # Errors
    /// The database's, or a secret that does not open.
    pub async fn load_settings(&self) -> Result<(), SettingsError> {
        self.settings.load().await
    }

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
        let mut tx = self.store.write().await?;
        self.queue.enqueue(&mut tx, PRUNE_JOB, "all", self.clock.now()).await?;
        self.queue.enqueue(&mut tx, CHECK_JOB, "all", self.clock.now() + PRUNE_EVERY).await?;
        tx.commit().await?;
        let worker = Worker::new(self.store.clone(), self.clock.clone(), self.queue.clone(), self.handlers);
        let working = tokio::spawn(worker.run(stop.clone()));
        serve(listener, self.router, stop.clone()).await?;
        stop.cancel();
        working.await??;
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

/// Single-use links, mailed where a mail server is set up.
fn invites(
    config: &Config,
    accounts: &Accounts,
    store: &Store,
    queue: &Queue,
    clock: &Clock,
) -> Result<Invites, BadSettings> {
    let mailer = match (&config.smtp_url, &config.mail_from) {
        (Some(url), Some(from)) => Some(Mailer::new(url, from, clock.clone())?),
        _ => None,
    };
    Ok(Invites {
        accounts: accounts.clone(),
        store: store.clone(),
        keys: config.keys.clone(),
        queue: queue.clone(),
        limits: Limits::new(store.clone(), clock.clone()),
        mailer,
        public_url: config.public_url.clone(),
        operator: config.operator_name.clone(),
        support_email: config.support_email.clone(),
        clock: clock.clone(),
    })
}

/// A path as the log may tell it: what follows in a single-use link lets people in.
fn shown_path(path: &str) -> &str {
    ["/invite/", "/reset/"].into_iter().find(|secret| path.starts_with(secret)).unwrap_or(path)
}

/// What a webhook's change means for other features.
fn on_change(signup: Signup) -> ChangeHandler {
    Arc::new(move |tx: &mut WriteTx, change: &Change| {
        let signup = signup.clone();
        Box::pin(async move {
            if change.field != "account_update" {
                return Ok(());
            }
            // https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update
            let event = change.value.get("event").and_then(|event| event.as_str()).unwrap_or_default();
            let info = change.value.get("waba_info");
            let text = |key: &str| info.and_then(|info| info.get(key)).and_then(|id| id.as_str());
            let waba = text("waba_id").and_then(|id| id.parse::<WabaId>().ok());
            if let (true, Some(waba)) = (event.starts_with("PARTNER_"), waba) {
                let business = text("owner_business_id").and_then(|id| id.parse().ok());
                let at = change.time.and_then(|at| time::OffsetDateTime::from_unix_timestamp(at).ok());
                signup.partner_event(tx, &PartnerEvent { event: event.to_owned(), waba, business, at }).await?;
            }
            Ok(())
        })
    })
}

#[allow(clippy::too_many_arguments, reason = "one for each feature with background work")]
fn handlers(
    meta: &LiveSetup,
    signup: &Signup,
    connections: &Connections,
    webhooks: &Webhooks,
    invites: &Invites,
    sessions: &DbSessions,
    limits: &Limits,
    checks: &Checks,
    clock: &Clock,
) -> Handlers {
    let checks = checks.clone();
    let advance = signup.clone();
    let process = webhooks.clone();
    let (undo, setup) = (connections.clone(), meta.clone());
    let (prune, bodies, guesses, now) = (sessions.clone(), webhooks.clone(), limits.clone(), clock.clone());
    let (mails, links) = (invites.clone(), invites.clone());
    Handlers::from([
        (
            ADVANCE_JOB,
            jobs::handler(move |id| {
                let signup = advance.clone();
                async move { signup.advance(id.parse::<AttemptId>()?).await }
            }),
        ),
        (
            PROCESS_JOB,
            jobs::handler(move |id| {
                let webhooks = process.clone();
                async move { webhooks.process(&id).await }
            }),
        ),
        (
            DISCONNECT_JOB,
            jobs::handler(move |id| {
                let (connections, meta) = (undo.clone(), setup.now());
                async move {
                    let secret = meta.app.as_ref().map(|app| &app.secret);
                    connections.undo(&meta.graph, secret, id.parse::<ConnectionId>()?).await
                }
            }),
        ),
        (
            SEND_MAIL_JOB,
            jobs::handler(move |id| {
                let invites = mails.clone();
                async move { invites.send_mail(id.parse::<InviteId>()?).await }
            }),
        ),
        (
            CHECK_JOB,
            jobs::handler(move |_| {
                let checks = checks.clone();
                async move { checks.job().await }
            }),
        ),
        (
            PRUNE_JOB,
            jobs::handler(move |_| {
                let (sessions, webhooks, limits, clock) = (prune.clone(), bodies.clone(), guesses.clone(), now.clone());
                let invites = links.clone();
                async move {
                    sessions.prune().await?;
                    webhooks.prune().await?;
                    limits.prune().await?;
                    invites.prune().await?;
                    Ok(Outcome::Again(clock.now() + PRUNE_EVERY))
                }
            }),
        ),
    ])
}

#[allow(clippy::too_many_arguments, reason = "the one place where all parts meet")]
fn router(
    config: &Config,
    people: accounts::Pages,
    invites: Invites,
    connections: &Connections,
    signup: &Signup,
    backoffice: Backoffice,
    support: Support,
    webhooks: Webhooks,
    sessions: DbSessions,
    store: &Store,
) -> Result<(Router, Vec<Route>), BuildError> {
    let assets = assets::base_path();
    let site = Arc::new(Site {
        operator: config.operator_name.clone(),
        public_url: config.public_url.clone(),
        assets: assets.clone(),
        sandbox_url: config.sandbox_url.clone(),
        solution_partner: config.solution_partner,
        support_email: config.support_email.clone(),
    });
    let origin = config.public_url.origin().ascii_serialization();
    let csrf = CsrfLayer::new().add_trusted_origin(&origin).map_err(|_| BuildError::Origin)?;
    let (pages, mut table) = Routes::new()
        .merge(accounts::routes(people.clone(), invites))
        .merge(connections::routes(connections.clone()))
        .merge(signup::page_routes(signup.clone()))
        .merge(backoffice::routes(backoffice))
        .merge(support::routes(support))
        .into_parts();
    let pages = pages
        .fallback(|| async { web::Error::NotFound })
        .layer(csrf.clone())
        .layer(middleware::from_fn(web::page::clear_flash))
        .layer(middleware::from_fn(error::as_html));
    let (api, api_table) = signup::api_routes(signup.clone()).into_parts();
    let api = api.layer(csrf).layer(middleware::from_fn(error::as_json));
    let (viewer, first_run) = (people.two_step, people.first_run);
    let with_session = pages
        .merge(api)
        .layer(middleware::from_fn(move |session, request, next| {
            accounts::load_viewer(viewer.clone(), session, request, next)
        }))
        .layer(sessions.layer(config.is_https()))
        .layer(middleware::from_fn(move |request, next| accounts::gate(first_run.clone(), request, next)))
        .layer(axum::Extension(site));
    let (machines, machine_table) = Routes::new()
        .get(Access::Machine, "/healthz", || async { "alive\n" })
        .get(Access::Machine, "/readyz", ready)
        .with_state(store.clone())
        .merge(webhooks::routes(webhooks))
        .merge(backoffice::machine_routes(config.keys.clone()))
        .into_parts();
    table.extend(api_table);
    table.extend(machine_table);
    let origins = Arc::new(FacebookOrigins::new(&config.meta.sdk_url, &config.meta.dialog_url));
    let https = config.is_https();
    let proxies: Arc<[std::net::IpAddr]> = config.trusted_proxies.clone().into();
    let outer = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(NewRequestId))
        .layer(middleware::from_fn(move |request, next| log(proxies.clone(), request, next)))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(CatchPanicLayer::new())
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn(move |request, next| web::csp::headers(origins.clone(), https, request, next)));
    Ok((with_session.merge(assets::routes(&assets)).merge(machines).layer(outer), table))
}

/// Database reachable, migrations done.
async fn ready(State(store): State<Store>) -> (StatusCode, &'static str) {
    match tokio::time::timeout(Duration::from_secs(3), store.is_ready()).await {
        Ok(Ok(true)) => (StatusCode::OK, "ready\n"),
        Ok(Ok(false)) => (StatusCode::SERVICE_UNAVAILABLE, "the database is not migrated\n"),
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database can't be reached\n")
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}

#[derive(Clone, Copy)]
struct NewRequestId;

impl MakeRequestId for NewRequestId {
    fn make_request_id<B>(&mut self, _: &http::Request<B>) -> Option<RequestId> {
        crate::base::ids::new_uuid().to_string().parse().ok().map(RequestId::new)
    }
}

/// One line a request: no query (it may hold a code), no header, no body. What happens within carries the
/// request's ID.
async fn log(
    proxies: Arc<[std::net::IpAddr]>,
    mut request: Request,
    next: middleware::Next,
) -> axum::response::Response {
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok()).unwrap_or_default();
    let span = tracing::info_span!("request", id);
    let (method, path) = (request.method().clone(), shown_path(request.uri().path()).to_owned());
    let address = client_address(&proxies, &request);
    if let Some(address) = address {
        request.extensions_mut().insert(web::ClientAddress(address));
    }
    let from = address.map_or_else(String::new, |address| address.to_string());
    let started = std::time::Instant::now();
    async move {
        let response = next.run(request).await;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = response.status().as_u16();
        if path.starts_with("/static/") || path == "/healthz" || path == "/readyz" {
            tracing::debug!(%method, path, status, ms, from, "request");
        } else {
            tracing::info!(%method, path, status, ms, from, "request");
        }
        response
    }
    .instrument(span)
    .await
}

/// Where a request comes from. What a proxy forwards is believed only of proxies that are named: anybody
/// can write a header. The last address that no trusted proxy added is the client's.
fn client_address(proxies: &[std::net::IpAddr], request: &Request) -> Option<std::net::IpAddr> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    if !proxies.contains(&peer.ip()) {
        return Some(peer.ip());
    }
    let forwarded = request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let chain: Vec<std::net::IpAddr> =
        forwarded.flat_map(|value| value.split(',')).filter_map(|part| part.trim().parse().ok()).collect();
    Some(*chain.iter().rev().find(|ip| !proxies.contains(ip)).unwrap_or(&peer.ip()))
}

/// Traces a router of our own that is not the portal (the sandbox).
pub fn traced(router: Router) -> Router {
    router.layer(TraceLayer::new_for_http().make_span_with(
        |request: &Request| tracing::debug_span!("sandbox", method = %request.method(), path = request.uri().path()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn the_log_does_not_tell_what_lets_people_in() {
        assert_eq!(shown_path("/invite/secret"), "/invite/");
        assert_eq!(shown_path("/reset/secret"), "/reset/");
        for path in ["/invites/01900000", "/people/1/reset-link", "/"] {
            assert_eq!(shown_path(path), path);
        }
    }

    #[test]
    fn forwarded_addresses_are_believed_of_named_proxies_only() {
        let request = |peer: &str, forwarded: &str| {
            let mut request =
                Request::builder().header("x-forwarded-for", forwarded).body(Body::empty()).expect("a request");
            request
                .extensions_mut()
                .insert(ConnectInfo(format!("{peer}:1").parse::<SocketAddr>().expect("an address")));
            request
        };
        let proxies = ["10.0.0.1".parse().expect("an address"), "10.0.0.2".parse().expect("an address")];
        assert_eq!(client_address(&proxies, &request("9.9.9.9", "1.2.3.4")).unwrap().to_string(), "9.9.9.9");
        assert_eq!(
            client_address(&proxies, &request("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2")).unwrap().to_string(),
            "1.2.3.4"
        );
        assert_eq!(client_address(&[], &request("10.0.0.1", "1.2.3.4")).unwrap().to_string(), "10.0.0.1");
    }
}
