//! One's own account: name, password, second step, devices.

use super::{
    AccountError, SignedIn, User,
    devices::Device,
    model::MIN_PASSWORD_CHARS,
    pages::{Pages, begin},
};
use crate::web::{Chrome, Error, Form, NoFields, Result, page, session::row_id, when::When};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

#[derive(Template, WebTemplate)]
#[template(path = "accounts/settings.html")]
struct SettingsPage {
    chrome: Chrome,
    email: String,
    name: String,
    devices: Vec<Shown>,
    two_step: Option<When>,
    recovery_left: i64,
    min_chars: usize,
    name_error: Option<&'static str>,
    present_error: Option<String>,
    new_error: Option<&'static str>,
}

struct Shown {
    handle: String,
    what: String,
    address: Option<String>,
    since: Option<When>,
    seen: Option<When>,
    is_this: bool,
}

fn this(session: &Session) -> String {
    session.id().map(|id| row_id(&id)).unwrap_or_default()
}

async fn settings(pages: &Pages, chrome: Chrome, session: &Session, user: &User) -> Result<SettingsPage> {
    let (this, now) = (this(session), pages.accounts.clock.now());
    let when = |at: Option<time::OffsetDateTime>| at.map(|at| When::new(at, now));
    let shown = |device: Device| Shown {
        is_this: device.handle == this,
        handle: device.handle,
        what: device.what,
        address: device.address,
        since: when(device.since),
        seen: when(device.seen),
    };
    let mut devices: Vec<Shown> = pages.accounts.devices(user.id).await?.into_iter().map(shown).collect();
    // This one first, the others as they were used last.
    devices.sort_by_key(|device| !device.is_this);
    Ok(SettingsPage {
        chrome,
        email: user.email.to_string(),
        name: user.name.clone(),
        devices,
        two_step: when(user.two_step_since),
        recovery_left: pages.two_step.recovery_left(user).await?,
        min_chars: MIN_PASSWORD_CHARS,
        name_error: None,
        present_error: None,
        new_error: None,
    })
}

pub(super) async fn show(
    State(pages): State<Pages>,
    chrome: Chrome,
    session: Session,
    SignedIn(user): SignedIn,
) -> Result<Response> {
    Ok(settings(&pages, chrome, &session, &user).await?.into_response())
}

/// Where an address that only takes a form leads when it is opened.
pub(super) async fn back() -> Redirect {
    Redirect::to("/settings")
}

/// The same for one session: where it is not theirs, it is not there.
pub(super) async fn back_from_session(
    State(pages): State<Pages>,
    SignedIn(user): SignedIn,
    Path(handle): Path<String>,
) -> Result<Redirect> {
    let own = pages.accounts.devices(user.id).await?.iter().any(|device| device.handle == handle);
    if own { Ok(back().await) } else { Err(Error::NotFound) }
}

#[derive(Deserialize)]
pub(super) struct RenameForm {
    #[serde(default)]
    name: String,
}

pub(super) async fn rename(
    State(pages): State<Pages>,
    chrome: Chrome,
    session: Session,
    SignedIn(user): SignedIn,
    Form(form): Form<RenameForm>,
) -> Result<Response> {
    let name = form.name.trim();
    if name.is_empty() || name.chars().count() > 100 {
        let mut page = settings(&pages, chrome, &session, &user).await?;
        page.name = form.name;
        page.name_error = Some("Enter a name of 1 to 100 characters.");
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    pages.accounts.rename(&user, name).await?;
    page::flash(&session, "Your name is saved.").await?;
    Ok(Redirect::to("/settings").into_response())
}

#[derive(Deserialize)]
pub(super) struct PasswordForm {
    #[serde(default)]
    present: String,
    #[serde(default)]
    new: String,
}

pub(super) async fn change_password(
    State(pages): State<Pages>,
    chrome: Chrome,
    session: Session,
    SignedIn(user): SignedIn,
    Form(form): Form<PasswordForm>,
) -> Result<Response> {
    let error = match pages.accounts.change_password(&user, form.present.into(), form.new.into()).await {
        Ok(()) => {
            begin(&session, &user).await?;
            page::flash(&session, "Your password is changed. Other devices are signed out.").await?;
            return Ok(Redirect::to("/settings").into_response());
        }
        Err(error) => error,
    };
    let mut page = settings(&pages, chrome, &session, &user).await?;
    let status = match error {
        AccountError::WrongPassword => {
            page.present_error = Some("This is not your present password.".to_owned());
            StatusCode::UNPROCESSABLE_ENTITY
        }
        AccountError::TooMany(wait) => {
            page.present_error = Some(format!("Too many tries. Wait {}, then try again.", wait.wait));
            StatusCode::TOO_MANY_REQUESTS
        }
        AccountError::WeakPassword(text) => {
            page.new_error = Some(text);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        other => return Err(other.into()),
    };
    Ok((status, page).into_response())
}

pub(super) async fn end_session(
    State(pages): State<Pages>,
    session: Session,
    SignedIn(user): SignedIn,
    Path(handle): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    if !pages.accounts.end_session(&user, &handle).await? {
        return Err(Error::NotFound);
    }
    if handle == this(&session) {
        session.flush().await?;
        return Ok(Redirect::to("/signin"));
    }
    page::flash(&session, "That device is signed out.").await?;
    Ok(Redirect::to("/settings"))
}

pub(super) async fn end_other_sessions(
    State(pages): State<Pages>,
    session: Session,
    SignedIn(user): SignedIn,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    pages.accounts.end_other_sessions(&user, &this(&session)).await?;
    page::flash(&session, "The other devices are signed out.").await?;
    Ok(Redirect::to("/settings"))
}

pub(super) async fn end_sessions(
    State(pages): State<Pages>,
    session: Session,
    SignedIn(user): SignedIn,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    pages.accounts.sign_out_everywhere(&user).await?;
    session.flush().await?;
    Ok(Redirect::to("/signin"))
}
