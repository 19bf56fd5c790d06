//! Who is signed in, and what a route asks of them.

use super::{
    TwoStep, User, audit,
    devices::{VISIT_KEY, Visit},
    pages::safe_next,
};
use crate::base::ids::{CustomerId, UserId};
use crate::web::{self, ClientAddress, Error, Viewer, routes, session::USER_KEY};
use axum::{
    extract::{FromRequestParts, Request},
    http::{Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use tower_sessions::Session;

/// Where the session keeps what somebody wanted to open before they had to set up their second step.
pub(super) const AFTER_KEY: &str = "after_two_step";

/// Finds the session's person and lays them beside the request. Who must set up their second step first is
/// led there from wherever they go.
///
/// # Errors
/// The database's.
pub async fn load_viewer(
    two_step: TwoStep,
    session: Session,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let accounts = &two_step.accounts;
    let from = request.extensions().get::<ClientAddress>().map(|from| from.0);
    if let Some(id) = session.get::<String>(USER_KEY).await?.and_then(|id| id.parse::<UserId>().ok()) {
        match accounts.user(id).await? {
            Some(user) if !user.is_shut_out() => {
                let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
                let before = session.get::<Visit>(VISIT_KEY).await?;
                let address = from.map(|from| from.to_string());
                if let Some(visit) = Visit::now(before, agent.unwrap_or_default(), address, two_step.now_ms()) {
                    session.insert(VISIT_KEY, visit).await?;
                    accounts.seen(id).await?;
                }
                if two_step.must_set_up(&user) && !is_open_before_two_step(request.uri().path()) {
                    let (parts, _) = request.into_parts();
                    return set_up_first(&session, &parts).await;
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
    Ok(audit::from_address(from, next.run(request)).await)
}

/// What staff may open before they have set up their second step.
fn is_open_before_two_step(path: &str) -> bool {
    path == "/signout" || path == "/settings/two-step" || path.starts_with("/settings/two-step/")
}

async fn set_up_first(session: &Session, request: &Parts) -> Result<Response, Error> {
    if web::is_script(&request.headers) {
        let body = serde_json::json!({ "error": {
            "title": "Two-step sign-in is missing", "message": "Set it up under Your account, then try again.",
        } });
        return Ok((StatusCode::FORBIDDEN, axum::Json(body)).into_response());
    }
    let wanted = request.uri.path_and_query().map_or("/", |path| path.as_str());
    if request.method == Method::GET && wanted != "/" && safe_next(wanted).is_some() {
        session.insert(AFTER_KEY, wanted).await?;
    }
    Ok(Redirect::to("/settings/two-step").into_response())
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
