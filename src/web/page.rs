//! The shell around every page.

use super::{Error, csp::Nonce, csrf, session::IDLE_ANONYMOUS};
use axum::{extract::FromRequestParts, http::request::Parts};
use std::{fmt, sync::Arc};
use tower_sessions::{Expiry, Session};
use url::Url;

/// What is the same on every page of this installation.
#[derive(Clone, Debug)]
pub struct Site {
    /// The operator's name as customers know it.
    pub operator: String,
    /// Where people reach the portal.
    pub public_url: Url,
    /// The path under which static files lie, their version in it.
    pub assets: String,
    /// Set where Meta's stand-in is used: shown on every page, so that nobody takes it for the real thing.
    pub sandbox_url: Option<Url>,
    /// Whether the operator is a Solution Partner, who pays for its customers: they need no payment method.
    pub solution_partner: bool,
    /// Where customers reach the operator's support: a mail address.
    pub support_email: Option<String>,
}

/// The signed-in person, as far as the shell shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their company, for members of a customer.
    pub company: Option<String>,
    /// Whether they work for the operator.
    pub is_staff: bool,
    /// Whether they administer Doorway.
    pub is_admin: bool,
}

/// Where a request comes from: the peer, or what a trusted proxy says of it. In the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub std::net::IpAddr);

/// What a page's template needs for the shell. An extractor.
#[derive(Clone, Debug)]
pub struct Chrome {
    /// The installation.
    pub site: Arc<Site>,
    /// For inline scripts.
    pub nonce: Arc<str>,
    /// For forms; empty where nobody is signed in and the page asked for none.
    pub csrf: String,
    /// Who is looking.
    pub viewer: Option<Viewer>,
    /// The page's own path.
    pub path: String,
    /// A message from the page before, shown once.
    pub flash: Option<String>,
}

/// Where [`flash`] keeps its message in the session.
const FLASH_KEY: &str = "flash";

/// Leaves a message for the next page.
///
/// # Errors
/// The session store's.
pub async fn flash(session: &Session, message: &str) -> Result<(), Error> {
    Ok(session.insert(FLASH_KEY, message).await?)
}

impl Chrome {
    /// Makes sure that there is a CSRF token although nobody is signed in: for the sign-in form.
    ///
    /// # Errors
    /// The session store's.
    pub async fn with_token(mut self, session: &Session) -> Result<Self, Error> {
        if self.viewer.is_none() {
            session.set_expiry(Some(Expiry::OnInactivity(IDLE_ANONYMOUS)));
        }
        self.csrf = csrf::token(session).await?;
        Ok(self)
    }

    /// Whether an admin is looking.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.is_admin)
    }

    /// An icon of `static/icons.svg`, for beside a word that says the same.
    #[must_use]
    pub fn icon(&self, name: &'static str) -> Icon<'_> {
        Icon { assets: &self.site.assets, name }
    }

    /// Whether the page is below this path: for marking the place in the navigation.
    #[must_use]
    pub fn is_at(&self, path: &str) -> bool {
        self.path == path || self.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// See [`Chrome::icon`].
pub struct Icon<'a> {
    assets: &'a str,
    name: &'static str,
}

impl fmt::Display for Icon<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"<svg aria-hidden="true" class="icon"><use href="{}/icons.svg#{}"></use></svg>"#,
            self.assets, self.name
        )
    }
}

// Both parts are our own text, never anybody's input.
impl askama::filters::HtmlSafe for Icon<'_> {}

impl<S: Send + Sync> FromRequestParts<S> for Chrome {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let site =
            parts.extensions.get::<Arc<Site>>().cloned().ok_or_else(|| Error::internal("no site in the request"))?;
        let Ok(nonce) = Nonce::from_request_parts(parts, state).await;
        let viewer = parts.extensions.get::<Viewer>().cloned();
        let path = parts
            .extensions
            .get::<axum::extract::OriginalUri>()
            .map_or_else(|| parts.uri.path().to_owned(), |uri| uri.path().to_owned());
        let (mut token, mut flash) = (String::new(), None);
        if let Some(session) = parts.extensions.get::<Session>() {
            if viewer.is_some() {
                token = csrf::token(session).await?;
            }
            flash = session.get(FLASH_KEY).await?;
        }
        Ok(Self { site, nonce: nonce.0, csrf: token, viewer, path, flash })
    }
}

/// Shown messages are taken out of the session after the page that showed them was made.
pub async fn clear_flash(
    session: Session,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    let shown =
        request.method() == http::Method::GET && session.get::<String>(FLASH_KEY).await.ok().flatten().is_some();
    let response = next.run(request).await;
    let is_page = response.status().is_success()
        && response
            .headers()
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if shown
        && is_page
        && let Err(error) = session.remove::<String>(FLASH_KEY).await
    {
        tracing::warn!(%error, "a shown message could not be taken out of the session");
    }
    response
}
