//! What the operator sets up and oversees: Meta's side and its check, customers, people, the audit log and
//! the funnel.

mod audit;
mod audit_filter;
mod audit_lines;
mod audit_words;
mod funnel;
mod funnel_words;
mod overview;
mod people;
mod person;

use crate::{
    accounts::{Accounts, Invites},
    base::{clock::Clock, sealed::KeyRing},
    connections::Connections,
    graph::LiveSetup,
    jobs::Queue,
    sealed_column,
    signup::Signup,
    store::{SealedColumn, Store},
    web::Routes,
    webhooks::Webhooks,
};

/// What of this feature is sealed at rest.
pub const SEALED: &[SealedColumn] = &[
    sealed_column!("meta_settings", "app_secret_sealed"),
    sealed_column!("meta_settings", "old_secret_sealed"),
    sealed_column!("meta_settings", "verify_token_sealed"),
    sealed_column!("meta_settings", "system_token_sealed"),
];

/// What the pages draw on. Cloning shares what is beneath.
#[derive(Clone)]
pub struct Backoffice {
    /// People and companies.
    pub accounts: Accounts,
    /// Links by which people get in.
    pub invites: Invites,
    /// What they connected.
    pub connections: Connections,
    /// What they tried.
    pub signup: Signup,
    /// What Meta told.
    pub webhooks: Webhooks,
    /// What is set up at Meta now.
    pub meta: LiveSetup,
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
        .merge(people::routes())
        .merge(person::routes())
        .merge(audit::routes())
        .merge(funnel::routes())
        .with_state(backoffice)
}
