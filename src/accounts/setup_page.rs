//! `/setup`: the first admin.

use super::{
    AccountError,
    first_run::FirstRunError,
    limits::TooMany,
    model::{EmailAddress, MIN_PASSWORD_CHARS},
    pages::{Pages, begin},
};
use crate::web::{Chrome, ClientAddress, Error, Form, Result};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{FromRequest, Request, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

#[derive(Template, WebTemplate)]
#[template(path = "accounts/setup.html")]
struct SetupPage {
    chrome: Chrome,
    form: SetupForm,
    min_chars: usize,
    code_error: Option<String>,
    email_error: Option<&'static str>,
    name_error: Option<&'static str>,
    password_error: Option<&'static str>,
}

#[derive(Default, Deserialize)]
pub(super) struct SetupForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
}

impl SetupPage {
    fn new(chrome: Chrome, form: SetupForm) -> Self {
        Self {
            chrome,
            form,
            min_chars: MIN_PASSWORD_CHARS,
            code_error: None,
            email_error: None,
            name_error: None,
            password_error: None,
        }
    }

    fn has_problem(&self) -> bool {
        self.code_error.is_some()
            || self.email_error.is_some()
            || self.name_error.is_some()
            || self.password_error.is_some()
    }
}

/// Shown to whoever was second: in another tab, with a second click, or somebody else.
#[derive(Template, WebTemplate)]
#[template(path = "accounts/setup_done.html")]
struct DonePage {
    chrome: Chrome,
}

fn done(chrome: Chrome) -> Response {
    (StatusCode::CONFLICT, DonePage { chrome }).into_response()
}

pub(super) async fn show(State(pages): State<Pages>, chrome: Chrome, session: Session) -> Result<Response> {
    if !pages.first_run.is_open().await? {
        return Err(Error::NotFound);
    }
    let chrome = chrome.with_token(&session).await?;
    Ok(SetupPage::new(chrome, SetupForm::default()).into_response())
}

pub(super) async fn set_up(
    State(pages): State<Pages>,
    chrome: Chrome,
    session: Session,
    request: Request,
) -> Result<Response> {
    // Before the form's token is looked at: the first click may have renewed the session.
    if !pages.first_run.is_open().await? {
        return Ok(done(chrome));
    }
    let from = request.extensions().get::<ClientAddress>().map(|from| from.0);
    let Form(form) = Form::<SetupForm>::from_request(request, &()).await?;
    let chrome = chrome.with_token(&session).await?;
    let (email, name) = (form.email.parse::<EmailAddress>(), form.name.trim().to_owned());
    let mut page = SetupPage::new(chrome, form);
    page.email_error = email.as_ref().err().copied();
    if name.is_empty() || name.chars().count() > 100 {
        page.name_error = Some("Enter a name of 1 to 100 characters.");
    }
    let (Ok(email), None) = (email, page.name_error) else {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    let password = page.form.password.clone().into();
    let status = match pages.first_run.complete(from, &page.form.code, &email, &name, password).await {
        Ok(id) => {
            let user = pages.accounts.user(id).await?.ok_or(Error::NotFound)?;
            begin(&session, &user).await?;
            pages.accounts.signed_in(&user).await?;
            return Ok(Redirect::to("/backoffice/settings").into_response());
        }
        Err(FirstRunError::Done) => return Ok(done(page.chrome)),
        Err(FirstRunError::WrongCode) => {
            page.code_error = Some(
                "This is not the set-up code. It stands in the log of doorway serve, in the line that names this page."
                    .to_owned(),
            );
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(FirstRunError::TooMany(TooMany { wait })) => {
            page.code_error = Some(format!("Too many tries. Wait {wait}, then take the code from the log."));
            StatusCode::TOO_MANY_REQUESTS
        }
        Err(FirstRunError::Account(AccountError::WeakPassword(text))) => {
            page.password_error = Some(text);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(error) => return Err(error.into()),
    };
    Ok((status, page).into_response())
}
