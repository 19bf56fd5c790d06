//! Proving that a number is its owner's: Meta sends a code to it, by text message or call.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers>

use super::{
    file_queries,
    model::Registration,
    numbers::AskError,
    pages::{Head, NumberPages, Own, done, page_of, refusal},
};
use crate::{
    graph::CodeMethod,
    web::{Chrome, Form, Result, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use time::Duration;
use tower_sessions::Session;

/// For how long a code is good.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-phone-number/verify-code-api>
const LIFE: Duration = Duration::minutes(10);

/// The languages that codes come in, of those that Meta lists for templates, written as there.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/supported-languages>
const LANGUAGES: [(&str, &str); 14] = [
    ("ar", "العربية"),
    ("de", "Deutsch"),
    ("en_US", "English"),
    ("es_ES", "Español"),
    ("fr", "Français"),
    ("hi", "हिन्दी"),
    ("id", "Bahasa Indonesia"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("nl", "Nederlands"),
    ("pl", "Polski"),
    ("pt_BR", "Português"),
    ("ru", "Русский"),
    ("tr", "Türkçe"),
];

#[derive(Template, WebTemplate)]
#[template(path = "phone_numbers/verify.html")]
struct VerifyPage {
    chrome: Chrome,
    head: Head,
    is_verified: bool,
    sent: Option<When>,
    languages: Vec<(&'static str, &'static str, bool)>,
    send_error: Option<String>,
    code_error: Option<String>,
    inactive: bool,
}

/// The customer's language, by their browser.
fn preferred(headers: &HeaderMap) -> &'static str {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let wanted = accepted.split(',').map(|one| one.split(['-', ';']).next().unwrap_or_default().trim().to_lowercase());
    let known = |wanted: String| LANGUAGES.iter().find(|(code, _)| code.split('_').next() == Some(&wanted));
    wanted.filter(|one| !one.is_empty()).find_map(known).map_or("en_US", |(code, _)| code)
}

fn view(
    pages: &NumberPages,
    chrome: Chrome,
    own: &Own,
    language: &str,
    send_error: Option<String>,
    code_error: Option<String>,
) -> VerifyPage {
    let now = pages.numbers.now();
    let found = &own.found;
    VerifyPage {
        chrome,
        head: Head::new(found),
        is_verified: !matches!(found.number.registration(), Registration::Unverified)
            && found.number.code_verification_status.as_deref() == Some("VERIFIED"),
        sent: found.file.code_sent_at.filter(|at| *at + LIFE > now).map(|at| When::new(at, now)),
        languages: LANGUAGES.map(|(code, name)| (code, name, code == language)).to_vec(),
        send_error,
        code_error,
        inactive: !found.held.is_active,
    }
}

pub(super) async fn show(State(pages): State<NumberPages>, chrome: Chrome, headers: HeaderMap, own: Own) -> Response {
    view(&pages, chrome, &own, preferred(&headers), None, None).into_response()
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct SendForm {
    method: String,
    language: String,
}

pub(super) async fn send(
    State(pages): State<NumberPages>,
    chrome: Chrome,
    session: Session,
    headers: HeaderMap,
    own: Own,
    Form(form): Form<SendForm>,
) -> Result<Response> {
    let method = if form.method == "voice" { CodeMethod::Voice } else { CodeMethod::Sms };
    let known = LANGUAGES.iter().find(|(code, _)| *code == form.language);
    let language = known.map_or_else(|| preferred(&headers), |(code, _)| code);
    if let Err(error) = pages.numbers.send_code(&own, method, language).await {
        let text = match error {
            // https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account-to-number-current-status/request_code
            AskError::Graph(error) if error.api().is_some_and(|api| api.code == 136_024) => {
                let said = error.api().and_then(|api| api.user_message.clone()).unwrap_or_default();
                // Meta’s own words tell how long; ours would be another time.
                let wait = if said.trim().is_empty() {
                    "Too many codes were asked for. Wait some hours."
                } else {
                    said.trim()
                };
                format!("Meta sends no code now. {wait} Or ask for the other way.")
            }
            other => refusal(other)?,
        };
        let page = view(&pages, chrome, &own, language, Some(text), None);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let words = match method {
        CodeMethod::Sms => "The code is on its way as a text message.",
        CodeMethod::Voice => "Meta is calling the number now.",
    };
    Ok(done(&session, words, &format!("{}/verify", page_of(&own.found))).await?.into_response())
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct CodeForm {
    code: String,
}

pub(super) async fn verify(
    State(pages): State<NumberPages>,
    chrome: Chrome,
    session: Session,
    headers: HeaderMap,
    own: Own,
    Form(form): Form<CodeForm>,
) -> Result<Response> {
    let code: String = form.code.chars().filter(char::is_ascii_digit).collect();
    let wrong = match code.len() {
        6 => match pages.numbers.verify(&own, &code).await {
            Ok(()) => None,
            Err(AskError::Graph(error)) if error.api().is_some_and(|api| api.code == 136_025) => {
                let said = error.api().and_then(|api| api.user_message.clone()).unwrap_or_default();
                Some(format!("Meta did not take this code. {said} Compare it with the message, or ask for a new one."))
            }
            Err(other) => Some(refusal(other)?),
        },
        _ => Some("The code has six digits.".to_owned()),
    };
    if let Some(text) = wrong {
        let page = view(&pages, chrome, &own, preferred(&headers), None, Some(text));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let address = format!("{}/register", page_of(&own.found));
    Ok(done(&session, "The number is confirmed. Now register it.", &address).await?.into_response())
}

impl super::PhoneNumbers {
    async fn send_code(&self, own: &Own, method: CodeMethod, language: &str) -> std::result::Result<(), AskError> {
        let found = &own.found;
        let line = self.lines.line(found.held.connection).await?;
        let answer = line.graph.request_code(&line.access, &found.number.id, method, language).await;
        self.asked(&line, answer).await?;
        let mut tx = self.store.write().await?;
        file_queries::set_code_sent(&mut tx, &found.file.id, Some(self.now())).await?;
        let detail = Some(method.as_str().to_owned());
        self.note(&mut tx, Some(&own.member), &found.file, "number.code_sent", detail).await?;
        Ok(tx.commit().await?)
    }

    async fn verify(&self, own: &Own, code: &str) -> std::result::Result<(), AskError> {
        let found = &own.found;
        let line = self.lines.line(found.held.connection).await?;
        self.asked(&line, line.graph.verify_code(&line.access, &found.number.id, code).await).await?;
        let mut tx = self.store.write().await?;
        file_queries::set_code_sent(&mut tx, &found.file.id, None).await?;
        // What failed for want of it is over.
        file_queries::give_up(&mut tx, &found.file.id).await?;
        super::queries::set_verified(&mut tx, &found.number.id).await?;
        self.note(&mut tx, Some(&own.member), &found.file, "number.verified", None).await?;
        tx.commit().await?;
        if let Err(AskError::Internal(error)) = self.refresh(found).await {
            return Err(AskError::Internal(error));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_comes_in_the_browsers_language() {
        for (accepted, language) in
            [("de-AT,de;q=0.9,en;q=0.8", "de"), ("xx, pt-PT;q=0.5", "pt_BR"), ("", "en_US"), ("*", "en_US")]
        {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, accepted.parse().unwrap())]);
            assert_eq!(preferred(&headers), language, "{accepted}");
        }
    }
}
