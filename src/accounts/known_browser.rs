//! A browser in which somebody has given the right password before: others' wrong guesses at the same account do
//! not keep it out. Else whoever knows an e-mail address could keep its owner from signing in.
//!
//! The cookie is sealed for the address, lets nobody in, and says nothing about who exists: whoever has none is
//! limited by the account, known or not.
//! <https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies>

use super::model::EmailAddress;
use crate::base::{
    ids,
    sealed::{KeyRing, Place},
};
use axum::http::{HeaderMap, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};

/// How long a browser is remembered, in seconds: a year.
const REMEMBERED: u32 = 31_536_000;

/// Remembers browsers.
#[derive(Clone)]
pub struct KnownBrowsers {
    keys: KeyRing,
    https: bool,
}

impl KnownBrowsers {
    /// With these keys; on https the cookie is bound to this host.
    #[must_use]
    pub fn new(keys: KeyRing, https: bool) -> Self {
        Self { keys, https }
    }

    fn name(&self) -> &'static str {
        if self.https { "__Host-doorway_known" } else { "doorway_known" }
    }

    fn place(email: &EmailAddress) -> Place<'_> {
        Place { table: "known_browsers", column: "cookie", row: email.as_str() }
    }

    /// This browser's own word for this address, if the right password was given in it before.
    pub(super) fn mark(&self, headers: &HeaderMap, typed_email: &str) -> Option<String> {
        let email: EmailAddress = typed_email.parse().ok()?;
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let sealed = cookies
            .flat_map(|line| line.split(';'))
            .find_map(|pair| pair.trim().strip_prefix(self.name())?.strip_prefix('='))?;
        self.keys.open(Self::place(&email), sealed).ok().map(|word| word.expose_secret().to_owned())
    }

    /// The cookie that makes this browser known for this address.
    pub(super) fn cookie(&self, email: &EmailAddress) -> Option<HeaderValue> {
        let sealed = self.keys.seal(Self::place(email), &SecretString::from(ids::random_token()));
        let secure = if self.https { "; Secure" } else { "" };
        let cookie = format!("{}={sealed}; Path=/; Max-Age={REMEMBERED}; HttpOnly; SameSite=Lax{secure}", self.name());
        HeaderValue::from_str(&cookie).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_good_for_its_address_alone() {
        let known = KnownBrowsers::new(KeyRing::new(&KeyRing::generate(), []).unwrap(), true);
        let cookie = known.cookie(&"maria@example.org".parse().unwrap()).unwrap();
        let value = cookie.to_str().unwrap();
        assert!(value.starts_with("__Host-doorway_known=v1.") && value.ends_with("; Secure"), "{value}");
        let mut headers = HeaderMap::new();
        let sent = format!("other=1; {}", value.split(';').next().unwrap());
        headers.insert(header::COOKIE, sent.parse().unwrap());
        assert!(known.mark(&headers, " Maria@Example.org ").is_some());
        assert!(known.mark(&headers, "jo@example.org").is_none());
        let others = KnownBrowsers::new(KeyRing::new(&KeyRing::generate(), []).unwrap(), true);
        assert!(others.mark(&headers, "maria@example.org").is_none());
        headers.insert(header::COOKIE, "__Host-doorway_known=forged".parse().unwrap());
        assert!(known.mark(&headers, "maria@example.org").is_none());
    }
}
