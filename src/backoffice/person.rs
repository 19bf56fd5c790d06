//! `/backoffice/people/{id}`: one person, what an admin may do for them, and what they did.

use super::{
    Backoffice,
    audit_lines::{self, AuditLine, Named, customer_page, person_page},
    people::{role_name, two_step},
};
use crate::{
    accounts::{Actor, Admin, Filter, Person, Role},
    base::ids::UserId,
    web::{Access, Badge, Chrome, Error, Form, NoFields, Result, Routes, page, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

/// How many entries of the log the page shows of each kind.
const ENTRIES: i64 = 10;

pub(super) fn routes() -> Routes<Backoffice> {
    Routes::new()
        .get(Access::Admin, "/backoffice/people/{id}", show)
        // A form that was shown again with its error stands under its own address: opened, it leads back.
        .get(Access::Admin, "/backoffice/people/{id}/role", back)
        .post(Access::Admin, "/backoffice/people/{id}/role", change_role)
        .post(Access::Admin, "/backoffice/people/{id}/sessions/end", end_sessions)
        .post(Access::Admin, "/backoffice/people/{id}/two-step/reset", reset_two_step)
        .get(Access::Admin, "/backoffice/people/{id}/remove", ask_remove)
        .post(Access::Admin, "/backoffice/people/{id}/remove", remove)
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/person.html")]
struct PersonPage {
    chrome: Chrome,
    id: String,
    name: String,
    email: String,
    role: &'static str,
    is_admin: bool,
    is_staff: bool,
    /// The person is the one who looks.
    is_you: bool,
    company: Option<Named>,
    since: When,
    seen: Option<When>,
    two_step: Badge,
    two_step_since: Option<When>,
    sessions: usize,
    role_error: Option<String>,
    did: Vec<AuditLine>,
    done_to: Vec<AuditLine>,
}

async fn find(backoffice: &Backoffice, id: &str) -> Result<Person> {
    let id: UserId = id.parse().map_err(|_| Error::NotFound)?;
    backoffice.accounts.person(id).await?.ok_or(Error::NotFound)
}

async fn person_page_of(backoffice: &Backoffice, chrome: Chrome, person: Person, viewer: UserId) -> Result<PersonPage> {
    let (accounts, now) = (&backoffice.accounts, backoffice.clock.now());
    let by = Filter { actor: Some(Actor::Person(person.id)), ..Filter::default() };
    let on = Filter { subject: Some(person.id.to_string()), ..Filter::default() };
    let did = audit_lines::newest(accounts, &by, ENTRIES, now).await?;
    let done_to = audit_lines::newest(accounts, &on, ENTRIES, now).await?;
    Ok(PersonPage {
        chrome,
        id: person.id.to_string(),
        role: role_name(person.role),
        is_admin: person.role == Role::Admin,
        is_staff: person.role.is_staff(),
        is_you: person.id == viewer,
        company: company_of(&person),
        since: When::new(person.created_at, now),
        seen: person.seen_at.map(|at| When::new(at, now)),
        two_step: two_step(&person),
        two_step_since: person.two_step_since.map(|at| When::new(at, now)),
        sessions: accounts.devices(person.id).await?.len(),
        role_error: None,
        did,
        done_to,
        email: person.email.to_string(),
        name: person.name,
    })
}

fn company_of(person: &Person) -> Option<Named> {
    person.customer_id.map(|id| Named {
        name: person.customer_name.clone().unwrap_or_default(),
        href: Some(customer_page(id)),
        id: None,
    })
}

async fn show(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    Admin(viewer): Admin,
    Path(id): Path<String>,
) -> Result<PersonPage> {
    let person = find(&backoffice, &id).await?;
    person_page_of(&backoffice, chrome, person, viewer.id).await
}

async fn back(Path(id): Path<String>) -> Result<Redirect> {
    let id: UserId = id.parse().map_err(|_| Error::NotFound)?;
    Ok(Redirect::to(&person_page(id)))
}

#[derive(Deserialize)]
struct RoleForm {
    #[serde(default)]
    role: String,
}

async fn change_role(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    session: Session,
    Admin(viewer): Admin,
    Path(id): Path<String>,
    Form(form): Form<RoleForm>,
) -> Result<Response> {
    let person = find(&backoffice, &id).await?;
    let changed = match form.role.parse::<Role>() {
        Ok(role) => backoffice.accounts.set_role(&viewer, person.id, role).await.map_err(|error| match error {
            crate::accounts::PeopleError::Store(error) => Err(Error::from(error)),
            other => Ok(other.to_string()),
        }),
        Err(_) => Err(Ok("Choose a role.".to_owned())),
    };
    match changed {
        Ok(()) => {
            let word = if form.role == Role::Admin.as_str() { "an admin" } else { "support" };
            page::flash(&session, &format!("{} is {word} now.", person.name)).await?;
            Ok(Redirect::to(&person_page(person.id)).into_response())
        }
        Err(Ok(text)) => {
            let mut page = person_page_of(&backoffice, chrome, person, viewer.id).await?;
            page.role_error = Some(text);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(Err(error)) => Err(error),
    }
}

/// For somebody who lost their app and their recovery codes. Nobody does it to themselves: they have their app,
/// and turn it off on their own page.
async fn reset_two_step(
    State(backoffice): State<Backoffice>,
    session: Session,
    Admin(viewer): Admin,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let person = find_another(&backoffice, &id, viewer.id).await?;
    let user = backoffice.accounts.user(person.id).await?.ok_or(Error::NotFound)?;
    backoffice.accounts.reset_two_step(Some(viewer.id), &user).await?;
    page::flash(&session, &format!("Two-step sign-in of {} is off. They are signed out.", person.name)).await?;
    Ok(Redirect::to(&person_page(person.id)))
}

async fn end_sessions(
    State(backoffice): State<Backoffice>,
    session: Session,
    Admin(viewer): Admin,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let person = find(&backoffice, &id).await?;
    backoffice.accounts.sign_out_person(&viewer, person.id).await?;
    if person.id == viewer.id {
        session.flush().await?;
        return Ok(Redirect::to("/signin"));
    }
    page::flash(&session, &format!("{} is signed out everywhere.", person.name)).await?;
    Ok(Redirect::to(&person_page(person.id)))
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/person_remove.html")]
struct RemovePage {
    chrome: Chrome,
    id: String,
    name: String,
    email: String,
    company: Option<Named>,
}

/// The person to be removed: not oneself.
async fn find_another(backoffice: &Backoffice, id: &str, viewer: UserId) -> Result<Person> {
    let person = find(backoffice, id).await?;
    if person.id == viewer { Err(crate::accounts::PeopleError::Oneself.into()) } else { Ok(person) }
}

async fn ask_remove(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    Admin(viewer): Admin,
    Path(id): Path<String>,
) -> Result<RemovePage> {
    let person = find_another(&backoffice, &id, viewer.id).await?;
    Ok(RemovePage {
        chrome,
        id: person.id.to_string(),
        company: company_of(&person),
        name: person.name,
        email: person.email.to_string(),
    })
}

async fn remove(
    State(backoffice): State<Backoffice>,
    session: Session,
    Admin(viewer): Admin,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let person = find_another(&backoffice, &id, viewer.id).await?;
    backoffice.accounts.remove_person(&viewer, person.id).await?;
    page::flash(&session, &format!("{} is removed.", person.name)).await?;
    Ok(Redirect::to(&person.customer_id.map_or_else(|| "/backoffice/people".to_owned(), customer_page)))
}
