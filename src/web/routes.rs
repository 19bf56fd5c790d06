//! The table of routes: each is registered together with who may call it, which is enforced here, in front
//! of the handler, and which the tests walk. A route without a stated audience can't be written.

use super::{Error, Viewer};
use axum::{
    Router,
    extract::{OriginalUri, Request},
    handler::Handler,
    http::{HeaderValue, Method, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{self, MethodRouter},
};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, signed in or not.
    Anyone,
    /// Machines, which prove who they are in their own way (a signature, a verify token).
    Machine,
    /// Everybody who is signed in.
    SignedIn,
    /// Members of a customer; staff are told that it is for others.
    Member,
    /// Support and admin; to others it is not there.
    Staff,
    /// Admins; to others it is not there.
    Admin,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path with its parameters, such as `/connections/{id}`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
}

/// A router that knows its routes.
pub struct Routes<S = ()> {
    router: Router<S>,
    table: Vec<Route>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self { router: Router::new(), table: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// Without a route yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A route for GET (and HEAD).
    #[must_use]
    pub fn get<H: Handler<T, S>, T: 'static>(self, access: Access, path: &'static str, handler: H) -> Self {
        self.add(Method::GET, access, path, routing::get(handler))
    }

    /// A route for POST.
    #[must_use]
    pub fn post<H: Handler<T, S>, T: 'static>(self, access: Access, path: &'static str, handler: H) -> Self {
        self.add(Method::POST, access, path, routing::post(handler))
    }

    fn add(mut self, method: Method, access: Access, path: &'static str, handler: MethodRouter<S>) -> Self {
        let guard = middleware::from_fn(move |request, next| admit(access, request, next));
        self.router = self.router.route(path, handler.route_layer(guard));
        self.table.push(Route { method, path, access });
        self
    }

    /// The routes of both.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.table.extend(other.table);
        self
    }

    /// Changes the router beneath, for layers of these routes alone.
    #[must_use]
    pub fn map(self, change: impl FnOnce(Router<S>) -> Router<S>) -> Self {
        Self { router: change(self.router), table: self.table }
    }

    /// Gives the handlers their state.
    #[must_use]
    pub fn with_state(self, state: S) -> Routes {
        Routes { router: self.router.with_state(state), table: self.table }
    }

    /// The router, and the table of what is in it.
    pub fn into_parts(self) -> (Router<S>, Vec<Route>) {
        (self.router, self.table)
    }
}

/// Lets a request through to a route, or says why not.
async fn admit(access: Access, request: Request, next: Next) -> Response {
    let viewer = request.extensions().get::<Viewer>();
    let refused = match (access, viewer) {
        (Access::Anyone | Access::Machine, _) | (Access::SignedIn, Some(_)) => None,
        (_, None) => {
            let (parts, _) = request.into_parts();
            return sign_in_first(&parts).into_response();
        }
        (Access::Member, Some(viewer)) => viewer.is_staff.then_some(Error::Forbidden),
        (Access::Staff, Some(viewer)) => (!viewer.is_staff).then_some(Error::NotFound),
        (Access::Admin, Some(viewer)) => (!viewer.is_admin).then_some(Error::NotFound),
    };
    match refused {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    }
}

/// Whether a script asks, which wants JSON and no page.
#[must_use]
pub fn is_script(headers: &http::HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    headers.contains_key(super::csrf::HEADER)
        || accept.starts_with("application/json")
        || accept.starts_with("text/event-stream")
}

/// The error that leads to the sign-in. Afterwards people come back to the page; what they posted they must
/// post again.
#[must_use]
pub fn sign_in_first(parts: &Parts) -> Error {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
    let back_to = match parts.method {
        Method::GET | Method::HEAD => uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        _ => referring_path(parts).unwrap_or_else(|| "/".to_owned()),
    };
    Error::SignInFirst { back_to }
}

/// The path of the page on which a form stood, if it is one of ours.
fn referring_path(parts: &Parts) -> Option<String> {
    let text = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let referer = url::Url::parse(text(header::REFERER)?).ok()?;
    let own = referer.host_str()?
        == text(header::HOST)?
            .rsplit_once(':')
            .map_or_else(|| text(header::HOST).unwrap_or_default(), |(host, _)| host);
    own.then(|| referer.path().to_owned())
}
