//! Meta's own format: the change byte for byte as Meta sent it, alone in its entry, signed like Meta does.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint>

use super::json::Object;
use crate::{base::text::constant_time_eq, webhooks::Change};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::borrow::Cow;

/// The header that holds the signature.
pub const HEADER: &str = "x-hub-signature-256";
/// While a secret is rotated: the signature with the secret that comes next.
pub const NEXT_HEADER: &str = "x-hub-signature-256-next";

/// The name of the list in an entry that the change stands in.
const CHANGES: &str = "changes";

/// The body: one entry with one change, and all that Meta put beside the list.
pub(super) fn body(change: &Change<'_>) -> String {
    let mut entry = Object::default();
    for (name, json) in change.members.iter().filter(|(name, _)| name != CHANGES) {
        entry.raw(name, json);
    }
    entry.raw(CHANGES, &format!("[{}]", change.raw));
    let mut body = Object::default();
    body.text("object", "whatsapp_business_account").raw("entry", &format!("[{}]", entry.finish()));
    body.finish()
}

/// The signature that Meta would give these bytes, were this the app's secret.
pub(super) fn sign(secret: &SecretString, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("any key length will do");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Whether the header's value is the signature of these bytes. Every receiver has to ask this.
#[must_use]
pub fn verify(secret: &SecretString, header: &str, body: &[u8]) -> bool {
    constant_time_eq(header, &sign(secret, body))
}

/// The headers of a call. Meta's header has room for one signature. While a secret is rotated, receivers still know
/// the old one, so that one goes on signing until the overlap ends or is ended by hand; the new one's signature
/// stands in a header beside it, by which a receiver can be tried out before.
pub(super) fn headers(secret: &SecretString, old: Option<&SecretString>, body: &[u8]) -> Vec<(&'static str, String)> {
    let mut headers = vec![(HEADER, sign(old.unwrap_or(secret), body))];
    if old.is_some() {
        headers.push((NEXT_HEADER, sign(secret, body)));
    }
    headers
}

/// What Meta's handshake asks: the address with mode, word and challenge behind whatever query it has.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint>
#[must_use]
pub fn handshake_url(url: &url::Url, verify_token: &SecretString, challenge: &str) -> url::Url {
    let mut url = url.clone();
    url.query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", challenge)
        .append_pair("hub.verify_token", verify_token.expose_secret());
    url
}

/// Whether an answer's body is the challenge; a line's end behind it does no harm.
#[must_use]
pub fn answers(body: &[u8], challenge: &str) -> bool {
    let text: Cow<'_, str> = String::from_utf8_lossy(body);
    text.trim() == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_change_stays_as_it_came() {
        let raw = "{ \"field\":\"messages\",\n \"value\" : {\"a\":1.10, \"b\":\"\\u00e9\\/\"}}";
        let text = format!(
            r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","time":1739321024,"changes":[{raw}]}}]}}"#
        );
        let changes = Change::all(&text);
        assert_eq!(body(&changes[0]), text);
        let beside = r#"{"entry":[{"id":2,"changes":[{"value":{"event":"X"}}],"field":"account_update"}]}"#;
        assert_eq!(
            body(&Change::all(beside)[0]),
            r#"{"object":"whatsapp_business_account","entry":[{"id":2,"field":"account_update","changes":[{"value":{"event":"X"}}]}]}"#
        );
        // What stands beside the list stays, also what nobody knows yet; the list's other changes do not.
        let more =
            r#"{"entry":[{"time":"17","uid":{"a":1.10},"changes":[{"value":1},{"value":2}],"id":"3","new_key":null}]}"#;
        assert_eq!(
            body(&Change::all(more)[1]),
            r#"{"object":"whatsapp_business_account","entry":[{"time":"17","uid":{"a":1.10},"id":"3","new_key":null,"changes":[{"value":2}]}]}"#
        );
    }

    #[test]
    fn it_is_signed_as_meta_signs() {
        // Computed with: printf '{"a":1}' | openssl dgst -sha256 -hmac secret
        let right = "sha256=aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494";
        let (secret, new) = ("secret".into(), "new".into());
        assert_eq!(headers(&secret, None, br#"{"a":1}"#), [(HEADER, right.to_owned())]);
        assert!(verify(&secret, right, br#"{"a":1}"#));
        assert!(!verify(&secret, right, br#"{"a":2}"#) && !verify(&new, right, br#"{"a":1}"#));
        let both = headers(&new, Some(&secret), br#"{"a":1}"#);
        assert_eq!(both[0], (HEADER, right.to_owned()));
        assert!(both[1].0 == NEXT_HEADER && verify(&new, &both[1].1, br#"{"a":1}"#));
    }

    #[test]
    fn the_handshake_keeps_the_addresss_own_query() {
        let url = handshake_url(&"https://example.org/in?a=1".parse().unwrap(), &"w&rd".into(), "42");
        assert_eq!(url.query(), Some("a=1&hub.mode=subscribe&hub.challenge=42&hub.verify_token=w%26rd"));
        assert!(answers(b"42\n", "42") && !answers(b"421", "42") && !answers(b"", "42"));
    }
}
