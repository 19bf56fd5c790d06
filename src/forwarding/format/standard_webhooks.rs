//! Signing by the Standard Webhooks specification, version 1 (symmetric).
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use crate::base::text::constant_time_eq;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use time::OffsetDateTime;

/// How a secret begins.
const PREFIX: &str = "whsec_";
/// How far the time of a call may lie from ours, for those who verify.
pub const TOLERANCE: time::Duration = time::Duration::minutes(5);

/// A new secret: `whsec_` and 32 random bytes in base64.
#[must_use]
pub fn new_secret() -> SecretString {
    let bytes: [u8; 32] = rand::random();
    format!("{PREFIX}{}", STANDARD.encode(bytes)).into()
}

/// The bytes that sign: what stands behind `whsec_` in base64; of a secret that has not that form, its own.
fn key(secret: &SecretString) -> Vec<u8> {
    let text = secret.expose_secret();
    let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
    STANDARD.decode(encoded).unwrap_or_else(|_| text.as_bytes().to_vec())
}

/// One signature: `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64.
#[must_use]
pub fn sign(secret: &SecretString, id: &str, seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)).expect("any key length will do");
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// The three headers of a call, signed with each of these secrets.
pub(super) fn headers<'a>(
    secrets: impl IntoIterator<Item = &'a SecretString>,
    id: &str,
    at: OffsetDateTime,
    body: &[u8],
) -> Vec<(&'static str, String)> {
    let seconds = at.unix_timestamp();
    let signatures = secrets.into_iter().map(|secret| sign(secret, id, seconds, body)).collect::<Vec<_>>().join(" ");
    vec![("webhook-id", id.to_owned()), ("webhook-timestamp", seconds.to_string()), ("webhook-signature", signatures)]
}

/// Why a call is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGenuine {
    /// Its headers are not there, or make no sense.
    #[error("a header of the signature is missing or unreadable")]
    Headers,
    /// It is signed for another time: an old call that is played again, or a clock that goes wrong.
    #[error("it is more than five minutes old, or from the future")]
    Time,
    /// No signature is right.
    #[error("no signature in it was made with this secret")]
    Signature,
}

/// Whether a call was signed with this secret, at a time near `now`. Every receiver has to do this.
///
/// # Errors
/// See [`NotGenuine`].
pub fn verify<'h>(
    secret: &SecretString,
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    now: OffsetDateTime,
) -> Result<(), NotGenuine> {
    let id = header("webhook-id").ok_or(NotGenuine::Headers)?;
    let written = header("webhook-timestamp").ok_or(NotGenuine::Headers)?;
    let given = header("webhook-signature").ok_or(NotGenuine::Headers)?;
    let seconds = written.parse::<i64>().map_err(|_| NotGenuine::Headers)?;
    let at = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| NotGenuine::Headers)?;
    if (now - at).abs() > TOLERANCE {
        return Err(NotGenuine::Time);
    }
    let right = sign(secret, id, seconds, body);
    if given.split(' ').any(|given| constant_time_eq(given, &right)) { Ok(()) } else { Err(NotGenuine::Signature) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Secret, ID, time, body and signature from the tests of the specification's own libraries (Go and JavaScript;
    /// Rust).
    const VECTORS: &[[&str; 5]] = &[
        [
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ],
        [
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "1649367553",
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ],
    ];

    fn check(headers: &[(&'static str, String)], secret: &str, body: &str, now: i64) -> Result<(), NotGenuine> {
        let find = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        let now = OffsetDateTime::from_unix_timestamp(now).unwrap();
        verify(&secret.into(), find, body.as_bytes(), now)
    }

    #[test]
    fn the_published_vectors_hold() {
        for [secret, id, at, body, signature] in VECTORS {
            let at = at.parse().unwrap();
            assert_eq!(sign(&(*secret).into(), id, at, body.as_bytes()), *signature);
            // The libraries take the secret without its prefix too.
            let bare = secret.strip_prefix(PREFIX).unwrap();
            assert_eq!(sign(&bare.into(), id, at, body.as_bytes()), *signature);
        }
    }

    #[test]
    fn a_call_is_believed_only_as_it_was_signed() {
        let [secret, id, at, body, signature] = VECTORS[0];
        let now = at.parse::<i64>().unwrap();
        let set = |signature: &str| {
            vec![
                ("webhook-id", id.to_owned()),
                ("webhook-timestamp", at.to_owned()),
                ("webhook-signature", signature.to_owned()),
            ]
        };
        let good = set(signature);
        assert_eq!(check(&good, secret, body, now), Ok(()));
        // One right signature among others is enough.
        let several = format!("v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,{} {signature}", &signature[3..]);
        assert_eq!(check(&set(&several), secret, body, now), Ok(()));
        for wrong in ["v1,", "v1", "", &signature[..20], &format!("v2,{}", &signature[3..]), &signature[3..]] {
            assert_eq!(check(&set(wrong), secret, body, now), Err(NotGenuine::Signature), "{wrong}");
        }
        assert_eq!(check(&good, secret, &format!("{body} "), now), Err(NotGenuine::Signature));
        assert_eq!(check(&good, VECTORS[1][0], body, now), Err(NotGenuine::Signature));
        for (now, expected) in
            [(now + 300, Ok(())), (now + 301, Err(NotGenuine::Time)), (now - 301, Err(NotGenuine::Time))]
        {
            assert_eq!(check(&good, secret, body, now), expected);
        }
        for missing in 0..3 {
            let mut headers = good.clone();
            headers.remove(missing);
            assert_eq!(check(&headers, secret, body, now), Err(NotGenuine::Headers));
        }
        let mut odd = good;
        odd[1].1 = "hello".to_owned();
        assert_eq!(check(&odd, secret, body, now), Err(NotGenuine::Headers));
    }

    #[test]
    fn both_secrets_sign_while_one_is_rotated() {
        let (old, new) = (new_secret(), new_secret());
        let at = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let headers = headers([&new, &old], "msg_1", at, b"{}");
        for secret in [&old, &new] {
            assert_eq!(check(&headers, secret.expose_secret(), "{}", 1_700_000_000), Ok(()));
        }
        assert_eq!(headers[2].1.split(' ').count(), 2);
        assert_eq!(key(&new).len(), 32);
    }
}
