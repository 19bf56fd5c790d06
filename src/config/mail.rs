//! The mail server's settings.

use super::raw::Raw;
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use url::Url;

/// Whether the mail server's address makes sense, and keeps passwords to itself.
pub(super) fn check(raw: &mut Raw, url: &SecretString, from: &str) {
    if let Err(error) = crate::base::mail::Mailer::check(url, from) {
        raw.faults.push(format!("DOORWAY_SMTP_URL: {error}"));
    }
    let Ok(url) = Url::parse(url.expose_secret()) else { return };
    let encrypted =
        url.scheme() == "smtps" || url.query_pairs().any(|(key, value)| key == "tls" && value == "required");
    let near = url
        .host_str()
        .is_some_and(|host| host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()));
    if !encrypted && !near {
        raw.warnings.push(
            "DOORWAY_SMTP_URL: without smtps:// or ?tls=required, links and the password go unencrypted".to_owned(),
        );
    }
}
