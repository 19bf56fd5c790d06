//! The portal within the test's own process, on a real port.

use super::{Database, Meta, meta};
use doorway::{
    accounts::{Accounts, FirstRun, Invites, TwoStep},
    app::App,
    base::{clock::Clock, sealed::KeyRing},
    config::{Config, MetaConfig},
    connections::Connections,
    forwarding::Forwarding,
    messaging::Messaging,
    signup::Signup,
    store::Store,
    web::Route,
    webhooks::Webhooks,
};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

/// A portal that is served.
pub struct Portal {
    pub url: Url,
    pub accounts: Accounts,
    pub invites: Invites,
    pub two_step: TwoStep,
    pub first_run: FirstRun,
    pub connections: Connections,
    pub signup: Signup,
    pub webhooks: Webhooks,
    pub forwarding: Forwarding,
    pub messaging: Messaging,
    pub store: Store,
    /// Every route with who may call it.
    pub routes: Vec<Route>,
}

/// The configuration with which the portal at this address talks to this sandbox.
pub fn configuration(db: &Database, listen: SocketAddr, portal: &Url, sandbox: &Meta) -> Config {
    Config {
        listen,
        public_url: portal.clone(),
        database_url: db.url.clone(),
        keys: KeyRing::new(&KeyRing::generate(), []).unwrap(),
        meta: MetaConfig {
            graph_url: sandbox.url.clone(),
            dialog_url: sandbox.url.clone(),
            sdk_url: sandbox.url.join("/en_US/sdk.js").unwrap(),
            graph_version: None,
            app_id: Some(meta::APP_ID.parse().unwrap()),
            app_secret: Some(meta::APP_SECRET.into()),
            es_config_id: Some(meta::CONFIG_ID.to_owned()),
            verify_token: Some(meta::VERIFY_TOKEN.into()),
            system_token: Some(meta::SYSTEM_TOKEN.into()),
            business_id: None,
        },
        trusted_proxies: Vec::new(),
        operator_name: "Test Operator".to_owned(),
        support_email: Some("help@operator.example".to_owned()),
        solution_partner: false,
        smtp_url: None,
        mail_from: None,
        staff_totp: false,
        retention: doorway::config::Retention::default(),
        allow_private_endpoints: true,
        sandbox_url: None,
        warnings: Vec::new(),
    }
}

impl Portal {
    pub async fn serve(config: &Config, store: Store, clock: Clock, listener: TcpListener) -> Self {
        let app = App::build(config, store.clone(), clock).unwrap();
        let portal = Self {
            url: config.public_url.clone(),
            accounts: app.accounts.clone(),
            invites: app.invites.clone(),
            two_step: app.two_step.clone(),
            first_run: app.first_run.clone(),
            connections: app.connections.clone(),
            signup: app.signup.clone(),
            webhooks: app.webhooks.clone(),
            forwarding: app.forwarding.clone(),
            messaging: app.messaging.clone(),
            store,
            routes: app.routes().to_vec(),
        };
        tokio::spawn(async move { app.serve(listener, CancellationToken::new()).await.unwrap() });
        portal
    }
}
