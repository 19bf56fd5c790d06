//! Making a link and handing it on: `/connections/{id}/links`, and the same for staff.

use super::link::{LinkStanding, ReconnectLink};
use crate::{
    accounts::{Member, Staff, User},
    connections::permissions::{
        PermissionPages,
        pages::{Seen, anys, own},
    },
    web::{Access, Badge, Chrome, Error, Form, NoFields, Result, Routes, page, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, State},
    response::Redirect,
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use tower_sessions::Session;

/// The routes, of customers and of staff.
pub fn routes(pages: PermissionPages) -> Routes {
    Routes::new()
        .get(Access::Member, "/connections/{id}/links", own_back)
        .post(Access::Member, "/connections/{id}/links", own_make)
        .get(Access::Member, "/connections/{id}/links/{link}", own_show)
        .post(Access::Member, "/connections/{id}/links/{link}/revoke", own_revoke)
        .get(Access::Staff, "/support/connections/{id}/links", staff_back)
        .post(Access::Staff, "/support/connections/{id}/links", staff_make)
        .get(Access::Staff, "/support/connections/{id}/links/{link}", staff_show)
        .post(Access::Staff, "/support/connections/{id}/links/{link}/revoke", staff_revoke)
        .with_state(pages)
}

#[derive(Deserialize)]
struct MakeForm {
    #[serde(default)]
    way: String,
    #[serde(default)]
    email: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "connections/link.html")]
struct LinkPage {
    chrome: Chrome,
    seen: Seen,
    id: String,
    name: String,
    badge: Badge,
    /// The address, while it is good.
    address: Option<String>,
    email: Option<String>,
    mail_state: String,
    mail_error: Option<String>,
    is_used: bool,
    since: When,
    until: When,
}

async fn make(pages: &PermissionPages, user: &User, seen: &Seen, form: &MakeForm) -> Result<Redirect> {
    let connection = &seen.overview.connection;
    let email = match form.way.as_str() {
        "mail" => {
            let members = pages.accounts.members(connection.customer_id).await?;
            let known = members.iter().any(|member| member.email.as_str() == form.email);
            if !known || pages.links.invites.mailer.is_none() {
                return Err(Error::BadRequest("Choose somebody of the company, or make a link to copy.".to_owned()));
            }
            Some(form.email.as_str())
        }
        _ => None,
    };
    let id = pages.links.create(user, (connection.id, connection.customer_id), email).await?;
    Ok(Redirect::to(&format!("{}/links/{id}", seen.base)))
}

async fn link_of(pages: &PermissionPages, seen: &Seen, id: &str) -> Result<ReconnectLink> {
    pages.links.get(seen.overview.connection.id, id).await?.ok_or(Error::NotFound)
}

async fn show(pages: &PermissionPages, chrome: Chrome, seen: Seen, id: &str) -> Result<LinkPage> {
    let link = link_of(pages, &seen, id).await?;
    let now = pages.connections.clock.now();
    let address = pages.links.address(&link).await.map_err(Error::internal)?;
    Ok(LinkPage {
        chrome,
        id: link.id.clone(),
        name: seen.overview.connection.name.clone(),
        badge: link.badge(now),
        address: address.map(|address| address.expose_secret().to_owned()),
        mail_state: link.mail_state.clone().unwrap_or_default(),
        mail_error: link.mail_error.clone(),
        is_used: link.standing(now) == LinkStanding::Used,
        since: When::new(link.created_at, now),
        until: When::new(link.expires_at, now),
        email: link.email,
        seen,
    })
}

async fn revoke(pages: &PermissionPages, session: &Session, user: &User, seen: &Seen, id: &str) -> Result<Redirect> {
    let link = link_of(pages, seen, id).await?;
    if pages.links.revoke(user, &link).await? {
        page::flash(session, "The link is taken back. It works no longer.").await?;
    }
    Ok(Redirect::to(&format!("{}/permissions", seen.base)))
}

async fn own_back(Path(id): Path<String>) -> Redirect {
    Redirect::to(&format!("/connections/{id}/permissions"))
}

async fn own_make(
    State(pages): State<PermissionPages>,
    member: Member,
    Path(id): Path<String>,
    Form(form): Form<MakeForm>,
) -> Result<Redirect> {
    let seen = own(&pages.connections, &member, &id).await?;
    make(&pages, &member.user, &seen, &form).await
}

async fn own_show(
    State(pages): State<PermissionPages>,
    chrome: Chrome,
    member: Member,
    Path((id, link)): Path<(String, String)>,
) -> Result<LinkPage> {
    let seen = own(&pages.connections, &member, &id).await?;
    show(&pages, chrome, seen, &link).await
}

async fn own_revoke(
    State(pages): State<PermissionPages>,
    session: Session,
    member: Member,
    Path((id, link)): Path<(String, String)>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let seen = own(&pages.connections, &member, &id).await?;
    revoke(&pages, &session, &member.user, &seen, &link).await
}

async fn staff_back(Path(id): Path<String>) -> Redirect {
    Redirect::to(&format!("/support/connections/{id}/permissions"))
}

async fn staff_make(
    State(pages): State<PermissionPages>,
    Staff(user): Staff,
    Path(id): Path<String>,
    Form(form): Form<MakeForm>,
) -> Result<Redirect> {
    let seen = anys(&pages.connections, &pages.accounts, &id).await?;
    make(&pages, &user, &seen, &form).await
}

async fn staff_show(
    State(pages): State<PermissionPages>,
    chrome: Chrome,
    _: Staff,
    Path((id, link)): Path<(String, String)>,
) -> Result<LinkPage> {
    let seen = anys(&pages.connections, &pages.accounts, &id).await?;
    show(&pages, chrome, seen, &link).await
}

async fn staff_revoke(
    State(pages): State<PermissionPages>,
    session: Session,
    Staff(user): Staff,
    Path((id, link)): Path<(String, String)>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let seen = anys(&pages.connections, &pages.accounts, &id).await?;
    revoke(&pages, &session, &user, &seen, &link).await
}
