//! Deliveries to many endpoints, some of which never answer.

use super::{Outcome, data, load, measure::Bench, server::Server};
use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use doorway::{
    accounts::Role,
    app::App,
    base::ids::CustomerId,
    forwarding::{Format, NewEndpoint},
    store::query,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How many endpoints each customer has, of which the first hangs: with 20 customers 200, of which 20 hang.
pub const EACH: u64 = 10;
/// How many webhooks come in a second, each to go to all endpoints of its customer: what it bears easily, to see
/// what the calls do to the intake, and more than it bears, to see how many calls it makes.
const RATES: [u64; 2] = [150, 1_000];

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Forwarded {
    pub endpoints: u64,
    pub hanging: u64,
    /// With few webhooks.
    pub calm: Round,
    /// With many.
    pub burst: Round,
    /// The server's processor time for each call, in microseconds.
    pub cpu_us: f64,
    /// The most memory that the server had, in MB.
    pub peak_mb: u64,
}

/// Webhooks for a while, and the calls for them.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Webhooks a second.
    pub rate: u64,
    /// Calls that were answered.
    pub calls: u64,
    /// From the first webhook to the last of these calls, in seconds.
    pub elapsed: f64,
    /// Of the intake meanwhile.
    pub p99_ms: f64,
}

/// Whoever is called: counts, or never answers.
#[derive(Clone, Default)]
struct Receiver {
    calls: Arc<AtomicU64>,
    last: Arc<Mutex<Option<Instant>>>,
}

async fn take(State(receiver): State<Receiver>, Path(endpoint): Path<u64>) -> StatusCode {
    if endpoint == 0 {
        std::future::pending::<()>().await;
    }
    receiver.calls.fetch_add(1, Ordering::Relaxed);
    *receiver.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Instant::now());
    StatusCode::OK
}

/// Gives each customer its endpoints at this address. In the server's process: it has the key for their secrets.
pub async fn endpoints(app: &App, receiver: &str) -> Outcome<()> {
    let (email, password) = ("bench@example.org".parse()?, "a password that nobody needs".into());
    app.accounts.create_user(&email, "Bench", password, Role::Admin, None).await?;
    let admin = app.accounts.user_by_email(&email).await?.ok_or("nobody was made")?;
    let sql = "SELECT id FROM customers";
    let mut db = app.store.read().await?;
    let customers: Vec<CustomerId> = query(sql).all(&mut db, |row| row.parse("id")).await?;
    drop(db);
    for customer in customers {
        for at in 0..EACH {
            let new = NewEndpoint {
                customer,
                name: format!("Server {at}"),
                url: Some(format!("http://{receiver}/{at}").parse()?),
                format: Format::Events,
                kinds: None,
                wabas: None,
                numbers: None,
                secret: None,
                verify_token: None,
            };
            app.forwarding.create(&admin, new).await?;
        }
    }
    Ok(())
}

/// Both rounds, on one server.
pub async fn run(bench: &Bench<'_>, time: Duration) -> Outcome<Forwarded> {
    let receiver = Receiver::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let router = Router::new().route("/{endpoint}", post(take)).with_state(receiver.clone());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let more = [("BENCH_RECEIVER", address.as_str()), ("DOORWAY_ALLOW_PRIVATE_ENDPOINTS", "true")];
    let server = Server::start_with(bench.url, "all", &more)?;
    let cpu = server.cpu()?;
    let calm = round(bench, &server, &receiver, time, RATES[0]).await?;
    let burst = round(bench, &server, &receiver, time, RATES[1]).await?;
    let forwarded = Forwarded {
        endpoints: data::CUSTOMERS * EACH,
        hanging: data::CUSTOMERS,
        calm,
        burst,
        cpu_us: (server.cpu()? - cpu) * 1e6 / (calm.calls + burst.calls) as f64,
        peak_mb: server.peak_mb()?,
    };
    eprintln!("{forwarded:?}");
    drop(server);
    serving.abort();
    Ok(forwarded)
}

async fn round(bench: &Bench<'_>, server: &Server, receiver: &Receiver, time: Duration, rate: u64) -> Outcome<Round> {
    let (began, before) = (Instant::now(), receiver.calls.load(Ordering::Relaxed));
    let answered = load::run(server.port, bench.owners, super::measure::fresh(), 1, time, Some(rate)).await?;
    let wanted = (answered.requests - answered.twice) * (EACH - 1);
    loop {
        let calls = receiver.calls.load(Ordering::Relaxed) - before;
        if calls >= wanted {
            break;
        }
        if began.elapsed() > time * 20 + Duration::from_secs(60) {
            return Err(format!("of {wanted} calls {calls} came").into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let last = receiver.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner).ok_or("no call came")?;
    let calls = receiver.calls.load(Ordering::Relaxed) - before;
    Ok(Round { rate, calls, elapsed: (last - began).as_secs_f64(), p99_ms: answered.p99_ms })
}
