//! What the built-in receiver got, and the switch for what it answers.

use super::{
    endpoint::Endpoint,
    format::{self, samples::pretty},
    page_queries,
    pages::{EndpointPages, Own, done, page_of, parse},
    receiver::Answers,
    receiver_queries::{self, Received},
};
use crate::{
    accounts::Member,
    base::ids::EndpointId,
    store::WriteTx,
    web::{Badge, Chrome, Error, Form, NoFields, Result, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

struct CallLine {
    id: String,
    at: When,
    /// Which delivery, and which try of it.
    sequence: String,
    badge: Badge,
    signature: Badge,
    headers: Vec<(String, String)>,
    body: String,
}

struct AnswerChoice {
    value: i64,
    label: &'static str,
    hint: &'static str,
    checked: bool,
}

#[derive(Template, WebTemplate)]
#[template(path = "forwarding/received.html")]
struct ReceivedPage {
    chrome: Chrome,
    id: String,
    name: String,
    answers: Vec<AnswerChoice>,
    answers_now: &'static str,
    calls: Vec<CallLine>,
    kept: i64,
    version: String,
    fault: Option<&'static str>,
}

fn line(endpoint: &Endpoint, call: Received, now: time::OffsetDateTime) -> CallLine {
    let header = |name: &str| call.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let sequence = match (header(format::SEQUENCE), header("doorway-attempt")) {
        (Some(number), Some(attempt)) => format!("Delivery {number}, attempt {attempt}"),
        (Some(number), None) => format!("Delivery {number}"),
        _ => "A call".to_owned(),
    };
    // As a receiver would have asked when it came. A body that was cut can't be asked any more; it was when it came.
    let signature = match format::check(endpoint, header, call.body.as_bytes(), call.at) {
        Ok(()) => Badge::new("good", "Signature is right"),
        Err(_) => Badge::new("neutral", "Signature was right when it came"),
    };
    let badge = match call.answered {
        200 => Badge::new("good", "Answered 200"),
        0 => Badge::new("attention", "Answered too late"),
        status => Badge::new("problem", format!("Answered {status}")),
    };
    CallLine {
        id: call.id,
        at: When::new(call.at, now),
        sequence,
        badge,
        signature,
        body: if serde_json::from_str::<serde::de::IgnoredAny>(&call.body).is_ok() {
            pretty(&call.body)
        } else {
            call.body
        },
        headers: call.headers,
    }
}

/// An endpoint, if it is one with the built-in receiver.
fn with_receiver(endpoint: &Endpoint) -> Result<()> {
    if endpoint.url.is_some() { Err(Error::NotFound) } else { Ok(()) }
}

async fn view(
    pages: &EndpointPages,
    chrome: Chrome,
    endpoint: &Endpoint,
    fault: Option<&'static str>,
) -> Result<ReceivedPage> {
    let now = pages.forwarding.clock.now();
    let mut db = pages.forwarding.store.read().await?;
    // Before all that it stands for: what changes meanwhile makes the page fetch itself once more.
    let version = page_queries::version(&mut db, endpoint.id).await?.unwrap_or_default();
    let answers = Answers::of(receiver_queries::answers(&mut db, endpoint.id).await?).unwrap_or(Answers::Well);
    let calls = receiver_queries::received(&mut db, endpoint.id).await?;
    Ok(ReceivedPage {
        chrome,
        id: endpoint.id.to_string(),
        name: endpoint.name.clone(),
        answers: Answers::ALL
            .map(|one| {
                let (label, hint) = one.words();
                AnswerChoice { value: one.number(), label, hint, checked: one == answers }
            })
            .into(),
        answers_now: answers.words().0,
        calls: calls.into_iter().map(|call| line(endpoint, call, now)).collect(),
        kept: receiver_queries::KEPT,
        version,
        fault,
    })
}

pub(super) async fn show(
    State(pages): State<EndpointPages>,
    chrome: Chrome,
    Own { endpoint, .. }: Own,
) -> Result<Response> {
    with_receiver(&endpoint)?;
    Ok(view(&pages, chrome, &endpoint, None).await?.into_response())
}

/// An address that only takes a form leads back.
pub(super) async fn back(Path(id): Path<String>) -> Result<Redirect> {
    Ok(Redirect::to(&address(parse(&id)?)))
}

#[derive(Deserialize)]
pub(super) struct SwitchForm {
    #[serde(default)]
    answers: String,
}

pub(super) async fn switch(
    State(pages): State<EndpointPages>,
    chrome: Chrome,
    session: Session,
    Own { member, endpoint }: Own,
    Form(form): Form<SwitchForm>,
) -> Result<Response> {
    with_receiver(&endpoint)?;
    let Some(answers) = form.answers.parse().ok().and_then(Answers::of) else {
        let page = view(&pages, chrome, &endpoint, Some("Choose one of these.")).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    let mut tx = pages.forwarding.store.write().await?;
    receiver_queries::set_answers(&mut tx, endpoint.id, answers.number()).await?;
    noted(&pages, tx, &member, endpoint.id, "endpoint.receiver_switched").await?;
    let words = format!("From now on the receiver answers: {}.", answers.words().0);
    Ok(done(&session, &words, &address(endpoint.id)).await?.into_response())
}

pub(super) async fn forget(
    State(pages): State<EndpointPages>,
    session: Session,
    Own { member, endpoint }: Own,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    with_receiver(&endpoint)?;
    let mut tx = pages.forwarding.store.write().await?;
    receiver_queries::forget(&mut tx, endpoint.id).await?;
    noted(&pages, tx, &member, endpoint.id, "endpoint.receiver_emptied").await?;
    done(&session, "The list is empty again.", &address(endpoint.id)).await
}

/// Notes in the audit log what was done to an endpoint's receiver, and commits both.
async fn noted(
    pages: &EndpointPages,
    mut tx: WriteTx,
    member: &Member,
    id: EndpointId,
    action: &'static str,
) -> Result<()> {
    let (user, customer) = (Some(&member.user), member.customer);
    pages.forwarding.note(&mut tx, user, customer, action, &id.to_string(), None).await?;
    Ok(tx.commit().await?)
}

fn address(id: EndpointId) -> String {
    format!("{}/received", page_of(id))
}
