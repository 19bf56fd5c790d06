//! Setting up, renewing and switching off the second step: `/settings/two-step`.

use super::{RECOVERY_CODES, TwoStep, TwoStepError, qr};
use crate::{
    accounts::{AccountError, SignedIn, User, pages::home, viewer::AFTER_KEY},
    web::{Access, Chrome, Form, NoFields, Result, Routes, page, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

const HERE: &str = "/settings/two-step";
/// When this session proved that a move to another app may begin, in milliseconds: no other is shown the new secret.
const BEGUN_KEY: &str = "two_step_begun";
/// For how long that counts.
const BEGUN_MS: i64 = 30 * 60_000;

/// Whether what is being set up may be shown here, and confirmed.
async fn is_open(two_step: &TwoStep, session: &Session, user: &User) -> Result<bool> {
    if user.two_step_since.is_none() {
        return Ok(true);
    }
    Ok(session.get::<i64>(BEGUN_KEY).await?.is_some_and(|at| two_step.now_ms() - at < BEGUN_MS))
}

pub(in crate::accounts) fn routes(two_step: TwoStep) -> Routes {
    Routes::new()
        .get(Access::SignedIn, "/settings/two-step", show)
        .post(Access::SignedIn, "/settings/two-step/begin", begin)
        .get(Access::SignedIn, "/settings/two-step/begin", back)
        .post(Access::SignedIn, "/settings/two-step/cancel", cancel)
        .get(Access::SignedIn, "/settings/two-step/cancel", back)
        .post(Access::SignedIn, "/settings/two-step/confirm", confirm)
        .get(Access::SignedIn, "/settings/two-step/confirm", back)
        .post(Access::SignedIn, "/settings/two-step/recovery", renew)
        .get(Access::SignedIn, "/settings/two-step/recovery", back)
        .post(Access::SignedIn, "/settings/two-step/off", turn_off)
        .get(Access::SignedIn, "/settings/two-step/off", back)
        .with_state(two_step)
}

async fn back() -> Redirect {
    Redirect::to(HERE)
}

/// Which form of the page a message belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Confirm,
    Move,
    Recovery,
    Off,
}

struct Problem {
    at: At,
    text: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/two_step.html")]
struct TwoStepPage {
    chrome: Chrome,
    email: String,
    /// They may open nothing else.
    must: bool,
    required: bool,
    since: Option<When>,
    enrolment: Option<Shown>,
    left: i64,
    total: usize,
    problem: Option<Problem>,
}

struct Shown {
    secret: String,
    bare_secret: String,
    url: String,
    qr: qr::Picture,
}

impl TwoStepPage {
    fn at(&self, at: At) -> Option<&str> {
        self.problem.as_ref().filter(|problem| problem.at == at).map(|problem| problem.text.as_str())
    }
    fn confirm_problem(&self) -> Option<&str> {
        self.at(At::Confirm)
    }
    fn move_problem(&self) -> Option<&str> {
        self.at(At::Move)
    }
    fn recovery_problem(&self) -> Option<&str> {
        self.at(At::Recovery)
    }
    fn off_problem(&self) -> Option<&str> {
        self.at(At::Off)
    }
}

async fn page(two_step: &TwoStep, chrome: Chrome, session: &Session, user: &User) -> Result<TwoStepPage> {
    let enrolment = if is_open(two_step, session, user).await? { two_step.enrolment(user).await? } else { None };
    let enrolment = enrolment.map(|new| Shown {
        bare_secret: new.secret.replace(' ', ""),
        secret: new.secret,
        url: new.url,
        qr: new.qr,
    });
    Ok(TwoStepPage {
        chrome,
        email: user.email.to_string(),
        must: two_step.must_set_up(user),
        required: two_step.is_required(user),
        since: user.two_step_since.map(|since| When::new(since, two_step.clock.now())),
        enrolment,
        left: two_step.recovery_left(user).await?,
        total: RECOVERY_CODES,
        problem: None,
    })
}

async fn show(
    State(two_step): State<TwoStep>,
    chrome: Chrome,
    session: Session,
    SignedIn(user): SignedIn,
) -> Result<TwoStepPage> {
    page(&two_step, chrome, &session, &user).await
}

/// The page again with a message, or the error where it is none that a person can mend.
async fn again(
    two_step: &TwoStep,
    chrome: Chrome,
    session: &Session,
    user: &User,
    at: At,
    error: TwoStepError,
) -> Result<Response> {
    let status = match error {
        TwoStepError::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let text = words(error)?;
    let mut page = page(two_step, chrome, session, user).await?;
    page.problem = Some(Problem { at, text });
    Ok((status, page).into_response())
}

/// What is said of an error about a code or a password.
pub(in crate::accounts) fn words(error: TwoStepError) -> Result<String> {
    Ok(match error {
        TwoStepError::WrongCode => {
            "This code is not right. Take the one that your app shows now; its clock must be right.".to_owned()
        }
        TwoStepError::UsedCode => "This code was used already. Wait for the next one, at most 30 seconds.".to_owned(),
        TwoStepError::TooMany(wait) => format!("Too many tries. Wait {}, then try again.", wait.wait),
        TwoStepError::Account(AccountError::WrongPassword) => {
            "This is neither your password nor a code of six digits.".to_owned()
        }
        other => return Err(other.into()),
    })
}

#[derive(Deserialize)]
struct ProofForm {
    #[serde(default)]
    proof: String,
}

async fn begin(
    State(two_step): State<TwoStep>,
    chrome: Chrome,
    session: Session,
    SignedIn(user): SignedIn,
    Form(form): Form<ProofForm>,
) -> Result<Response> {
    // The first time there is nothing to protect yet; later a borrowed screen must not be enough.
    if user.two_step_since.is_some()
        && let Err(error) = two_step.prove(&user, &form.proof).await
    {
        return again(&two_step, chrome, &session, &user, At::Move, error).await;
    }
    two_step.begin(&user).await?;
    session.insert(BEGUN_KEY, two_step.now_ms()).await?;
    Ok(Redirect::to(HERE).into_response())
}

async fn cancel(
    State(two_step): State<TwoStep>,
    SignedIn(user): SignedIn,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    two_step.cancel(&user).await?;
    Ok(Redirect::to(if two_step.must_set_up(&user) { HERE } else { "/settings" }))
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/recovery_codes.html")]
struct RecoveryPage {
    chrome: Chrome,
    codes: Vec<String>,
    all: String,
    /// The second step was switched on just now.
    new: bool,
    next: String,
}

fn recovery_page(chrome: Chrome, codes: Vec<String>, new: bool, next: String) -> RecoveryPage {
    RecoveryPage { chrome, all: codes.join("\n"), codes, new, next }
}

#[derive(Deserialize)]
struct CodeForm {
    #[serde(default)]
    code: String,
}

async fn confirm(
    State(two_step): State<TwoStep>,
    chrome: Chrome,
    session: Session,
    SignedIn(user): SignedIn,
    Form(form): Form<CodeForm>,
) -> Result<Response> {
    let confirmed = match is_open(&two_step, &session, &user).await? {
        true => two_step.confirm(&user, &form.code).await,
        false => Err(TwoStepError::NotPending),
    };
    let codes = match confirmed {
        Ok(codes) => codes,
        Err(TwoStepError::NotPending) => {
            page::flash(&session, "This was finished or begun anew in another tab. See below how it stands.").await?;
            return Ok(Redirect::to(HERE).into_response());
        }
        Err(error) => return again(&two_step, chrome, &session, &user, At::Confirm, error).await,
    };
    session.cycle_id().await?;
    session.remove::<i64>(BEGUN_KEY).await?;
    let next = session.remove::<String>(AFTER_KEY).await?;
    let next =
        next.unwrap_or_else(|| if two_step.must_set_up(&user) { home(&user).to_owned() } else { HERE.to_owned() });
    Ok(recovery_page(chrome, codes, true, next).into_response())
}

async fn renew(
    State(two_step): State<TwoStep>,
    chrome: Chrome,
    session: Session,
    SignedIn(user): SignedIn,
    Form(form): Form<ProofForm>,
) -> Result<Response> {
    if user.two_step_since.is_none() {
        return Ok(Redirect::to(HERE).into_response());
    }
    if let Err(error) = two_step.prove(&user, &form.proof).await {
        return again(&two_step, chrome, &session, &user, At::Recovery, error).await;
    }
    let codes = two_step.renew_recovery(&user).await?;
    Ok(recovery_page(chrome, codes, false, HERE.to_owned()).into_response())
}

async fn turn_off(
    State(two_step): State<TwoStep>,
    chrome: Chrome,
    session: Session,
    SignedIn(user): SignedIn,
    Form(form): Form<ProofForm>,
) -> Result<Response> {
    if user.two_step_since.is_none() {
        return Ok(Redirect::to(HERE).into_response());
    }
    if two_step.is_required(&user) {
        return Err(TwoStepError::Required.into());
    }
    if let Err(error) = two_step.prove(&user, &form.proof).await {
        return again(&two_step, chrome, &session, &user, At::Off, error).await;
    }
    two_step.turn_off(&user).await?;
    session.cycle_id().await?;
    page::flash(&session, "Two-step sign-in is off. You sign in with your password alone.").await?;
    Ok(Redirect::to("/settings").into_response())
}
