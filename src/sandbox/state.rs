//! The sandbox's whole state, and how it is kept: one JSON file, replaced as a whole before an answer
//! that changed it goes out, so that a killed process loses nothing it had acknowledged.

use super::{
    AppSeed, OpenError, WebhookSeed,
    assets::{Business, Phone, Waba},
    dashboard::Dashboard,
    flow::Flow,
    graph::{Upload, profile::Profile},
    media::Media,
    own_apps::OwnApp,
    scenario::{Armed, Fault},
    templates::Shelf,
    tokens::{Code, Kind, Token},
    webhooks::Delivery,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// How long finished and abandoned flows and codes are remembered.
const KEEP_MS: i64 = 24 * 3_600_000;

/// Everything the sandbox knows. Lists are in order of creation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    pub app: App,
    #[serde(default)]
    pub businesses: Vec<Business>,
    #[serde(default)]
    pub wabas: Vec<Waba>,
    #[serde(default)]
    pub phones: Vec<Phone>,
    #[serde(default)]
    pub tokens: Vec<Token>,
    #[serde(default)]
    pub codes: Vec<Code>,
    #[serde(default)]
    pub flows: Vec<Flow>,
    #[serde(default)]
    pub armed: Option<Armed>,
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Webhooks not yet delivered.
    #[serde(default)]
    pub outbox: Vec<Delivery>,
    /// How far Meta's limits are used up, as its headers tell.
    #[serde(default)]
    pub usage: super::usage::Usage,
    /// Apps that customers have of their own.
    #[serde(default)]
    pub own_apps: Vec<OwnApp>,
    /// Files that people sent.
    #[serde(default)]
    pub media: Vec<Media>,
    /// The profiles that were edited.
    #[serde(default)]
    pub profiles: Vec<Profile>,
    /// Message templates, which lie in a file of their own.
    #[serde(skip)]
    pub templates: Arc<Shelf>,
    /// Files that programs uploaded.
    #[serde(default)]
    pub uploads: Vec<Upload>,
    /// Counts the numbers that were made up, so that each is new.
    #[serde(default)]
    pub made_up: u32,
}

/// The operator's app. Its secrets come with each start and are not in the file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct App {
    pub id: String,
    pub name: String,
    #[serde(skip)]
    pub secret: String,
    pub config_id: String,
    pub business_id: String,
    #[serde(skip)]
    pub system_token: String,
    pub redirect_uris: Vec<String>,
    pub allowed_domains: Vec<String>,
    /// The switch *Login with the JavaScript SDK*.
    pub js_sdk_login: bool,
    /// The switch *Require App Secret*.
    pub require_app_secret: bool,
    pub subscription: Option<Subscription>,
    /// The rest of the dashboard.
    #[serde(default)]
    pub dashboard: Dashboard,
}

/// The app's webhook subscription for `whatsapp_business_account`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Subscription {
    pub callback_url: String,
    pub fields: Vec<String>,
    #[serde(default = "yes")]
    pub active: bool,
}

fn yes() -> bool {
    true
}

pub(super) fn app_of(seed: &AppSeed, webhook: Option<&WebhookSeed>) -> App {
    App {
        id: seed.id.clone(),
        name: seed.name.clone(),
        secret: seed.secret.expose_secret().to_owned(),
        config_id: seed.config_id.clone(),
        business_id: seed.business_id.clone(),
        system_token: seed.system_token.expose_secret().to_owned(),
        redirect_uris: seed.redirect_uris.iter().map(ToString::to_string).collect(),
        allowed_domains: seed.allowed_domains.clone(),
        js_sdk_login: true,
        require_app_secret: true,
        subscription: webhook.map(|hook| Subscription {
            callback_url: hook.callback_url.to_string(),
            fields: hook.fields.clone(),
            active: true,
        }),
        dashboard: Dashboard::default(),
    }
}

impl State {
    /// The seed's settings, with those that only the sandbox has kept as they were.
    fn reseed(&mut self, seed: App) {
        let old = std::mem::replace(&mut self.app, seed);
        if !old.id.is_empty() {
            self.app.js_sdk_login = old.js_sdk_login;
            self.app.require_app_secret = old.require_app_secret;
            self.app.dashboard = old.dashboard;
            self.app.subscription = self.app.subscription.take().or(old.subscription);
        }
        self.tokens.retain(|token| token.kind != Kind::System);
        if !self.app.system_token.is_empty() {
            self.tokens.insert(0, Token::system(&self.app.system_token, &self.app.business_id));
        }
    }

    /// Forgets what customers did; the app's settings stay.
    pub fn reset(&mut self) {
        let app = std::mem::take(&mut self.app);
        *self = Self::default();
        self.reseed(app);
    }

    /// Drops flows and codes that nobody will come back to.
    pub fn prune(&mut self, now_ms: i64) {
        self.flows.retain(|flow| flow.created_ms + KEEP_MS > now_ms);
        self.codes.retain(|code| code.expires_ms + KEEP_MS > now_ms);
    }

    pub fn own_app(&self, id: &str) -> Option<&OwnApp> {
        self.own_apps.iter().find(|app| app.id == id)
    }

    /// The ID, name and secret of the app that a token is of, and whether it takes calls only with its secret.
    pub fn app_of(&self, token: &Token) -> (&str, &str, &str, bool) {
        match token.app_id.as_deref().and_then(|id| self.own_app(id)) {
            Some(own) => (&own.id, &own.name, &own.secret, own.require_app_secret),
            None => (&self.app.id, &self.app.name, &self.app.secret, self.app.require_app_secret),
        }
    }

    pub fn business(&self, id: &str) -> Option<&Business> {
        self.businesses.iter().find(|business| business.id == id)
    }

    pub fn waba(&self, id: &str) -> Option<&Waba> {
        self.wabas.iter().find(|waba| waba.id == id)
    }

    pub fn waba_mut(&mut self, id: &str) -> Option<&mut Waba> {
        self.wabas.iter_mut().find(|waba| waba.id == id)
    }

    pub fn phone(&self, id: &str) -> Option<&Phone> {
        self.phones.iter().find(|phone| phone.id == id)
    }

    pub fn phone_mut(&mut self, id: &str) -> Option<&mut Phone> {
        self.phones.iter_mut().find(|phone| phone.id == id)
    }

    pub fn phones_of(&self, waba_id: &str) -> impl Iterator<Item = &Phone> {
        self.phones.iter().filter(move |phone| phone.waba_id == waba_id)
    }

    pub fn wabas_of(&self, business_id: &str) -> impl Iterator<Item = &Waba> {
        self.wabas.iter().filter(move |waba| waba.business_id == business_id)
    }

    /// A token by its text, compared in constant time as secrets are.
    pub fn token(&self, secret: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| crate::base::text::constant_time_eq(&token.secret, secret))
    }
}

/// The state and its file.
pub(super) struct Store {
    path: PathBuf,
    state: Mutex<State>,
}

impl Store {
    pub fn open(dir: &Path, seed: App) -> Result<Self, OpenError> {
        let path = dir.join("sandbox.json");
        let io = |source| OpenError::Io { path: path.clone(), source };
        fs::create_dir_all(dir).map_err(io)?;
        let mut state = match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|source| OpenError::State { path: path.clone(), source })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(io(error)),
        };
        let shelf = shelf_path(&path);
        let io_of_shelf = |source| OpenError::Io { path: shelf.clone(), source };
        match fs::read(&shelf) {
            Ok(bytes) => {
                let read = serde_json::from_slice(&bytes);
                state.templates = Arc::new(read.map_err(|source| OpenError::State { path: shelf.clone(), source })?);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_of_shelf(error)),
        }
        state.reseed(seed);
        save(&path, &state).map_err(io)?;
        Ok(Self { path, state: Mutex::new(state) })
    }

    pub fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn file_path(&self, id: &str) -> PathBuf {
        // IDs are digits that we made up.
        let id: String = id.chars().filter(char::is_ascii_digit).collect();
        self.path.with_file_name(format!("media-{id}"))
    }

    /// Keeps a file beside the state.
    pub fn keep_file(&self, id: &str, bytes: &[u8]) -> io::Result<()> {
        write_private(&self.file_path(id), bytes)
    }

    /// Keeps more of a file that comes in parts.
    pub fn append_file(&self, id: &str, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let mut whole = if offset == 0 { Vec::new() } else { self.file(id)? };
        whole.truncate(offset);
        whole.extend_from_slice(bytes);
        self.keep_file(id, &whole)
    }

    /// A file that was kept.
    pub fn file(&self, id: &str) -> io::Result<Vec<u8>> {
        fs::read(self.file_path(id))
    }

    /// Changes a copy, writes it, and only then makes it the state: a failed write changes nothing.
    pub fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> io::Result<R> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = state.clone();
        let out = change(&mut next);
        if !Arc::ptr_eq(&state.templates, &next.templates) {
            let path = shelf_path(&self.path);
            let temporary = path.with_extension("json.new");
            write_private(&temporary, &serde_json::to_vec(next.templates.as_ref())?)?;
            fs::rename(&temporary, path)?;
        }
        save(&self.path, &next)?;
        *state = next;
        Ok(out)
    }
}

/// Where the templates lie.
fn shelf_path(path: &Path) -> PathBuf {
    path.with_file_name("templates.json")
}

fn save(path: &Path, state: &State) -> io::Result<()> {
    let bytes = serde_json::to_vec_pretty(state)?;
    let temporary = path.with_extension("json.new");
    write_private(&temporary, &bytes)?;
    fs::rename(&temporary, path)
}

/// Tokens stand in the file: only its owner may read it.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}
