//! Use cases: take what webhooks tell of templates, list, export. They are erased with their accounts.

use super::{
    SYNC_JOB,
    decisions::{self, Decision, What},
    model::{Template, language_code},
    page_queries,
    queries::{self, Told, Why},
};
use crate::{
    base::{clock::Clock, ids::WabaId, text},
    jobs::Queue,
    store::{Result, Store, WriteTx},
    web::download::{DownloadError, JsonFile},
    webhooks::{Kind, RoutedChange, told_at},
};
use serde_json::Value;
use time::OffsetDateTime;

/// The longest name, by Meta's rule, and so the longest word that is kept.
const LONGEST: usize = 512;
/// The longest sentence that is kept.
const LONGEST_SENTENCE: usize = 1_000;

/// The events whose meaning we know.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_status_update>
const KNOWN_EVENTS: [&str; 13] = [
    "APPROVED",
    "ARCHIVED",
    "DELETED",
    "DISABLED",
    "FLAGGED",
    "IN_APPEAL",
    "LIMIT_EXCEEDED",
    "LOCKED",
    "PAUSED",
    "PENDING",
    "REINSTATED",
    "PENDING_DELETION",
    "REJECTED",
];

/// How long after a webhook all is read: others of the same account may follow it.
const AFTER_WEBHOOK: time::Duration = time::Duration::seconds(2);

/// Message templates. Cloning shares what is beneath.
#[derive(Clone)]
pub struct MessageTemplates {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) queue: Queue,
}

impl MessageTemplates {
    /// In this database.
    #[must_use]
    pub fn new(store: Store, clock: Clock, queue: Queue) -> Self {
        Self { store, clock, queue }
    }

    /// Takes what changes tell of templates, in the transaction that makes events of them. Each touches templates of
    /// the account that it came from alone, and what comes late changes nothing.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_status_update>
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/template_category_update>
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_quality_update>
    ///
    /// # Errors
    /// The database's.
    pub async fn take(&self, tx: &mut WriteTx, changes: &[RoutedChange<'_>]) -> Result<()> {
        use Kind::{TemplateCategoryChanged, TemplateComponentsChanged, TemplateQualityChanged, TemplateStatusChanged};
        for routed in changes {
            let tells = matches!(
                routed.kind,
                TemplateStatusChanged | TemplateQualityChanged | TemplateCategoryChanged | TemplateComponentsChanged
            );
            if tells && routed.customer().is_some() {
                self.take_one(tx, routed).await?;
            }
        }
        Ok(())
    }

    async fn take_one(&self, tx: &mut WriteTx, routed: &RoutedChange<'_>) -> Result<()> {
        let Some(waba) = &routed.route.place.waba else { return Ok(()) };
        let value = routed.change.json();
        let Some(id) = value.get("message_template_id").and_then(id_of) else { return Ok(()) };
        let word = |key: &str| value.get(key).and_then(Value::as_str).map(str::trim).filter(|word| !word.is_empty());
        let name = text::shorten(word("message_template_name").unwrap_or_default(), LONGEST);
        let language = language_code(word("message_template_language").unwrap_or_default());
        let language = text::shorten(&language, 40);
        let at = routed.change.time.and_then(|time| told_at(&time.into())).unwrap_or(routed.received_at);
        let told = Told { id: &id, waba, name: &name, language: &language, at: at.min(routed.received_at) };
        let event = word("event").unwrap_or_default();
        if page_queries::is_deleted(tx, &told).await? {
            return Ok(());
        }
        let is_here = if matches!(event, "DELETED" | "PENDING_DELETION") {
            // A row that a reading takes away at the same time is not made again.
            self.take_deletion(tx, &told).await? && queries::touch(tx, &told, self.clock.now()).await?
        } else {
            queries::ensure(tx, &told, self.clock.now()).await?
        };
        if !is_here {
            return Ok(());
        }
        let Some(known) = queries::known_words(tx, waba, &id).await? else { return Ok(()) };
        let decided = |what, value, why: &Why<'_>| Decision {
            waba,
            template: &id,
            name: &known.name,
            language: &known.language,
            at: told.at,
            what,
            value,
            reason: why.reason.map(str::to_owned),
            explained: why.explained.map(str::to_owned),
        };
        // What comes late changes nothing.
        let is_news = |(was, told_at): &(Option<String>, Option<OffsetDateTime>), is: &str| {
            was.as_deref() != Some(is) && told_at.is_none_or(|before| before <= told.at)
        };
        match routed.kind {
            Kind::TemplateStatusChanged => {
                let Some(status) = word("event").map(|status| text::shorten(status, 80)) else { return Ok(()) };
                let reason = word("reason").filter(|reason| !reason.eq_ignore_ascii_case("none"));
                let reason = reason.map(|reason| text::shorten(reason, 80));
                let sentence = |at: &str| value.pointer(at).and_then(Value::as_str).filter(|text| !text.is_empty());
                let short = |text: &str| text::shorten(text, LONGEST_SENTENCE);
                let explained = sentence("/rejection_info/reason").or_else(|| sentence("/other_info/description"));
                let (explained, recommended) =
                    (explained.map(short), sentence("/rejection_info/recommendation").map(short));
                let why = Why {
                    reason: reason.as_deref(),
                    explained: explained.as_deref(),
                    recommended: recommended.as_deref(),
                };
                let decision = decided(What::Status, &status, &why);
                if is_news(&known.status, &status) {
                    decisions::note(tx, &[decision]).await?;
                } else if decision.explained.is_some() {
                    decisions::explain(tx, &decision).await?;
                }
                queries::set_status(tx, &told, &status, &why).await?;
                if let Some(category) = word("message_template_category") {
                    queries::note_category(tx, &told, &text::shorten(category, 80)).await?;
                }
            }
            Kind::TemplateQualityChanged => {
                if let Some(quality) = word("new_quality_score").map(|quality| text::shorten(quality, 80)) {
                    if is_news(&known.quality, &quality) {
                        decisions::note(tx, &[decided(What::Quality, &quality, &Why::default())]).await?;
                    }
                    queries::set_quality(tx, &told, &quality).await?;
                }
            }
            Kind::TemplateCategoryChanged => {
                let category = word("new_category").map(|category| text::shorten(category, 80));
                let when = value.get("category_update_timestamp").and_then(told_at);
                let next = word("correct_category").map(|next| text::shorten(next, 80));
                // A change that is announced comes in a day, by that page, where no time is given.
                let next = next.as_deref().map(|next| (next, when.unwrap_or(at + time::Duration::days(1))));
                let none = Why::default();
                if let Some(category) = category.as_deref().filter(|category| is_news(&known.category, category)) {
                    decisions::note(tx, &[decided(What::Category, category, &none)]).await?;
                }
                let announced = (known.next_category.clone(), known.category.1);
                if let Some((category, _)) = next.filter(|(category, _)| is_news(&announced, category)) {
                    decisions::note(tx, &[decided(What::NextCategory, category, &none)]).await?;
                }
                let previous = word("previous_category").map(|previous| text::shorten(previous, 80));
                queries::set_category(tx, &told, category.as_deref(), previous.as_deref(), next).await?;
            }
            _ => {}
        }
        // What is not told is read: the words of a new one, those of one that was edited, what a status stands for that
        // the list calls otherwise.
        let is_edited = routed.kind == Kind::TemplateComponentsChanged;
        let is_odd = routed.kind == Kind::TemplateStatusChanged && !KNOWN_EVENTS.contains(&event);
        if is_edited || is_odd || !queries::is_read(tx, &told).await? {
            self.queue.enqueue(tx, SYNC_JOB, waba.as_str(), self.clock.now() + AFTER_WEBHOOK).await?;
        }
        Ok(())
    }

    /// A deletion blocks the name, wherever it was made. False where the template is not known: it was deleted here.
    async fn take_deletion(&self, tx: &mut WriteTx, told: &Told<'_>) -> Result<bool> {
        let Some(known) = page_queries::get(tx, told.waba, told.id).await? else { return Ok(false) };
        // Only names of those that were approved once are blocked, and from the first word on.
        if !known.is_deleted() && page_queries::was_approved(tx, told.waba, told.id, "").await? {
            page_queries::note_act(tx, told.waba, Some(told.id), &known.name, "deleted", told.at).await?;
        }
        Ok(true)
    }

    /// The templates of an account that something was told of, the last first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, waba: &WabaId, limit: i64) -> Result<Vec<Template>> {
        queries::list(&mut self.store.read().await?, waba, limit).await
    }

    /// Templates that can't be sent, or soon won't, each with since when, those told of last first: of these accounts,
    /// or of all.
    ///
    /// # Errors
    /// The database's.
    pub async fn unwell(&self, wabas: Option<&[WabaId]>, limit: i64) -> Result<Vec<(Template, OffsetDateTime)>> {
        let mut db = self.store.read().await?;
        let mut found = Vec::new();
        match wabas {
            None => found = queries::unwell(&mut db, limit).await?,
            Some(wabas) => {
                for waba in wabas {
                    found.extend(queries::unwell_of(&mut db, waba, limit).await?);
                }
            }
        }
        let mut all = Vec::new();
        for template in found.into_iter().filter(Template::needs_attention) {
            let since = decisions::since(&mut db, &template).await?.unwrap_or(template.updated_at);
            all.push((template, since));
        }
        Ok(all)
    }

    /// Writes the templates of these accounts, which are a customer's.
    ///
    /// # Errors
    /// The database's, and where nobody reads it any more.
    pub async fn export(&self, wabas: &[WabaId], file: &mut JsonFile) -> std::result::Result<(), DownloadError> {
        file.begin_list("message_templates");
        for waba in wabas {
            let templates = queries::export(&mut self.store.read().await?, waba).await?;
            for template in &templates {
                file.item(template).await?;
            }
        }
        file.end_list();
        file.begin_list("template_decisions");
        for waba in wabas {
            for decision in &decisions::export(&mut self.store.read().await?, waba).await? {
                file.item(decision).await?;
            }
        }
        file.end_list();
        Ok(())
    }
}

/// Webhooks write it as a number, the API as a text.
fn id_of(value: &Value) -> Option<String> {
    let id = value.as_str().map_or_else(|| value.to_string(), |id| id.trim().to_owned());
    crate::base::ids::meta_digits(&id).ok().map(str::to_owned)
}
