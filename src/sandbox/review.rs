//! The review of templates, and the webhooks about them.
//!
//! Meta: templates/template-review, webhooks/reference/message_template_status_update, .../message_template_quality_update,
//! .../message_template_components_update, .../template_category_update. A review takes a moment
//! (`Shelf::review_ms`); what it comes to is said by the control API, or else by words in the template.

use super::{
    Sandbox,
    state::State,
    templates::{Template, Verdict},
    webhooks,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// Begins the wait for the reviews that are due.
pub(super) fn begin(sandbox: &Sandbox, id: String) {
    if tokio::runtime::Handle::try_current().is_err() {
        return;
    }
    let sandbox = sandbox.clone();
    tokio::spawn(async move {
        let due = sandbox.read(|state| state.template(&id).and_then(|template| template.review_due_ms));
        let Some(due) = due else { return };
        let wait = u64::try_from(due - sandbox.now_ms()).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        if let Err(error) = finish(&sandbox, &id) {
            tracing::error!(%error, "the sandbox's state could not be written");
        }
    });
}

/// Takes up what a former process left under review.
pub(super) fn resume(sandbox: &Sandbox) {
    let due: Vec<String> = sandbox.read(|state| {
        let waiting = state.templates.all.iter().filter(|template| template.review_due_ms.is_some());
        waiting.map(|template| template.id.clone()).collect()
    });
    for id in due {
        begin(sandbox, id);
    }
}

fn finish(sandbox: &Sandbox, id: &str) -> std::io::Result<()> {
    let now_ms = sandbox.now_ms();
    let told = sandbox.change(|state| decide(state, id, now_ms))?;
    for body in told {
        webhooks::queue(sandbox, body)?;
    }
    Ok(())
}

/// Decides on a template that is under review; the webhooks that tell of it.
fn decide(state: &mut State, id: &str, now_ms: i64) -> Vec<Value> {
    let Some(template) = state.template(id).filter(|template| template.review_due_ms.is_some_and(|due| due <= now_ms))
    else {
        return Vec::new();
    };
    let verdict = match state.templates.verdicts.first() {
        Some(verdict) => verdict.clone(),
        None => by_content(state, template),
    };
    let shelf = Arc::make_mut(&mut state.templates);
    if !shelf.verdicts.is_empty() {
        shelf.verdicts.remove(0);
    }
    let Some(template) = state.template_mut(id) else { return Vec::new() };
    let mut told = Vec::new();
    template.review_due_ms = None;
    template.status = if verdict.status.is_empty() { "APPROVED".to_owned() } else { verdict.status };
    template.was_approved |= template.status == "APPROVED";
    template.rejected_reason = verdict.reason.filter(|_| template.status == "REJECTED");
    let reason = template.rejected_reason.clone().unwrap_or_else(|| "NONE".to_owned());
    told.push(status_webhook(template, &template.status, &reason, verdict.explained.as_ref(), now_ms));
    if let Some(category) = verdict.category.filter(|category| *category != template.category) {
        let old = std::mem::replace(&mut template.category, category);
        told.push(category_webhook(template, &old, now_ms));
        template.previous_category = Some(old);
    }
    told
}

/// What is refused by its words: what asks for card numbers, what threatens, and what says the same as another
/// (templates/template-review, *Common rejection reasons*).
fn by_content(state: &State, template: &Template) -> Verdict {
    let body = template.text("BODY").to_lowercase();
    let rejected = |reason: &str, explained: Option<(&str, &str)>| Verdict {
        status: "REJECTED".to_owned(),
        reason: Some(reason.to_owned()),
        explained: explained.map(|(what, cure)| (what.to_owned(), cure.to_owned())),
        category: None,
    };
    if body.contains("card number") || body.contains("password") {
        return rejected("SCAM", None);
    }
    if body.contains("legal action") {
        return rejected("ABUSIVE_CONTENT", None);
    }
    let same = |other: &&Template| {
        other.id != template.id
            && other.text("BODY") == template.text("BODY")
            && other.text("FOOTER") == template.text("FOOTER")
            && other.language == template.language
    };
    let is_authentication = template.category == "AUTHENTICATION";
    if !is_authentication && let Some(other) = state.templates_of(&template.waba_id).find(same) {
        return rejected(
            "INVALID_FORMAT",
            Some((
                &format!("The text is the same as that of the template {}.", other.name),
                "Write another text, or use the template that is there.",
            )),
        );
    }
    Verdict { status: "APPROVED".to_owned(), ..Verdict::default() }
}

/// What words make of a category at the creation: a *utility* template that sells is a marketing one
/// (templates/template-categorization).
pub(super) fn fitting_category(category: &str, body: &str) -> String {
    let body = body.to_lowercase();
    let sells = ["discount", "sale", "% off", "special offer"].iter().any(|word| body.contains(word));
    if category == "UTILITY" && sells { "MARKETING".to_owned() } else { category.to_owned() }
}

fn webhook(template: &Template, field: &str, more: Value, now_ms: i64) -> Value {
    // The ID is a number here, and the language written with a hyphen, as in Meta's examples.
    let mut value = json!({
        "message_template_id": template.id.parse::<u64>().unwrap_or_default(),
        "message_template_name": template.name,
        "message_template_language": template.language.replace('_', "-"),
    });
    for (key, member) in more.as_object().into_iter().flatten() {
        value[key] = member.clone();
    }
    json!({"object": "whatsapp_business_account", "entry": [
        {"id": template.waba_id, "time": now_ms / 1000, "changes": [{"field": field, "value": value}]}]})
}

pub(super) fn status_webhook(
    template: &Template,
    event: &str,
    reason: &str,
    explained: Option<&(String, String)>,
    now_ms: i64,
) -> Value {
    let mut value = json!({"event": event, "reason": reason, "message_template_category": template.category});
    if let Some((reason, recommendation)) = explained {
        value["rejection_info"] = json!({"reason": reason, "recommendation": recommendation});
    }
    match event {
        "DISABLED" => value["disable_info"] = json!({"disable_date": now_ms / 1000}),
        "PAUSED" => {
            value["other_info"] = json!({"title": "FIRST_PAUSE",
                "description": "Your WhatsApp message template has been paused for 3 hours."});
        }
        "PENDING_DELETION" => value["reason"] = Value::Null,
        _ => {}
    }
    webhook(template, "message_template_status_update", value, now_ms)
}

pub(super) fn quality_webhook(template: &Template, old: &str, now_ms: i64) -> Value {
    let value = json!({"previous_quality_score": old, "new_quality_score": template.quality});
    webhook(template, "message_template_quality_update", value, now_ms)
}

pub(super) fn category_webhook(template: &Template, old: &str, now_ms: i64) -> Value {
    let value = json!({"previous_category": old, "new_category": template.category});
    webhook(template, "template_category_update", value, now_ms)
}

/// A change that comes in a day; `new_category` is the one that it has now.
pub(super) fn impending_webhook(template: &Template, correct: &str, now_ms: i64) -> Value {
    let value = json!({"correct_category": correct, "new_category": template.category,
        "category_update_timestamp": now_ms / 1000 + 86_400});
    webhook(template, "template_category_update", value, now_ms)
}

pub(super) fn components_webhook(template: &Template, now_ms: i64) -> Value {
    let mut value = json!({"message_template_element": template.text("BODY")});
    for (kind, key) in [("HEADER", "message_template_title"), ("FOOTER", "message_template_footer")] {
        let text = template.text(kind);
        if !text.is_empty() {
            value[key] = json!(text);
        }
    }
    let buttons = template.components.iter().filter_map(|component| component["buttons"].as_array()).flatten();
    let buttons: Vec<Value> = buttons
        .filter(|button| matches!(button["type"].as_str(), Some("URL" | "PHONE_NUMBER")))
        .map(|button| {
            let mut told = json!({"message_template_button_type": button["type"],
                "message_template_button_text": button["text"]});
            for (from, to) in
                [("url", "message_template_button_url"), ("phone_number", "message_template_button_phone_number")]
            {
                if !button[from].is_null() {
                    told[to] = button[from].clone();
                }
            }
            told
        })
        .collect();
    if !buttons.is_empty() {
        value["message_template_buttons"] = json!(buttons);
    }
    webhook(template, "message_template_components_update", value, now_ms)
}
