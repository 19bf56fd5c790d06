//! Message templates of WABAs, as Meta has them. There may be thousands, so they lie in a file of their own beside the
//! state, which is written where one of them changed.

use super::{Sandbox, ids, review, state::State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// How many an account may have: of a portfolio that is not verified, and of one that is (templates/overview).
pub(super) const LIMIT: usize = 250;
/// See [`LIMIT`].
pub(super) const LIMIT_VERIFIED: usize = 6_000;

/// Everything about templates.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Shelf {
    /// In order of creation.
    pub all: Vec<Arc<Template>>,
    /// When templates were created, by account, in epoch milliseconds: 100 an hour.
    pub created_ms: BTreeMap<String, Vec<i64>>,
    /// Names of deleted templates that were approved once, and until when they are blocked.
    pub blocked: BTreeMap<String, i64>,
    /// Accounts of verified portfolios.
    pub verified: Vec<String>,
    /// How long a review takes.
    pub review_ms: i64,
    /// What the next reviews come to, where the control API says so.
    pub verdicts: Vec<Verdict>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            created_ms: BTreeMap::new(),
            blocked: BTreeMap::new(),
            verified: Vec::new(),
            review_ms: 2_000,
            verdicts: Vec::new(),
        }
    }
}

/// What a review comes to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Verdict {
    /// `APPROVED` or `REJECTED`.
    pub status: String,
    /// Why, by Meta's word.
    pub reason: Option<String>,
    /// What is wrong, and what helps: of `INVALID_FORMAT` alone.
    pub explained: Option<(String, String)>,
    /// The category that Meta finds fit.
    pub category: Option<String>,
}

/// One template in one language.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Template {
    pub id: String,
    pub waba_id: String,
    pub name: String,
    pub language: String,
    pub category: String,
    #[serde(default)]
    pub previous_category: Option<String>,
    #[serde(default)]
    pub correct_category: Option<String>,
    pub status: String,
    #[serde(default)]
    pub rejected_reason: Option<String>,
    pub parameter_format: String,
    pub components: Vec<Value>,
    pub quality: String,
    pub quality_ms: i64,
    /// When its review ends.
    #[serde(default)]
    pub review_due_ms: Option<i64>,
    /// When it was edited while it was approved.
    #[serde(default)]
    pub edited_ms: Vec<i64>,
    #[serde(default)]
    pub was_approved: bool,
}

impl Template {
    /// The text of a component.
    pub fn text(&self, kind: &str) -> &str {
        let is_it = |component: &&Value| component["type"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(kind));
        self.components.iter().find(is_it).and_then(|component| component["text"].as_str()).unwrap_or_default()
    }
}

impl State {
    pub fn template(&self, id: &str) -> Option<&Template> {
        self.templates.all.iter().find(|template| template.id == id).map(Arc::as_ref)
    }

    pub fn templates_of(&self, waba: &str) -> impl Iterator<Item = &Template> {
        self.templates.all.iter().filter(move |template| template.waba_id == waba).map(Arc::as_ref)
    }

    /// Changes one; the shelf is written anew.
    pub fn template_mut(&mut self, id: &str) -> Option<&mut Template> {
        let shelf = Arc::make_mut(&mut self.templates);
        shelf.all.iter_mut().find(|template| template.id == id).map(Arc::make_mut)
    }
}

/// What is asked of `POST /_sandbox/templates`.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asked {
    waba_id: Option<String>,
    /// So many are made at once.
    make: usize,
    /// How long reviews take from now on.
    review_ms: Option<i64>,
    /// What the next review comes to.
    verdict: Option<Verdict>,
    /// Whether the account's portfolio is verified.
    verified: Option<bool>,
    /// Which template changes: its ID, or its name.
    template_id: Option<String>,
    name: Option<String>,
    status: Option<String>,
    reason: Option<String>,
    /// `rejection_info`: what is wrong, what helps.
    rejection: Option<(String, String)>,
    quality: Option<String>,
    category: Option<String>,
    correct_category: Option<String>,
    components: Option<Vec<Value>>,
    /// False: nothing is told of the change.
    told: Option<bool>,
}

/// Does it, and tells the app by webhook of what changed.
///
/// # Errors
/// In words, where something named is not there.
pub(super) fn control(sandbox: &Sandbox, asked: &Asked) -> Result<Value, String> {
    let now_ms = sandbox.now_ms();
    let done = sandbox.change(|state| apply(state, asked, now_ms)).map_err(|error| error.to_string())?;
    let (answer, told) = done?;
    for body in told.into_iter().filter(|_| asked.told != Some(false)) {
        super::webhooks::queue(sandbox, body).map_err(|error| error.to_string())?;
    }
    Ok(answer)
}

fn apply(state: &mut State, asked: &Asked, now_ms: i64) -> Result<(Value, Vec<Value>), String> {
    if let Some(waba) = &asked.waba_id {
        state.waba(waba).ok_or("there is no such account")?;
    }
    let shelf = Arc::make_mut(&mut state.templates);
    shelf.review_ms = asked.review_ms.unwrap_or(shelf.review_ms);
    shelf.verdicts.extend(asked.verdict.clone());
    if let (Some(waba), Some(verified)) = (&asked.waba_id, asked.verified) {
        shelf.verified.retain(|other| other != waba);
        shelf.verified.extend(verified.then(|| waba.clone()));
    }
    let mut told = Vec::new();
    if asked.make > 0 {
        let waba = asked.waba_id.as_ref().ok_or("waba_id is needed")?;
        if asked.make > LIMIT && !shelf.verified.contains(waba) {
            shelf.verified.push(waba.clone());
        }
        let from = shelf.all.iter().filter(|template| template.waba_id == *waba).count();
        shelf.all.extend((from..from + asked.make).map(|at| Arc::new(made(waba, at, now_ms))));
    }
    let changes = asked.template_id.is_some() || (asked.name.is_some() && asked.make == 0);
    let mut id = Value::Null;
    if changes {
        let found = shelf.all.iter_mut().find(|template| {
            asked.template_id.as_ref().is_none_or(|id| *id == template.id)
                && asked.name.as_ref().is_none_or(|name| *name == template.name)
                && asked.waba_id.as_ref().is_none_or(|waba| *waba == template.waba_id)
        });
        let template = Arc::make_mut(found.ok_or("there is no such template")?);
        id = json!(template.id);
        told = change(template, asked, now_ms);
        // What these mean is told by webhook alone; the template's status at Meta stays.
        if asked.status.as_deref() == Some("DELETED") {
            let gone = template.id.clone();
            shelf.all.retain(|template| template.id != gone);
        }
    }
    Ok((json!({"templates": shelf.all.len(), "template_id": id}), told))
}

fn change(template: &mut Template, asked: &Asked, now_ms: i64) -> Vec<Value> {
    let mut told = Vec::new();
    if let Some(components) = &asked.components {
        template.components.clone_from(components);
        told.push(review::components_webhook(template, now_ms));
    }
    if let Some(status) = &asked.status {
        if !matches!(status.as_str(), "FLAGGED" | "LOCKED" | "UNLOCKED" | "DELETED") {
            template.status = if status == "REINSTATED" { "APPROVED".to_owned() } else { status.clone() };
            template.rejected_reason.clone_from(&asked.reason);
        }
        template.review_due_ms = None;
        let reason = asked.reason.as_deref().unwrap_or("NONE");
        told.push(review::status_webhook(template, status, reason, asked.rejection.as_ref(), now_ms));
    }
    if let Some(quality) = &asked.quality {
        let old = std::mem::replace(&mut template.quality, quality.clone());
        template.quality_ms = now_ms;
        told.push(review::quality_webhook(template, &old, now_ms));
    }
    if let Some(correct) = &asked.correct_category {
        template.correct_category = Some(correct.clone());
        told.push(review::impending_webhook(template, correct, now_ms));
    }
    if let Some(category) = &asked.category {
        let old = std::mem::replace(&mut template.category, category.clone());
        template.correct_category = None;
        told.push(review::category_webhook(template, &old, now_ms));
        template.previous_category = Some(old);
    }
    told
}

/// What is told of one template by `POST /_sandbox/webhooks`.
#[derive(Default)]
pub(super) struct News<'a> {
    pub name: &'a str,
    pub status: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub quality: Option<&'a str>,
    pub category: Option<&'a str>,
}

/// The template of this name changes as told, and is made first where the account has none; the webhook that tells it.
///
/// # Errors
/// In words, where the account is not there.
pub(super) fn tell(state: &mut State, waba: &str, news: &News<'_>, now_ms: i64) -> Result<Value, String> {
    state.waba(waba).ok_or("there is no such account")?;
    let asked = Asked {
        status: news.status.map(str::to_owned),
        reason: news.reason.map(str::to_owned),
        quality: news.quality.map(str::to_owned),
        category: news.category.map(str::to_owned),
        ..Asked::default()
    };
    let shelf = Arc::make_mut(&mut state.templates);
    let is_it = |template: &Arc<Template>| template.waba_id == waba && template.name == news.name;
    if !shelf.all.iter().any(is_it) {
        let plain = Template { name: news.name.to_owned(), ..made(waba, 0, now_ms) };
        shelf.all.push(Arc::new(plain));
    }
    let template = shelf.all.iter_mut().find(|template| is_it(template)).map(Arc::make_mut);
    let told = template.map(|template| change(template, &asked, now_ms)).unwrap_or_default();
    told.into_iter().next().ok_or_else(|| "nothing changes".to_owned())
}

const SUBJECTS: [&str; 10] = [
    "order_confirmation",
    "order_shipped",
    "appointment_reminder",
    "payment_received",
    "seasonal_offer",
    "feedback",
    "table_reservation",
    "delivery_delay",
    "back_in_stock",
    "loyalty_points",
];
const LANGUAGES: [&str; 4] = ["en_US", "de", "es_ES", "ar"];

/// One of many: four languages to a name, most approved, each other fate now and then.
fn made(waba: &str, at: usize, now_ms: i64) -> Template {
    let (name, language) = (at / LANGUAGES.len(), LANGUAGES[at % LANGUAGES.len()]);
    let subject = SUBJECTS[name % SUBJECTS.len()];
    let category =
        if matches!(subject, "seasonal_offer" | "back_in_stock" | "loyalty_points") { "MARKETING" } else { "UTILITY" };
    let (status, reason) = match at % 97 {
        13 => ("REJECTED", Some("INVALID_FORMAT")),
        29 => ("REJECTED", Some("TAG_CONTENT_MISMATCH")),
        41 => ("PAUSED", None),
        53 => ("PENDING", None),
        67 => ("DISABLED", None),
        71 => ("IN_APPEAL", None),
        83 => ("ARCHIVED", None),
        _ => ("APPROVED", None),
    };
    let quality = match at % 61 {
        7 => "YELLOW",
        11 => "RED",
        at if at % 3 == 0 => "GREEN",
        _ => "UNKNOWN",
    };
    let body = match language {
        "de" => "Guten Tag {{1}}, zu Ihrer Bestellung {{2}} gibt es *Neuigkeiten*. Danke für Ihr Vertrauen!",
        "es_ES" => "Hola {{1}}, hay *novedades* sobre su pedido {{2}}. ¡Gracias por su confianza!",
        "ar" => "مرحبًا {{1}}، هناك *أخبار* عن طلبك رقم {{2}}. شكرًا لثقتك بنا!",
        _ => "Hello {{1}}, there is *news* about your order {{2}}. Thank you for your trust!",
    };
    let mut components = vec![
        json!({"type": "BODY", "text": body, "example": {"body_text": [["Pablo", "860198"]]}}),
        json!({"type": "FOOTER", "text": format!("Number {}", name + 1)}),
    ];
    if at.is_multiple_of(5) {
        components.insert(0, json!({"type": "HEADER", "format": "TEXT", "text": "News"}));
        components.push(json!({"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Stop"}]}));
    }
    Template {
        id: ids::object(),
        waba_id: waba.to_owned(),
        name: format!("{subject}_{:04}", name + 1),
        language: language.to_owned(),
        category: category.to_owned(),
        previous_category: None,
        correct_category: None,
        status: status.to_owned(),
        rejected_reason: reason.map(str::to_owned),
        parameter_format: "POSITIONAL".to_owned(),
        components,
        quality: quality.to_owned(),
        quality_ms: now_ms,
        review_due_ms: None,
        edited_ms: Vec::new(),
        was_approved: status != "PENDING" && status != "REJECTED",
    }
}
