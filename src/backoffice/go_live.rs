//! `/backoffice/go-live`: the list of what Meta wants, ticked by the check or by hand.

use super::{
    Backoffice,
    findings::{Finding, Grade, find},
    go_live_items::{ITEMS, Item},
    settings::entry,
    settings_queries::{self as queries, Tick},
};
use crate::{
    accounts::{Admin, audit},
    web::{Access, Chrome, Error, Form, Result, Routes, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{extract::State, response::Redirect};
use serde::Deserialize;

const PATH: &str = "/backoffice/go-live";

pub(super) fn routes() -> Routes<Backoffice> {
    Routes::new()
        .get(Access::Admin, PATH, show)
        .get(Access::Admin, "/backoffice/go-live/tick", back)
        .post(Access::Admin, "/backoffice/go-live/tick", tick)
        .get(Access::Admin, "/backoffice/go-live/untick", back)
        .post(Access::Admin, "/backoffice/go-live/untick", untick)
}

async fn back() -> Redirect {
    Redirect::to(PATH)
}

/// An item as it stands.
struct Row {
    item: &'static Item,
    number: usize,
    /// The check sees it done.
    seen: bool,
    /// Who ticked it, and when.
    ticked: Option<(String, When)>,
    /// It is ticked, but the check says otherwise.
    contradiction: Option<String>,
}

impl Row {
    fn is_done(&self) -> bool {
        self.seen || self.ticked.is_some()
    }
}

/// Whether the check sees an item done.
fn is_seen(item: &Item, findings: &[Finding]) -> bool {
    let green = |id: &&str| find(findings, id).is_some_and(|line| line.grade == Grade::Green);
    !item.seen_by.is_empty() && item.seen_by.iter().all(green)
}

/// How many of the list's items are done, and how many there are.
pub(super) fn progress(findings: &[Finding], ticks: &[Tick]) -> (usize, usize) {
    let ticked = |item: &&Item| ticks.iter().any(|tick| tick.item == item.id);
    let done = ITEMS.iter().filter(|item| is_seen(item, findings) || ticked(item)).count();
    (done, ITEMS.len())
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/go_live.html")]
struct GoLivePage {
    chrome: Chrome,
    rows: Vec<Row>,
    done: usize,
    checked: Option<When>,
}

async fn show(State(office): State<Backoffice>, chrome: Chrome) -> Result<GoLivePage> {
    let now = office.clock.now();
    let last = office.checks.last().await?;
    let findings = last.as_ref().map(|last| last.findings.as_slice()).unwrap_or_default();
    let ticks = queries::ticks(&mut office.store.read().await?).await?;
    let mut rows = Vec::new();
    for (at, item) in ITEMS.iter().enumerate() {
        let mut ticked = None;
        if let Some(tick) = ticks.iter().find(|tick| tick.item == item.id) {
            let by = match tick.by {
                Some(id) => office.accounts.user(id).await?.map(|user| user.name),
                None => None,
            };
            ticked = Some((by.unwrap_or_else(|| "somebody who is gone".to_owned()), When::new(tick.at, now)));
        }
        let seen = is_seen(item, findings);
        let against = item.seen_by.iter().filter_map(|id| find(findings, id)).find(|line| line.wants_attention());
        let contradiction = against.filter(|_| ticked.is_some()).map(|line| line.what.clone());
        rows.push(Row { item, number: at + 1, seen, ticked, contradiction });
    }
    let done = rows.iter().filter(|row| row.is_done()).count();
    Ok(GoLivePage { chrome, rows, done, checked: last.map(|last| When::new(last.at, now)) })
}

#[derive(Deserialize)]
struct TickForm {
    #[serde(default)]
    item: String,
}

/// The list's own name for an item that a form names.
fn known(form: &TickForm) -> Result<&'static str> {
    ITEMS.iter().find(|item| item.id == form.item).map(|item| item.id).ok_or(Error::NotFound)
}

fn to(item: &str) -> Redirect {
    Redirect::to(&format!("{PATH}#{item}"))
}

async fn tick(State(office): State<Backoffice>, Admin(user): Admin, Form(form): Form<TickForm>) -> Result<Redirect> {
    let item = known(&form)?;
    let mut tx = office.store.write().await?;
    if queries::tick(&mut tx, item, user.id, office.clock.now()).await? {
        let line = audit::Entry { subject: Some(item), ..entry(Some(user.id), "go_live.ticked", None) };
        audit::record(&mut tx, &office.clock, line).await?;
    }
    tx.commit().await?;
    Ok(to(item))
}

async fn untick(State(office): State<Backoffice>, Admin(user): Admin, Form(form): Form<TickForm>) -> Result<Redirect> {
    let item = known(&form)?;
    let mut tx = office.store.write().await?;
    if queries::untick(&mut tx, item).await? {
        let line = audit::Entry { subject: Some(item), ..entry(Some(user.id), "go_live.unticked", None) };
        audit::record(&mut tx, &office.clock, line).await?;
    }
    tx.commit().await?;
    Ok(to(item))
}
