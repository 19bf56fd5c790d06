//! `/connections/{id}/permissions` and the same for staff: look anew, see before and after, and what to do.

use super::{
    check::{Cause, Check},
    standing::{Answer, Verdict},
    words::{self, Line},
};
use crate::{
    accounts::{Accounts, Member, Staff, User},
    base::ids::ConnectionId,
    connections::{
        Connections, Overview,
        model::ConnectionState,
        reconnect::{LinkLine, ReconnectLinks},
    },
    graph::LiveSetup,
    web::{Access, Badge, Chrome, Error, Form, NoFields, Result, Routes, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, State},
    response::Redirect,
};
use time::Duration;

/// How many checks are listed.
const LISTED: i64 = 30;
/// A second click within this time shows what the first found.
const TOGETHER: Duration = Duration::seconds(10);

/// The pages. Cloning shares what is beneath.
#[derive(Clone)]
pub struct PermissionPages {
    /// Connections.
    pub connections: Connections,
    /// People and companies.
    pub accounts: Accounts,
    /// Links to connect again.
    pub links: ReconnectLinks,
    /// Meta as it is set up now.
    pub meta: LiveSetup,
}

/// The routes, of customers and of staff.
pub fn routes(pages: PermissionPages) -> Routes {
    Routes::new()
        .get(Access::Member, "/connections/{id}/permissions", own_list)
        .post(Access::Member, "/connections/{id}/permissions", own_look)
        .get(Access::Member, "/connections/{id}/permissions/{check}", own_show)
        .get(Access::Staff, "/support/connections/{id}/permissions", staff_list)
        .post(Access::Staff, "/support/connections/{id}/permissions", staff_look)
        .get(Access::Staff, "/support/connections/{id}/permissions/{check}", staff_show)
        .with_state(pages)
}

/// For whom a page is made, and of which connection.
pub(in crate::connections) struct Seen {
    pub overview: Overview,
    /// Where the pages of this connection are: `/connections/{id}` or `/support/connections/{id}`.
    pub base: String,
    pub is_staff: bool,
    /// The way up: address, words.
    pub crumbs: Vec<(String, String)>,
}

pub(in crate::connections) fn parse(id: &str) -> Result<ConnectionId> {
    id.parse().map_err(|_| Error::NotFound)
}

/// The customer's own connection.
pub(in crate::connections) async fn own(connections: &Connections, member: &Member, id: &str) -> Result<Seen> {
    let overview = connections.get(member.customer, parse(id)?).await?.ok_or(Error::NotFound)?;
    if overview.connection.state == ConnectionState::Disconnected {
        return Err(Error::NotFound);
    }
    let (base, name) = (format!("/connections/{id}"), overview.connection.name.clone());
    let crumbs = vec![("/connections".to_owned(), "Connections".to_owned()), (base.clone(), name)];
    Ok(Seen { overview, base, is_staff: false, crumbs })
}

/// Any connection, for staff.
pub(in crate::connections) async fn anys(connections: &Connections, accounts: &Accounts, id: &str) -> Result<Seen> {
    let overview = connections.overview(parse(id)?).await?.ok_or(Error::NotFound)?;
    if overview.connection.state == ConnectionState::Disconnected {
        return Err(Error::NotFound);
    }
    let customer = overview.connection.customer_id;
    let company = accounts.customer(customer).await?.map_or_else(|| "Customer".to_owned(), |one| one.name);
    let crumbs =
        vec![("/support".to_owned(), "Support".to_owned()), (format!("/support/customers/{customer}"), company)];
    Ok(Seen { overview, base: format!("/support/connections/{id}"), is_staff: true, crumbs })
}

struct CheckLine {
    id: String,
    when: When,
    by: String,
    what: Vec<String>,
}

#[derive(Template, WebTemplate)]
#[template(path = "connections/permissions.html")]
struct ListPage {
    chrome: Chrome,
    seen: Seen,
    name: String,
    badge: Badge,
    checked: Option<When>,
    ends: Option<When>,
    trouble: Option<String>,
    is_over: bool,
    checks: Vec<CheckLine>,
    causes: [(&'static str, &'static str); 3],
    links: Vec<LinkLine>,
    members: Vec<(String, String)>,
    has_mail: bool,
}

impl PermissionPages {
    async fn who(&self, check: &Check) -> Result<String> {
        Ok(match check.by {
            Some(user) => {
                let user = self.accounts.user(user).await?;
                user.map_or_else(|| "somebody who is gone".to_owned(), |user| user.name)
            }
            None => "Doorway".to_owned(),
        })
    }

    async fn list(&self, chrome: Chrome, seen: Seen) -> Result<ListPage> {
        let now = self.connections.clock.now();
        let connection = &seen.overview.connection;
        let mut checks = Vec::new();
        for check in self.connections.checks(connection.id, LISTED).await? {
            let mut what: Vec<_> = check.changes.iter().map(words::change).collect();
            if what.is_empty() {
                let unknown = check.after.as_ref().is_some_and(|after| after.verdict() == Verdict::Unknown);
                what.push(if unknown { "Meta could not answer." } else { "Nothing had changed." }.to_owned());
            }
            let by = self.who(&check).await?;
            checks.push(CheckLine { id: check.id, when: When::new(check.at, now), by, what });
        }
        let (look, word) = connection.state.shown();
        let members = self.accounts.members(connection.customer_id).await?;
        Ok(ListPage {
            chrome,
            name: connection.name.clone(),
            badge: Badge::new(look, word),
            checked: connection.checked_at.map(|at| When::new(at, now)),
            ends: connection.token_expires_at.map(|at| When::new(at, now)),
            trouble: connection.renewal_trouble.as_ref().map(|(_, text)| text.clone()),
            is_over: connection.state == ConnectionState::NeedsReconnect,
            checks,
            causes: words::CAUSES,
            links: self.links.lines(connection.id).await?,
            members: members.into_iter().map(|user| (user.email.to_string(), user.name)).collect(),
            has_mail: self.links.invites.mailer.is_some(),
            seen,
        })
    }

    async fn look(&self, user: &User, seen: &Seen) -> Result<Redirect> {
        let id = seen.overview.connection.id;
        let last = self.connections.checks(id, 1).await?.into_iter().next();
        let is_fresh = |check: &Check| {
            check.by == Some(user.id)
                && check.cause == Cause::Asked
                && check.at + TOGETHER > self.connections.clock.now()
        };
        if let Some(check) = last.filter(is_fresh) {
            return Ok(Redirect::to(&format!("{}/permissions/{}", seen.base, check.id)));
        }
        let looked = self.connections.look_at(&self.meta.now(), id, Cause::Asked, Some(user)).await?;
        Ok(match looked.and_then(|looked| looked.check) {
            Some(check) => Redirect::to(&format!("{}/permissions/{check}", seen.base)),
            // Being undone, or connected again meanwhile.
            None => Redirect::to(&format!("{}/permissions", seen.base)),
        })
    }

    async fn show(&self, chrome: Chrome, seen: Seen, check: &str) -> Result<ShowPage> {
        let check = self.connections.permission_check(seen.overview.connection.id, check).await?;
        let check = check.ok_or(Error::NotFound)?;
        let now = self.connections.clock.now();
        let after = check.after.clone().unwrap_or_else(|| check.before.clone());
        let (class, icon, title, text) = words::summary(&check.before, &after, &check.changes);
        let mut before = check.before.clone();
        let mut lines = words::lines(&before, &after, now);
        let mut worked = None;
        // It was known to be over already: what was lost shows against how it was while it worked.
        if before.token == Answer::No && after.verdict() == Verdict::Ended {
            let earlier = self.connections.checks(check.connection, LISTED).await?;
            let good = earlier.into_iter().filter(|one| one.at < check.at).find_map(|one| {
                let after = one.after.filter(|after| after.verdict() == Verdict::Works);
                let known = Some(one.before).filter(|known| known.token == Answer::Yes);
                after.or(known).map(|good| (good, one.at))
            });
            match good {
                Some((good, at)) => {
                    before = good;
                    lines = words::lines(&before, &after, now);
                    worked = Some(When::new(at, now));
                }
                None => lines.clear(),
            }
        }
        let closed = after.accounts.iter().any(|one| one.opens == Answer::No);
        Ok(ShowPage {
            chrome,
            name: seen.overview.connection.name.clone(),
            class,
            icon,
            title,
            text,
            lines,
            worked,
            changes: check.changes.iter().map(words::change).collect(),
            is_over: after.verdict() == Verdict::Ended || closed,
            details: words::details(&after),
            causes: words::CAUSES,
            when: When::new(check.at, now),
            by: self.who(&check).await?,
            seen,
        })
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "connections/permission_check.html")]
struct ShowPage {
    chrome: Chrome,
    seen: Seen,
    name: String,
    class: &'static str,
    icon: &'static str,
    title: String,
    text: String,
    /// None where nothing can be compared.
    lines: Vec<Line>,
    /// When it still worked, as the column of before says it, where it was over already.
    worked: Option<When>,
    changes: Vec<String>,
    is_over: bool,
    details: Vec<(String, String)>,
    causes: [(&'static str, &'static str); 3],
    when: When,
    by: String,
}

async fn own_list(
    State(pages): State<PermissionPages>,
    chrome: Chrome,
    member: Member,
    Path(id): Path<String>,
) -> Result<ListPage> {
    let seen = own(&pages.connections, &member, &id).await?;
    pages.list(chrome, seen).await
}

async fn own_look(
    State(pages): State<PermissionPages>,
    member: Member,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let seen = own(&pages.connections, &member, &id).await?;
    pages.look(&member.user, &seen).await
}

async fn own_show(
    State(pages): State<PermissionPages>,
    chrome: Chrome,
    member: Member,
    Path((id, check)): Path<(String, String)>,
) -> Result<ShowPage> {
    let seen = own(&pages.connections, &member, &id).await?;
    pages.show(chrome, seen, &check).await
}

async fn staff_list(
    State(pages): State<PermissionPages>,
    chrome: Chrome,
    _: Staff,
    Path(id): Path<String>,
) -> Result<ListPage> {
    let seen = anys(&pages.connections, &pages.accounts, &id).await?;
    pages.list(chrome, seen).await
}

async fn staff_look(
    State(pages): State<PermissionPages>,
    Staff(user): Staff,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let seen = anys(&pages.connections, &pages.accounts, &id).await?;
    pages.look(&user, &seen).await
}

async fn staff_show(
    State(pages): State<PermissionPages>,
    chrome: Chrome,
    _: Staff,
    Path((id, check)): Path<(String, String)>,
) -> Result<ShowPage> {
    let seen = anys(&pages.connections, &pages.accounts, &id).await?;
    pages.show(chrome, seen, &check).await
}
