//! Whether Meta signed a body: `X-Hub-Signature-256` is the HMAC of its bytes with the app secret.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint>

use crate::graph::{LiveSetup, Setup};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use time::OffsetDateTime;

/// The state of the HMAC after its key: one of the two blocks that a short body costs less.
type Keyed = Hmac<Sha256>;

fn keyed(secret: &SecretString) -> Keyed {
    Keyed::new_from_slice(secret.expose_secret().as_bytes()).expect("any key length will do")
}

/// What stands in the header: an HMAC that is to be verified.
pub(super) struct Signature([u8; 32]);

impl Signature {
    /// `None` where the header is no signature of this kind.
    pub fn read(header: &str) -> Option<Self> {
        let mut given = [0; 32];
        hex::decode_to_slice(header.strip_prefix("sha256=")?, &mut given).ok()?;
        Some(Self(given))
    }

    /// Whether it is that of these bytes with this secret, in constant time.
    pub fn is_of(&self, secret: &SecretString, body: &[u8]) -> bool {
        keyed(secret).chain_update(body).verify_slice(&self.0).is_ok()
    }
}

/// The secrets that count, ready for use.
struct Keys {
    /// Of which setup they are; a setup that is replaced is not kept alive by this.
    setup: Weak<Setup>,
    now: Option<Keyed>,
    old: Option<(Keyed, OffsetDateTime)>,
}

impl Keys {
    fn of(setup: &Arc<Setup>) -> Self {
        Self {
            setup: Arc::downgrade(setup),
            now: setup.app.as_ref().map(|app| keyed(&app.secret)),
            old: setup.old_app_secret.as_ref().map(|(secret, until)| (keyed(secret), *until)),
        }
    }

    fn signed(&self, given: &Signature, body: &[u8], now: OffsetDateTime) -> bool {
        let old = self.old.as_ref().filter(|(_, until)| *until > now).map(|(key, _)| key);
        self.now.iter().chain(old).any(|key| key.clone().chain_update(body).verify_slice(&given.0).is_ok())
    }
}

/// Verifies signatures with what is set up now. Cloning shares it.
#[derive(Clone)]
pub(super) struct Signatures {
    meta: LiveSetup,
    keys: Arc<RwLock<Keys>>,
}

impl Signatures {
    pub fn new(meta: LiveSetup) -> Self {
        let keys = Keys::of(&meta.now());
        Self { meta, keys: Arc::new(RwLock::new(keys)) }
    }

    /// Whether it is the signature of these bytes, in constant time: with the app secret, or with the one before it
    /// while that is being rotated out.
    pub fn verify(&self, given: &Signature, body: &[u8], now: OffsetDateTime) -> bool {
        let setup = self.meta.now();
        {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            if std::ptr::eq(keys.setup.as_ptr(), Arc::as_ptr(&setup)) {
                return keys.signed(given, body, now);
            }
        }
        let keys = Keys::of(&setup);
        let signed = keys.signed(given, body, now);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        signed
    }
}
