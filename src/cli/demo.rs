//! `doorway demo`: the portal and the sandbox side by side, with three people who may sign in.
//!
//! The portal is reached as `localhost`, the sandbox as `127.0.0.1`: to browsers two different sites, as
//! the portal and Facebook are, so that cookies, `SameSite` and message origins behave as in life.

use super::{
    CommandResult,
    sandbox::{
        DEFAULT_APP_ID, DEFAULT_APP_SECRET, DEFAULT_BUSINESS_ID, DEFAULT_CONFIG_ID, DEFAULT_SYSTEM_TOKEN,
        webhook_fields,
    },
    stop_on_signal,
};
use crate::{
    accounts::{AccountError, Accounts, Role},
    app::{self, App},
    backoffice::{Fixed, MetaSettings},
    base::{clock::Clock, sealed::KeyRing},
    config::{Config, MetaConfig},
    sandbox::{AppSeed, Options, Sandbox, WebhookSeed},
    store::Store,
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tokio::net::TcpListener;
use url::Url;

#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {
    /// Where the portal listens; it is reached as http://localhost:PORT.
    #[arg(long, default_value = "127.0.0.1:8080")]
    portal_addr: SocketAddr,
    /// Where the sandbox listens; it is reached as http://127.0.0.1:PORT.
    #[arg(long, default_value = "127.0.0.1:8090")]
    sandbox_addr: SocketAddr,
    /// Where everything is kept, to go on with later. A fresh temporary directory if left out.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The portal's database: an empty one of PostgreSQL (postgres://...), for instance. An SQLite file in the data
    /// directory if left out.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Write every Graph exchange to this file, one JSON line each, secrets masked.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

const PASSWORD: &str = "doorway-demo";
const VERIFY_TOKEN: &str = "doorway-demo-verify-token";
/// Address, name, role, company.
const PEOPLE: [(&str, &str, Role, Option<&str>); 3] = [
    ("admin@demo.localhost", "Ada Admin", Role::Admin, None),
    ("support@demo.localhost", "Sam Support", Role::Support, None),
    ("customer@demo.localhost", "Maria Lopes", Role::Customer, Some("Harbour Bakery")),
];

pub(super) async fn run(args: DemoArgs) -> CommandResult {
    for addr in [args.portal_addr, args.sandbox_addr] {
        if !addr.ip().is_loopback() {
            return Err(
                format!("demo mode listens on loopback only, and {addr} is not: its passwords are public").into()
            );
        }
    }
    let stop = stop_on_signal()?;
    let portal = bind("--portal-addr", args.portal_addr).await?;
    let stand_in = bind("--sandbox-addr", args.sandbox_addr).await?;
    let temporary = match args.data_dir {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("doorway-demo-").tempdir()?),
    };
    let data_dir =
        args.data_dir.or_else(|| temporary.as_ref().map(|dir| dir.path().to_owned())).ok_or("no data directory")?;
    std::fs::create_dir_all(&data_dir)?;
    let portal_url = Url::parse(&format!("http://localhost:{}", portal.local_addr()?.port()))?;
    let sandbox_url = Url::parse(&format!("http://127.0.0.1:{}", stand_in.local_addr()?.port()))?;
    let database_url =
        args.database_url.unwrap_or_else(|| format!("sqlite://{}", data_dir.join("portal.db").display()));
    let config = configuration(&portal_url, &sandbox_url, portal.local_addr()?, database_url, &data_dir)?;
    let clock = Clock::system();
    let sandbox = Sandbox::open(
        Options {
            public_url: sandbox_url.clone(),
            data_dir: data_dir.clone(),
            record: args.record,
            app: AppSeed {
                id: DEFAULT_APP_ID.to_owned(),
                name: config.operator_name.clone(),
                secret: DEFAULT_APP_SECRET.into(),
                config_id: DEFAULT_CONFIG_ID.to_owned(),
                business_id: DEFAULT_BUSINESS_ID.to_owned(),
                system_token: DEFAULT_SYSTEM_TOKEN.into(),
                redirect_uris: vec![config.redirect_uri()],
                allowed_domains: vec![portal_url.origin().ascii_serialization()],
            },
            webhook: Some(WebhookSeed {
                callback_url: config.webhook_url(),
                verify_token: VERIFY_TOKEN.to_owned(),
                fields: webhook_fields(),
            }),
            control_token: None,
        },
        clock.clone(),
    )?;
    let store = Store::connect(&config.database_url).await?;
    store.migrate().await?;
    let portal_app = App::build(&config, store, clock)?;
    seed(&portal_app.accounts).await?;
    seed_meta(&portal_app.settings).await?;
    announce(&portal_url, &sandbox_url, &data_dir, temporary.is_some());
    let serving = tokio::spawn(app::serve(stand_in, app::traced(sandbox.router()), stop.clone()));
    portal_app.serve(portal, stop).await?;
    serving.await??;
    Ok(())
}

async fn bind(flag: &str, addr: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(addr).await.map_err(|error| format!("{flag}: can't listen on {addr}: {error}"))
}

fn configuration(
    portal: &Url,
    sandbox: &Url,
    listen: SocketAddr,
    database_url: String,
    data_dir: &Path,
) -> Result<Config, Box<dyn std::error::Error>> {
    let mut sdk_url = sandbox.clone();
    sdk_url.set_path("/en_US/sdk.js");
    Ok(Config {
        listen,
        public_url: portal.clone(),
        database_url,
        keys: keys(data_dir)?,
        meta: MetaConfig {
            graph_url: sandbox.clone(),
            dialog_url: sandbox.clone(),
            sdk_url,
            // In the database, so that the settings' page can be tried: see `seed_meta`.
            graph_version: None,
            app_id: None,
            app_secret: None,
            es_config_id: None,
            verify_token: None,
            system_token: None,
            business_id: None,
        },
        trusted_proxies: Vec::new(),
        operator_name: "Demo Operator".to_owned(),
        support_email: Some("help@demo.localhost".to_owned()),
        solution_partner: false,
        smtp_url: None,
        mail_from: None,
        staff_totp: false,
        retention: crate::config::Retention::default(),
        allow_private_endpoints: true,
        sandbox_url: Some(sandbox.clone()),
        warnings: Vec::new(),
    })
}

/// The key stays with the data, so that a demo can go on after a restart.
fn keys(data_dir: &Path) -> Result<KeyRing, Box<dyn std::error::Error>> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let path = data_dir.join("secret-key");
    let key = match std::fs::read_to_string(&path) {
        Ok(key) => key,
        Err(_) => {
            let key = KeyRing::generate();
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(key.as_bytes())?;
            key
        }
    };
    Ok(KeyRing::new(&key, [])?)
}

async fn seed(accounts: &Accounts) -> Result<(), AccountError> {
    for (email, name, role, company) in PEOPLE {
        let Ok(address) = email.parse() else { continue };
        match accounts.create_user(&address, name, PASSWORD.into(), role, company).await {
            // A demo that goes on: they are there already.
            Ok(_) | Err(AccountError::EmailTaken) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What an admin would enter under Meta settings; what they changed since stays.
async fn seed_meta(settings: &MetaSettings) -> Result<(), Box<dyn std::error::Error>> {
    let seed = Fixed {
        app_id: Some(DEFAULT_APP_ID.parse()?),
        app_secret: Some(DEFAULT_APP_SECRET.into()),
        es_config_id: Some(DEFAULT_CONFIG_ID.to_owned()),
        verify_token: Some(VERIFY_TOKEN.into()),
        graph_version: None,
        system_token: Some(DEFAULT_SYSTEM_TOKEN.into()),
        business_id: Some(DEFAULT_BUSINESS_ID.parse()?),
    };
    Ok(settings.seed(seed).await?)
}

fn announce(portal: &Url, sandbox: &Url, data_dir: &Path, temporary: bool) {
    println!("Doorway demo\n");
    println!("  Portal   {portal}");
    println!("  Sandbox  {sandbox}  (in Meta's place: nothing here reaches Meta)\n");
    println!("  Sign in with the password {PASSWORD} as");
    for (email, _, role, company) in PEOPLE {
        let what = company.map_or_else(|| role.as_str().to_owned(), |company| format!("a customer: {company}"));
        println!("    {email:<26} {what}");
    }
    let note = if temporary { " (gone when the demo ends; keep it with --data-dir)" } else { "" };
    println!("\n  Data in {}{note}\n  End with Ctrl-C\n", data_dir.display());
}
