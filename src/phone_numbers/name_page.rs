//! Another display name: Meta reviews it, and a registered number must then be registered again.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/display-names> and
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration>

use super::{
    file::{PinState, Task},
    file_queries,
    model::Registration,
    numbers::{AskError, Found},
    pages::{Head, NumberPages, Own, done, page_of, refusal},
    pins, words,
};
use crate::web::{Badge, Chrome, Form, Result};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

#[derive(Template, WebTemplate)]
#[template(path = "phone_numbers/name.html")]
struct NamePage {
    chrome: Chrome,
    head: Head,
    present: String,
    check: Badge,
    asked: Option<(String, Badge)>,
    typed: String,
    error: Option<String>,
    is_registered: bool,
    /// It must be registered again under the new name, and there is no PIN here for that.
    lacks_pin: bool,
    is_shared: bool,
    inactive: bool,
}

async fn view(
    pages: &NumberPages,
    chrome: Chrome,
    own: &Own,
    typed: String,
    error: Option<String>,
) -> Result<NamePage> {
    let lacks_pin = pages.numbers.lacks_pin(&own.found).await?;
    let number = &own.found.number;
    let registration = number.registration();
    let asked = number.new_name.clone().filter(|name| *name != number.verified_name);
    let status = number.new_name_status.as_deref().filter(|status| *status != "NONE");
    Ok(NamePage {
        chrome,
        head: Head::new(&own.found),
        present: number.verified_name.clone(),
        check: words::name_check(number.name_status.as_deref()),
        asked: asked.zip(status).map(|(name, status)| (name, words::name_check(Some(status)))),
        typed,
        error,
        is_registered: registration == Registration::Ready,
        is_shared: registration == Registration::Coexistence,
        lacks_pin,
        inactive: !own.found.held.is_active,
    })
}

pub(super) async fn show(State(pages): State<NumberPages>, chrome: Chrome, own: Own) -> Result<Response> {
    Ok(view(&pages, chrome, &own, String::new(), None).await?.into_response())
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct NameForm {
    name: String,
}

pub(super) async fn change(
    State(pages): State<NumberPages>,
    chrome: Chrome,
    session: Session,
    own: Own,
    Form(form): Form<NameForm>,
) -> Result<Response> {
    let name = form.name.trim();
    // 2 to 75 characters, by Meta's description of the call.
    let wrong = match name.chars().count() {
        2..=75 if name == own.found.number.verified_name => Some("The number has this name already.".to_owned()),
        2..=75 if pages.numbers.lacks_pin(&own.found).await? => {
            Some("Set a PIN of this number first, see above.".to_owned())
        }
        2..=75 => match pages.numbers.rename(&own, name).await {
            Ok(()) => None,
            Err(error) => Some(refusal(error)?),
        },
        _ => Some("Enter a name of 2 to 75 characters.".to_owned()),
    };
    if wrong.is_some() {
        return Ok(
            (StatusCode::UNPROCESSABLE_ENTITY, view(&pages, chrome, &own, form.name, wrong).await?).into_response()
        );
    }
    Ok(done(&session, "Meta now checks the new name.", &page_of(&own.found)).await?.into_response())
}

impl super::PhoneNumbers {
    /// Whether a new name could not take effect by itself: the number is registered, with a PIN that is not kept here.
    async fn lacks_pin(&self, found: &Found) -> Result<bool> {
        let pin = pins::last(&mut self.store.read().await?, &found.file.id).await?;
        let holds = pin.is_some_and(|pin| pin.state != PinState::Stale);
        Ok(found.number.registration() == Registration::Ready && !holds)
    }

    async fn rename(&self, own: &Own, name: &str) -> std::result::Result<(), AskError> {
        let (found, member) = (&own.found, &own.member);
        let line = self.lines.line(found.held.connection).await?;
        self.asked(&line, line.graph.set_display_name(&line.access, &found.number.id, name).await).await?;
        let mut tx = self.store.write().await?;
        self.note(&mut tx, Some(member), &found.file, "number.name_asked", None).await?;
        // What waits for the name of a number that is not registered yet goes on waiting, for this one.
        let waits = found.number.registration() == Registration::Ready
            && file_queries::begin(&mut tx, &found.file.id, Task::Rename, None, Some(name), self.now()).await?;
        if waits {
            self.begin_job(tx, &found.file).await?;
        } else {
            if found.file.failed().is_some() {
                file_queries::give_up(&mut tx, &found.file.id).await?;
            }
            tx.commit().await?;
        }
        match self.refresh(found).await {
            Err(AskError::Internal(error)) => Err(AskError::Internal(error)),
            // The name is asked for; how it stands is read later.
            _ => Ok(()),
        }
    }
}
