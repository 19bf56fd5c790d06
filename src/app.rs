//! Puts the parts together: which feature gets what ([`App::build`]), which route has which layers
//! (`routes.rs`), what is done in the background (`jobs.rs`), whose a webhook is and what it
//! changes in other features (`consequences.rs`, so that no cycle arises).

mod account_news;
mod consequences;
mod jobs;
mod keys;
mod log;
mod number_news;
mod own_apps;
mod places;
mod routes;
mod serve;
mod setup;

pub use places::EventPlaces;
pub use serve::{serve, traced};
pub use setup::{setup_without_database, surroundings};

use setup::meta_settings;

use crate::{
    accounts::{self, AccountError, Accounts, FirstRun, Invites, KnownBrowsers, Limits, TwoStep},
    backoffice::{Backoffice, Checks, MetaSettings, SettingsError},
    base::{
        clock::Clock,
        mail::{BadSettings, Mailer},
        sealed::KeyRing,
    },
    business_profile::BusinessProfiles,
    config::{Config, Retention},
    connections::{self, ConnectionLines, Connections, PermissionPages, ReconnectLinks},
    forwarding::{self, EventPages, Forwarding},
    graph::{self, SharedLines},
    jobs::{Handlers, Queue},
    message_templates::{MessageTemplates, TemplateDesk},
    messaging::Messaging,
    phone_numbers::{NumberPages, PhoneNumbers},
    signup::Signup,
    store::{Store, StoreError},
    support::Support,
    web::{Route, session::DbSessions},
    webhooks::Webhooks,
};
use axum::Router;
use std::sync::Arc;

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

/// All parts that routes and jobs draw on.
struct Parts {
    people: accounts::Pages,
    own_apps: connections::OwnAppPages,
    invites: Invites,
    connections: Connections,
    permissions: PermissionPages,
    profiles: BusinessProfiles,
    signup: Signup,
    webhooks: Webhooks,
    forwarding: Forwarding,
    endpoint_pages: forwarding::EndpointPages,
    templates: MessageTemplates,
    template_desk: TemplateDesk,
    lines: SharedLines,
    backoffice: Backoffice,
    support: Support,
    events: EventPages,
    retention: Retention,
    sessions: DbSessions,
    limits: Limits,
    number_pages: NumberPages,
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
    /// With what Graph is called for them.
    pub lines: SharedLines,
    /// Signup attempts.
    pub signup: Signup,
    /// The webhook intake.
    pub webhooks: Webhooks,
    /// Customers' endpoints, and deliveries to them.
    pub forwarding: Forwarding,
    /// Contacts and their windows.
    pub messaging: Messaging,
    /// What is set up at Meta.
    pub settings: MetaSettings,
    /// The check of it.
    pub checks: Checks,
    /// The database.
    pub store: Store,
    queue: Queue,
    clock: Clock,
    watch: graph::Watch,
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
        let watch = graph::Watch::new(clock.clone());
        let settings = meta_settings(config, &store, &clock, watch.clone());
        let meta = settings.live();
        let lines: SharedLines = Arc::new(ConnectionLines::new(connections.clone(), meta.clone()));
        let profiles = BusinessProfiles::new(
            store.clone(),
            clock.clone(),
            queue.clone(),
            lines.clone(),
            meta.clone(),
            accounts.clone(),
        );
        let numbers =
            PhoneNumbers::new(store.clone(), clock.clone(), config.keys.clone(), queue.clone(), lines.clone());
        let signup = Signup::new(
            store.clone(),
            clock.clone(),
            config.keys.clone(),
            queue.clone(),
            accounts.clone(),
            connections.clone(),
            meta.clone(),
        );
        let (private, ring) = (config.allow_private_endpoints, config.keys.clone());
        let forwarding = Forwarding::new(store.clone(), clock.clone(), ring, queue.clone(), private);
        let messaging = Messaging::new(store.clone(), clock.clone());
        let templates = MessageTemplates::new(store.clone(), clock.clone(), queue.clone());
        let wired = consequences::Wired {
            connections: connections.clone(),
            signup: signup.clone(),
            messaging: messaging.clone(),
            templates: templates.clone(),
            forwarding: forwarding.clone(),
            numbers: numbers.clone(),
        };
        let own_apps = Arc::new(own_apps::Wired(connections.clone()));
        let webhooks = Webhooks::new(store.clone(), clock.clone(), meta.clone(), Arc::new(wired), own_apps);
        let around = surroundings(config, clock.clone());
        let checks = Checks::new(settings.clone(), around, store.clone(), signup.clone(), connections.clone());
        let backoffice = Backoffice {
            accounts: accounts.clone(),
            invites: invites.clone(),
            connections: connections.clone(),
            signup: signup.clone(),
            webhooks: webhooks.clone(),
            forwarding: forwarding.clone(),
            messaging: messaging.clone(),
            profiles: profiles.clone(),
            templates: templates.clone(),
            meta: meta.clone(),
            settings: settings.clone(),
            checks: checks.clone(),
            store: store.clone(),
            queue: queue.clone(),
            keys: config.keys.clone(),
            clock: clock.clone(),
        };
        let events = EventPages {
            webhooks: webhooks.clone(),
            forwarding: forwarding.clone(),
            accounts: accounts.clone(),
            connections: connections.clone(),
            store: store.clone(),
            clock: clock.clone(),
            places: forwarding::Places::default(),
            totals: forwarding::Totals::default(),
        };
        let support = Support {
            accounts: accounts.clone(),
            connections: connections.clone(),
            signup: signup.clone(),
            numbers: numbers.clone(),
            templates: templates.clone(),
            profiles: profiles.clone(),
            events: events.clone(),
            meta: meta.clone(),
            clock: clock.clone(),
        };
        let people = accounts::Pages {
            accounts: accounts.clone(),
            two_step: two_step.clone(),
            first_run: first_run.clone(),
            known: KnownBrowsers::new(config.keys.clone(), config.is_https()),
        };
        let permissions = PermissionPages {
            connections: connections.clone(),
            accounts: accounts.clone(),
            links: ReconnectLinks { connections: connections.clone(), invites: invites.clone() },
            meta: meta.clone(),
        };
        let own_apps = connections::OwnAppPages {
            connections: connections.clone(),
            accounts: accounts.clone(),
            meta: meta.clone(),
        };
        let parts = Parts {
            people,
            permissions,
            own_apps,
            invites: invites.clone(),
            connections: connections.clone(),
            profiles,
            signup: signup.clone(),
            template_desk: TemplateDesk::new(templates.clone(), lines.clone(), meta.clone()),
            templates,
            lines: lines.clone(),
            webhooks: webhooks.clone(),
            forwarding: forwarding.clone(),
            endpoint_pages: forwarding::EndpointPages::new(
                forwarding.clone(),
                connections.clone(),
                webhooks.clone(),
                accounts.clone(),
            ),
            backoffice,
            support,
            events,
            retention: config.retention,
            sessions: DbSessions::new(store.clone(), clock.clone()),
            limits: Limits::new(store.clone(), clock.clone()),
            number_pages: NumberPages { numbers, accounts: accounts.clone() },
        };
        let handlers = jobs::handlers(&parts);
        let (router, table) = routes::router(config, &parts)?;
        Ok(Self {
            accounts,
            invites,
            two_step,
            first_run,
            connections,
            lines,
            signup,
            webhooks,
            forwarding,
            messaging,
            settings,
            checks,
            store,
            queue,
            clock,
            watch,
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
