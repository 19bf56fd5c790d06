//! Signing in, in one step or two, and out.

use super::{
    AccountError, User,
    pages::{Pages, begin, home, safe_next},
    shut_out,
    two_step::{TwoStepError, words},
};
use crate::{
    base::ids::UserId,
    web::{Chrome, Error, Form, NoFields, Result, session::IDLE_ANONYMOUS},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tower_sessions::{Expiry, Session};

/// Who passed the first step stands here in the session; nothing is open to them yet.
const FIRST_STEP_KEY: &str = "first_step";
/// How long the first step counts, in milliseconds.
const FIRST_STEP_MS: i64 = 10 * 60_000;

#[derive(Template, WebTemplate)]
#[template(path = "accounts/signin.html")]
struct SignInPage {
    chrome: Chrome,
    email: String,
    next: String,
    failed: bool,
    /// How long to wait after too many tries.
    wait: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct NextQuery {
    #[serde(default)]
    next: String,
}

pub(super) async fn show(
    chrome: Chrome,
    session: Session,
    user: Option<axum::Extension<User>>,
    Query(query): Query<NextQuery>,
) -> Result<Response> {
    if let Some(axum::Extension(user)) = user {
        return Ok(Redirect::to(safe_next(&query.next).unwrap_or(home(&user))).into_response());
    }
    let chrome = chrome.with_token(&session).await?;
    Ok(SignInPage { chrome, email: String::new(), next: query.next, failed: false, wait: None }.into_response())
}

#[derive(Deserialize)]
pub(super) struct SignInForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn sign_in(
    State(pages): State<Pages>,
    chrome: Chrome,
    session: Session,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Result<Response> {
    let mark = pages.known.mark(&headers, &form.email);
    let password = SecretString::from(form.password);
    let (status, wait) = match pages.accounts.authenticate_in(&form.email, password, mark.as_deref()).await {
        Ok(id) => {
            let user = pages.accounts.user(id).await?.ok_or(Error::NotFound)?;
            if let Some(refusal) = shut_out::refuse(&chrome, &user) {
                return Ok(refusal);
            }
            return proceed(&pages, &session, &user, &form.next).await;
        }
        Err(AccountError::WrongPassword) => (StatusCode::UNPROCESSABLE_ENTITY, None),
        Err(AccountError::TooMany(wait)) => (StatusCode::TOO_MANY_REQUESTS, Some(wait.wait.to_string())),
        Err(error) => return Err(error.into()),
    };
    let chrome = chrome.with_token(&session).await?;
    let page = SignInPage { chrome, email: form.email, next: form.next, failed: wait.is_none(), wait };
    Ok((status, page).into_response())
}

/// Somebody's password was right, or they have just set it: they are in, or asked for their code. The browser is
/// known from now on.
pub(super) async fn proceed(pages: &Pages, session: &Session, user: &User, next: &str) -> Result<Response> {
    let mut answer = first_step_done(pages, session, user, next).await?.into_response();
    if let Some(cookie) = pages.known.cookie(&user.email) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

async fn first_step_done(pages: &Pages, session: &Session, user: &User, next: &str) -> Result<Redirect> {
    if user.two_step_since.is_none() {
        begin(session, user).await?;
        pages.accounts.signed_in(user).await?;
        return Ok(Redirect::to(safe_next(next).unwrap_or(home(user))));
    }
    let mark = pages.accounts.password_mark(user.id).await?.ok_or(Error::NotFound)?;
    let until = pages.two_step.now_ms() + FIRST_STEP_MS;
    session.clear().await;
    session.cycle_id().await?;
    session.set_expiry(Some(Expiry::OnInactivity(IDLE_ANONYMOUS)));
    session.insert(FIRST_STEP_KEY, FirstStep { user: user.id, mark, until, next: next.to_owned() }).await?;
    Ok(Redirect::to("/signin/code"))
}

/// Who passed the first step.
#[derive(Deserialize, Serialize)]
struct FirstStep {
    user: UserId,
    /// Changes with the password: a new one ends what began with the old.
    mark: String,
    until: i64,
    next: String,
}

/// The person of the first step, while it counts.
async fn first_step(pages: &Pages, session: &Session) -> Result<Option<(User, String)>> {
    let Some(passed) = session.get::<FirstStep>(FIRST_STEP_KEY).await? else { return Ok(None) };
    let mark = pages.accounts.password_mark(passed.user).await?;
    if passed.until < pages.two_step.now_ms() || mark.as_deref() != Some(&passed.mark) {
        return Ok(None);
    }
    Ok(pages.accounts.user(passed.user).await?.map(|user| (user, passed.next)))
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/code.html")]
struct CodePage {
    chrome: Chrome,
    /// Whether a recovery code is asked for.
    recovery: bool,
    problem: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CodeQuery {
    recovery: Option<String>,
}

pub(super) async fn show_code(
    State(pages): State<Pages>,
    chrome: Chrome,
    session: Session,
    Query(query): Query<CodeQuery>,
) -> Result<Response> {
    if first_step(&pages, &session).await?.is_none() {
        return Ok(Redirect::to("/signin").into_response());
    }
    let chrome = chrome.with_token(&session).await?;
    Ok(CodePage { chrome, recovery: query.recovery.is_some(), problem: None }.into_response())
}

#[derive(Deserialize)]
pub(super) struct CodeForm {
    #[serde(default)]
    code: String,
}

pub(super) async fn code(
    State(pages): State<Pages>,
    chrome: Chrome,
    session: Session,
    Query(query): Query<CodeQuery>,
    Form(form): Form<CodeForm>,
) -> Result<Response> {
    let Some((user, next)) = first_step(&pages, &session).await? else {
        return Ok(Redirect::to("/signin").into_response());
    };
    let error = match pages.two_step.check(&user, &form.code).await {
        Ok(()) => {
            begin(&session, &user).await?;
            pages.accounts.signed_in(&user).await?;
            return Ok(Redirect::to(safe_next(&next).unwrap_or(home(&user))).into_response());
        }
        Err(error) => error,
    };
    let recovery = query.recovery.is_some();
    let (status, text) = match error {
        error @ TwoStepError::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, words(error)?),
        TwoStepError::WrongCode if recovery => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "This is none of your recovery codes, or it was used already. Take another one.".to_owned(),
        ),
        error => (StatusCode::UNPROCESSABLE_ENTITY, words(error)?),
    };
    let chrome = chrome.with_token(&session).await?;
    Ok((status, CodePage { chrome, recovery, problem: Some(text) }).into_response())
}

/// Forms with a fault may be in the browser's store, for *Back*: they go from there too.
/// <https://www.w3.org/TR/clear-site-data/>
pub(super) async fn sign_out(session: Session, Form(NoFields {}): Form<NoFields>) -> Result<impl IntoResponse> {
    session.flush().await?;
    let clear = (HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\""));
    Ok(([clear], Redirect::to("/")))
}
