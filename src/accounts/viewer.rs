//! Who is signed in, and what a route asks of them.

use super::{Accounts, User};
use crate::base::ids::{CustomerId, UserId};
use crate::web::{Error, Viewer, session::USER_KEY};
use axum::{
    extract::{FromRequestParts, OriginalUri, Request},
    http::{Method, request::Parts},
    middleware::Next,
    response::Response,
};
use tower_sessions::Session;

/// Where the day of the last visit stands in the session: written once a day, which prolongs it.
const SEEN_KEY: &str = "seen";

/// Finds the session's person and lays them beside the request.
///
/// # Errors
/// The database's.
pub async fn load_viewer(
    accounts: Accounts,
    session: Session,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    if let Some(id) = session.get::<String>(USER_KEY).await?.and_then(|id| id.parse::<UserId>().ok()) {
        match accounts.user(id).await? {
            Some(user) => {
                let today = session.expiry_date().date().to_julian_day();
                if session.get::<i32>(SEEN_KEY).await? != Some(today) {
                    session.insert(SEEN_KEY, today).await?;
                }
                request.extensions_mut().insert(Viewer {
                    name: user.name.clone(),
                    email: user.email.to_string(),
                    company: user.customer_name.clone(),
                    is_staff: user.role.is_staff(),
                    is_admin: user.role == super::Role::Admin,
                });
                request.extensions_mut().insert(user);
            }
            // The person is gone, and so is their session.
            None => session.flush().await?,
        }
    }
    Ok(next.run(request).await)
}

/// The path of the page on which a form stood, if it is one of ours.
fn referring_path(parts: &Parts) -> Option<String> {
    let text = |name| parts.headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let referer = url::Url::parse(text(http::header::REFERER)?).ok()?;
    let own = referer.host_str()?
        == text(http::header::HOST)?
            .rsplit_once(':')
            .map_or_else(|| text(http::header::HOST).unwrap_or_default(), |(host, _)| host);
    own.then(|| referer.path().to_owned())
}

/// Anybody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn(pub User);

/// A member of a customer, and which.
#[derive(Clone, Debug)]
pub struct Member {
    /// The person.
    pub user: User,
    /// Their company.
    pub customer: CustomerId,
}

/// Support or admin.
#[derive(Clone, Debug)]
pub struct Staff(pub User);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        if let Some(user) = parts.extensions.get::<User>() {
            return Ok(Self(user.clone()));
        }
        // After signing in, people come back to the page; what they posted they must post again.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
        let back_to = match parts.method {
            Method::GET => uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            _ => referring_path(parts).unwrap_or_else(|| "/".to_owned()),
        };
        Err(Error::SignInFirst { back_to })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Member {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let SignedIn(user) = SignedIn::from_request_parts(parts, state).await?;
        match user.customer_id {
            Some(customer) => Ok(Self { user, customer }),
            None => Err(Error::Forbidden),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let SignedIn(user) = SignedIn::from_request_parts(parts, state).await?;
        // To others the page does not exist.
        if user.role.is_staff() { Ok(Self(user)) } else { Err(Error::NotFound) }
    }
}
