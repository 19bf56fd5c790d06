//! Meta apps that customers bring: each connection through one has an address of its own, a word of its own for the
//! handshake, and its app's secret signs what comes there.
//!
//! Such a secret is its customer's, who can sign anything with it. So a body that came to such an address makes events of
//! that connection's accounts and of nothing else, whatever it names: see [`super::batch`].

use super::{intake::NotKept, route::Owner, service::Webhooks, signature::Signature};
use crate::{base::text, store::Result};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

/// What is known of the address of a connection's own.
#[derive(Clone, Debug)]
pub struct OwnApp {
    /// Whose it is.
    pub owner: Owner,
    /// The word of its handshake.
    pub verify_token: SecretString,
    /// The app's secrets that count now; none: nothing can be verified, so nothing is taken.
    pub secrets: Vec<SecretString>,
    /// When something last came that none of them had signed, as far as that is written down.
    pub refused_at: Option<OffsetDateTime>,
}

/// What happened at such an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnNews {
    /// Meta verified it.
    Verified,
    /// Something came that no secret of its app has signed.
    Refused,
}

/// Who knows customers' own apps; wired in `app`.
pub trait OwnApps: Send + Sync {
    /// The one whose address ends with this key.
    ///
    /// # Errors
    /// The database's.
    fn by_key<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<OwnApp>>>;

    /// Something happened there; it is kept for people to see.
    ///
    /// # Errors
    /// The database's.
    fn note<'a>(&'a self, app: &'a OwnApp, news: OwnNews) -> BoxFuture<'a, Result<()>>;
}

impl Webhooks {
    pub(super) async fn own_app(&self, key: &str) -> Result<Option<OwnApp>> {
        self.own_apps.by_key(key).await
    }

    /// Whether this is the word of its handshake; that it came is noted.
    pub(super) async fn shakes_hands(&self, app: &OwnApp, word: &str) -> bool {
        let is_right = text::constant_time_eq(app.verify_token.expose_secret(), word);
        if is_right {
            self.note_own(app, OwnNews::Verified).await;
        }
        is_right
    }

    /// Whether its app signed these bytes; where not, that is noted.
    pub(super) async fn is_signed_by(&self, app: &OwnApp, given: Option<&Signature>, body: &[u8]) -> bool {
        let is_signed = given.is_some_and(|given| app.secrets.iter().any(|secret| given.is_of(secret, body)));
        if !is_signed {
            self.note_own(app, OwnNews::Refused).await;
        }
        is_signed
    }

    async fn note_own(&self, app: &OwnApp, news: OwnNews) {
        if let Err(error) = self.own_apps.note(app, news).await {
            tracing::warn!(%error, connection = %app.owner.connection, "what came to an own app's address is not noted");
        }
    }

    /// Keeps a body that its app signed; when this returns, it is committed.
    ///
    /// # Errors
    /// Meta must be told to come again.
    pub async fn keep_of(&self, body: String, sender: Owner) -> std::result::Result<(), NotKept> {
        self.intake.keep(body, Some(sender)).await
    }
}
