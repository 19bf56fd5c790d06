//! The configuration of `serve`: environment variables, or a TOML file of the same names in lower case
//! without `DOORWAY_`; the environment wins. Secrets may also stand in files of their own (`..._FILE`).
//! All faults are told at once, one line each.

mod mail;
mod raw;
mod retention;

use crate::base::{
    http::is_loopback,
    ids::{AppId, BusinessId},
    sealed::{KeyRing, SealError},
};
use raw::Raw;
pub use retention::Retention;
use secrecy::SecretString;
use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
};
use url::Url;

/// Everything that `serve` needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where people reach the portal.
    pub public_url: Url,
    /// `sqlite://...` or `postgres://...`.
    pub database_url: String,
    /// The keys for secrets at rest.
    pub keys: KeyRing,
    /// What is set up at Meta.
    pub meta: MetaConfig,
    /// Proxies whose forwarded addresses are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// The operator's name as customers know it.
    pub operator_name: String,
    /// Where customers reach the operator's support.
    pub support_email: Option<String>,
    /// Whether the operator is a Solution Partner, who pays for its customers.
    pub solution_partner: bool,
    /// Where mail goes out: `smtp://...` or `smtps://...` with name and password; none: links are copied by hand.
    pub smtp_url: Option<SecretString>,
    /// The sender of mails.
    pub mail_from: Option<String>,
    /// Whether staff must have an authenticator app.
    pub staff_totp: bool,
    /// Whether customers' endpoints may lie inside private networks, and be plain http.
    pub allow_private_endpoints: bool,
    /// How long what is taken in is kept.
    pub retention: Retention,
    /// Set in demo mode: the sandbox's address, shown on every page.
    pub sandbox_url: Option<Url>,
    /// What is odd but stops nothing, one line each.
    pub warnings: Vec<String>,
}

/// What is set up at Meta.
#[derive(Clone, Debug)]
pub struct MetaConfig {
    /// The Graph API's origin.
    pub graph_url: Url,
    /// The dialog's origin.
    pub dialog_url: Url,
    /// The SDK's script.
    pub sdk_url: Url,
    /// The Graph API's version; [`DEFAULT_GRAPH_VERSION`] where none is given.
    pub graph_version: Option<String>,
    /// The App ID.
    pub app_id: Option<AppId>,
    /// The App Secret.
    pub app_secret: Option<SecretString>,
    /// The Facebook Login for Business configuration.
    pub es_config_id: Option<String>,
    /// The webhook handshake's word.
    pub verify_token: Option<SecretString>,
    /// The operator's system token.
    pub system_token: Option<SecretString>,
    /// The operator's business portfolio.
    pub business_id: Option<BusinessId>,
}

/// The Graph API's version where neither the configuration nor the backoffice names one.
pub const DEFAULT_GRAPH_VERSION: &str = "v25.0";

/// What is wrong with a configuration, one line a fault.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}", .0.join("\n"))]
pub struct Faults(pub Vec<String>);

impl Config {
    /// Reads a configuration from a file and the environment.
    ///
    /// # Errors
    /// All faults at once.
    pub fn load(file: Option<&Path>) -> Result<Self, Faults> {
        let env: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self::from_parts(file, &env)
    }

    /// Only where the database is, for commands that need no more.
    ///
    /// # Errors
    /// All faults about it.
    pub fn load_database_url(file: Option<&Path>) -> Result<String, Faults> {
        let env: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let mut raw = Raw::gather(file, &env);
        let url = database_url(&mut raw);
        if raw.faults.is_empty() { Ok(url) } else { Err(Faults(raw.faults)) }
    }

    fn from_parts(file: Option<&Path>, env: &[(String, String)]) -> Result<Self, Faults> {
        let mut raw = Raw::gather(file, env);
        let listen = raw.parse("listen", "an address such as 127.0.0.1:8080");
        let public_url = raw.url("public_url", None, true);
        if public_url.is_none() && raw.text("public_url").is_none() {
            raw.faults.push(
                "DOORWAY_PUBLIC_URL: missing; where people reach the portal, such as https://connect.example.org"
                    .to_owned(),
            );
        }
        if public_url.as_ref().is_some_and(|url| url.scheme() == "http" && !is_loopback(url)) {
            raw.faults.push(
                "DOORWAY_PUBLIC_URL: must be https: Facebook's button works on https only (http for localhost alone)"
                    .to_owned(),
            );
        }
        let database_url = database_url(&mut raw);
        let keys = keys(&mut raw);
        let meta = meta(&mut raw);
        let trusted_proxies = raw.text("trusted_proxies").unwrap_or_default();
        let mut proxies = Vec::new();
        for proxy in trusted_proxies.split(',').map(str::trim).filter(|proxy| !proxy.is_empty()) {
            match proxy.parse() {
                Ok(ip) => proxies.push(ip),
                Err(_) => raw.faults.push(format!("DOORWAY_TRUSTED_PROXIES: {proxy} is no IP address")),
            }
        }
        let support_email = raw.text("support_email");
        if support_email.as_ref().is_some_and(|email| email.parse::<crate::accounts::EmailAddress>().is_err()) {
            raw.faults.push("DOORWAY_SUPPORT_EMAIL: must be an e-mail address".to_owned());
        }
        let smtp_url = raw.text("smtp_url");
        if smtp_url.as_ref().is_some_and(|url| !url.starts_with("smtp://") && !url.starts_with("smtps://")) {
            raw.faults.push("DOORWAY_SMTP_URL: must start with smtp:// or smtps://".to_owned());
        }
        let mail_from = raw.text("mail_from");
        if mail_from.as_ref().is_some_and(|from| from.parse::<lettre::message::Mailbox>().is_err()) {
            raw.faults.push("DOORWAY_MAIL_FROM: must be an address such as Acme <portal@example.org>".to_owned());
        }
        let mail_from = mail_from.or_else(|| support_email.clone());
        if smtp_url.is_some() && mail_from.is_none() {
            raw.faults.push("DOORWAY_MAIL_FROM: missing, though DOORWAY_SMTP_URL is set".to_owned());
        }
        let smtp_url = smtp_url.map(SecretString::from);
        if let (Some(url), Some(from)) = (&smtp_url, &mail_from)
            && raw.faults.is_empty()
        {
            mail::check(&mut raw, url, from);
        }
        let staff_totp = raw.parse("staff_totp", "true or false").unwrap_or(true);
        let allow_private_endpoints = raw.parse("allow_private_endpoints", "true or false").unwrap_or(false);
        let retention = retention::read(&mut raw);
        let operator_name = raw.text("operator_name").unwrap_or_else(|| "Doorway".to_owned());
        let solution_partner = raw.parse("solution_partner", "true or false").unwrap_or(false);
        if !raw.faults.is_empty() {
            return Err(Faults(raw.faults));
        }
        let (Some(public_url), Some(keys), Some(meta)) = (public_url, keys, meta) else {
            return Err(Faults(vec!["the configuration could not be read".to_owned()]));
        };
        Ok(Self {
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            public_url,
            database_url,
            keys,
            meta,
            trusted_proxies: proxies,
            operator_name,
            support_email,
            solution_partner,
            smtp_url,
            mail_from,
            staff_totp,
            allow_private_endpoints,
            retention,
            sandbox_url: None,
            warnings: raw.warnings,
        })
    }

    /// Where the full-page dialog leads back to: the value for *Valid OAuth redirect URIs*.
    #[must_use]
    pub fn redirect_uri(&self) -> Url {
        self.path("auth/whatsapp/callback")
    }

    /// The value for the webhook's *Callback URL*.
    #[must_use]
    pub fn webhook_url(&self) -> Url {
        self.path("webhooks/whatsapp")
    }

    fn path(&self, path: &str) -> Url {
        let mut url = self.public_url.clone();
        url.set_path(path);
        url
    }

    /// Whether people come by https, so that cookies and headers may insist on it.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

fn database_url(raw: &mut Raw) -> String {
    let url = raw.text("database_url").unwrap_or_else(|| "sqlite://doorway.db".to_owned());
    if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme)) {
        raw.faults.push("DOORWAY_DATABASE_URL: must start with sqlite:// or postgres://".to_owned());
    }
    url
}

fn keys(raw: &mut Raw) -> Option<KeyRing> {
    let old = raw.text("secret_keys_old").unwrap_or_default();
    let old: Vec<&str> = old.split(',').map(str::trim).filter(|key| !key.is_empty()).collect();
    for key in &old {
        if KeyRing::new(key, []).is_err() {
            raw.faults.push(format!("DOORWAY_SECRET_KEYS_OLD: {}", SealError::Key));
            return None;
        }
    }
    let Some(current) = raw.text("secret_key") else {
        raw.faults.push("DOORWAY_SECRET_KEY: missing; make one with: openssl rand -base64 32".to_owned());
        return None;
    };
    match KeyRing::new(&current, old) {
        Ok(keys) => Some(keys),
        Err(error) => {
            raw.faults.push(format!("DOORWAY_SECRET_KEY: {error}; make one with: openssl rand -base64 32"));
            None
        }
    }
}

fn meta(raw: &mut Raw) -> Option<MetaConfig> {
    let graph_url = raw.url("meta_graph_url", Some("https://graph.facebook.com"), true);
    let dialog_url = raw.url("meta_dialog_url", Some("https://www.facebook.com"), true);
    let sdk_url = raw.url("meta_sdk_url", Some("https://connect.facebook.net/en_US/sdk.js"), false);
    let graph_version = raw.text("graph_version");
    if graph_version.as_ref().is_some_and(|version| !crate::base::text::is_graph_version(version)) {
        raw.faults.push("DOORWAY_GRAPH_VERSION: must be a version such as v25.0".to_owned());
    }
    let app_id: Option<AppId> = raw.parse("meta_app_id", "the App ID: digits only");
    let app_secret = raw.text("meta_app_secret").map(SecretString::from);
    let es_config_id = raw.text("meta_es_config_id");
    if es_config_id.as_ref().is_some_and(|id| crate::base::ids::meta_digits(id).is_err()) {
        raw.faults.push("DOORWAY_META_ES_CONFIG_ID: must be the Configuration ID: digits only".to_owned());
    }
    let business_id: Option<BusinessId> =
        raw.parse("meta_business_id", "the ID of your business portfolio: digits only");
    Some(MetaConfig {
        graph_url: graph_url?,
        dialog_url: dialog_url?,
        sdk_url: sdk_url?,
        graph_version,
        app_id,
        app_secret,
        es_config_id,
        verify_token: raw.text("meta_verify_token").map(SecretString::from),
        system_token: raw.text("meta_system_token").map(SecretString::from),
        business_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Config, Faults> {
        let env: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Config::from_parts(None, &env)
    }

    #[test]
    fn every_fault_has_a_line_of_its_own() {
        let Faults(lines) = load(&[
            ("DOORWAY_LISTEN", "here"),
            ("DOORWAY_PUBLIC_URL", "http://connect.example.org"),
            ("DOORWAY_SECRET_KEY", "short"),
            ("DOORWAY_DATABASE_URL", "mysql://x"),
            ("DOORWAY_GRAPH_VERSION", "25"),
            ("DOORWAY_META_APP_ID", "abc"),
            ("DOORWAY_TRUSTED_PROXIES", "10.0.0.1, proxy"),
            ("DOORWAY_KEEP_BODIES_DAYS", "2"),
            ("DOORWAY_KEEP_CHARTS_DAYS", "a while"),
        ])
        .unwrap_err();
        for name in [
            "LISTEN",
            "PUBLIC_URL",
            "SECRET_KEY",
            "DATABASE_URL",
            "GRAPH_VERSION",
            "META_APP_ID",
            "TRUSTED_PROXIES",
            "KEEP_BODIES_DAYS",
            "KEEP_CHARTS_DAYS",
        ] {
            let of_it = lines.iter().filter(|line| line.starts_with(&format!("DOORWAY_{name}"))).count();
            assert_eq!(of_it, 1, "{name}: {lines:?}");
        }
        assert!(!lines.iter().any(|line| line.contains("short")), "a secret is never repeated");
    }

    #[test]
    fn a_mail_server_is_checked_and_its_password_kept() {
        let key = KeyRing::generate();
        let with = |url: &str| {
            load(&[
                ("DOORWAY_PUBLIC_URL", "https://connect.example.org"),
                ("DOORWAY_SECRET_KEY", &key),
                ("DOORWAY_SUPPORT_EMAIL", "help@example.org"),
                ("DOORWAY_SMTP_URL", url),
            ])
        };
        for (url, warnings) in [
            ("smtps://name:hush@mail.example.org", 0),
            ("smtp://name:hush@mail.example.org?tls=required", 0),
            ("smtp://name:hush@mail.example.org", 1),
            ("smtp://127.0.0.1:2525", 0),
        ] {
            let config = with(url).unwrap();
            assert_eq!(config.warnings.len(), warnings, "{url}");
            assert_eq!(config.mail_from.as_deref(), Some("help@example.org"));
            assert!(!format!("{config:?}").contains("hush"));
        }
        for bad in ["http://mail.example.org", "smtp://name:hush@mail.example.org?tls=maybe"] {
            let Faults(lines) = with(bad).unwrap_err();
            assert!(lines.len() == 1 && lines[0].starts_with("DOORWAY_SMTP_URL: ") && !lines[0].contains("hush"));
        }
    }

    #[test]
    fn metas_own_addresses_are_the_defaults() {
        let key = KeyRing::generate();
        let config =
            load(&[("DOORWAY_PUBLIC_URL", "https://connect.example.org"), ("DOORWAY_SECRET_KEY", &key)]).unwrap();
        assert_eq!(config.meta.graph_url.as_str(), "https://graph.facebook.com/");
        assert_eq!(config.meta.graph_version, None);
        assert_eq!(config.retention, Retention::default());
        assert_eq!(config.redirect_uri().as_str(), "https://connect.example.org/auth/whatsapp/callback");
        assert!(config.meta.app_id.is_none() && config.is_https());
    }

    #[test]
    fn secrets_may_stand_in_files_and_the_environment_wins() {
        let dir = tempfile::tempdir().unwrap();
        let (key_file, toml) = (dir.path().join("key"), dir.path().join("doorway.toml"));
        std::fs::write(&key_file, format!("{}\n", KeyRing::generate())).unwrap();
        std::fs::write(
            &toml,
            "public_url = \"https://a.example.org\"\noperator_name = \"Acme\"\ntrusted_proxies = [\"10.0.0.1\"]\nmeta_app_id = 42\nmeta_app_secret = \"s\"\n",
        )
        .unwrap();
        let env = vec![
            ("DOORWAY_SECRET_KEY_FILE".to_owned(), key_file.display().to_string()),
            ("DOORWAY_PUBLIC_URL".to_owned(), "https://b.example.org".to_owned()),
        ];
        let config = Config::from_parts(Some(&toml), &env).unwrap();
        assert_eq!(config.public_url.as_str(), "https://b.example.org/");
        assert_eq!(config.operator_name, "Acme");
        assert_eq!(config.meta.app_id.unwrap().as_str(), "42");
        assert_eq!(config.trusted_proxies.len(), 1);
        std::fs::write(&toml, "public_ulr = \"x\"\n").unwrap();
        assert!(Config::from_parts(Some(&toml), &env).unwrap_err().0[0].contains("public_ulr"));
        let mut odd = env.clone();
        odd.push(("DOORWAY_TYPO".to_owned(), "x".to_owned()));
        assert_eq!(Config::from_parts(None, &odd).unwrap().warnings.len(), 1);
        std::fs::write(&toml, "").unwrap();
        let missing = vec![
            ("DOORWAY_SECRET_KEY_FILE".to_owned(), "/nowhere/key".to_owned()),
            ("DOORWAY_PUBLIC_URL".to_owned(), "https://b.example.org".to_owned()),
        ];
        assert!(Config::from_parts(Some(&toml), &missing).unwrap_err().0[0].contains("/nowhere/key"));
    }
}
