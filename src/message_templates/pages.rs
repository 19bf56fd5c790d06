//! Pages of a customer's templates: who may see which, the list, reading them all.

use super::{
    components,
    desk::TemplateDesk,
    form_page, languages,
    model::Template as MessageTemplate,
    one_page,
    page_queries::{self as queries, Filter},
    places::WabaChoice,
    sync::Sync,
    words,
};
use crate::{
    accounts::Member,
    base::{
        ids::{ConnectionId, WabaId},
        text::shorten,
    },
    graph::{Held, NoLine},
    web::{Access, Badge, Chrome, Error, Form, Result, Routes, form::NoFields, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, Query, State},
    response::Redirect,
};
use serde::Deserialize;

/// How many names a page has.
const PAGE: i64 = 25;
/// How much of a message is shown in the list, in characters.
const BEGINNING: usize = 90;

/// The routes of this feature.
pub fn routes(desk: TemplateDesk) -> Routes {
    Routes::new()
        .get(Access::Member, "/connections/{id}/templates", list)
        .get(Access::Member, "/connections/{id}/templates/sync", back)
        .post(Access::Member, "/connections/{id}/templates/sync", sync)
        .get(Access::Member, "/connections/{id}/templates/new", form_page::new)
        .post(Access::Member, "/connections/{id}/templates/new", form_page::create)
        .get(Access::Member, "/connections/{id}/templates/preview", back)
        .post(Access::Member, "/connections/{id}/templates/preview", form_page::preview)
        .get(Access::Member, "/connections/{id}/templates/{template}", one_page::show)
        .get(Access::Member, "/connections/{id}/templates/{template}/edit", form_page::edit)
        .post(Access::Member, "/connections/{id}/templates/{template}/edit", form_page::save)
        .get(Access::Member, "/connections/{id}/templates/{template}/delete", one_page::ask_delete)
        .post(Access::Member, "/connections/{id}/templates/{template}/delete", one_page::delete)
        .with_state(desk)
}

pub(super) fn no_line(error: NoLine) -> Error {
    Error::internal(error)
}

impl TemplateDesk {
    /// The member's connection that the path names.
    pub(super) async fn held(&self, member: &Member, id: &str) -> Result<Held> {
        let id: ConnectionId = id.parse().map_err(|_| Error::NotFound)?;
        let held = self.lines.held(id).await.map_err(no_line)?;
        held.filter(|held| held.customer == member.customer).ok_or(Error::NotFound)
    }

    /// The account that is asked for, or the first of the connection.
    pub(super) fn waba(held: &Held, asked: &str) -> Result<Option<WabaId>> {
        if asked.is_empty() {
            return Ok(held.wabas.first().cloned());
        }
        held.wabas.iter().find(|waba| waba.as_str() == asked).cloned().map(Some).ok_or(Error::NotFound)
    }

    /// The template that the path names, of an account of this connection.
    pub(super) async fn find(&self, held: &Held, id: &str) -> Result<MessageTemplate> {
        let mut db = self.templates.store.read().await?;
        for waba in &held.wabas {
            if let Some(found) = queries::get(&mut db, waba, id).await? {
                return Ok(found);
            }
        }
        Err(Error::NotFound)
    }
}

/// How reading all templates goes, for the page.
pub(super) struct SyncNote {
    pub is_running: bool,
    pub is_reading: bool,
    /// Until when it waits for Meta's limits.
    pub waits_until: Option<When>,
    pub read: i64,
    /// How many it will be, as far as we know.
    pub of: Option<i64>,
    pub finished: Option<When>,
    pub added: i64,
    pub changed: i64,
    pub gone: i64,
    /// What went wrong, what to do, and the details.
    pub failure: Option<(String, String)>,
    pub is_over: bool,
}

impl SyncNote {
    fn of(sync: Option<&Sync>, held: &Held, now: time::OffsetDateTime) -> Self {
        let state = sync.map_or("", |sync| sync.state.as_str());
        let failure = sync.filter(|sync| sync.state == "failed").map(|sync| match &sync.error {
            Some(error) => (
                "Meta did not let us read the templates. We try again by ourselves; or read them now.".to_owned(),
                error.to_string(),
            ),
            None => {
                ("Facebook has ended the access. Connect WhatsApp again.".to_owned(), "No token that works".to_owned())
            }
        });
        Self {
            is_running: matches!(state, "queued" | "reading" | "waiting"),
            waits_until: sync.filter(|_| state == "waiting").map(|sync| When::new(sync.next_at, now)),
            is_reading: state == "reading",
            read: sync.map_or(0, |sync| sync.read),
            // Where there are more than there were, nobody knows how many it will be.
            of: sync.map(|sync| (sync.known, sync.read)).filter(|(of, read)| of > read).map(|(of, _)| of),
            finished: sync.and_then(|sync| sync.finished_at).map(|at| When::new(at, now)),
            added: sync.map_or(0, |sync| sync.added),
            changed: sync.map_or(0, |sync| sync.changed),
            gone: sync.map_or(0, |sync| sync.gone),
            failure,
            is_over: !held.is_active,
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    waba: String,
    q: String,
    status: String,
    category: String,
    language: String,
    quality: String,
    page: i64,
}

impl Asked {
    fn filter(&self) -> Filter {
        Filter {
            search: self.q.clone(),
            status: self.status.clone(),
            category: self.category.clone(),
            language: self.language.clone(),
            quality: self.quality.clone(),
        }
    }

    fn is_filtered(&self) -> bool {
        [&self.q, &self.status, &self.category, &self.language, &self.quality].iter().any(|text| !text.is_empty())
    }

    /// The list's address with another page.
    fn address(&self, base: &str, page: i64) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let parts = [
            ("waba", &self.waba),
            ("q", &self.q),
            ("status", &self.status),
            ("category", &self.category),
            ("language", &self.language),
            ("quality", &self.quality),
        ];
        for (name, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        format!("{base}?{}", query.finish())
    }
}

/// A filter of the list.
struct Facet {
    name: &'static str,
    label: &'static str,
    all: &'static str,
    /// Value, words, how many, whether it is chosen.
    values: Vec<(String, String, i64, bool)>,
}

/// One language of a name.
struct Line {
    id: String,
    language: String,
    status: Badge,
    quality: Option<Badge>,
    category: String,
    /// What happened and what to do.
    meaning: Option<String>,
}

/// The languages of one name.
struct Group {
    name: String,
    /// How one of them begins: people know their messages by their words.
    text: String,
    is_english: bool,
    lines: Vec<Line>,
}

#[derive(Template, WebTemplate)]
#[template(path = "message_templates/list.html")]
struct ListPage {
    chrome: Chrome,
    id: String,
    connection: String,
    waba: String,
    wabas: Vec<WabaChoice>,
    asked: Asked,
    is_filtered: bool,
    facets: Vec<Facet>,
    groups: Vec<Group>,
    names: i64,
    count: i64,
    total: i64,
    page: i64,
    pages: i64,
    previous: Option<String>,
    next: Option<String>,
    sync: SyncNote,
    /// Our access has ended.
    inactive: bool,
}

async fn list(
    State(desk): State<TemplateDesk>,
    chrome: Chrome,
    member: Member,
    Path(id): Path<String>,
    Query(mut asked): Query<Asked>,
) -> Result<ListPage> {
    let held = desk.held(&member, &id).await?;
    let Some(waba) = TemplateDesk::waba(&held, &asked.waba)? else { return Err(Error::NotFound) };
    let filter = asked.filter();
    let mut db = desk.templates.store.read().await?;
    let (names, count) = queries::count(&mut db, &waba, &filter).await?;
    let (_, total) = queries::count(&mut db, &waba, &Filter::default()).await?;
    let pages = (names + PAGE - 1) / PAGE;
    asked.page = asked.page.clamp(1, pages.max(1));
    let found = queries::page(&mut db, &waba, &filter, PAGE, (asked.page - 1) * PAGE).await?;
    let facets = queries::facets(&mut db, &waba).await?;
    let sync = desk.templates.syncing(&mut db, &waba).await?;
    drop(db);
    if sync.is_none() && held.is_active {
        // Somebody who looks should not wait for the schedule.
        desk.templates.ask_sync(&waba).await?;
    }
    let now = desk.templates.clock.now();
    let base = format!("/connections/{id}/templates");
    let mut note = SyncNote::of(sync.as_ref(), &held, now);
    note.is_running |= sync.is_none() && held.is_active;
    let page = asked.page;
    Ok(ListPage {
        inactive: !held.is_active,
        chrome,
        id,
        connection: held.name.clone(),
        waba: waba.to_string(),
        wabas: desk.wabas(&held, &waba).await?,
        is_filtered: asked.is_filtered(),
        facets: facets_of(&facets, &asked),
        groups: grouped(&found),
        names,
        count,
        total,
        page,
        pages,
        previous: (page > 1).then(|| asked.address(&base, page - 1)),
        next: (page < pages).then(|| asked.address(&base, page + 1)),
        sync: note,
        asked,
    })
}

fn facets_of(found: &std::collections::BTreeMap<String, Vec<(String, i64)>>, asked: &Asked) -> Vec<Facet> {
    let facet = |name: &'static str, label, all, chosen: &str, words: fn(&str) -> String| {
        let mut values: Vec<(String, String, i64, bool)> = found
            .get(name)
            .into_iter()
            .flatten()
            .map(|(value, n)| (value.clone(), words(value), *n, value == chosen))
            .collect();
        if !chosen.is_empty() && !values.iter().any(|(_, _, _, is_chosen)| *is_chosen) {
            values.push((chosen.to_owned(), words(chosen), 0, true));
        }
        Facet { name, label, all, values }
    };
    let all = vec![
        facet("status", "Status", "All", &asked.status, |word| MessageTemplate::status_words(word).1),
        facet("category", "Category", "All", &asked.category, words::category),
        facet("language", "Language", "All", &asked.language, |code| languages::name(code).to_owned()),
        facet("quality", "Quality", "All", &asked.quality, |word| words::quality(Some(word)).word),
    ];
    // What all have in common is no choice.
    all.into_iter()
        .filter(|facet| facet.values.len() > 1 || facet.values.iter().any(|(_, _, _, chosen)| *chosen))
        .collect()
}

fn grouped(found: &[MessageTemplate]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for template in found {
        let line = Line {
            id: template.id.clone(),
            language: languages::name(&template.language_code()).to_owned(),
            status: words::status(template),
            quality: (!matches!(template.quality.as_deref(), None | Some("UNKNOWN")))
                .then(|| words::quality(template.quality.as_deref())),
            category: template.category.as_deref().map(words::category).unwrap_or_default(),
            meaning: words::meaning(template).filter(|_| template.needs_attention()).map(|(_, text)| text),
        };
        // In English where there is such a one: the page is in English.
        let is_english = template.language_code().starts_with("en");
        match groups.last_mut().filter(|group| group.name == template.name) {
            Some(group) => {
                group.lines.push(line);
                if is_english && !group.is_english {
                    (group.text, group.is_english) = (beginning(template), true);
                }
            }
            None => groups.push(Group {
                name: template.name.clone(),
                text: beginning(template),
                is_english,
                lines: vec![line],
            }),
        }
    }
    groups
}

fn beginning(template: &MessageTemplate) -> String {
    let text = components::text(&template.components, "BODY").unwrap_or_default();
    shorten(&text.split_whitespace().collect::<Vec<_>>().join(" "), BEGINNING)
}

/// An address that takes a form alone leads to the list.
async fn back(Path(id): Path<String>) -> Result<Redirect> {
    let id: ConnectionId = id.parse().map_err(|_| Error::NotFound)?;
    Ok(Redirect::to(&format!("/connections/{id}/templates")))
}

#[derive(Deserialize)]
struct OfWaba {
    #[serde(default)]
    waba: String,
}

async fn sync(
    State(desk): State<TemplateDesk>,
    member: Member,
    Path(id): Path<String>,
    Query(of): Query<OfWaba>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let held = desk.held(&member, &id).await?;
    if let Some(waba) = TemplateDesk::waba(&held, &of.waba)? {
        desk.templates.ask_sync(&waba).await?;
    }
    let query = if of.waba.is_empty() { String::new() } else { format!("?waba={}", of.waba) };
    Ok(Redirect::to(&format!("/connections/{}/templates{query}", held.connection)))
}
