//! Secrets at rest: XChaCha20-Poly1305, bound to the table, column and row they stand in.
//!
//! A sealed value reads `v1.<key id>.<base64url(nonce and ciphertext)>`: the key's ID in front tells
//! which key of the ring opens it, so that keys can be changed while old values are still there.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;

/// Where a sealed value stands. Moved elsewhere (another row, another column) it no longer opens.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The row's primary key.
    pub row: &'a str,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        // Length-prefixed, so that no two places share their bytes.
        [self.table, self.column, self.row]
            .iter()
            .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.bytes()))
            .collect()
    }
}

/// Why a value did not open, or a key was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// The text of a key is not 32 bytes in standard base64.
    #[error("a key must be 32 bytes in standard base64 (44 characters)")]
    Key,
    /// The value has not the form that [`KeyRing::seal`] gives it.
    #[error("a sealed value is malformed")]
    Malformed,
    /// No key of the ring has the ID named in the value.
    #[error("a value is sealed with key {0}, which is not configured (see DOORWAY_SECRET_KEYS_OLD)")]
    UnknownKey(String),
    /// The value was altered, or stands in another place than it was sealed for.
    #[error("a sealed value does not open in this place")]
    Tampered,
}

struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// The keys that seal and open: the current one seals, all of them open.
#[derive(Clone)]
pub struct KeyRing(Arc<Vec<Key>>);

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

impl KeyRing {
    /// A ring of the current key and those that may still open what they sealed, each as base64.
    ///
    /// # Errors
    /// [`SealError::Key`] where one is not 32 bytes in standard base64.
    pub fn new<'a>(current: &'a str, old: impl IntoIterator<Item = &'a str>) -> Result<Self, SealError> {
        let keys = std::iter::once(current).chain(old).map(parse_key).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(Arc::new(keys)))
    }

    /// A new random key in the form that [`KeyRing::new`] reads.
    #[must_use]
    pub fn generate() -> String {
        STANDARD.encode(rand::random::<[u8; 32]>())
    }

    /// Seals a text for its place with the current key.
    #[must_use]
    pub fn seal(&self, place: Place<'_>, plain: &SecretString) -> String {
        let key = &self.0[0];
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let aad = place.bytes();
        let payload = Payload { msg: plain.expose_secret().as_bytes(), aad: &aad };
        let sealed = key.cipher.encrypt(&XNonce::from(nonce), payload).expect("a short message in memory encrypts");
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        format!("v1.{}.{}", key.id, URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// See [`SealError`]; the value itself is never part of the error.
    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<SecretString, SealError> {
        let (id, body) = split(sealed)?;
        let key = self.0.iter().find(|key| key.id == id).ok_or_else(|| SealError::UnknownKey(id.to_owned()))?;
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| SealError::Malformed)?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_BYTES).ok_or(SealError::Malformed)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| SealError::Malformed)?;
        let aad = place.bytes();
        let plain =
            key.cipher.decrypt(&nonce, Payload { msg: ciphertext, aad: &aad }).map_err(|_| SealError::Tampered)?;
        String::from_utf8(plain).map(SecretString::from).map_err(|_| SealError::Tampered)
    }

    /// Whether the value was sealed with the current key, and so needs no rotation.
    #[must_use]
    pub fn is_current(&self, sealed: &str) -> bool {
        split(sealed).is_ok_and(|(id, _)| id == self.0[0].id)
    }

    /// The current key's ID.
    #[must_use]
    pub fn current_id(&self) -> &str {
        &self.0[0].id
    }
}

fn split(sealed: &str) -> Result<(&str, &str), SealError> {
    sealed.strip_prefix("v1.").and_then(|rest| rest.split_once('.')).ok_or(SealError::Malformed)
}

fn parse_key(text: &str) -> Result<Key, SealError> {
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| SealError::Key)?);
    let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| SealError::Key)?;
    let digest = Sha256::new().chain_update(b"doorway key id").chain_update(bytes.as_slice()).finalize();
    Ok(Key { id: hex::encode(&digest[..4]), cipher })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place { table: "connections", column: "token", row: "1" };

    fn ring() -> KeyRing {
        KeyRing::new(&KeyRing::generate(), []).unwrap()
    }

    #[test]
    fn opens_only_where_it_was_sealed() {
        let ring = ring();
        let sealed = ring.seal(PLACE, &"EAAG-secret".into());
        assert!(!sealed.contains("EAAG"));
        assert_eq!(ring.open(PLACE, &sealed).unwrap().expose_secret(), "EAAG-secret");
        for elsewhere in
            [Place { row: "2", ..PLACE }, Place { column: "tokens", ..PLACE }, Place { table: "c", ..PLACE }]
        {
            assert_eq!(ring.open(elsewhere, &sealed).unwrap_err(), SealError::Tampered);
        }
        // "ab" + "c" and "a" + "bc" are different places.
        let sealed = ring.seal(Place { table: "ab", column: "c", row: "" }, &"x".into());
        assert!(ring.open(Place { table: "a", column: "bc", row: "" }, &sealed).is_err());
    }

    #[test]
    fn an_altered_value_does_not_open() {
        let ring = ring();
        let sealed = ring.seal(PLACE, &"secret".into());
        let mut altered = sealed.clone();
        let last = if altered.pop() == Some('A') { 'B' } else { 'A' };
        altered.push(last);
        assert!(ring.open(PLACE, &altered).is_err());
        for odd in ["", "v1.", "v1.x", "v1.x.y", "v2.a.b", &sealed[..12]] {
            assert!(ring.open(PLACE, odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn an_old_key_still_opens_and_is_told_apart() {
        let (old, new) = (KeyRing::generate(), KeyRing::generate());
        let sealed = KeyRing::new(&old, []).unwrap().seal(PLACE, &"s".into());
        let ring = KeyRing::new(&new, [old.as_str()]).unwrap();
        assert!(!ring.is_current(&sealed));
        let opened = ring.open(PLACE, &sealed).unwrap();
        assert!(ring.is_current(&ring.seal(PLACE, &opened)));
        let without = KeyRing::new(&new, []).unwrap();
        assert!(matches!(without.open(PLACE, &sealed), Err(SealError::UnknownKey(_))));
    }

    #[test]
    fn keys_must_be_32_bytes() {
        for bad in ["", "abc", &STANDARD.encode([0; 31]), &STANDARD.encode([0; 33])] {
            assert_eq!(KeyRing::new(bad, []).unwrap_err(), SealError::Key);
        }
    }
}
