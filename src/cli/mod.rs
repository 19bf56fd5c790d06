//! The command line of the binary `doorway`.

mod demo;
mod events;
mod sandbox;
mod serve;
mod user;

use crate::{
    config::{Config, Faults},
    doctor,
    store::Store,
};
use clap::{Parser, Subcommand};
use std::{error::Error, path::PathBuf, process::ExitCode};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// A self-hosted portal through which a company's customers bring their WhatsApp Business accounts to it.
#[derive(Debug, Parser)]
#[command(name = "doorway", version, about, after_help = "Start with: doorway demo")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try everything: the portal and a sandbox in place of Meta, on this machine alone.
    Demo(demo::DemoArgs),
    /// Run the portal (production). Migrates the database by itself. While nobody can sign in yet, it logs a one-time
    /// set-up code and the page that takes it: whoever enters it becomes the first admin.
    #[command(after_help = CONFIGURATION)]
    Serve(ConfigArgs),
    /// Run Meta's stand-in alone, to test other software against it.
    Sandbox(Box<sandbox::SandboxArgs>),
    /// Manage the people who may sign in.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Hand out what Meta's webhooks told.
    #[command(subcommand)]
    Events(events::EventsCommand),
    /// Bring the database's schema up to date.
    Migrate(ConfigArgs),
    /// Say what is wrong with the set-up, and how to mend it.
    Doctor(ConfigArgs),
    /// Seal all stored secrets with the current key (DOORWAY_SECRET_KEY); old ones are then no longer needed.
    RotateKeys(ConfigArgs),
}

/// Where the configuration is.
#[derive(Clone, Debug, clap::Args)]
struct ConfigArgs {
    /// A TOML file with the settings, named as in the environment but in lower case without DOORWAY_
    /// (public_url = "..."). The environment wins.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

const CONFIGURATION: &str = "\
Settings (environment, or --config FILE; those marked * also as ..._FILE, naming a file that holds the value):
  DOORWAY_PUBLIC_URL            where people reach the portal, https://... (needed)
  DOORWAY_SECRET_KEY *          32 bytes in standard base64: openssl rand -base64 32 (needed)
  DOORWAY_SECRET_KEYS_OLD *     keys that may still open what they sealed, with commas between
  DOORWAY_DATABASE_URL *        sqlite://doorway.db (default) or postgres://...
  DOORWAY_LISTEN                127.0.0.1:8080 (default)
  DOORWAY_TRUSTED_PROXIES       addresses of proxies whose X-Forwarded-For is believed
  DOORWAY_OPERATOR_NAME         your name as customers know it
  DOORWAY_SUPPORT_EMAIL         where customers reach you
  DOORWAY_SOLUTION_PARTNER      true if you pay for your customers' messages
  DOORWAY_SMTP_URL *            smtps://name:password@host or smtp://...?tls=required; without it links are copied by hand
  DOORWAY_MAIL_FROM             the mails' sender; DOORWAY_SUPPORT_EMAIL if left out
  DOORWAY_ALLOW_PRIVATE_ENDPOINTS  true: customers' endpoints may lie inside private networks, also with http (default: false)
  DOORWAY_STAFF_TOTP            true (default): admins and support need an authenticator app
  DOORWAY_KEEP_BODIES_DAYS      30 (default): how long what Meta posted is kept; at least 8
  DOORWAY_KEEP_EVENTS_DAYS      30 (default): how long the lists of events go back; at least 8
  DOORWAY_KEEP_DELIVERIES_DAYS  30 (default): how long deliveries with their attempts are kept; at least 8
  DOORWAY_KEEP_CHARTS_DAYS      90 (default): how long counts by the minute are kept
  DOORWAY_META_APP_ID           App ID
  DOORWAY_META_APP_SECRET *     App Secret
  DOORWAY_META_ES_CONFIG_ID     Facebook Login for Business configuration; without it: plain OAuth
  DOORWAY_META_VERIFY_TOKEN *   the webhook handshake's word
  DOORWAY_META_SYSTEM_TOKEN *   your system user's token: recovers what a customer's browser lost
  DOORWAY_META_BUSINESS_ID      your business portfolio
  DOORWAY_GRAPH_VERSION         v25.0 (default)
                                (these seven may also be set in the backoffice; the environment wins)
  DOORWAY_META_GRAPH_URL        https://graph.facebook.com (default)
  DOORWAY_META_DIALOG_URL       https://www.facebook.com (default)
  DOORWAY_META_SDK_URL          https://connect.facebook.net/en_US/sdk.js (default)
  DOORWAY_LOG                   info (default), debug, doorway::graph=debug ...
  TOKIO_WORKER_THREADS          threads beside the database's; one less than there are processors (default)";

/// What every command comes to.
type CommandResult = Result<(), Box<dyn Error>>;

/// What everything runs on: one thread less than there are processors, for the database needs one too; that its thread
/// (SQLite's) or process gets it at once is worth more than one more of ours. `TOKIO_WORKER_THREADS` sets another
/// number.
///
/// # Errors
/// Where the operating system gives no threads.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if std::env::var_os("TOKIO_WORKER_THREADS").is_none() {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        runtime.worker_threads(processors.saturating_sub(1).max(1));
    }
    runtime.enable_all().build()
}

/// [`run`], on a runtime of its own.
#[must_use]
pub fn start() -> ExitCode {
    match runtime() {
        Ok(runtime) => runtime.block_on(run()),
        Err(error) => {
            eprintln!("doorway: no threads to run on: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the command line; what goes wrong is told on standard error.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    let filter = std::env::var("DOORWAY_LOG").ok().filter(|text| !text.is_empty());
    let filter = filter.and_then(|text| EnvFilter::try_new(text).ok());
    let default = match &cli.command {
        Command::Demo(_)
        | Command::Doctor(_)
        | Command::User(_)
        | Command::Events(_)
        | Command::Migrate(_)
        | Command::RotateKeys(_) => "warn",
        Command::Serve(_) | Command::Sandbox(_) => "info",
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|| EnvFilter::new(default)))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .init();
    let result = match cli.command {
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Sandbox(args) => sandbox::run(*args).await,
        Command::User(command) => user::run(command).await,
        Command::Events(command) => events::run(command).await,
        Command::Migrate(args) => migrate(args).await,
        Command::Doctor(args) => return doctor_command(args).await,
        Command::RotateKeys(args) => rotate_keys(args).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in error.to_string().lines() {
                eprintln!("doorway: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Ends when the process is told to end (SIGTERM, SIGINT).
fn stop_on_signal() -> std::io::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        told.cancel();
    });
    Ok(stop)
}

async fn migrate(args: ConfigArgs) -> CommandResult {
    let store = Store::connect(&Config::load_database_url(args.config.as_deref())?).await?;
    store.migrate().await?;
    store.close().await;
    println!("The database is up to date.");
    Ok(())
}

async fn rotate_keys(args: ConfigArgs) -> CommandResult {
    let config = Config::load(args.config.as_deref())?;
    let store = Store::connect(&config.database_url).await?;
    store.migrate().await?;
    let app = crate::app::App::build(&config, store.clone(), crate::base::clock::Clock::system())?;
    let changed = app.rotate_keys().await?;
    store.close().await;
    println!(
        "{changed} secrets sealed anew with key {}. Keys in DOORWAY_SECRET_KEYS_OLD are no longer needed.",
        config.keys.current_id()
    );
    Ok(())
}

async fn doctor_command(args: ConfigArgs) -> ExitCode {
    let findings = match Config::load(args.config.as_deref()) {
        Ok(config) => doctor::examine(&config).await,
        Err(Faults(lines)) => doctor::of_faults(lines),
    };
    let mut healthy = true;
    for finding in findings {
        healthy &= finding.grade != doctor::Grade::Red;
        println!("{finding}");
    }
    if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
