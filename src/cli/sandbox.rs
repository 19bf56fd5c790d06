//! `doorway sandbox`: Meta's stand-in alone.

use super::{CommandResult, stop_on_signal};
use crate::{
    app,
    backoffice::{NEEDED_FIELDS, RECOMMENDED_FIELDS},
    base::clock::Clock,
    sandbox::{AppSeed, Options, Sandbox, WebhookSeed},
};
use secrecy::SecretString;
use std::{net::SocketAddr, path::PathBuf};
use tokio::net::TcpListener;
use url::Url;

#[derive(Debug, clap::Args)]
pub(super) struct SandboxArgs {
    /// Where to listen. Its address is then http://ADDR, unless --public-url says otherwise.
    #[arg(long, default_value = "127.0.0.1:8090")]
    addr: SocketAddr,
    /// Where browsers and programs reach it.
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    /// Where the state is kept; it survives a restart. A fresh temporary directory if left out.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Write every Graph exchange to this file, one JSON line each, secrets masked.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// The App ID of your app in the sandbox.
    #[arg(long, default_value = DEFAULT_APP_ID)]
    app_id: String,
    /// Its App Secret.
    #[arg(long, default_value = DEFAULT_APP_SECRET)]
    app_secret: SecretString,
    /// Its Facebook Login for Business configuration; without one, any ID is taken for it.
    #[arg(long, default_value = "", hide_default_value = true)]
    config_id: String,
    /// The operator's system token.
    #[arg(long, default_value = DEFAULT_SYSTEM_TOKEN)]
    system_token: SecretString,
    /// A valid OAuth redirect URI; may be given several times. Without any: all on loopback.
    #[arg(long = "redirect-uri", value_name = "URL")]
    redirect_uris: Vec<Url>,
    /// A host (or host:port) that may open the popup; may be given several times. Without any: localhost and 127.0.0.1.
    #[arg(long = "allowed-domain", value_name = "HOST")]
    allowed_domains: Vec<String>,
    /// Where webhooks go, taken as verified. Else: POST /{app}/subscriptions, as at Meta.
    #[arg(long, value_name = "URL", requires = "verify_token")]
    callback_url: Option<Url>,
    /// The word of the webhook's handshake.
    #[arg(long, value_name = "WORD")]
    verify_token: Option<String>,
    /// What callers of /_sandbox/ must send as a bearer token when this is reached off loopback.
    #[arg(long, env = "DOORWAY_SANDBOX_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    control_token: Option<SecretString>,
}

/// The App ID of the sandbox and the demo.
pub(super) const DEFAULT_APP_ID: &str = "1060284715930482";
/// Its secret: public, as everything about the sandbox.
pub(super) const DEFAULT_APP_SECRET: &str = "5a9dbb0c15e4f0d1c0ffee00sandbox0";
/// Its Embedded Signup configuration.
pub(super) const DEFAULT_CONFIG_ID: &str = "731602279155865";
/// The operator's portfolio there.
pub(super) const DEFAULT_BUSINESS_ID: &str = "506914307656634";
/// The operator's system token there.
pub(super) const DEFAULT_SYSTEM_TOKEN: &str = "EAAPSANDBOXsystemTokenOfTheOperatorZD";
/// The webhook fields that a portal reads.
pub(super) fn webhook_fields() -> Vec<String> {
    NEEDED_FIELDS.iter().chain(&RECOMMENDED_FIELDS).map(|field| (*field).to_owned()).collect()
}

pub(super) async fn run(args: SandboxArgs) -> CommandResult {
    let stop = stop_on_signal()?;
    let listener =
        TcpListener::bind(args.addr).await.map_err(|error| format!("can't listen on {}: {error}", args.addr))?;
    let addr = listener.local_addr()?;
    let public_url = match args.public_url {
        Some(url) => url,
        None => Url::parse(&format!("http://{addr}"))?,
    };
    if !addr.ip().is_loopback() && args.control_token.is_none() {
        return Err("off loopback, /_sandbox/ needs a token: --control-token or DOORWAY_SANDBOX_TOKEN".into());
    }
    let temporary = match args.data_dir {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("doorway-sandbox-").tempdir()?),
    };
    let data_dir =
        args.data_dir.or_else(|| temporary.as_ref().map(|dir| dir.path().to_owned())).ok_or("no data directory")?;
    std::fs::create_dir_all(&data_dir)?;
    let allowed_domains = if args.allowed_domains.is_empty() {
        ["localhost", "127.0.0.1"].map(str::to_owned).to_vec()
    } else {
        args.allowed_domains
    };
    let webhook = match (args.callback_url, args.verify_token) {
        (Some(callback_url), Some(verify_token)) => {
            Some(WebhookSeed { callback_url, verify_token, fields: webhook_fields() })
        }
        _ => None,
    };
    let sandbox = Sandbox::open(
        Options {
            public_url: public_url.clone(),
            data_dir: data_dir.clone(),
            record: args.record,
            app: AppSeed {
                id: args.app_id.clone(),
                name: "Sandbox app".to_owned(),
                secret: args.app_secret,
                config_id: args.config_id.clone(),
                business_id: DEFAULT_BUSINESS_ID.to_owned(),
                system_token: args.system_token,
                redirect_uris: args.redirect_uris,
                allowed_domains,
            },
            webhook,
            control_token: args.control_token,
        },
        Clock::system(),
    )?;
    println!("Sandbox of Meta: {public_url}\n  nothing here reaches Meta; open that address to see what it can do");
    println!("  App ID {}, state in {}", args.app_id, data_dir.display());
    app::serve(listener, app::traced(sandbox.router()), stop).await?;
    Ok(())
}
