//! `/backoffice/people`: the staff, and everybody else.

use super::{
    Backoffice,
    audit_lines::{Named, customer_page, person_page},
};
use crate::{
    accounts::{Admin, InviteLine, Person, Role},
    web::{Access, Badge, Chrome, Result, Routes, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Query, State};
use serde::Deserialize;
use time::OffsetDateTime;
use url::form_urlencoded;

/// People on a page.
const PAGE: i64 = 50;

pub(super) fn routes() -> Routes<Backoffice> {
    Routes::new().get(Access::Admin, "/backoffice/people", list)
}

/// What a role is called.
pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Admin => "Admin",
        Role::Support => "Support",
        Role::Customer => "Member",
    }
}

/// Whether somebody signs in in two steps.
pub(super) fn two_step(person: &Person) -> Badge {
    match person.two_step_since {
        Some(_) => Badge::new("good", "On"),
        None if person.role.is_staff() => Badge::new("attention", "Off"),
        None => Badge::new("neutral", "Off"),
    }
}

struct PersonLine {
    name: String,
    href: String,
    email: String,
    role: &'static str,
    company: Option<Named>,
    seen: Option<When>,
    two_step: Badge,
    is_you: bool,
}

impl PersonLine {
    fn new(person: Person, viewer: &crate::accounts::User, now: OffsetDateTime) -> Self {
        Self {
            href: person_page(person.id),
            email: person.email.to_string(),
            role: role_name(person.role),
            company: person.customer_id.map(|id| Named {
                name: person.customer_name.clone().unwrap_or_default(),
                href: Some(customer_page(id)),
                id: None,
            }),
            seen: person.seen_at.map(|at| When::new(at, now)),
            two_step: two_step(&person),
            is_you: person.id == viewer.id,
            name: person.name,
        }
    }
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    q: String,
    /// The address after which the page begins.
    #[serde(default)]
    after: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/people.html")]
struct PeoplePage {
    chrome: Chrome,
    query: String,
    is_later: bool,
    staff: Vec<PersonLine>,
    invites: Vec<InviteLine>,
    people: Vec<PersonLine>,
    next: Option<String>,
}

async fn list(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    Admin(viewer): Admin,
    Query(search): Query<Search>,
) -> Result<PeoplePage> {
    let now = backoffice.clock.now();
    let query = search.q.trim().to_owned();
    let is_later = !search.after.is_empty();
    let (staff, invites) = match query.is_empty() && !is_later {
        true => (backoffice.accounts.staff().await?, backoffice.invites.open_staff().await?),
        false => (Vec::new(), Vec::new()),
    };
    let mut people = backoffice.accounts.search_people(&query, &search.after, PAGE + 1).await?;
    let has_more = people.len() as i64 > PAGE;
    people.truncate(PAGE as usize);
    let next = people.last().filter(|_| has_more).map(|last| {
        let mut address = form_urlencoded::Serializer::new(String::new());
        if !query.is_empty() {
            address.append_pair("q", &query);
        }
        format!("/backoffice/people?{}", address.append_pair("after", last.email.as_str()).finish())
    });
    let line = |person| PersonLine::new(person, &viewer, now);
    Ok(PeoplePage {
        chrome,
        query,
        is_later,
        staff: staff.into_iter().map(line).collect(),
        invites,
        people: people.into_iter().map(line).collect(),
        next,
    })
}
