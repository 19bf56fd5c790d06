//! Meta's side as the configuration gives it: what an admin's settings go over, and what wins over them.

use crate::{
    backoffice::{self, Fixed, MetaSettings, Surroundings},
    base::{
        clock::Clock,
        http::{Outbound, Reach},
    },
    config::{Config, DEFAULT_GRAPH_VERSION},
    graph::{self, Setup, Watch},
    store::Store,
};
use std::time::Duration;

/// How long a call to Meta may take.
const GRAPH_TIMEOUT: Duration = Duration::from_secs(20);

/// What is the same of Meta's side, whatever an admin sets in the backoffice.
fn base_setup(config: &Config, watch: Watch) -> Setup {
    // The operator chose the address: the sandbox on loopback is as good as Meta.
    let outbound = Outbound::new(Reach::Operator, GRAPH_TIMEOUT);
    Setup {
        graph: graph::Client::new(outbound, config.meta.graph_url.clone(), DEFAULT_GRAPH_VERSION.to_owned())
            .watched(watch),
        app: None,
        old_app_secret: None,
        es_config_id: None,
        verify_token: None,
        system_token: None,
        business_id: None,
        dialog_url: config.meta.dialog_url.clone(),
        sdk_url: config.meta.sdk_url.clone(),
        redirect_uri: config.redirect_uri(),
        webhook_url: config.webhook_url(),
    }
}

/// What the environment and the configuration file name of Meta's side: it wins over the backoffice.
fn fixed(config: &Config) -> Fixed {
    let meta = &config.meta;
    Fixed {
        app_id: meta.app_id.clone(),
        app_secret: meta.app_secret.clone(),
        es_config_id: meta.es_config_id.clone(),
        verify_token: meta.verify_token.clone(),
        graph_version: meta.graph_version.clone(),
        system_token: meta.system_token.clone(),
        business_id: meta.business_id.clone(),
    }
}

/// Meta's side as a configuration and this database say.
pub(super) fn meta_settings(config: &Config, store: &Store, clock: &Clock, watch: Watch) -> MetaSettings {
    MetaSettings::new(store.clone(), clock.clone(), config.keys.clone(), base_setup(config, watch), fixed(config))
}

/// What the check of the configuration stands on.
#[must_use]
pub fn surroundings(config: &Config, clock: Clock) -> Surroundings {
    Surroundings { public_url: config.public_url.clone(), keys: config.keys.clone(), clock }
}

/// Meta's side as a configuration alone says, where there is no database to ask.
#[must_use]
pub fn setup_without_database(config: &Config) -> Setup {
    backoffice::fixed_setup(base_setup(config, Watch::new(Clock::system())), &fixed(config))
}
