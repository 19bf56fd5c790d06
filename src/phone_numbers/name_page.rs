//! Another display name: Meta reviews it, and a registered number must then be registered again.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/display-names> and
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration>

use super::{
    file::Task,
    file_queries,
    model::Registration,
    numbers::AskError,
    pages::{Head, NumberPages, Own, done, page_of, refusal},
    words,
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
    is_shared: bool,
    inactive: bool,
}

fn view(chrome: Chrome, own: &Own, typed: String, error: Option<String>) -> NamePage {
    let number = &own.found.number;
    let registration = number.registration();
    let asked = number.new_name.clone().filter(|name| *name != number.verified_name);
    let status = number.new_name_status.as_deref().filter(|status| *status != "NONE");
    NamePage {
        chrome,
        head: Head::new(&own.found),
        present: number.verified_name.clone(),
        check: words::name_check(number.name_status.as_deref()),
        asked: asked.zip(status).map(|(name, status)| (name, words::name_check(Some(status)))),
        typed,
        error,
        is_registered: registration == Registration::Ready,
        is_shared: registration == Registration::Coexistence,
        inactive: !own.found.held.is_active,
    }
}

pub(super) async fn show(chrome: Chrome, own: Own) -> Response {
    view(chrome, &own, String::new(), None).into_response()
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
        2..=75 => match pages.numbers.rename(&own, name).await {
            Ok(()) => None,
            Err(error) => Some(refusal(error)?),
        },
        _ => Some("Enter a name of 2 to 75 characters.".to_owned()),
    };
    if wrong.is_some() {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, view(chrome, &own, form.name, wrong)).into_response());
    }
    Ok(done(&session, "Meta now checks the new name.", &page_of(&own.found)).await?.into_response())
}

impl super::PhoneNumbers {
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
