//! One template's page, and deleting it.

use super::{
    desk::{NotDone, TemplateDesk},
    draft::Draft,
    form_page::loses,
    languages, page_queries as queries,
    preview::Preview,
    words,
};
use crate::{
    accounts::Member,
    web::{Badge, Chrome, Error, Form, Result, page, when::When},
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

/// Another language of the same name.
struct Other {
    id: String,
    language: String,
    status: Badge,
    is_this: bool,
}

#[derive(Template, WebTemplate)]
#[template(path = "message_templates/show.html")]
pub(super) struct ShowPage {
    chrome: Chrome,
    id: String,
    connection: String,
    waba: String,
    template: String,
    name: String,
    language: String,
    status: Badge,
    quality: Badge,
    category: String,
    previous_category: Option<String>,
    next_category: Option<(String, When)>,
    meaning: Option<(&'static str, String)>,
    meaning_look: &'static str,
    raw_status: String,
    reason: Option<String>,
    preview: Preview,
    is_read: bool,
    others: Vec<Other>,
    blocked: Option<String>,
    loses: bool,
    can_delete: bool,
    samples: Vec<(String, String)>,
    updated: When,
    read: Option<When>,
    json: String,
    /// Its status may change any moment: the page looks again by itself.
    is_waiting: bool,
}

pub(super) async fn show(
    State(desk): State<TemplateDesk>,
    chrome: Chrome,
    member: Member,
    Path((id, template)): Path<(String, String)>,
) -> Result<ShowPage> {
    let held = desk.held(&member, &id).await?;
    let found = desk.find(&held, &template).await?;
    let all = queries::translations(&mut desk.templates.store.read().await?, &found.waba_id, &found.name).await?;
    let now = desk.templates.clock.now();
    let category = found.category.clone().unwrap_or_default();
    let draft = Draft::of(&found.name, &category, &found.language_code(), &found.components);
    let status = words::status(&found);
    let meaning_look = match status.look {
        "problem" => "error",
        "waiting" => "info",
        _ => "warning",
    };
    let samples = draft.variables().into_iter().map(|key| {
        let name = key.split_once(':').map_or("", |(_, name)| name);
        (format!("{{{{{name}}}}}"), draft.sample(&key).to_owned())
    });
    Ok(ShowPage {
        chrome,
        id,
        connection: held.name,
        waba: found.waba_id.to_string(),
        name: found.name.clone(),
        language: languages::name(&found.language_code()).to_owned(),
        quality: words::quality(found.quality.as_deref()),
        category: words::category(&category),
        previous_category: found.previous_category.as_deref().filter(|old| *old != category).map(words::category),
        next_category: found.next_category.as_ref().map(|(next, at)| (words::category(next), When::new(*at, now))),
        meaning: words::meaning(&found),
        meaning_look,
        raw_status: found.status.clone().unwrap_or_default(),
        reason: found.reason.clone(),
        is_read: !found.components.is_empty(),
        others: all
            .iter()
            .map(|other| Other {
                id: other.id.clone(),
                language: languages::name(&other.language_code()).to_owned(),
                status: words::status(other),
                is_this: other.id == found.id,
            })
            .collect(),
        blocked: desk.edit_blocked(&found).await?,
        loses: loses(&found),
        can_delete: can_delete(found.status.as_deref()),
        samples: samples.collect(),
        preview: Preview::of_components(&draft, &found.components),
        updated: When::new(found.updated_at, now),
        read: found.read_at.map(|at| When::new(at, now)),
        json: serde_json::to_string_pretty(&found.components).unwrap_or_default(),
        is_waiting: matches!(found.status.as_deref(), Some("PENDING" | "IN_APPEAL")) || found.components.is_empty(),
        status,
        template,
    })
}

/// Meta deletes no template that is switched off.
fn can_delete(status: Option<&str>) -> bool {
    !matches!(status, Some("DISABLED" | "DELETED" | "PENDING_DELETION"))
}

#[derive(Template, WebTemplate)]
#[template(path = "message_templates/delete.html")]
struct DeletePage {
    chrome: Chrome,
    id: String,
    template: String,
    name: String,
    language: String,
    others: Vec<String>,
    is_sent: bool,
    fault: Option<String>,
    details: Option<String>,
}

async fn delete_page(
    desk: &TemplateDesk,
    chrome: Chrome,
    member: &Member,
    id: String,
    template: String,
) -> Result<DeletePage> {
    let held = desk.held(member, &id).await?;
    let found = desk.find(&held, &template).await?;
    if !can_delete(found.status.as_deref()) {
        return Err(Error::Conflict(
            "Meta does not let this template be deleted: it is switched off, or deleted already.".to_owned(),
        ));
    }
    let all = queries::translations(&mut desk.templates.store.read().await?, &found.waba_id, &found.name).await?;
    let others = all.iter().filter(|other| other.id != found.id);
    Ok(DeletePage {
        chrome,
        id,
        template,
        name: found.name.clone(),
        language: languages::name(&found.language_code()).to_owned(),
        others: others.map(|other| languages::name(&other.language_code()).to_owned()).collect(),
        is_sent: !matches!(found.status.as_deref(), Some("REJECTED" | "PENDING")),
        fault: None,
        details: None,
    })
}

pub(super) async fn ask_delete(
    State(desk): State<TemplateDesk>,
    chrome: Chrome,
    member: Member,
    Path((id, template)): Path<(String, String)>,
) -> Result<Response> {
    Ok(delete_page(&desk, chrome, &member, id, template).await?.into_response())
}

#[derive(Deserialize)]
pub(super) struct DeleteForm {
    #[serde(default)]
    which: String,
}

pub(super) async fn delete(
    State(desk): State<TemplateDesk>,
    chrome: Chrome,
    session: Session,
    member: Member,
    Path((id, template)): Path<(String, String)>,
    Form(form): Form<DeleteForm>,
) -> Result<Response> {
    let held = desk.held(&member, &id).await?;
    let found = desk.find(&held, &template).await?;
    let (list, all) = (format!("/connections/{id}/templates?waba={}", found.waba_id), form.which == "all");
    match desk.delete(&member, &held, &found, all).await {
        Ok(()) => {
            let what = if all { String::new() } else { format!(" in {}", languages::name(&found.language_code())) };
            page::flash(&session, &format!("{}{what} is deleted.", found.name)).await?;
            Ok(Redirect::to(&list).into_response())
        }
        Err(NotDone::Failed(error)) => Err(Error::internal(error)),
        Err(NotDone::Faults(faults, error)) => {
            let mut page = delete_page(&desk, chrome, &member, id, template).await?;
            page.fault = faults.0.first().map(|fault| fault.text.clone());
            page.details = error.map(|error| error.to_string());
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}
