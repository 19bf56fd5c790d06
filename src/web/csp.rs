//! The content security policy: our own files, scripts with this page's nonce, and on the pages that
//! open Facebook's window, Facebook.

use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderName, HeaderValue, header, request::Parts},
    middleware::Next,
    response::{IntoResponseParts, Response, ResponseParts},
};
use std::{convert::Infallible, sync::Arc};
use url::Url;

/// The origins of Meta's that a page with the Facebook button talks to.
#[derive(Clone, Debug)]
pub struct FacebookOrigins {
    /// Where the SDK's script comes from.
    pub sdk: String,
    /// What the SDK frames and connects to, and where the full-page dialog is.
    pub dialog: Vec<String>,
}

impl FacebookOrigins {
    /// From the configured addresses. For Meta's own, all of facebook.com is meant: the SDK frames
    /// `www.`, `web.` and `m.` as it sees fit.
    #[must_use]
    pub fn new(sdk: &Url, dialog: &Url) -> Self {
        let origin = dialog.origin().ascii_serialization();
        let mut all = vec![origin];
        if dialog.host_str().is_some_and(|host| host == "facebook.com" || host.ends_with(".facebook.com")) {
            all.push("https://*.facebook.com".to_owned());
        }
        Self { sdk: sdk.origin().ascii_serialization(), dialog: all }
    }
}

/// The random word that lets this page's own inline scripts run.
#[derive(Clone, Debug)]
pub struct Nonce(pub Arc<str>);

impl<S: Sync> FromRequestParts<S> for Nonce {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self(Arc::from(""))))
    }
}

/// Put before a page in a handler's answer: this page opens Facebook's window.
/// It widens the policy and keeps `window.opener` alive for the popup.
#[derive(Clone, Copy, Debug)]
pub struct OpensFacebook;

impl IntoResponseParts for OpensFacebook {
    type Error = Infallible;
    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}

/// Gives every request a nonce and every answer its security headers.
pub async fn headers(origins: Arc<FacebookOrigins>, https: bool, mut request: Request, next: Next) -> Response {
    let nonce: Arc<str> = crate::base::ids::random_token()[..22].into();
    request.extensions_mut().insert(Nonce(nonce.clone()));
    let mut response = next.run(request).await;
    let facebook = response.extensions().get::<OpensFacebook>().is_some().then_some(&*origins);
    let policy = policy(&nonce, facebook);
    let opener = if facebook.is_some() { "same-origin-allow-popups" } else { "same-origin" };
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().entry(name).or_insert(value);
        }
    };
    set(header::CONTENT_SECURITY_POLICY, &policy);
    set(HeaderName::from_static("cross-origin-opener-policy"), opener);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    // Meta checks where its dialog was called from, so the origin may be told, the path may not.
    set(header::REFERRER_POLICY, "strict-origin-when-cross-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()");
    if https {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
    response
}

fn policy(nonce: &str, facebook: Option<&FacebookOrigins>) -> String {
    let (sdk, dialog) = facebook.map_or((String::new(), String::new()), |origins| {
        (format!(" {}", origins.sdk), format!(" {}", origins.dialog.join(" ")))
    });
    let frames = if dialog.is_empty() { " 'none'" } else { &dialog };
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}'{sdk}; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'{dialog}; frame-src{frames}; form-action 'self'{dialog}; manifest-src 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facebook_is_let_in_only_where_its_window_is_opened() {
        let origins = FacebookOrigins::new(
            &"https://connect.facebook.net/en_US/sdk.js".parse().unwrap(),
            &"https://www.facebook.com".parse().unwrap(),
        );
        assert!(!policy("n", None).contains("facebook"));
        let with = policy("n", Some(&origins));
        assert!(with.contains("script-src 'self' 'nonce-n' https://connect.facebook.net;"));
        assert!(with.contains("form-action 'self' https://www.facebook.com https://*.facebook.com;"));
        let evil = FacebookOrigins::new(
            &"https://connect.facebook.net/en_US/sdk.js".parse().unwrap(),
            &"https://evilfacebook.com".parse().unwrap(),
        );
        assert_eq!(evil.dialog, ["https://evilfacebook.com"]);
    }
}
