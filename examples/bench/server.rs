//! The server: the portal as it is, in a process of its own.

use super::Outcome;
use doorway::{
    app::{self, App},
    base::{clock::Clock, sealed::KeyRing},
    config::Config,
    store::Store,
};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The app secret with which webhooks are signed.
pub const SECRET: &str = "the app secret of the benchmark";

/// Serves until its standard input ends.
pub async fn serve() -> Outcome<()> {
    tracing_subscriber::fmt().with_env_filter("info,doorway::webhooks=info").with_writer(std::io::stderr).init();
    let config = Config::load(None)?;
    let store = Store::connect(&config.database_url).await?;
    store.migrate().await?;
    let app = App::build(&config, store, Clock::system())?;
    if let Ok(receiver) = std::env::var("BENCH_RECEIVER") {
        super::forward::endpoints(&app, &receiver).await?;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    std::io::stdout().flush()?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        told.cancel();
    });
    match std::env::var("BENCH_MODE").as_deref() {
        Ok("all") => app.serve(listener, stop).await,
        mode => {
            app.load_settings().await?;
            if mode == Ok("ceiling") {
                app.webhooks.keep_nothing();
            }
            let tending = tokio::spawn(app.store.clone().tend(stop.clone()));
            app::serve(listener, app.router(), stop.clone()).await?;
            stop.cancel();
            Ok(tending.await?)
        }
    }
}

/// A server that runs; ended when dropped.
pub struct Server {
    child: Child,
    pub port: u16,
}

impl Server {
    /// `all`: the portal; `intake`: without its background work; `ceiling`: what is more, nothing is kept.
    pub fn start(url: &str, mode: &str) -> Outcome<Self> {
        Self::start_with(url, mode, &[])
    }

    /// The same, with more in its environment.
    pub fn start_with(url: &str, mode: &str, more: &[(&str, &str)]) -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .env_clear()
            .envs([
                ("BENCH_MODE", mode),
                ("DOORWAY_DATABASE_URL", url),
                ("DOORWAY_PUBLIC_URL", "http://localhost:1"),
                ("DOORWAY_SECRET_KEY", &KeyRing::generate()),
                ("DOORWAY_META_APP_ID", "670843887433847"),
                ("DOORWAY_META_APP_SECRET", SECRET),
                ("DOORWAY_META_VERIFY_TOKEN", "word"),
            ])
            .envs(more.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
        Ok(Self { child, port: line.trim().parse()? })
    }

    /// The most memory that it had, in MB.
    pub fn peak_mb(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
    }

    /// How much processor time it took so far, in seconds.
    pub fn cpu(&self) -> Outcome<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        // utime and stime, in hundredths of a second.
        Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
