//! What somebody sees who opens a link: `/invite/{secret}` and `/reset/{secret}`.

use super::{Invite, InviteError, Invites, Kind, Standing, model};
use crate::{
    accounts::{Pages, Role, model::MIN_PASSWORD_CHARS, shut_out, signin_page::proceed},
    base::ids::UserId,
    web::{Access, Chrome, Error, Form, Result, Routes},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

#[derive(Clone)]
struct Links {
    invites: Invites,
    people: Pages,
}

pub(super) fn routes(invites: Invites, people: Pages) -> Routes {
    Routes::new()
        .get(Access::Anyone, "/invite/{secret}", invite_page)
        .post(Access::Anyone, "/invite/{secret}", accept)
        .get(Access::Anyone, "/reset/{secret}", reset_page)
        .post(Access::Anyone, "/reset/{secret}", reset)
        .map(|router| router.layer(middleware::from_fn(keep_secret)))
        .with_state(Links { invites, people })
}

/// The address is a secret: no other site is told it, no search engine keeps it, no browser stores the page.
async fn keep_secret(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/link.html")]
struct LinkPage {
    chrome: Chrome,
    is_reset: bool,
    email: String,
    /// The company that they become a member of.
    company: Option<String>,
    name: String,
    min_chars: usize,
    name_error: Option<&'static str>,
    password_error: Option<&'static str>,
    /// Somebody else who is signed in on this browser.
    other: Option<String>,
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/link_over.html")]
struct OverPage {
    chrome: Chrome,
    is_reset: bool,
    /// `unknown`, `used`, `expired`, `revoked`, `taken`.
    why: &'static str,
}

/// A link that is good no longer, or never was.
fn over(chrome: Chrome, kind: Kind, error: InviteError) -> Result<Response> {
    let (status, why) = match error {
        InviteError::NotFound => (StatusCode::NOT_FOUND, "unknown"),
        InviteError::NotOpen(Standing::Used) => (StatusCode::GONE, "used"),
        InviteError::NotOpen(Standing::Expired) => (StatusCode::GONE, "expired"),
        InviteError::NotOpen(_) => (StatusCode::GONE, "revoked"),
        InviteError::EmailTaken => (StatusCode::CONFLICT, "taken"),
        other => return Err(other.into()),
    };
    Ok((status, OverPage { chrome, is_reset: kind == Kind::Reset, why }).into_response())
}

async fn page(chrome: Chrome, session: &Session, invite: Invite) -> Result<LinkPage> {
    let chrome = chrome.with_token(session).await?;
    let other = chrome.viewer.as_ref().map(|viewer| viewer.email.clone()).filter(|email| *email != invite.email);
    Ok(LinkPage {
        chrome,
        is_reset: invite.kind == Kind::Reset,
        company: invite.customer_name.filter(|_| invite.kind == Kind::Invite),
        name: invite.name.unwrap_or_default(),
        email: invite.email,
        min_chars: MIN_PASSWORD_CHARS,
        name_error: None,
        password_error: None,
        other,
    })
}

async fn opened(invites: &Invites, chrome: Chrome, session: Session, kind: Kind, secret: &str) -> Result<Response> {
    match invites.good(kind, secret).await {
        Ok(invite) => Ok(page(chrome, &session, invite).await?.into_response()),
        Err(error) => over(chrome, kind, error),
    }
}

async fn invite_page(
    State(links): State<Links>,
    chrome: Chrome,
    session: Session,
    Path(secret): Path<String>,
) -> Result<Response> {
    opened(&links.invites, chrome, session, Kind::Invite, &secret).await
}

async fn reset_page(
    State(links): State<Links>,
    chrome: Chrome,
    session: Session,
    Path(secret): Path<String>,
) -> Result<Response> {
    opened(&links.invites, chrome, session, Kind::Reset, &secret).await
}

#[derive(Deserialize)]
struct AcceptForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
}

async fn accept(
    State(links): State<Links>,
    chrome: Chrome,
    session: Session,
    Path(secret): Path<String>,
    Form(form): Form<AcceptForm>,
) -> Result<Response> {
    let invite = match links.invites.good(Kind::Invite, &secret).await {
        Ok(invite) => invite,
        Err(error) => return over(chrome, Kind::Invite, error),
    };
    let name = match model::check_name(&form.name) {
        Ok(name) => name,
        Err(text) => {
            let mut page = page(chrome, &session, invite).await?;
            page.name = form.name;
            page.name_error = Some(text);
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    match links.invites.accept(&secret, name, form.password.into()).await {
        Ok(user) => enter(&links, &chrome, &session, user).await,
        Err(InviteError::WeakPassword(text)) => {
            let mut page = page(chrome, &session, invite).await?;
            page.name = form.name;
            page.password_error = Some(text);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => over(chrome, Kind::Invite, error),
    }
}

async fn reset(
    State(links): State<Links>,
    chrome: Chrome,
    session: Session,
    Path(secret): Path<String>,
    Form(form): Form<AcceptForm>,
) -> Result<Response> {
    match links.invites.reset(&secret, form.password.into()).await {
        Ok(user) => enter(&links, &chrome, &session, user).await,
        Err(InviteError::WeakPassword(text)) => {
            let invite = links.invites.good(Kind::Reset, &secret).await?;
            let mut page = page(chrome, &session, invite).await?;
            page.password_error = Some(text);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => over(chrome, Kind::Reset, error),
    }
}

/// Signs the person in, whoever was signed in before, and leads to their work; who has a second step takes it. Whose
/// company is shut out is told so.
async fn enter(links: &Links, chrome: &Chrome, session: &Session, user: UserId) -> Result<Response> {
    let user = links.invites.accounts.user(user).await?.ok_or(Error::NotFound)?;
    if let Some(refusal) = shut_out::refuse(chrome, &user) {
        return Ok(refusal);
    }
    let to = match user.role {
        Role::Customer => "/connect",
        Role::Support => "/support",
        Role::Admin => "/backoffice",
    };
    proceed(&links.people, session, &user, to).await
}
