//! The wizard that registers a number, one way for each thing that can stand in between; and taking it off again.

use super::{
    chart,
    file::{File, Stage, TRIES, Task, is_pin},
    model::{Number, Registration},
    numbers::Found,
    pages::{Head, NumberPages, Own, done, page_of},
    register::WithPin,
    words,
};
use crate::web::{Badge, Chrome, Form, NoFields, Result, when::When};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use secrecy::SecretString;
use serde::Deserialize;
use time::{Duration, OffsetDateTime};
use tower_sessions::Session;

/// The countries in which messages can be kept.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration>
/// The name of a country that Meta keeps messages in, by its code.
pub(super) fn region_name(code: &str) -> &str {
    REGIONS.iter().find(|(known, _)| *known == code).map_or(code, |(_, name)| name)
}

const REGIONS: [(&str, &str); 14] = [
    ("AU", "Australia"),
    ("BH", "Bahrain"),
    ("BR", "Brazil"),
    ("CA", "Canada"),
    ("DE", "EU (Germany)"),
    ("IN", "India"),
    ("ID", "Indonesia"),
    ("JP", "Japan"),
    ("SG", "Singapore"),
    ("ZA", "South Africa"),
    ("KR", "South Korea"),
    ("CH", "Switzerland"),
    ("AE", "United Arab Emirates"),
    ("GB", "United Kingdom"),
];

/// What goes on with a number, or how it ended.
pub(super) struct Meanwhile {
    /// `info`, `error`, `success`: the notice's look.
    pub look: &'static str,
    pub title: String,
    pub text: String,
    pub to_do: &'static str,
    /// When it goes on, or can be tried again.
    pub next: Option<When>,
    /// For support.
    pub details: Option<String>,
}

/// How near what goes on by itself is not worth a time.
const SOON: Duration = Duration::minutes(1);

impl Meanwhile {
    pub(super) fn of(file: &File, number: &Number, now: OffsetDateTime) -> Option<Self> {
        let next = file.next_at.filter(|at| *at > now);
        if let Some((title, text)) = words::under_way(file, number) {
            // What goes on in a moment is no time to tell.
            let next = next.filter(|at| file.stage != Some(Stage::Asked) && *at > now + SOON);
            let next = next.map(|at| When::new(at, now));
            return Some(Self { look: "info", title: title.to_owned(), text, to_do: "", next, details: None });
        }
        let next = next.map(|at| When::new(at, now));
        let done = |title: &str, text: &str| {
            let (title, text) = (title.to_owned(), text.to_owned());
            Some(Self { look: "success", title, text, to_do: "", next: None, details: None })
        };
        match (file.stage?, &file.failure) {
            (Stage::Failed, Some(failure)) => {
                let said = words::of(failure, file.task);
                let code = failure.code.map_or(String::new(), |code| format!("Code {code}"));
                let subcode = failure.subcode.map_or(String::new(), |code| format!(", subcode {code}"));
                let trace = failure.fbtrace_id.as_ref().map_or(String::new(), |id| format!(". Trace ID {id}"));
                let details = format!("{code}{subcode}{trace}. {}", failure.message);
                Some(Self {
                    look: "error",
                    title: said.title.to_owned(),
                    text: said.happened,
                    to_do: said.to_do,
                    next,
                    details: failure.code.is_some().then_some(details),
                })
            }
            (Stage::Done, Some(failure)) => {
                let said = words::of(failure, file.task);
                done(said.title, &said.happened)
            }
            (Stage::Done, None) => match file.task? {
                Task::Deregister => done("The number is deregistered", "It sends and receives nothing here any more."),
                Task::Register => done("The number is registered", "It can send and receive."),
                Task::Again | Task::Rename => done("The number is registered again", "Its name is up to date."),
            },
            _ => None,
        }
    }
}

/// What is chosen and typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RegisterForm {
    /// `made`, `typed` or `kept`.
    how: String,
    pin: String,
    region: String,
    /// `again`: although it is registered.
    task: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "phone_numbers/register.html")]
struct RegisterPage {
    chrome: Chrome,
    head: Head,
    /// What the page offers: see the template.
    panel: &'static str,
    badge: Badge,
    /// Whether nothing is done before a time has come.
    is_locked: bool,
    meanwhile: Option<Meanwhile>,
    /// Meta has the PIN that is kept here.
    pin_is_set: bool,
    made: usize,
    left: usize,
    next_try: Option<When>,
    kept_pin: Option<When>,
    kept_is_stale: bool,
    form: RegisterForm,
    pin_error: Option<&'static str>,
    regions: Vec<(&'static str, &'static str, bool)>,
    is_test: bool,
    is_moving: bool,
    /// Changes with every step: the page looks by itself whether there was one.
    version: String,
    /// The name that Meta did not accept, where that is so.
    declined_name: String,
    inactive: bool,
}

fn panel(found: &Found) -> &'static str {
    let (file, registration) = (&found.file, found.number.registration());
    let reason = file.failed().map(|failure| failure.reason);
    use super::file::Reason;
    match (registration, reason) {
        (Registration::Coexistence, _) => "coexistence",
        (Registration::Blocked, _) => "blocked",
        _ if file.is_under_way() => "working",
        (Registration::NameDeclined, _) => "name",
        (_, Some(Reason::WrongPin | Reason::PinGuesses | Reason::PinTooFast)) => "wrong_pin",
        (Registration::Unverified, _) | (_, Some(Reason::NotVerified)) => "verify",
        (_, Some(Reason::NameDeclined)) => "name",
        (_, Some(Reason::HalfDeregistered)) => "half",
        (Registration::Ready, _) => "ready",
        _ => "form",
    }
}

async fn view(
    pages: &NumberPages,
    chrome: Chrome,
    found: &Found,
    mut form: RegisterForm,
    pin_error: Option<&'static str>,
) -> Result<RegisterPage> {
    let now = pages.numbers.now();
    let kept = pages.numbers.kept(&found.file, chart::BACK).await?;
    let is_test = found.number.is_for_tests();
    let pin = kept.pin.as_ref();
    let stale = pin.is_some_and(|pin| pin.state == super::file::PinState::Stale);
    if form.how.is_empty() {
        form.how = match (pin, is_test) {
            (Some(_), _) if !stale => "kept",
            (_, true) => "typed",
            _ => "made",
        }
        .to_owned();
        if is_test && form.pin.is_empty() {
            form.pin = "000000".to_owned();
        }
        form.region = found.file.region.clone().unwrap_or_default();
    }
    // What failed goes on as what it was: a number that is registered is registered again.
    if found.file.failed().is_some() && matches!(found.file.task, Some(Task::Again | Task::Rename)) {
        form.task = "again".to_owned();
    }
    let (left, next) = (kept.registers.left(now), kept.registers.next(now));
    let pin_lock = found.file.pin_locked_until.filter(|at| *at > now);
    let waits = found.file.failed().and(found.file.next_at).filter(|at| *at > now).or(pin_lock);
    Ok(RegisterPage {
        head: Head::new(found),
        panel: panel(found),
        badge: words::state(&found.number),
        is_locked: next.or(waits).is_some(),
        pin_is_set: pin.is_some_and(|pin| pin.state == super::file::PinState::Right),
        meanwhile: Meanwhile::of(&found.file, &found.number, now),
        made: kept.registers.at.len().min(TRIES),
        left,
        next_try: next.map(|at| When::new(at, now)),
        kept_pin: pin.map(|pin| When::new(pin.changed_at, now)),
        kept_is_stale: stale,
        regions: REGIONS.map(|(code, name)| (code, name, form.region == code)).to_vec(),
        form,
        pin_error,
        is_test,
        is_moving: found.file.stage == Some(Stage::Asked),
        version: found.file.stage_since.map(|at| at.unix_timestamp_nanos().to_string()).unwrap_or_default(),
        declined_name: found.file.wanted_name.clone().unwrap_or_else(|| found.number.verified_name.clone()),
        inactive: !found.held.is_active,
        chrome,
    })
}

pub(super) async fn show(State(pages): State<NumberPages>, chrome: Chrome, Own { found, .. }: Own) -> Result<Response> {
    Ok(view(&pages, chrome, &found, RegisterForm::default(), None).await?.into_response())
}

pub(super) async fn register(
    State(pages): State<NumberPages>,
    chrome: Chrome,
    Own { member, found }: Own,
    Form(mut form): Form<RegisterForm>,
) -> Result<Response> {
    let address = format!("{}/register", page_of(&found));
    if found.number.registration() == Registration::Coexistence || !found.held.is_active {
        return Ok(Redirect::to(&address).into_response());
    }
    form.pin = form.pin.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let pin = match form.how.as_str() {
        "typed" if !is_pin(&form.pin) => {
            let page = view(&pages, chrome, &found, form, Some("A PIN has six digits.")).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
        "typed" => WithPin::Typed(SecretString::from(std::mem::take(&mut form.pin))),
        "kept" => WithPin::Kept,
        "made" => WithPin::Made,
        _ => {
            let page = view(&pages, chrome, &found, form, Some("Choose one of these.")).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    let region = Some(form.region.as_str()).filter(|region| REGIONS.iter().any(|(code, _)| code == region));
    let task = if form.task == "again" { Task::Again } else { Task::Register };
    pages.numbers.ask_register(&member, &found, task, pin, region).await?;
    Ok(Redirect::to(&address).into_response())
}

/// Ends what waits, or puts aside how it ended.
pub(super) async fn stop(
    State(pages): State<NumberPages>,
    session: Session,
    Own { member, found }: Own,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let was_waiting = found.file.is_under_way();
    pages.numbers.give_up(&member, &found).await?;
    match was_waiting {
        true => done(&session, "We no longer wait. You can begin again at any time.", &page_of(&found)).await,
        false => Ok(Redirect::to(&format!("{}/register", page_of(&found)))),
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "phone_numbers/deregister.html")]
pub(super) struct DeregisterPage {
    chrome: Chrome,
    head: Head,
    is_shared: bool,
}

pub(super) async fn ask_deregister(chrome: Chrome, Own { found, .. }: Own) -> DeregisterPage {
    let is_shared = found.number.registration() == Registration::Coexistence;
    DeregisterPage { chrome, head: Head::new(&found), is_shared }
}

pub(super) async fn deregister(
    State(pages): State<NumberPages>,
    Own { member, found }: Own,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    if found.number.registration() != Registration::Coexistence && found.held.is_active {
        pages.numbers.ask_deregister(&member, &found).await?;
    }
    Ok(Redirect::to(&format!("{}/register", page_of(&found))))
}
