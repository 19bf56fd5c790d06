//! What the operator has set up at Meta, as it stands now: an admin may change it while we run.

use super::{AppCredentials, Client};
use crate::base::ids::BusinessId;
use secrecy::SecretString;
use std::sync::{Arc, PoisonError, RwLock};
use time::OffsetDateTime;
use url::Url;

/// What the operator has set up at Meta.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The client.
    pub graph: Client,
    /// The app; without it nothing can be connected.
    pub app: Option<AppCredentials>,
    /// The app secret before the present one, and until when webhooks signed with it are taken.
    pub old_app_secret: Option<(SecretString, OffsetDateTime)>,
    /// The Facebook Login for Business configuration; without it the plain OAuth flow is used.
    pub es_config_id: Option<String>,
    /// The word of the webhook's handshake.
    pub verify_token: Option<SecretString>,
    /// The operator's own system token: fetches what a browser lost.
    pub system_token: Option<SecretString>,
    /// The operator's business portfolio.
    pub business_id: Option<BusinessId>,
    /// The origin of Facebook's dialog.
    pub dialog_url: Url,
    /// The SDK's script.
    pub sdk_url: Url,
    /// Where the full-page dialog leads back to.
    pub redirect_uri: Url,
    /// Where Meta's webhooks come to.
    pub webhook_url: Url,
}

/// The setup that counts now. Cloning shares it.
#[derive(Clone, Debug)]
pub struct LiveSetup(Arc<RwLock<Arc<Setup>>>);

impl LiveSetup {
    /// Beginning with this one.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(setup))))
    }

    /// The one that counts now; hold it for one piece of work, not longer.
    #[must_use]
    pub fn now(&self) -> Arc<Setup> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on this one counts.
    pub fn replace(&self, setup: Setup) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(setup);
    }
}
