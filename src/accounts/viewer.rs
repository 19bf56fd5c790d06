//! Who is signed in, and what a route asks of them.

use super::{Accounts, User, audit};
use crate::base::ids::{CustomerId, UserId};
use crate::web::{ClientAddress, Error, Viewer, routes, session::USER_KEY};
use axum::{
    extract::{FromRequestParts, Request},
    http::request::Parts,
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
            Some(user) if !user.is_shut_out() => {
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
            // The person is gone or shut out, and so is their session.
            _ => session.flush().await?,
        }
    }
    let from = request.extensions().get::<ClientAddress>().copied();
    Ok(audit::from_address(from.map(|from| from.0), next.run(request)).await)
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

/// An admin.
#[derive(Clone, Debug)]
pub struct Admin(pub User);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        if let Some(user) = parts.extensions.get::<User>() {
            return Ok(Self(user.clone()));
        }
        Err(routes::sign_in_first(parts))
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

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let SignedIn(user) = SignedIn::from_request_parts(parts, state).await?;
        if user.role == super::Role::Admin { Ok(Self(user)) } else { Err(Error::NotFound) }
    }
}
