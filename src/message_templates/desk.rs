//! Use cases of the pages: make, edit, delete, each by Meta's rules and with what Meta answers put at its field.

use super::{
    check::{Faults, check},
    draft::{Draft, Header},
    model::Template,
    page_queries as queries, refusal, sample,
    service::MessageTemplates,
    state_queries, sync_queries,
};
use crate::{
    accounts::{Member, audit},
    base::ids::WabaId,
    graph::{ErrorClass, FileUpload, GraphError, Held, LiveSetup, MessageTemplate, NewTemplate, NoLine, SharedLines},
    store,
    web::SentFile,
};
use std::collections::HashMap;
use time::Duration;

/// What the pages draw on.
#[derive(Clone)]
pub struct TemplateDesk {
    pub(super) templates: MessageTemplates,
    pub(super) lines: SharedLines,
    pub(super) meta: LiveSetup,
}

/// How many may be created in an hour.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview>
const AN_HOUR: i64 = 100;
/// How many an account may have: where its business is not verified, and where it is.
const UNVERIFIED: i64 = 250;
const VERIFIED: i64 = 6_000;

/// Why something was not done.
pub(super) enum NotDone {
    /// Faults at their fields, and Meta's error where it is Meta's word.
    Faults(Faults, Option<Box<GraphError>>),
    /// A fault of ours.
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

impl From<store::StoreError> for NotDone {
    fn from(error: store::StoreError) -> Self {
        Self::Failed(Box::new(error))
    }
}

fn fault(field: &str, text: impl Into<String>) -> NotDone {
    let mut faults = Faults::default();
    faults.add(field, text);
    NotDone::Faults(faults, None)
}

fn no_line(why: NoLine) -> NotDone {
    match why {
        NoLine::None => fault("form", "Facebook has ended the access. Connect WhatsApp again, then try once more."),
        NoLine::Failed(error) => NotDone::Failed(error),
    }
}

impl TemplateDesk {
    /// What the pages draw on.
    #[must_use]
    pub fn new(templates: MessageTemplates, lines: SharedLines, meta: LiveSetup) -> Self {
        Self { templates, lines, meta }
    }

    /// Has Meta keep the sample of a header; its handle.
    pub(super) async fn upload(&self, held: &Held, header: Header, file: &SentFile) -> Result<String, NotDone> {
        let mime_type = sample::check(header, file).map_err(|why| fault("file", why))?;
        let line = self.lines.line(held.connection).await.map_err(no_line)?;
        let upload = FileUpload { name: file.name.clone(), mime_type: mime_type.to_owned(), bytes: file.bytes.clone() };
        match self.meta.now().upload(&line.graph, &line.access, &upload).await {
            Ok(handle) => Ok(handle),
            Err(error) => {
                let mut faults = Faults::default();
                faults.add("file", "Meta did not take the file. Try once more, or choose another one.");
                Err(NotDone::Faults(faults, Some(Box::new(error))))
            }
        }
    }

    /// Whether the business was verified since the account was connected.
    async fn is_verified_now(&self, held: &Held, waba: &WabaId) -> Result<bool, NotDone> {
        let line = self.lines.line(held.connection).await.map_err(no_line)?;
        let read = line.graph.waba(&line.access, waba).await.ok();
        Ok(read.is_some_and(|read| read.is_verified()))
    }

    /// Makes a template; its ID.
    pub(super) async fn create(
        &self,
        member: &Member,
        held: &Held,
        waba: &WabaId,
        draft: &Draft,
    ) -> Result<String, NotDone> {
        let now = self.templates.clock.now();
        let mut faults = check(draft);
        let mut db = self.templates.store.read().await?;
        let mut of_name = queries::translations(&mut db, waba, &draft.name).await?;
        // What is deleted stands in the list for a while.
        of_name.retain(|other| !other.is_deleted());
        let (_, known) = queries::count(&mut db, waba, &queries::Filter::default()).await?;
        let is_verified = queries::waba(&mut db, waba).await?.is_some_and(|(_, is_verified)| is_verified);
        let in_an_hour = queries::acts(&mut db, waba, "created", "", now - Duration::hours(1)).await?;
        let deleted_at = queries::deleted_at(&mut db, waba, &draft.name).await?;
        drop(db);
        if of_name.iter().any(|other| other.language_code() == draft.language) {
            faults.add("language", "There is a template of this name in this language already. Edit that one, or choose another language or name.");
        }
        // A portfolio with more than 250 has been verified, whatever we were told last.
        let mut most = if is_verified || known > UNVERIFIED { VERIFIED } else { UNVERIFIED };
        if known == most && faults.is_empty() && self.is_verified_now(held, waba).await? {
            most = VERIFIED;
        }
        if known >= most {
            faults.add("form", format!("This WhatsApp account has {known} templates, and may have {most}. Delete some that you do not use{}.",
                if most == UNVERIFIED { ", or verify your business at Meta: then it may have 6,000" } else { "" }));
        }
        if in_an_hour >= AN_HOUR {
            faults.add("form", "Meta takes 100 new templates an hour. Wait an hour, then send it again.");
        }
        if let Some(at) = deleted_at.filter(|at| *at + Duration::days(30) > now && of_name.is_empty()) {
            let days = (at + Duration::days(30) - now).whole_days() + 1;
            faults.add("name", format!("A template of this name was deleted. Meta keeps the name blocked for {days} more days. Choose another name, such as {}_2.", draft.name));
        }
        if !faults.is_empty() {
            return Err(NotDone::Faults(faults, None));
        }
        let line = self.lines.line(held.connection).await.map_err(no_line)?;
        let components = draft.components();
        let new = NewTemplate {
            name: &draft.name,
            language: &draft.language,
            category: &draft.category,
            parameter_format: draft.parameter_format(),
            components: &components,
        };
        let made = match line.graph.create_template(&line.access, waba, &new).await {
            Ok(made) => made,
            Err(error) => return Err(self.refused(held, error, draft).await),
        };
        let template = MessageTemplate {
            id: made.id.clone(),
            name: draft.name.clone(),
            language: draft.language.clone(),
            status: made.status.or_else(|| Some("PENDING".to_owned())),
            previous_category: made
                .category
                .as_ref()
                .filter(|got| **got != draft.category)
                .map(|_| draft.category.clone()),
            category: made.category.or_else(|| Some(draft.category.clone())),
            correct_category: None,
            sub_category: None,
            parameter_format: Some(draft.parameter_format().to_owned()),
            components,
            quality_score: None,
            rejected_reason: None,
        };
        let mut tx = self.templates.store.write().await?;
        // Its webhook may have come before our answer: that one knows better.
        let mut known = HashMap::new();
        super::sync::keep(&mut tx, waba, vec![template], &mut known, &mut sync_queries::Tally::default(), now).await?;
        // A reading that began while we made it may not have seen it.
        let made_at = self.templates.clock.now();
        sync_queries::known_until(&mut tx, waba, &made.id, made_at).await?;
        queries::note_act(&mut tx, waba, Some(&made.id), &draft.name, "created", made_at).await?;
        self.record(&mut tx, member, "template.created", &made.id).await?;
        tx.commit().await?;
        Ok(made.id)
    }

    /// Why a template can't be edited now; `None` where it can.
    pub(super) async fn edit_blocked(&self, template: &Template) -> store::Result<Option<String>> {
        let status = template.status.as_deref().unwrap_or_default();
        if !matches!(status, "APPROVED" | "REINSTATED" | "FLAGGED" | "REJECTED" | "PAUSED") {
            return Ok(Some("Meta lets only approved, rejected and paused templates be edited.".to_owned()));
        }
        if !is_approved(template) {
            return Ok(None);
        }
        let now = self.templates.clock.now();
        let mut db = self.templates.store.read().await?;
        let day = queries::acts(&mut db, &template.waba_id, "edited", &template.id, now - Duration::days(1)).await?;
        let month = queries::acts(&mut db, &template.waba_id, "edited", &template.id, now - Duration::days(30)).await?;
        Ok(if day >= 1 {
            Some(
                "An approved template can be edited once in 24 hours, and this one was. Come back tomorrow.".to_owned(),
            )
        } else if month >= 10 {
            Some("An approved template can be edited 10 times in 30 days, and this one was.".to_owned())
        } else {
            None
        })
    }

    /// Replaces what a template says.
    pub(super) async fn edit(
        &self,
        member: &Member,
        held: &Held,
        template: &Template,
        draft: &Draft,
    ) -> Result<(), NotDone> {
        let mut faults = check(draft);
        if let Some(why) = self.edit_blocked(template).await? {
            faults.add("form", why);
        }
        if !faults.is_empty() {
            return Err(NotDone::Faults(faults, None));
        }
        let line = self.lines.line(held.connection).await.map_err(no_line)?;
        let category = (!is_approved(template)).then_some(draft.category.as_str());
        let (components, format) = (draft.components(), draft.parameter_format());
        let edited = line.graph.edit_template(&line.access, &template.id, category, format, &components).await;
        if let Err(error) = edited {
            return Err(self.refused(held, error, draft).await);
        }
        let asked_at = self.templates.clock.now();
        // What became of it: under review, mostly. Where that can't be read, it is taken for so.
        let read = line.graph.template(&line.access, &template.id).await;
        let mut tx = self.templates.store.write().await?;
        if is_approved(template) {
            let id = Some(template.id.as_str());
            queries::note_act(&mut tx, &template.waba_id, id, &template.name, "edited", asked_at).await?;
        }
        queries::set_pending(&mut tx, &template.waba_id, &template.id, asked_at).await?;
        self.record(&mut tx, member, "template.edited", &template.id).await?;
        tx.commit().await?;
        match read {
            Ok(read) => self.templates.keep_one(&template.waba_id, read, asked_at).await?,
            Err(_) => self.templates.ask_sync(&template.waba_id).await?,
        }
        Ok(())
    }

    /// Deletes a template in this language, or in all.
    pub(super) async fn delete(
        &self,
        member: &Member,
        held: &Held,
        template: &Template,
        all_languages: bool,
    ) -> Result<(), NotDone> {
        let line = self.lines.line(held.connection).await.map_err(no_line)?;
        let one = (!all_languages).then_some(template.id.as_str());
        let deleted = line.graph.delete_template(&line.access, &template.waba_id, &template.name, one).await;
        if let Err(error) = deleted {
            // Meta's documents name no code for a template that is not there any more: it is looked for.
            let looked = line.graph.template(&line.access, &template.id).await;
            let is_gone = error.class() == ErrorClass::Rejected
                && looked.is_err_and(|error| error.is(100, refusal::UNKNOWN_OBJECT));
            if !is_gone {
                return Err(self.refused(held, error, &Draft::default()).await);
            }
        }
        let now = self.templates.clock.now();
        let mut tx = self.templates.store.write().await?;
        state_queries::lock(&mut tx, &template.waba_id).await?;
        let of_name = if all_languages { template.name.as_str() } else { "" };
        let approved_once = queries::was_approved(&mut tx, &template.waba_id, &template.id, of_name).await?;
        // Only the name of one that was approved once is blocked.
        let act = if approved_once { "deleted" } else { "dropped" };
        // Without an ID: all of the name.
        queries::note_act(&mut tx, &template.waba_id, one, &template.name, act, now).await?;
        queries::drop_deleted(&mut tx, &template.waba_id, &template.name, one.unwrap_or_default()).await?;
        self.record(&mut tx, member, "template.deleted", &template.id).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn refused(&self, held: &Held, error: GraphError, draft: &Draft) -> NotDone {
        self.lines.refused(held.connection, &error).await;
        NotDone::Faults(refusal::faults(&error, draft), Some(Box::new(error)))
    }

    async fn record(
        &self,
        tx: &mut store::WriteTx,
        member: &Member,
        action: &'static str,
        template: &str,
    ) -> store::Result<()> {
        let entry = audit::Entry {
            actor: Some(member.user.id),
            customer: Some(member.customer),
            action,
            subject: Some(template),
            detail: None,
        };
        audit::record(tx, &self.templates.clock, entry).await
    }
}

/// Whether Meta counts it as approved: so do those that were flagged or reinstated.
pub(super) fn is_approved(template: &Template) -> bool {
    matches!(template.status.as_deref(), Some("APPROVED" | "REINSTATED" | "FLAGGED"))
}
