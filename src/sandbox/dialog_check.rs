//! What the dialog refuses before it shows its first screen, in words like Meta's.
//!
//! Meta: embedded-signup/implementation (step 1, *Add allowed domains*); Facebook Login, *Login security*
//! (strict mode for redirect URIs); *Permissions* for the scopes there are.

use super::{flow::Way, state::App, tokens};
use std::collections::HashMap;
use url::Url;

/// Why the dialog goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub title: &'static str,
    pub text: String,
}

/// What a dialog was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub way: Way,
    pub signup: bool,
    pub scopes: Vec<String>,
}

const KNOWN_SCOPES: [&str; 5] =
    [tokens::MANAGEMENT, tokens::MESSAGING, "whatsapp_business_manage_events", tokens::PROFILE, "email"];

fn refuse<T>(title: &'static str, text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { title, text: text.into() })
}

/// Checks the dialog's parameters against the app's settings.
pub(super) fn check(app: &App, query: &HashMap<String, String>) -> Result<Asked, Refusal> {
    let given = |name: &str| query.get(name).map(String::as_str).filter(|value| !value.is_empty());
    if given("client_id") != Some(app.id.as_str()) {
        return refuse("Invalid App ID", "The provided app ID does not look like a valid app ID.");
    }
    let way = if given("display") == Some("popup") && given("redirect_uri").is_none() {
        let origin = given("origin").unwrap_or_default();
        let channel = given("channel").unwrap_or_default();
        popup(app, origin)?;
        Way::Popup { origin: origin.to_owned(), channel: channel.to_owned() }
    } else {
        let uri = given("redirect_uri").unwrap_or_default();
        page(app, uri)?;
        Way::Page { redirect_uri: uri.to_owned(), state: given("state").map(str::to_owned) }
    };
    if given("response_type").is_some_and(|kind| kind != "code") {
        return refuse("Unsupported response type", "The sandbox answers response_type=code only.");
    }
    let signup = match given("config_id") {
        Some(id) if id == app.config_id => true,
        // A sandbox that was told none takes any that could be one.
        Some(id) if app.config_id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) => true,
        Some(id) => {
            let text = format!("The app has no Facebook Login for Business configuration with the ID {id}.");
            return refuse("Invalid configuration", text);
        }
        None => false,
    };
    let scopes = if signup { Vec::new() } else { scopes(given("scope").unwrap_or(tokens::PROFILE))? };
    Ok(Asked { way, signup, scopes })
}

fn popup(app: &App, origin: &str) -> Result<(), Refusal> {
    if !app.js_sdk_login {
        return refuse(
            "JSSDK Option is not toggled",
            "The option Login with the JavaScript SDK is off. Switch it on in the app's settings: Facebook Login for \
             Business, Settings, Login with the JavaScript SDK.",
        );
    }
    if allowed(&app.allowed_domains, origin) {
        return Ok(());
    }
    refuse(
        "JSSDK Unknown Host domain",
        format!(
            "The page that opened this window ({origin}) is not among the app's allowed domains for the JavaScript \
             SDK. Add it in the app's settings: Facebook Login for Business, Settings, Allowed Domains."
        ),
    )
}

/// An entry is a host (any scheme and port), a host with port, or an origin.
fn allowed(domains: &[String], origin: &str) -> bool {
    let Ok(url) = origin.parse::<Url>() else { return false };
    let Some(host) = url.host_str().filter(|_| url.origin().ascii_serialization() == origin) else { return false };
    let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or(0));
    domains.iter().any(|entry| match entry.contains("://") {
        true => entry.parse::<Url>().is_ok_and(|entry| entry.origin() == url.origin()),
        false => entry.eq_ignore_ascii_case(host) || entry.eq_ignore_ascii_case(&with_port),
    })
}

fn page(app: &App, uri: &str) -> Result<(), Refusal> {
    if app.redirect_uris.iter().any(|known| known == uri) {
        return Ok(());
    }
    // Localhost is for apps in development, which need not list it.
    // https://developers.facebook.com/blog/post/2018/06/08/enforce-https-facebook-login/
    if app.redirect_uris.is_empty()
        && uri.parse::<Url>().is_ok_and(|url| super::control::is_loopback(url.host_str().unwrap_or_default()))
    {
        return Ok(());
    }
    refuse(
        "URL Blocked",
        format!(
            "This redirect failed because the redirect URI ({uri}) is not among the app's valid OAuth redirect URIs. \
             Make sure that client and web OAuth login are on, and add the exact address there."
        ),
    )
}

fn scopes(text: &str) -> Result<Vec<String>, Refusal> {
    let asked: Vec<String> =
        text.split([',', ' ']).map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    let invalid: Vec<&str> = asked.iter().map(String::as_str).filter(|scope| !KNOWN_SCOPES.contains(scope)).collect();
    if invalid.is_empty() { Ok(asked) } else { Err(invalid_scopes(&invalid.join(", "))) }
}

/// The page for scopes that this app may not ask for.
pub(super) fn invalid_scopes(scopes: &str) -> Refusal {
    Refusal {
        title: "Invalid Scopes",
        text: format!(
            "Invalid Scopes: {scopes}. This message is only shown to developers. People who use the app will not see \
             these permissions asked for, and can't go on."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_match_by_host_port_or_origin() {
        let list = |entry: &str| vec![entry.to_owned()];
        for (entry, origin, expected) in [
            ("localhost", "http://localhost:8080", true),
            ("localhost:8080", "http://localhost:8080", true),
            ("localhost:8081", "http://localhost:8080", false),
            ("http://localhost:8080", "http://localhost:8080", true),
            ("https://localhost:8080", "http://localhost:8080", false),
            ("example.com", "https://evilexample.com", false),
            ("example.com", "https://example.com/path", false),
            ("example.com", "", false),
        ] {
            assert_eq!(allowed(&list(entry), origin), expected, "{entry} {origin}");
        }
    }

    #[test]
    fn scopes_of_the_whatsapp_use_case_only() {
        assert_eq!(scopes("whatsapp_business_management,whatsapp_business_messaging").unwrap().len(), 2);
        assert!(
            scopes("whatsapp_business_management,business_management")
                .unwrap_err()
                .text
                .contains(": business_management.")
        );
        assert!(scopes("nonsense").is_err());
    }
}
