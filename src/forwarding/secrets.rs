//! What of an endpoint is kept sealed.

use super::{
    endpoint::{Endpoint, Format},
    format::standard_webhooks,
    queries::EndpointRow,
    service::{Forwarding, ForwardingError},
};
use crate::base::{
    ids::{self, EndpointId},
    sealed::Place,
};
use secrecy::SecretString;
use url::Url;

const SECRET: &str = "secret_sealed";
const OLD_SECRET: &str = "old_secret_sealed";
const VERIFY_TOKEN: &str = "verify_token_sealed";

fn place<'a>(column: &'a str, row: &'a str) -> Place<'a> {
    Place { table: "endpoints", column, row }
}

/// A new secret, in the form that the format asks for.
pub(super) fn new_secret(format: Format) -> SecretString {
    match format {
        Format::Events | Format::MoDlr => standard_webhooks::new_secret(),
        Format::Meta => ids::random_token().into(),
    }
}

impl Forwarding {
    pub(super) fn seal_secret(&self, id: EndpointId, secret: &SecretString) -> String {
        self.keys.seal(place(SECRET, &id.to_string()), secret)
    }

    pub(super) fn seal_old_secret(&self, id: EndpointId, secret: &SecretString) -> String {
        self.keys.seal(place(OLD_SECRET, &id.to_string()), secret)
    }

    pub(super) fn seal_verify_token(&self, id: EndpointId, word: &SecretString) -> String {
        self.keys.seal(place(VERIFY_TOKEN, &id.to_string()), word)
    }

    /// An endpoint with its secrets open.
    pub(super) fn open(&self, row: EndpointRow) -> Result<Endpoint, ForwardingError> {
        let id = row.id.to_string();
        let open = |column: &str, sealed: &str| self.keys.open(place(column, &id), sealed);
        let old_secret = match &row.old_secret {
            Some((sealed, until)) if *until > self.clock.now() => Some((open(OLD_SECRET, sealed)?, *until)),
            _ => None,
        };
        Ok(Endpoint {
            id: row.id,
            customer: row.customer,
            secret: open(SECRET, &row.secret)?,
            old_secret,
            verify_token: row.verify_token.as_deref().map(|sealed| open(VERIFY_TOKEN, sealed)).transpose()?,
            name: row.name,
            url: Url::parse(&row.url).ok(),
            format: row.format,
            kinds: row.kinds.map(|kinds| kinds.iter().filter_map(|kind| kind.parse().ok()).collect()),
            wabas: row.wabas.map(|ids| ids.iter().filter_map(|id| id.parse().ok()).collect()),
            numbers: row.numbers.map(|ids| ids.iter().filter_map(|id| id.parse().ok()).collect()),
            state: row.state,
            state_reason: row.state_reason,
            state_since: row.state_since,
            failing_since: row.failing_since,
            created_at: row.created_at,
        })
    }
}
