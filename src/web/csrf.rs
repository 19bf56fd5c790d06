//! A token in the session that every form and every script request must repeat, beside the check of
//! `Origin` and `Sec-Fetch-Site` that the router makes (tower-http's `csrf` layer).

use super::{Error, Result};
use crate::base::{ids, text};
use axum::{extract::FromRequestParts, http::request::Parts};
use tower_sessions::Session;

/// Where the token stands in the session.
const KEY: &str = "csrf";
/// The header in which scripts send it.
pub const HEADER: &str = "x-csrf-token";

/// This session's token, made when first asked for.
///
/// # Errors
/// The session store's.
pub async fn token(session: &Session) -> Result<String> {
    if let Some(token) = session.get::<String>(KEY).await? {
        return Ok(token);
    }
    let token = ids::random_token();
    session.insert(KEY, &token).await?;
    Ok(token)
}

/// Whether this is the session's token.
///
/// # Errors
/// [`Error::StaleForm`] where it is not.
pub async fn verify(session: &Session, given: &str) -> Result<()> {
    let expected = session.get::<String>(KEY).await?;
    match expected {
        Some(expected) if text::constant_time_eq(&expected, given) => Ok(()),
        _ => Err(Error::StaleForm),
    }
}

/// Proof that a script's request carried the session's token.
#[derive(Clone, Copy, Debug)]
pub struct ScriptVerified;

impl<S: Send + Sync> FromRequestParts<S> for ScriptVerified {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let given = parts.headers.get(HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let session = <Session as FromRequestParts<S>>::from_request_parts(parts, state)
            .await
            .map_err(|(_, message)| Error::internal(message))?;
        verify(&session, &given).await?;
        Ok(Self)
    }
}
