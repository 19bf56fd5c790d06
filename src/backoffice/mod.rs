//! What the operator sets up and oversees: Meta's side and its check, customers, people, the audit log and
//! the funnel.

mod audit;
mod audit_filter;
mod audit_lines;
mod check;
mod check_app;
mod check_reach;
mod check_run;
mod check_token;
mod check_webhooks;
mod customer;
mod customer_admin;
mod customer_badges;
mod customer_new;
mod customers;
mod erase;
mod export;
mod findings;
mod funnel;
mod funnel_words;
mod go_live;
mod go_live_items;
mod overview;
mod people;
mod person;
mod settings;
mod settings_form;
mod settings_page;
mod settings_queries;
mod settings_view;

pub use erase::handlers;

use crate::{
    accounts::{Accounts, Invites},
    base::{clock::Clock, sealed::KeyRing},
    business_profile::BusinessProfiles,
    connections::Connections,
    forwarding::Forwarding,
    graph::{self, LiveSetup},
    jobs::Queue,
    message_templates::MessageTemplates,
    messaging::Messaging,
    sealed_column,
    signup::Signup,
    store::{SealedColumn, Store},
    web::Routes,
    webhooks::Webhooks,
};

pub use check::Surroundings;
pub use check_reach::machine_routes;
pub use check_run::{CHECK_JOB, Checks};
pub use check_webhooks::{NEEDED_FIELDS, RECOMMENDED_FIELDS};
pub use findings::{Finding, Grade};
pub use settings::{Fixed, MetaSettings, SettingsError, fixed_setup};

/// What of this feature is sealed at rest.
pub const SEALED: &[SealedColumn] = &[
    sealed_column!("meta_settings", "app_secret_sealed"),
    sealed_column!("meta_settings", "old_secret_sealed"),
    sealed_column!("meta_settings", "verify_token_sealed"),
    sealed_column!("meta_settings", "system_token_sealed"),
];

/// The check without a database to ask: what it would know of our own records is grey.
pub async fn examine_without_records(meta: &graph::Setup, around: &Surroundings) -> Vec<Finding> {
    check::examine(meta, around, &check::Records::default()).await
}

/// What the pages draw on. Cloning shares what is beneath.
#[derive(Clone)]
pub struct Backoffice {
    /// People and companies.
    pub accounts: Accounts,
    /// Links by which they get in.
    pub invites: Invites,
    /// What they connected.
    pub connections: Connections,
    /// What they tried.
    pub signup: Signup,
    /// What Meta told.
    pub webhooks: Webhooks,
    /// Contacts, which are erased and handed out with a customer.
    pub messaging: Messaging,
    /// Business profiles, which are handed out with a customer.
    pub profiles: BusinessProfiles,
    /// Message templates, which are handed out with a customer.
    pub templates: MessageTemplates,
    /// Endpoints, and the deliveries to them.
    pub forwarding: Forwarding,
    /// What is set up at Meta now.
    pub meta: LiveSetup,
    /// How it is set up.
    pub settings: MetaSettings,
    /// The check of it.
    pub checks: Checks,
    /// The database.
    pub store: Store,
    /// Background work.
    pub queue: Queue,
    /// The keys for secrets at rest.
    pub keys: KeyRing,
    /// The time.
    pub clock: Clock,
}

/// The routes of this feature.
pub fn routes(backoffice: Backoffice) -> Routes {
    Routes::new()
        .merge(overview::routes())
        .merge(customers::routes())
        .merge(customer_new::routes())
        .merge(customer::routes())
        .merge(customer_admin::routes())
        .merge(people::routes())
        .merge(person::routes())
        .merge(audit::routes())
        .merge(funnel::routes())
        .merge(settings_page::routes())
        .merge(go_live::routes())
        .with_state(backoffice)
}
