//! Start page, signing in and out, one's own account.

use super::{AccountError, Accounts, SignedIn, User, model::MIN_PASSWORD_CHARS, shut_out};
use crate::web::{
    Access, Chrome, Error, Form, NoFields, Result, Routes, page,
    session::{IDLE, USER_KEY},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use secrecy::SecretString;
use serde::Deserialize;
use tower_sessions::{Expiry, Session};

/// The routes of this feature.
pub fn routes(accounts: Accounts) -> Routes {
    Routes::new()
        .get(Access::Anyone, "/", index)
        .get(Access::Anyone, "/signin", sign_in_page)
        .post(Access::Anyone, "/signin", sign_in)
        .post(Access::Anyone, "/signout", sign_out)
        .get(Access::SignedIn, "/settings", settings_page)
        .post(Access::SignedIn, "/settings/account", rename)
        .post(Access::SignedIn, "/settings/password", change_password)
        .post(Access::SignedIn, "/settings/sessions/end", end_sessions)
        .with_state(accounts)
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/index.html")]
struct IndexPage {
    chrome: Chrome,
}

async fn index(chrome: Chrome) -> IndexPage {
    IndexPage { chrome }
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/signin.html")]
struct SignInPage {
    chrome: Chrome,
    email: String,
    next: String,
    failed: bool,
}

#[derive(Deserialize)]
struct NextQuery {
    #[serde(default)]
    next: String,
}

/// Where to go after signing in: a path of ours, nothing else.
fn safe_next(next: &str) -> Option<&str> {
    // Browsers drop tabs and newlines and read a backslash as a slash, so that /<tab>/evil.example would lead
    // away.
    let own = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(|c: char| c == '\\' || c.is_control() || !c.is_ascii());
    own.then_some(next)
}

/// Where a person's work is.
fn home(user: &User) -> &'static str {
    if user.role.is_staff() { "/support" } else { "/connections" }
}

async fn sign_in_page(
    chrome: Chrome,
    session: Session,
    user: Option<axum::Extension<User>>,
    Query(query): Query<NextQuery>,
) -> Result<Response> {
    if let Some(axum::Extension(user)) = user {
        return Ok(Redirect::to(safe_next(&query.next).unwrap_or(home(&user))).into_response());
    }
    let chrome = chrome.with_token(&session).await?;
    Ok(SignInPage { chrome, email: String::new(), next: query.next, failed: false }.into_response())
}

#[derive(Deserialize)]
struct SignInForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

async fn sign_in(
    State(accounts): State<Accounts>,
    chrome: Chrome,
    session: Session,
    Form(form): Form<SignInForm>,
) -> Result<Response> {
    let Some(id) = accounts.authenticate(&form.email, SecretString::from(form.password)).await? else {
        let chrome = chrome.with_token(&session).await?;
        let page = SignInPage { chrome, email: form.email, next: form.next, failed: true };
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    let user = accounts.user(id).await?.ok_or(Error::NotFound)?;
    if let Some(refusal) = shut_out::refuse(&chrome, &user) {
        return Ok(refusal);
    }
    begin(&session, &user).await?;
    Ok(Redirect::to(safe_next(&form.next).unwrap_or(home(&user))).into_response())
}

/// Begins a session of this person: everything from before is dropped and the ID renewed, so that one
/// that somebody planted is worth nothing.
async fn begin(session: &Session, user: &User) -> Result<()> {
    session.clear().await;
    session.cycle_id().await?;
    session.set_expiry(Some(Expiry::OnInactivity(IDLE)));
    session.insert(USER_KEY, user.id.to_string()).await?;
    Ok(())
}

async fn sign_out(session: Session, Form(NoFields {}): Form<NoFields>) -> Result<Redirect> {
    session.flush().await?;
    Ok(Redirect::to("/"))
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/settings.html")]
struct SettingsPage {
    chrome: Chrome,
    email: String,
    name: String,
    sessions: i64,
    min_chars: usize,
    name_error: Option<&'static str>,
    present_error: Option<&'static str>,
    new_error: Option<String>,
}

async fn settings(accounts: &Accounts, chrome: Chrome, user: &User) -> Result<SettingsPage> {
    Ok(SettingsPage {
        chrome,
        email: user.email.to_string(),
        name: user.name.clone(),
        min_chars: MIN_PASSWORD_CHARS,
        sessions: accounts.count_sessions(user.id).await?,
        name_error: None,
        present_error: None,
        new_error: None,
    })
}

async fn settings_page(
    State(accounts): State<Accounts>,
    chrome: Chrome,
    SignedIn(user): SignedIn,
) -> Result<SettingsPage> {
    settings(&accounts, chrome, &user).await
}

#[derive(Deserialize)]
struct RenameForm {
    #[serde(default)]
    name: String,
}

async fn rename(
    State(accounts): State<Accounts>,
    chrome: Chrome,
    session: Session,
    SignedIn(user): SignedIn,
    Form(form): Form<RenameForm>,
) -> Result<Response> {
    let name = form.name.trim();
    if name.is_empty() || name.chars().count() > 100 {
        let mut page = settings(&accounts, chrome, &user).await?;
        page.name = form.name;
        page.name_error = Some("Enter a name of 1 to 100 characters.");
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    accounts.rename(user.id, name).await?;
    page::flash(&session, "Your name is saved.").await?;
    Ok(Redirect::to("/settings").into_response())
}

#[derive(Deserialize)]
struct PasswordForm {
    #[serde(default)]
    present: String,
    #[serde(default)]
    new: String,
}

async fn change_password(
    State(accounts): State<Accounts>,
    chrome: Chrome,
    session: Session,
    SignedIn(user): SignedIn,
    Form(form): Form<PasswordForm>,
) -> Result<Response> {
    match accounts.change_password(&user, form.present.into(), form.new.into()).await {
        Ok(()) => {
            begin(&session, &user).await?;
            page::flash(&session, "Your password is changed. Other devices are signed out.").await?;
            Ok(Redirect::to("/settings").into_response())
        }
        Err(error @ (AccountError::WrongPassword | AccountError::WeakPassword(_))) => {
            let mut page = settings(&accounts, chrome, &user).await?;
            match error {
                AccountError::WrongPassword => page.present_error = Some("This is not your present password."),
                other => page.new_error = Some(other.to_string()),
            }
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn end_sessions(
    State(accounts): State<Accounts>,
    session: Session,
    SignedIn(user): SignedIn,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    accounts.sign_out_everywhere(&user).await?;
    session.flush().await?;
    Ok(Redirect::to("/signin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_one_stays_on_this_site() {
        assert_eq!(safe_next("/connect?x=1"), Some("/connect?x=1"));
        for evil in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\r\nSet-Cookie: x",
            "/\t/evil.example",
            "/\0",
        ] {
            assert_eq!(safe_next(evil), None, "{evil}");
        }
    }
}
