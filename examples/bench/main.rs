//! Measures the webhook intake: the server in a process of its own, load over HTTP from this one. `scripts/bench` runs
//! it; what it prints is docs/benchmarks.md.

mod data;
mod forward;
mod load;
mod measure;
mod report;
mod server;

use doorway::store::Store;
use measure::Bench;
use std::{error::Error, time::Duration};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return doorway::cli::runtime()?.block_on(server::serve());
    }
    tokio::runtime::Runtime::new()?.block_on(bench())
}

async fn bench() -> Outcome<()> {
    let seconds = |name: &str, default: u64| {
        Duration::from_secs(std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default))
    };
    let (short, long) = (seconds("BENCH_SHORT", 10), seconds("BENCH_LONG", 60));
    let many: i64 = std::env::var("BENCH_MANY").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000_000);
    let mut engines = Vec::new();
    let directory = tempfile::tempdir_in(std::env::var_os("BENCH_DIR").unwrap_or_else(|| ".".into()))?;
    if std::env::var("BENCH_ENGINES").map_or(true, |only| only.contains("sqlite")) {
        let url = format!("sqlite://{}", directory.path().join("bench.db").display());
        engines.push(of_engine("SQLite", &url, short, long, many).await?);
    }
    if let Ok(url) = std::env::var("DOORWAY_TEST_POSTGRES_URL") {
        engines.push(of_engine("PostgreSQL", &url, short, long, many).await?);
    }
    println!("{}", report::page(&engines, short, long, many).await?);
    Ok(())
}

/// All that is measured on one engine, one thing after the other.
async fn of_engine(
    name: &'static str,
    url: &str,
    short: Duration,
    long: Duration,
    many: i64,
) -> Outcome<report::Engine> {
    let store = Store::connect(url).await?;
    store.migrate().await?;
    let owners = data::owners(&store).await?;
    let version = data::version(&store).await?;
    let bench = Bench { url, store: &store, owners: &owners };
    let say = |what: &str| eprintln!("{name}: {what}");
    let mut runs = Vec::new();
    for updates in [1, 100] {
        say(&format!("ceiling, {updates} a request"));
        let ceiling = bench.burst("ceiling", short, updates).await?;
        say("acknowledged");
        let acknowledged = bench.burst("intake", short, updates).await?;
        data::empty(&store).await?;
        say("sustained");
        let sustained = bench.sustained(long, updates).await?;
        runs.push(report::Run { updates, ceiling, acknowledged, sustained });
    }
    say("3,300 a second");
    let paced = bench.paced(3_300, long / 2).await?;
    data::empty(&store).await?;
    data::fill(&store, 1_000).await?;
    say("with 1,000 events stored");
    let few = bench.sustained(short * 2, 1).await?;
    data::empty(&store).await?;
    say(&format!("filling in {many} events"));
    data::fill(&store, many).await?;
    say("with all of them stored");
    let full = bench.sustained(short * 2, 1).await?;
    data::empty(&store).await?;
    say("forwarding");
    let forwarded = forward::run(&bench, short).await?;
    Ok(report::Engine { name, version, runs, paced, few, full, forwarded })
}
