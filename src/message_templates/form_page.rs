//! Making and editing a template.

use super::{
    check::Faults,
    desk::{NotDone, TemplateDesk, is_approved},
    draft::Draft,
    form::{Posted, Shown, Typed},
    languages,
    model::Template as MessageTemplate,
    places::WabaChoice,
    preview::{Preview, PreviewPart},
};
use crate::{
    accounts::Member,
    base::{ids::WabaId, text::shorten},
    graph::{GraphError, Held},
    web::{Chrome, Error, Result, page},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_sessions::Session;

#[derive(Template, WebTemplate)]
#[template(path = "message_templates/form.html")]
struct FormPage {
    chrome: Chrome,
    id: String,
    connection: String,
    /// Set where one is edited.
    template: Option<String>,
    waba: String,
    wabas: Vec<WabaChoice>,
    shown: Shown,
    faults: Faults,
    error: Option<Box<GraphError>>,
    preview: Preview,
    language: String,
    /// Of an approved one: it stays as it is.
    is_category_fixed: bool,
    is_authentication: bool,
}

impl FormPage {
    fn fault(&self, field: &str) -> Option<&str> {
        self.faults.of(field)
    }

    /// The faults beside that of the whole form: where they stand on the page, and what they say.
    fn marked(&self) -> Vec<(String, &str)> {
        let place = |field: &str| match field {
            "file" => "upload".to_owned(),
            "category" => "category-UTILITY".to_owned(),
            "buttons" => "buttons-title".to_owned(),
            other => other.to_owned(),
        };
        let marked = self.faults.0.iter().filter(|fault| fault.field != "form");
        marked.map(|fault| (place(&fault.field), fault.text.as_str())).collect()
    }
}

/// The variables' part of the form, for the page's script.
#[derive(Template)]
#[template(path = "message_templates/samples.html")]
struct SamplesPart<'a> {
    chrome: &'a Chrome,
    shown: &'a Shown,
}

/// What the form is for.
#[derive(Clone, Copy)]
enum Purpose<'a> {
    /// A template that exists.
    Edit(&'a MessageTemplate),
    /// A new one in this WABA.
    New(&'a WabaId),
}

/// What is wrong with a draft, and Meta's answer where that told it.
type Wrong = (Faults, Option<Box<GraphError>>);

async fn form_page(
    desk: &TemplateDesk,
    chrome: Chrome,
    held: &Held,
    purpose: Purpose<'_>,
    draft: Draft,
    (faults, error): Wrong,
) -> Result<FormPage> {
    let (edited, waba) = match purpose {
        Purpose::Edit(template) => (Some(template), &template.waba_id),
        Purpose::New(waba) => (None, waba),
    };
    let wabas = match purpose {
        Purpose::Edit(_) => Vec::new(),
        Purpose::New(waba) => desk.places(held, waba).await?,
    };
    Ok(FormPage {
        chrome,
        id: held.connection.to_string(),
        connection: held.name.clone(),
        template: edited.map(|template| template.id.clone()),
        wabas,
        waba: waba.to_string(),
        preview: Preview::of(&draft),
        language: languages::name(&draft.language).to_owned(),
        is_category_fixed: edited.is_some_and(is_approved),
        is_authentication: draft.is_authentication(),
        shown: Shown::of(draft, &faults),
        faults,
        error,
    })
}

#[derive(Deserialize)]
pub(super) struct From {
    #[serde(default)]
    waba: String,
    /// The template whose words are taken over.
    #[serde(default)]
    from: String,
    /// `language` or `waba`: what the copy is for.
    #[serde(default)]
    to: String,
}

pub(super) async fn new(
    State(desk): State<TemplateDesk>,
    chrome: Chrome,
    member: Member,
    Path(id): Path<String>,
    Query(from): Query<From>,
) -> Result<Response> {
    let held = desk.held(&member, &id).await?;
    let mut draft = Draft { category: "UTILITY".to_owned(), language: "en_US".to_owned(), ..Draft::default() };
    let mut place = None;
    if !from.from.is_empty() {
        let old = desk.find(&held, &from.from).await?;
        draft = draft_of(&old);
        // A copy needs its own language, its own account, or its own name.
        if from.to == "language" {
            draft.language = String::new();
        } else {
            let (held, waba) = desk.place_of_copy(&held, &old.waba_id).await?;
            if waba == old.waba_id {
                draft.name = format!("{}_copy", draft.name);
            }
            place = Some((held, waba)).filter(|_| from.waba.is_empty());
        }
    }
    let (held, waba) = match place {
        Some(place) => place,
        None => desk.place(&held, &from.waba).await?,
    };
    let page = form_page(&desk, chrome, &held, Purpose::New(&waba), draft, Wrong::default()).await?;
    Ok(page.into_response())
}

fn draft_of(template: &MessageTemplate) -> Draft {
    let category = template.category.clone().unwrap_or_default();
    let mut draft = Draft::of(&template.name, &category, &template.language_code(), &template.components);
    if draft.is_authentication() {
        // The text is Meta's own, and its buttons are told by the kind of code.
        draft.body = String::new();
        draft.footer = String::new();
        draft.buttons = Vec::new();
    }
    draft
}

/// Has Meta keep a sample that was chosen, whichever button was pressed: it is not lost then.
async fn take_file(desk: &TemplateDesk, held: &Held, typed: &Typed, draft: &mut Draft) -> Result<Wrong> {
    let Some(file) = typed.upload.as_ref().filter(|_| draft.header.is_media() && !draft.is_authentication()) else {
        return Ok(Wrong::default());
    };
    match desk.upload(held, draft.header, file).await {
        Ok(handle) => {
            draft.handle = handle;
            draft.file = shorten(&file.name, 100);
            Ok(Wrong::default())
        }
        Err(NotDone::Faults(faults, error)) => Ok((faults, error)),
        Err(NotDone::Failed(error)) => Err(Error::internal(error)),
    }
}

pub(super) async fn create(
    State(desk): State<TemplateDesk>,
    chrome: Chrome,
    session: Session,
    member: Member,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response> {
    let typed = Typed::of(&posted);
    let (held, waba) = desk.place(&desk.held(&member, &id).await?, &typed.waba).await?;
    let mut draft = typed.draft();
    let (faults, error) = take_file(&desk, &held, &typed, &mut draft).await?;
    if typed.rearrange(&mut draft) || !faults.is_empty() {
        let status = if faults.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        let page = form_page(&desk, chrome, &held, Purpose::New(&waba), draft, (faults, error)).await?;
        return Ok((status, page).into_response());
    }
    match desk.create(&member, &held, &waba, &draft).await {
        Ok(template) => {
            page::flash(&session, "Meta has the template and looks at it.").await?;
            Ok(Redirect::to(&format!("/connections/{}/templates/{template}", held.connection)).into_response())
        }
        Err(NotDone::Failed(error)) => Err(Error::internal(error)),
        Err(NotDone::Faults(faults, error)) => {
            let page = form_page(&desk, chrome, &held, Purpose::New(&waba), draft, (faults, error)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// Whether editing it here would lose something.
pub(super) fn loses(template: &MessageTemplate) -> bool {
    Draft::loses(template.category.as_deref().unwrap_or_default(), &template.components)
}

/// The template to be edited, where its parts are known here.
async fn editable(desk: &TemplateDesk, held: &Held, template: &str) -> Result<MessageTemplate> {
    let found = desk.find(held, template).await?;
    if loses(&found) || found.components.is_empty() {
        let why = "This template has parts that can’t be edited here. Edit it in WhatsApp Manager at Meta.";
        return Err(Error::Conflict(why.to_owned()));
    }
    Ok(found)
}

pub(super) async fn edit(
    State(desk): State<TemplateDesk>,
    chrome: Chrome,
    member: Member,
    Path((id, template)): Path<(String, String)>,
) -> Result<Response> {
    let held = desk.held(&member, &id).await?;
    let found = editable(&desk, &held, &template).await?;
    if desk.edit_blocked(&found).await?.is_some() {
        // Its page says why, and from when on it can be.
        return Ok(Redirect::to(&format!("/connections/{id}/templates/{template}")).into_response());
    }
    let draft = draft_of(&found);
    Ok(form_page(&desk, chrome, &held, Purpose::Edit(&found), draft, Wrong::default()).await?.into_response())
}

pub(super) async fn save(
    State(desk): State<TemplateDesk>,
    chrome: Chrome,
    session: Session,
    member: Member,
    Path((id, template)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response> {
    let typed = Typed::of(&posted);
    let held = desk.held(&member, &id).await?;
    let found = editable(&desk, &held, &template).await?;
    let mut draft = typed.draft();
    // What can't be changed is not taken from the form.
    draft.name.clone_from(&found.name);
    draft.language = found.language_code();
    if is_approved(&found) || draft.category.is_empty() {
        draft.category = found.category.clone().unwrap_or_default();
    }
    let old = draft_of(&found).code;
    (draft.code.text, draft.code.autofill) = (old.text, old.autofill);
    let (mut faults, error) = take_file(&desk, &held, &typed, &mut draft).await?;
    // From a tab that was open before: what was typed stays.
    if let Some(why) = desk.edit_blocked(&found).await? {
        faults.add("form", why);
    }
    if typed.rearrange(&mut draft) || !faults.is_empty() {
        let status = if faults.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        let page = form_page(&desk, chrome, &held, Purpose::Edit(&found), draft, (faults, error)).await?;
        return Ok((status, page).into_response());
    }
    match desk.edit(&member, &held, &found, &draft).await {
        Ok(()) => {
            page::flash(&session, "Meta has the change and looks at it.").await?;
            Ok(Redirect::to(&format!("/connections/{id}/templates/{template}")).into_response())
        }
        Err(NotDone::Failed(error)) => Err(Error::internal(error)),
        Err(NotDone::Faults(faults, error)) => {
            let page = form_page(&desk, chrome, &held, Purpose::Edit(&found), draft, (faults, error)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// What the script shows while somebody types: the preview, and the fields of the variables.
pub(super) async fn preview(
    State(desk): State<TemplateDesk>,
    chrome: Chrome,
    member: Member,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Json<Value>> {
    let typed = Typed::of(&posted);
    desk.held(&member, &id).await?;
    let draft = typed.draft();
    let preview = Preview::of(&draft);
    let shown = Shown::of(draft, &Faults::default());
    let preview = PreviewPart { chrome: &chrome, preview: &preview }.render().map_err(Error::internal)?;
    let samples = SamplesPart { chrome: &chrome, shown: &shown }.render().map_err(Error::internal)?;
    Ok(Json(json!({"preview": preview, "samples": samples, "keys": shown.keys})))
}
