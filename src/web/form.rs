//! Forms whose CSRF token has been checked.

use super::{Error, Result, csrf};
use axum::{
    extract::{FromRequest, Request},
    http::header,
};
use serde::de::DeserializeOwned;
use tower_sessions::Session;

/// The most that a form may send, in bytes.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// A posted form, its `csrf` field verified against the session.
#[derive(Clone, Debug)]
pub struct Form<T>(pub T);

/// A form that asks for nothing but its CSRF token: a button.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
pub struct NoFields {}

#[derive(serde::Deserialize)]
struct Token {
    #[serde(default)]
    csrf: String,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Error;
    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let session =
            request.extensions().get::<Session>().cloned().ok_or_else(|| Error::internal("no session layer"))?;
        let is_form = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            return Err(Error::BadRequest("This address takes a form.".to_owned()));
        }
        let bytes = axum::body::to_bytes(request.into_body(), MAX_FORM_BYTES)
            .await
            .map_err(|_| Error::BadRequest("The form is too large.".to_owned()))?;
        let read = |error: &dyn std::fmt::Display| {
            tracing::debug!(%error, "a form could not be read");
            Error::BadRequest("The form could not be read. Go back, reload the page, and send it again.".to_owned())
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| read(&error))?;
        // Repeated fields (check boxes) become lists, which the plain form deserializer can't do.
        let token = serde_html_form::from_str::<Token>(text).map_err(|error| read(&error))?;
        csrf::verify(&session, &token.csrf).await?;
        serde_html_form::from_str(text).map(Form).map_err(|error| read(&error))
    }
}
