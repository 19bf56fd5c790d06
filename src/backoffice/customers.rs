//! `/backoffice/customers`: the list, searched, filtered, sorted, a page at a time.

use super::{Backoffice, customer_badges};
use crate::{
    accounts::{CustomerCursor, CustomerFilter, CustomerPage, CustomerSort, CustomersWanted, Listed, PageAt, Staff},
    web::{Access, Badge, Chrome, Result, Routes, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Query, State};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

/// How many rows a page has.
const ROWS: usize = 50;
/// The longest text that is looked for, in characters.
const MAX_TEXT: usize = 200;

pub(super) fn routes() -> Routes<Backoffice> {
    Routes::new().get(Access::Staff, "/backoffice/customers", list)
}

/// What the address asks for. What makes no sense counts as not asked for.
#[derive(Clone, Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    filter: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    before: String,
}

impl Asked {
    fn wanted(&self) -> CustomersWanted {
        let cursor = |text: &str| text.parse::<CustomerCursor>().ok();
        CustomersWanted {
            text: self.q.trim().chars().take(MAX_TEXT).collect(),
            filter: self.filter.parse().unwrap_or_default(),
            sort: self.sort.parse().unwrap_or_default(),
            at: match (cursor(&self.after), cursor(&self.before)) {
                (Some(cursor), _) => PageAt::After(cursor),
                (None, Some(cursor)) => PageAt::Before(cursor),
                (None, None) => PageAt::Start,
            },
        }
    }
}

/// The address of a page of what is wanted.
fn href(wanted: &CustomersWanted, at: Option<(&str, &CustomerCursor)>) -> String {
    let mut query = Serializer::new(String::new());
    if !wanted.text.is_empty() {
        query.append_pair("q", &wanted.text);
    }
    if wanted.filter != CustomerFilter::default() {
        query.append_pair("filter", wanted.filter.as_str());
    }
    if wanted.sort != CustomerSort::default() {
        query.append_pair("sort", wanted.sort.as_str());
    }
    if let Some((side, cursor)) = at {
        query.append_pair(side, &cursor.to_string());
    }
    let query = query.finish();
    if query.is_empty() { "/backoffice/customers".to_owned() } else { format!("/backoffice/customers?{query}") }
}

struct Choice {
    value: &'static str,
    word: &'static str,
    chosen: bool,
}

struct Row {
    href: String,
    name: String,
    badges: Vec<Badge>,
    connections: Badge,
    since: When,
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/customers.html")]
struct ListPage {
    chrome: Chrome,
    text: String,
    filters: Vec<Choice>,
    sorts: Vec<Choice>,
    /// Whether all are shown, from the beginning.
    is_plain: bool,
    rows: Vec<Row>,
    total: Option<String>,
    /// The list's beginning, and the pages beside this one.
    start: Option<String>,
    before: Option<String>,
    after: Option<String>,
}

async fn list(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    _: Staff,
    Query(asked): Query<Asked>,
) -> Result<ListPage> {
    let wanted = asked.wanted();
    let named = match wanted.text.is_empty() {
        true => None,
        false => backoffice.signup.customer_named_by(&wanted.text).await?,
    };
    let named = match named {
        Some(id) => backoffice.accounts.listed_customer(id).await?,
        None => None,
    };
    let is_named = named.is_some();
    let page = match named {
        Some(row) => CustomerPage { rows: vec![row], ..CustomerPage::default() },
        None => backoffice.accounts.list_customers(&wanted, ROWS).await?,
    };
    // A search would have to go through all of them to count what it finds.
    let total = match wanted.text.is_empty() && !is_named {
        true => Some(backoffice.accounts.count_customers(wanted.filter).await?),
        false => None,
    };
    let now = backoffice.clock.now();
    let row = |listed: Listed| Row {
        href: format!("/backoffice/customers/{}", listed.customer.id),
        name: listed.customer.name,
        badges: customer_badges::state(listed.customer.state).into_iter().collect(),
        connections: customer_badges::connections(listed.connections),
        since: When::new(listed.customer.created_at, now),
    };
    let filter = |filter: CustomerFilter| Choice {
        value: filter.as_str(),
        word: customer_badges::filter(filter),
        chosen: filter == wanted.filter,
    };
    let sort =
        |(sort, word): (CustomerSort, &'static str)| Choice { value: sort.as_str(), word, chosen: sort == wanted.sort };
    Ok(ListPage {
        chrome,
        filters: CustomerFilter::ALL.map(filter).into(),
        sorts: [(CustomerSort::Newest, "Newest first"), (CustomerSort::Name, "Name")].map(sort).into(),
        is_plain: wanted.text.is_empty() && wanted.filter == CustomerFilter::All,
        total: total.map(|total| customer_badges::count(wanted.filter, total)),
        start: page.before.as_ref().map(|_| href(&wanted, None)),
        before: page.before.as_ref().map(|cursor| href(&wanted, Some(("before", cursor)))),
        after: page.after.as_ref().map(|cursor| href(&wanted, Some(("after", cursor)))),
        rows: page.rows.into_iter().map(row).collect(),
        text: wanted.text,
    })
}
