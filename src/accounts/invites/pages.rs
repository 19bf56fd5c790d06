//! Inviting people, one invite's page, links for new passwords, and a company's members.

use super::{Company, InviteError, InviteLine, Invites, Kind, MailState, NewInvite, Standing, lines, model};
use crate::{
    accounts::{BusinessDetails, DetailsForm, EmailAddress, Member, Role, SignedIn, Staff, User},
    base::ids::{CustomerId, InviteId, UserId},
    web::{Access, Badge, Chrome, Error, Form, NoFields, Result, Routes, page, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use tower_sessions::Session;

pub(super) fn routes() -> Routes<Invites> {
    Routes::new()
        .get(Access::SignedIn, "/invites/new", new_page)
        .get(Access::SignedIn, "/invites", || async { Redirect::to("/invites/new") })
        .post(Access::SignedIn, "/invites", create)
        .get(Access::SignedIn, "/invites/{id}", show)
        .get(Access::SignedIn, "/invites/{id}/revoke", back)
        .post(Access::SignedIn, "/invites/{id}/revoke", revoke)
        .get(Access::SignedIn, "/invites/{id}/send", back)
        .post(Access::SignedIn, "/invites/{id}/send", send)
        .post(Access::Staff, "/people/{id}/reset-link", make_reset)
        .get(Access::Member, "/settings/company", company)
}

fn parse(id: &str) -> Result<InviteId> {
    id.parse().map_err(|_| Error::NotFound)
}

/// What is wrong with the form, by field.
#[derive(Default)]
struct Faults {
    email: Option<&'static str>,
    name: Option<&'static str>,
    company: Option<&'static str>,
    /// A customer of this name that is here already.
    known: Option<String>,
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/invite_new.html")]
struct NewPage {
    chrome: Chrome,
    is_staff: bool,
    is_admin: bool,
    has_mail: bool,
    /// The company that is fixed: ID and name.
    customer: Option<(String, String)>,
    form: InviteForm,
    faults: Faults,
    details: DetailsForm,
    is_faulty: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct InviteForm {
    email: String,
    name: String,
    role: String,
    /// A new company's name.
    company: String,
    /// A known company's ID.
    customer: String,
    #[serde(flatten)]
    details: BusinessDetails,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct NewQuery {
    customer: String,
    /// An invite to make once more.
    again: String,
}

impl Invites {
    /// The company that an invite by this person is for, where that is settled: their own, or the one asked for.
    async fn settled(&self, actor: &User, asked: &str) -> Result<Option<(CustomerId, String)>> {
        let id = match (actor.customer_id, asked) {
            (Some(own), _) => own,
            (None, "") => return Ok(None),
            (None, asked) => asked.parse().map_err(|_| Error::NotFound)?,
        };
        let customer = self.accounts.customer(id).await?.ok_or(Error::NotFound)?;
        Ok(Some((customer.id, customer.name)))
    }

    fn form(&self, chrome: Chrome, actor: &User, customer: Option<(CustomerId, String)>, form: InviteForm) -> NewPage {
        NewPage {
            chrome,
            is_staff: actor.role.is_staff(),
            is_admin: actor.role == Role::Admin,
            has_mail: self.mailer.is_some(),
            customer: customer.map(|(id, name)| (id.to_string(), name)),
            details: DetailsForm::of(form.details.clone()),
            form,
            faults: Faults::default(),
            is_faulty: false,
        }
    }
}

async fn new_page(
    State(invites): State<Invites>,
    chrome: Chrome,
    SignedIn(actor): SignedIn,
    Query(query): Query<NewQuery>,
) -> Result<NewPage> {
    let mut form = InviteForm { role: Role::Customer.as_str().to_owned(), ..InviteForm::default() };
    let mut asked = query.customer;
    if !query.again.is_empty() {
        let old = invites.get(&actor, parse(&query.again)?).await?;
        form.role = old.role.as_str().to_owned();
        form.email = old.email;
        form.name = old.name.unwrap_or_default();
        asked = old.customer_id.map(|id| id.to_string()).unwrap_or_default();
    }
    let customer = invites.settled(&actor, &asked).await?;
    if let (Some((id, _)), true) = (&customer, actor.role.is_staff()) {
        form.details = invites.accounts.details(*id).await?.unwrap_or_default();
    }
    Ok(invites.form(chrome, &actor, customer, form))
}

async fn create(
    State(invites): State<Invites>,
    chrome: Chrome,
    session: Session,
    SignedIn(actor): SignedIn,
    Form(form): Form<InviteForm>,
) -> Result<Response> {
    let customer = invites.settled(&actor, &form.customer).await?;
    let mut page = invites.form(chrome, &actor, customer.clone(), form.clone());
    let email = form.email.parse::<EmailAddress>().map_err(|text| page.faults.email = Some(text));
    let name = Some(form.name.trim()).filter(|name| !name.is_empty()).map(model::check_name).transpose();
    let name = name.map_err(|text| page.faults.name = Some(text));
    let role =
        if page.is_admin && customer.is_none() { form.role.parse().unwrap_or(Role::Customer) } else { Role::Customer };
    let typed = form.company.trim();
    let company = match customer {
        Some((id, _)) => Company::Existing(id),
        None if role.is_staff() && typed.is_empty() => Company::None,
        None if role.is_staff() => {
            page.faults.company = Some("Support and admins belong to no company: leave this empty.");
            Company::None
        }
        None => Company::New(typed.to_owned()),
    };
    if let Company::New(name) = &company
        && model::check_name(name).is_err()
    {
        page.faults.company = Some("Enter the company’s name, 1 to 100 characters.");
    }
    let details = match form.details.checked() {
        Ok(details) => Some(details).filter(|_| page.is_staff && role == Role::Customer),
        Err(faults) => {
            page.details.faults = faults;
            None
        }
    };
    let faulty = page.faults.company.is_some() || !page.details.faults.is_empty();
    if let (Ok(email), Ok(name), false) = (email, name, faulty) {
        // Nothing typed for a new company is nothing to keep; of one that is here it may be to empty them.
        let known = matches!(company, Company::Existing(_));
        let details = details.filter(|details| known || !details.is_empty());
        let new = NewInvite { email, name: name.map(str::to_owned), role, company, details };
        match invites.create(&actor, new).await {
            Ok(id) => {
                page::flash(&session, "The invite is made.").await?;
                return Ok(Redirect::to(&format!("/invites/{id}")).into_response());
            }
            Err(InviteError::EmailTaken) => {
                page.faults.email = Some("Somebody with this address has an account here already.")
            }
            Err(InviteError::CompanyTaken(known)) => {
                page.faults.company = Some("A customer of this name is here already.");
                page.faults.known = Some(known.to_string());
            }
            Err(error) => return Err(error.into()),
        }
    }
    page.is_faulty = true;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/invite_show.html")]
struct ShowPage {
    chrome: Chrome,
    id: String,
    is_reset: bool,
    /// Name or address.
    who: String,
    email: String,
    role: &'static str,
    company: Option<String>,
    /// Where its people are.
    up: (String, &'static str),
    badge: Badge,
    is_open: bool,
    is_used: bool,
    link: Option<String>,
    has_mail: bool,
    mail: Option<MailState>,
    mail_error: Option<String>,
    mail_when: Option<When>,
    since: When,
    until: When,
}

async fn show(
    State(invites): State<Invites>,
    chrome: Chrome,
    SignedIn(actor): SignedIn,
    Path(id): Path<String>,
) -> Result<ShowPage> {
    let invite = invites.get(&actor, parse(&id)?).await?;
    let now = invites.clock.now();
    let standing = invite.standing(now);
    let link = invites.link(&invite).await?.map(|link| link.expose_secret().to_owned());
    let up = match (actor.role, invite.customer_id) {
        (Role::Customer, _) => ("/settings/company".to_owned(), "Your company"),
        (_, Some(customer)) => (format!("/backoffice/customers/{customer}"), "Customer"),
        (_, None) => ("/backoffice/people".to_owned(), "People"),
    };
    Ok(ShowPage {
        chrome,
        id: invite.id.to_string(),
        is_reset: invite.kind == Kind::Reset,
        who: invite.name.clone().unwrap_or_else(|| invite.email.clone()),
        role: invite.role.words(),
        company: invite.customer_name.clone(),
        up,
        badge: lines::badge(&invite, now),
        is_open: standing == Standing::Open,
        is_used: standing == Standing::Used,
        link,
        has_mail: invites.mailer.is_some(),
        mail: invite.mail_state,
        mail_when: invite.mail_at.map(|at| When::new(at, now)),
        since: When::new(invite.created_at, now),
        until: When::new(invite.expires_at, now),
        email: invite.email,
        mail_error: invite.mail_error,
    })
}

async fn back(Path(id): Path<String>) -> Result<Redirect> {
    Ok(Redirect::to(&format!("/invites/{}", parse(&id)?)))
}

async fn revoke(
    State(invites): State<Invites>,
    session: Session,
    SignedIn(actor): SignedIn,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let id = parse(&id)?;
    match invites.revoke(&actor, id).await {
        Ok(()) => page::flash(&session, "The link is taken back: it opens nothing any more.").await?,
        // Its page says what became of it.
        Err(InviteError::NotOpen(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Redirect::to(&format!("/invites/{id}")))
}

async fn send(
    State(invites): State<Invites>,
    SignedIn(actor): SignedIn,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let id = parse(&id)?;
    match invites.send(&actor, id).await {
        Ok(()) | Err(InviteError::NotOpen(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Redirect::to(&format!("/invites/{id}")))
}

async fn make_reset(
    State(invites): State<Invites>,
    Staff(actor): Staff,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let user: UserId = id.parse().map_err(|_| Error::NotFound)?;
    let id = invites.make_reset(&actor, user).await?;
    Ok(Redirect::to(&format!("/invites/{id}")))
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/company.html")]
struct CompanyPage {
    chrome: Chrome,
    company: String,
    you: UserId,
    members: Vec<User>,
    invites: Vec<InviteLine>,
}

async fn company(State(invites): State<Invites>, chrome: Chrome, member: Member) -> Result<CompanyPage> {
    Ok(CompanyPage {
        chrome,
        company: member.user.customer_name.clone().unwrap_or_default(),
        you: member.user.id,
        members: invites.accounts.members(member.customer).await?,
        invites: invites.of_customer(member.customer).await?,
    })
}
