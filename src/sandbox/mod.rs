//! Meta's stand-in: Graph API, Facebook dialog and JavaScript SDK, with state of its own.
//!
//! Operators train their support staff on it and test their own integrations against it. Nothing here
//! reaches Meta. It serves four things on one address:
//!
//! | Path | What |
//! |---|---|
//! | `/` | a page that says what this is and shows the state |
//! | `/{locale}/sdk.js` | the JavaScript SDK: `FB.init`, `FB.login` |
//! | `/v25.0/dialog/oauth` | the popup of Embedded Signup, and the plain OAuth flow full-page |
//! | `/v25.0/...` (or unversioned) | the Graph API |
//! | `/_sandbox/...` | the control API, see [`control`] |
//!
//! Where the sandbox follows a rule of Meta's, the doc comment there names the page it comes from.

mod assets;
pub mod control;
mod dashboard;
mod dialog;
mod dialog_check;
mod finish;
mod flow;
mod graph;
mod home;
mod ids;
mod inbox;
mod media;
mod names;
mod outcome;
mod own_apps;
mod permissions;
mod phones;
mod profiles;
mod record;
mod review;
mod scenario;
mod sdk;
mod setup;
mod state;
mod statics;
mod summary;
mod templates;
mod tokens;
mod usage;
mod views;
mod webhooks;
mod write;

use crate::base::{
    clock::Clock,
    http::{Outbound, Reach},
};
use axum::{Router, routing::get};
use secrecy::{ExposeSecret, SecretString};
use state::{State, Store};
use std::{
    collections::{HashSet, VecDeque},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};
use url::Url;

/// How a sandbox is set up.
pub struct Options {
    /// The address browsers and programs reach it at, such as `http://127.0.0.1:8090`.
    pub public_url: Url,
    /// The state lives in `sandbox.json` in here, and survives a restart.
    pub data_dir: PathBuf,
    /// Where every Graph exchange is written to, one JSON line each, secrets masked.
    pub record: Option<PathBuf>,
    /// The operator's app.
    pub app: AppSeed,
    /// The app's default callback, taken as already verified.
    pub webhook: Option<WebhookSeed>,
    /// Where there is one, it is needed as a bearer token on `/_sandbox/`; off loopback nothing works without.
    pub control_token: Option<SecretString>,
}

/// The operator's app, as its dashboard at Meta would have it.
pub struct AppSeed {
    /// The App ID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its secret.
    pub secret: SecretString,
    /// The Facebook Login for Business configuration of Embedded Signup; empty: any ID is taken for one.
    pub config_id: String,
    /// The operator's business portfolio.
    pub business_id: String,
    /// A system user's token of that portfolio.
    pub system_token: SecretString,
    /// *Valid OAuth redirect URIs*, each matched exactly; none: any on loopback, as for an app in development.
    pub redirect_uris: Vec<Url>,
    /// *Allowed domains for the JavaScript SDK*: hosts, hosts with ports, or origins.
    pub allowed_domains: Vec<String>,
}

/// The callback of an app's webhook subscription.
pub struct WebhookSeed {
    /// Where webhooks are sent.
    pub callback_url: Url,
    /// The token of the handshake.
    pub verify_token: String,
    /// The subscribed fields, such as `messages` and `account_update`.
    pub fields: Vec<String>,
}

/// Why a sandbox could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory or a file in it can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory concerned.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The state file is there but is none of ours.
    #[error("{path} is not a sandbox's state (move it away to start anew): {source}")]
    State {
        /// The file concerned.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// A running sandbox. Cloning shares its state.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    public_url: Url,
    clock: Clock,
    store: Store,
    recorder: Option<record::Recorder>,
    seen: Mutex<VecDeque<record::Seen>>,
    /// The webhooks that this process delivers or has delivered.
    sending: Mutex<HashSet<String>>,
    outbound: Outbound,
    control_token: Option<SecretString>,
}

/// How long a receiver of webhooks, or a handshake, may take.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(10);

impl Sandbox {
    /// Opens the sandbox's state, or begins a new one. The seed updates the app's settings; the
    /// customers' assets, tokens and codes stay.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(options: Options, clock: Clock) -> Result<Self, OpenError> {
        let seed = state::app_of(&options.app, options.webhook.as_ref());
        let store = Store::open(&options.data_dir, seed)?;
        let recorder = options.record.as_deref().map(record::Recorder::open).transpose()?;
        let inner = Inner {
            public_url: options.public_url,
            clock,
            store,
            recorder,
            seen: Mutex::default(),
            sending: Mutex::default(),
            outbound: Outbound::new(Reach::Operator, CALLBACK_TIMEOUT),
            control_token: options.control_token,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Everything the sandbox serves. Within a tokio runtime it also takes up the webhooks that a
    /// former process left unsent.
    pub fn router(&self) -> Router {
        webhooks::resume(self);
        review::resume(self);
        names::resume(self);
        Router::new()
            .route("/", get(home::show))
            .route("/arm", axum::routing::post(home::arm))
            .route("/dashboard", axum::routing::post(dashboard::switch))
            .route("/write", axum::routing::post(write::write))
            .route("/whatsapp_business/attachments/", get(media::serve))
            .route("/v/t61/{file}", get(graph::profile::serve))
            .route("/static/{file}", get(statics::serve))
            .route("/favicon.ico", get(statics::no_icon))
            .route("/{locale}/sdk.js", get(sdk::serve))
            .route("/dialog/oauth", get(dialog::start))
            .route("/{version}/dialog/oauth", get(dialog::start))
            .route("/dialog/flow/{id}", get(dialog::show).post(dialog::step))
            .nest("/_sandbox", control::router(self))
            .fallback(graph::handle)
            .with_state(self.clone())
    }

    fn now_ms(&self) -> i64 {
        self.inner.clock.now_ms()
    }

    fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        self.inner.store.read(look)
    }

    /// Changes the state; what is changed is on disk before this returns.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> Result<R, std::io::Error> {
        self.inner.store.change(change)
    }

    /// The sandbox's own origin, such as `http://127.0.0.1:8090`.
    fn origin(&self) -> String {
        self.inner.public_url.origin().ascii_serialization()
    }

    /// Whether whoever reaches it may control it: on loopback, where no token was asked for.
    fn is_open(&self) -> bool {
        let loopback = control::is_loopback(self.inner.public_url.host_str().unwrap_or_default());
        loopback && self.inner.control_token.is_none()
    }

    fn control_token(&self) -> Option<&str> {
        self.inner.control_token.as_ref().map(ExposeSecret::expose_secret)
    }
}
