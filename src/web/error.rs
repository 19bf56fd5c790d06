//! The one error at the edge. What went wrong inside is logged with the request's ID and never shown.

use super::page::Chrome;
use crate::store::StoreError;
use askama::Template;
use axum::{
    extract::Request,
    http::{StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};

/// What a handler fails with. How it looks, HTML or JSON, is the router's choice:
/// see [`as_html`] and [`as_json`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is there, or nothing that this person may know of.
    #[error("not found")]
    NotFound,
    /// Nobody is signed in; a page leads to the sign-in and back.
    #[error("not signed in")]
    SignInFirst {
        /// The path to come back to.
        back_to: String,
    },
    /// Signed in, but this is for others.
    #[error("forbidden")]
    Forbidden,
    /// The form is too old: its CSRF token is not this session's.
    #[error("the form is out of date")]
    StaleForm,
    /// What was sent makes no sense; the text is shown.
    #[error("bad request: {0}")]
    BadRequest(String),
    /// It can't be done as things stand; the text is shown.
    #[error("conflict: {0}")]
    Conflict(String),
    /// A fault of ours.
    #[error("internal: {0}")]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

/// The result of a handler.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Wraps a fault of ours.
    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::internal(error)
    }
}

impl From<tower_sessions::session::Error> for Error {
    fn from(error: tower_sessions::session::Error) -> Self {
        Self::internal(error)
    }
}

/// What the edge needs to render an error; carried in the response's extensions.
#[derive(Clone, Debug)]
struct Shown {
    status: StatusCode,
    title: &'static str,
    text: String,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, title, text) = match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "This page is not here",
                "The address may be mistyped, or it belongs to another account.".to_owned(),
            ),
            Self::SignInFirst { back_to } => {
                let mut response = StatusCode::UNAUTHORIZED.into_response();
                response.extensions_mut().insert(SignInFirst(back_to));
                return response;
            }
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "This page is for other people",
                "You are signed in, but your account may not see this page.".to_owned(),
            ),
            Self::StaleForm => (
                StatusCode::FORBIDDEN,
                "This form is out of date",
                "You may have signed in again in another tab. Go back, reload the page, and send it once more."
                    .to_owned(),
            ),
            Self::BadRequest(text) => (StatusCode::BAD_REQUEST, "This did not work", text),
            Self::Conflict(text) => (StatusCode::CONFLICT, "This can't be done now", text),
            Self::Internal(error) => {
                tracing::error!(%error, "a request failed");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something failed on our side",
                    "Nothing you did is lost. Try again in a minute; if it stays, tell us the number below.".to_owned(),
                )
            }
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(Shown { status, title, text });
        response
    }
}

#[derive(Clone, Debug)]
struct SignInFirst(String);

#[derive(Template)]
#[template(path = "web/error.html")]
struct ErrorPage {
    chrome: Chrome,
    status: u16,
    title: &'static str,
    text: String,
    request_id: String,
}

/// Renders errors of the routes below as pages; sends people who must sign in there.
pub async fn as_html(chrome: Chrome, request: Request, next: Next) -> Response {
    let request_id = request_id(&request);
    let is_signed_in = chrome.viewer.is_some();
    let mut response = rendered(chrome, request_id, next.run(request).await);
    // What somebody saw signed in must not be in the browser's store after they signed out. A form with a fault may be
    // kept as it stands for *Back* (<https://web.dev/articles/bfcache>), or what was typed in it would be lost: signing
    // out clears the store.
    if is_signed_in {
        let is_form = response.status() == StatusCode::UNPROCESSABLE_ENTITY;
        let kept = if is_form { "private, no-cache" } else { "no-store" };
        // A page with a secret has said so itself.
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(http::HeaderValue::from_static(kept));
    }
    response
}

fn rendered(chrome: Chrome, request_id: String, response: Response) -> Response {
    if let Some(SignInFirst(back_to)) = response.extensions().get::<SignInFirst>() {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", back_to).finish();
        return Redirect::to(&format!("/signin?{query}")).into_response();
    }
    let Some(shown) = shown(&response) else { return response };
    let page = ErrorPage { chrome, status: shown.status.as_u16(), title: shown.title, text: shown.text, request_id };
    match page.render() {
        Ok(html) => (shown.status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "the error page could not be rendered");
            shown.status.into_response()
        }
    }
}

/// Renders errors of the routes below as JSON.
pub async fn as_json(request: Request, next: Next) -> Response {
    let request_id = request_id(&request);
    let response = next.run(request).await;
    let (status, title, text) = if response.extensions().get::<SignInFirst>().is_some() {
        (StatusCode::UNAUTHORIZED, "Please sign in", "Your session has ended.".to_owned())
    } else {
        match shown(&response) {
            Some(shown) => (shown.status, shown.title, shown.text),
            None => return response,
        }
    };
    let body = serde_json::json!({ "error": { "title": title, "message": text, "request_id": request_id } });
    (status, axum::Json(body)).into_response()
}

/// Our own errors, and the bare ones that axum answers by itself (unknown route, wrong method, bad body).
fn shown(response: &Response) -> Option<Shown> {
    if let Some(shown) = response.extensions().get::<Shown>() {
        return Some(shown.clone());
    }
    let status = response.status();
    let bare = status.is_client_error() || status.is_server_error();
    let typed = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| {
        value.to_str().is_ok_and(|value| value.starts_with("text/html") || value.starts_with("application/json"))
    });
    if !bare || typed {
        return None;
    }
    let (title, text) = match status {
        StatusCode::NOT_FOUND => {
            ("This page is not here", "The address may be mistyped, or it belongs to another account.")
        }
        StatusCode::METHOD_NOT_ALLOWED => ("This page can't take that", "Go back, reload the page, and try again."),
        StatusCode::PAYLOAD_TOO_LARGE => ("That is too much", "What was sent is larger than this page takes."),
        StatusCode::FORBIDDEN => ("This form is out of date", "Go back, reload the page, and send it once more."),
        status if status.is_server_error() => {
            ("Something failed on our side", "Try again in a minute; if it stays, tell us the number below.")
        }
        _ => ("This did not work", "What was sent could not be read. Go back, reload the page, and try again."),
    };
    Some(Shown { status, title, text: text.to_owned() })
}

fn request_id(request: &Request) -> String {
    request
        .extensions()
        .get::<tower_http::request_id::RequestId>()
        .and_then(|id| id.header_value().to_str().ok())
        .unwrap_or_default()
        .to_owned()
}
