//! `/{waba}/message_templates` and `/{template}`.
//!
//! Meta: templates/template-management, templates/overview, error-codes (*Template creation errors*).

use super::{
    super::{
        Sandbox, ids, review,
        state::State,
        templates::{LIMIT, LIMIT_VERIFIED, Template},
    },
    auth::Caller,
    call::Call,
    error::GraphError,
    fields::Node,
    paging, template_rules as rules,
    waba::requested,
};
use serde_json::{Value, json};
use std::sync::Arc;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn node(template: &Template) -> Node {
    let all = json!({
        "id": template.id,
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "previous_category": template.previous_category,
        "correct_category": template.correct_category,
        "sub_category": (template.category == "MARKETING").then_some("CUSTOM"),
        "parameter_format": template.parameter_format,
        "components": template.components.iter().map(signed).collect::<Vec<Value>>(),
        "quality_score": {"score": template.quality, "date": template.quality_ms / 1000},
        "rejected_reason": template.rejected_reason.as_deref().unwrap_or("NONE"),
    });
    Node {
        kind: "WhatsAppMessageTemplate",
        all: all.as_object().cloned().unwrap_or_default(),
        defaults: &["name", "parameter_format", "components", "language", "status", "category", "sub_category", "id"],
    }
}

/// The addresses of samples end some day, so each reading gets others; the file's name in them stays.
fn signed(value: &Value) -> Value {
    match value {
        Value::String(text) if text.starts_with("https://scontent.whatsapp.net/") => {
            json!(format!("{text}?oh={}", ids::alphanumeric(16)))
        }
        Value::Array(items) => items.iter().map(signed).collect(),
        Value::Object(members) => members.iter().map(|(key, member)| (key.clone(), signed(member))).collect(),
        other => other.clone(),
    }
}

/// The templates of an account, by pages. A cursor that is none is 131059 (changelog, v24).
pub(super) fn list(
    sandbox: &Sandbox,
    state: &State,
    call: &Call,
    caller: &Caller,
    id: &str,
) -> Result<Value, GraphError> {
    let waba = caller.waba(state, call, id)?;
    let fields = requested(call)?;
    let fits = |asked: Option<String>, has: &str| asked.is_none_or(|asked| asked.eq_ignore_ascii_case(has));
    let items = state
        .templates_of(&waba.id)
        .filter(|template| fits(call.text("status"), &template.status))
        .filter(|template| fits(call.text("category"), &template.category))
        .filter(|template| fits(call.text("language"), &template.language))
        .filter(|template| call.text("name").is_none_or(|name| template.name.contains(&name)));
    paging::page_lazily(
        call,
        &sandbox.origin(),
        items,
        |template| template.id.clone(),
        |template| node(template).select(&fields),
    )
    .map_err(|error| match error.message.contains("cursor") {
        true => GraphError::new(131_059, "(#131059) Invalid cursor").details("The cursor has expired or is corrupt."),
        false => error,
    })
}

/// One template, which the caller may manage.
fn find<'a>(state: &'a State, call: &Call, caller: &Caller, id: &str) -> Result<&'a Template, GraphError> {
    let template = state.template(id).ok_or_else(|| GraphError::unsupported(&call.method, id))?;
    match caller.waba(state, call, &template.waba_id) {
        Ok(_) => Ok(template),
        Err(error) if error.code == 100 => Err(GraphError::unsupported(&call.method, id)),
        Err(error) => Err(error),
    }
}

pub(super) fn read(state: &State, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    node(find(state, call, caller, id)?).select(&requested(call)?)
}

pub(super) fn create(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    let now_ms = sandbox.now_ms();
    let waba = sandbox.read(|state| caller.waba(state, call, id).map(|waba| waba.id.clone()))?;
    let asked = rules::read(sandbox, call)?;
    let made = sandbox.change(|state| {
        let limit = if state.templates.verified.contains(&waba) { LIMIT_VERIFIED } else { LIMIT };
        if state.templates_of(&waba).count() >= limit {
            return Err(rules::refused(2_388_019, "Message Template Limit Exceeded", format!(
                "You have exceeded the maximum number of message templates ({limit}) for this WhatsApp business account.")));
        }
        let shelf = Arc::make_mut(&mut state.templates);
        let created = shelf.created_ms.entry(waba.clone()).or_default();
        created.retain(|at| at + HOUR_MS > now_ms);
        if created.len() >= 100 {
            return Err(GraphError::new(80_008, "(#80008) There have been too many calls to this WhatsApp Business \
                account. Wait a bit and try again.").details("100 templates an hour can be created."));
        }
        shelf.blocked.retain(|_, until| *until > now_ms);
        let of_same_name = |template: &&Arc<Template>| template.waba_id == waba && template.name == asked.name;
        if shelf.blocked.contains_key(&format!("{waba}/{}", asked.name)) {
            return Err(rules::refused(2_388_023, "Message Template Name Is Being Deleted", format!(
                "A template named {} was deleted: the name can be used again 30 days after that.", asked.name)));
        }
        if shelf.all.iter().filter(of_same_name).any(|template| template.language == asked.language) {
            return Err(rules::refused(2_388_024, "Content In This Language Already Exists", format!(
                "There is already {} content for this template. You can create a new template and try again.", asked.language)));
        }
        let category = review::fitting_category(&asked.category, asked.body());
        let template = Template {
            id: ids::object(),
            waba_id: waba.clone(),
            name: asked.name.clone(),
            language: asked.language.clone(),
            previous_category: (category != asked.category).then(|| asked.category.clone()),
            category,
            correct_category: None,
            status: "PENDING".to_owned(),
            rejected_reason: None,
            parameter_format: asked.parameter_format.clone(),
            components: asked.components.clone(),
            quality: "UNKNOWN".to_owned(),
            quality_ms: now_ms,
            review_due_ms: Some(now_ms + shelf.review_ms),
            edited_ms: Vec::new(),
            was_approved: false,
        };
        shelf.created_ms.entry(waba.clone()).or_default().push(now_ms);
        shelf.all.push(Arc::new(template.clone()));
        Ok(template)
    })??;
    review::begin(sandbox, made.id.clone());
    Ok(json!({"id": made.id, "status": made.status, "category": made.category}))
}

/// Replaces all components, or the category. Only an approved, rejected or paused template can be edited; an approved
/// one once in 24 hours and ten times in 30 days, and its category stays (templates/template-management).
pub(super) fn edit(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    let now_ms = sandbox.now_ms();
    let old = sandbox.read(|state| find(state, call, caller, id).cloned())?;
    let was_approved = old.status == "APPROVED";
    // The documents name no subcode for an edit that is not allowed.
    let cant = |why: String| rules::forbidden("Message template can't be edited", why);
    if !matches!(old.status.as_str(), "APPROVED" | "REJECTED" | "PAUSED") {
        return Err(cant(format!("A template whose status is {} can't be edited.", old.status)));
    }
    let within = |ms: i64| old.edited_ms.iter().filter(|at| **at + ms > now_ms).count();
    if was_approved && (within(DAY_MS) >= 1 || within(30 * DAY_MS) >= 10) {
        return Err(cant("An approved template can be edited once in 24 hours and 10 times in 30 days.".to_owned()));
    }
    let category = call.text("category").map(|category| category.to_uppercase());
    if was_approved && category.as_ref().is_some_and(|category| *category != old.category) {
        return Err(cant("The category of an approved template can't be changed.".to_owned()));
    }
    let category = category.unwrap_or_else(|| old.category.clone());
    let components = match call.value("components") {
        Some(_) => rules::components(
            sandbox,
            call,
            &category,
            &mut call.text("parameter_format").or(Some(old.parameter_format)),
        )?,
        None => old.components.clone(),
    };
    let edited = sandbox.change(|state| {
        let review_ms = state.templates.review_ms;
        let template = state.template_mut(id)?;
        template.category = category;
        template.components = components;
        template.status = "PENDING".to_owned();
        template.rejected_reason = None;
        template.review_due_ms = Some(now_ms + review_ms);
        if was_approved {
            template.edited_ms.push(now_ms);
        }
        Some(template.clone())
    })?;
    let edited = edited.ok_or_else(|| GraphError::unsupported(&call.method, id))?;
    super::super::webhooks::queue(sandbox, review::components_webhook(&edited, now_ms))?;
    review::begin(sandbox, id.to_owned());
    Ok(json!({"success": true}))
}

/// By name all languages, by name and `hsm_id` one. A disabled one can't be deleted; an approved one's name is blocked.
/// Which subcodes stand for a template that is not there, or is disabled, is not documented: none is given.
pub(super) fn delete(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    let now_ms = sandbox.now_ms();
    let waba = sandbox.read(|state| caller.waba(state, call, id).map(|waba| waba.id.clone()))?;
    let name = call.text("name").ok_or_else(|| GraphError::parameter("The parameter name is required."))?;
    let one = call.text("hsm_id");
    let gone = sandbox.change(|state| {
        let fits = |template: &Template| {
            template.waba_id == waba && template.name == name && one.as_ref().is_none_or(|id| *id == template.id)
        };
        let concerned: Vec<Template> = state.templates_of(&waba).filter(|template| fits(template)).cloned().collect();
        if concerned.is_empty() {
            return Err(rules::forbidden(
                "Message Template Not Found",
                "The message template was not found.".to_owned(),
            ));
        }
        if concerned.iter().any(|template| template.status == "DISABLED") {
            return Err(rules::forbidden(
                "Message template can't be deleted",
                "A disabled template can't be deleted.".to_owned(),
            ));
        }
        let shelf = Arc::make_mut(&mut state.templates);
        shelf.all.retain(|template| !fits(template));
        let last = !shelf.all.iter().any(|template| template.waba_id == waba && template.name == name);
        if last && concerned.iter().any(|template| template.was_approved) {
            shelf.blocked.insert(format!("{waba}/{name}"), now_ms + 30 * DAY_MS);
        }
        Ok(concerned)
    })??;
    for template in gone {
        let told = review::status_webhook(&template, "DELETED", "NONE", None, now_ms);
        super::super::webhooks::queue(sandbox, told)?;
    }
    Ok(json!({"success": true}))
}
