//! `/connections/own-app` and `/connections/{id}/own-app`, and the same for staff below `/support/customers/{id}`: a
//! connection through an app of the customer's own.

use super::{
    own_app::OwnApp,
    own_app_proof::NotTaken,
    own_app_view::{Around, NewPage, OwnAppPage, Shown, Typed},
    service::{Connections, Overview, TokenError},
};
use crate::{
    accounts::{Accounts, Member, Staff, User},
    base::ids::{ConnectionId, CustomerId},
    graph::LiveSetup,
    web::{Access, Chrome, Error, Form, NoFields, Result, Routes, page},
};
use axum::{
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use std::collections::HashMap;
use tower_sessions::Session;

/// What these pages draw on.
#[derive(Clone)]
pub struct OwnAppPages {
    /// Connections.
    pub connections: Connections,
    /// Companies.
    pub accounts: Accounts,
    /// What is set up at Meta.
    pub meta: LiveSetup,
}

/// The routes.
pub fn routes(pages: OwnAppPages) -> Routes {
    Routes::new()
        .get(Access::Member, "/connections/own-app", new)
        .post(Access::Member, "/connections/own-app", add)
        .get(Access::Member, "/connections/{id}/own-app", show)
        .get(Access::Member, "/connections/{id}/own-app/token", back)
        .post(Access::Member, "/connections/{id}/own-app/token", set_token)
        .get(Access::Member, "/connections/{id}/own-app/secret", back)
        .post(Access::Member, "/connections/{id}/own-app/secret", set_app)
        .post(Access::Member, "/connections/{id}/own-app/subscribe", subscribe)
        .get(Access::Staff, "/support/customers/{id}/own-app", new)
        .post(Access::Staff, "/support/customers/{id}/own-app", add)
        .get(Access::Staff, "/support/customers/{id}/own-app/{connection}", show)
        .get(Access::Staff, "/support/customers/{id}/own-app/{connection}/token", back)
        .post(Access::Staff, "/support/customers/{id}/own-app/{connection}/token", set_token)
        .get(Access::Staff, "/support/customers/{id}/own-app/{connection}/secret", back)
        .post(Access::Staff, "/support/customers/{id}/own-app/{connection}/secret", set_app)
        .post(Access::Staff, "/support/customers/{id}/own-app/{connection}/subscribe", subscribe)
        .with_state(pages)
}

/// Who does it, for whom, and to which connection: read of the path and the session.
struct Doing {
    by: User,
    customer: CustomerId,
    company: Option<String>,
    connection: Option<ConnectionId>,
}

impl FromRequestParts<OwnAppPages> for Doing {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, pages: &OwnAppPages) -> Result<Self> {
        let Path(path) =
            Path::<HashMap<String, String>>::from_request_parts(parts, pages).await.map_err(|_| Error::NotFound)?;
        let connection_in =
            |name: &str| path.get(name).map(|id| id.parse::<ConnectionId>().map_err(|_| Error::NotFound)).transpose();
        if !parts.uri.path().starts_with("/support/") {
            let Member { user: by, customer } = Member::from_request_parts(parts, pages).await?;
            return Ok(Self { by, customer, company: None, connection: connection_in("id")? });
        }
        let Staff(by) = Staff::from_request_parts(parts, pages).await?;
        let id = path.get("id").and_then(|id| id.parse::<CustomerId>().ok()).ok_or(Error::NotFound)?;
        let customer = pages.accounts.customer(id).await?.ok_or(Error::NotFound)?;
        Ok(Self { by, customer: id, company: Some(customer.name), connection: connection_in("connection")? })
    }
}

impl Doing {
    /// The address of a connection's page of its own app.
    fn page_of(&self, connection: ConnectionId) -> String {
        match self.company {
            Some(_) => format!("/support/customers/{}/own-app/{connection}", self.customer),
            None => format!("/connections/{connection}/own-app"),
        }
    }

    fn around(&self, of: Option<&Overview>) -> Around {
        let back = match (&self.company, of) {
            (Some(company), _) => (company.clone(), format!("/support/customers/{}", self.customer)),
            (None, Some(of)) => (of.connection.name.clone(), format!("/connections/{}", of.connection.id)),
            (None, None) => ("Connections".to_owned(), "/connections".to_owned()),
        };
        let base = match (of, &self.company) {
            (Some(of), _) => self.page_of(of.connection.id),
            (None, Some(_)) => format!("/support/customers/{}/own-app", self.customer),
            (None, None) => "/connections/own-app".to_owned(),
        };
        Around { back, base, company: self.company.clone() }
    }

    /// The connection, if it is this customer's and goes through an app of its own.
    async fn find(&self, pages: &OwnAppPages) -> Result<(Overview, OwnApp)> {
        let id = self.connection.ok_or(Error::NotFound)?;
        let overview = pages.connections.get(self.customer, id).await?.ok_or(Error::NotFound)?;
        let own = pages.connections.own_app(id).await.map_err(Error::internal)?.ok_or(Error::NotFound)?;
        Ok((overview, own))
    }
}

async fn new(chrome: Chrome, doing: Doing) -> NewPage {
    NewPage { chrome, around: doing.around(None), shown: Shown::default() }
}

async fn add(
    State(pages): State<OwnAppPages>,
    chrome: Chrome,
    session: Session,
    doing: Doing,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let meta = pages.meta.now();
    let ours = meta.app.as_ref().map(|app| &app.id);
    let mut has_secret = false;
    let added = match typed.brought() {
        Ok(brought) => {
            has_secret = brought.secret.is_some();
            pages.connections.add_by_hand(&meta.graph, ours, (doing.by.id, doing.customer), &brought).await
        }
        Err(error) => Err(error),
    };
    match added {
        Ok(id) => {
            let text = match has_secret {
                true => "The account is connected. One step is left: the webhooks.",
                false => "The account is connected. Next comes the App Secret.",
            };
            page::flash(&session, text).await?;
            Ok(Redirect::to(&doing.page_of(id)).into_response())
        }
        Err(error) => {
            let page = NewPage { chrome, around: doing.around(None), shown: Shown::after(&typed, error)? };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

fn page_of(pages: &OwnAppPages, chrome: Chrome, doing: &Doing, of: &(Overview, OwnApp)) -> OwnAppPage {
    let (overview, own) = of;
    let webhook_url = &pages.meta.now().webhook_url;
    OwnAppPage::new(chrome, doing.around(Some(overview)), overview, own, webhook_url, pages.connections.clock.now())
}

async fn show(State(pages): State<OwnAppPages>, chrome: Chrome, doing: Doing) -> Result<OwnAppPage> {
    let of = doing.find(&pages).await?;
    Ok(page_of(&pages, chrome, &doing, &of))
}

/// A form that was shown again with its error stands under its own address: opened, it leads back.
async fn back(State(pages): State<OwnAppPages>, doing: Doing) -> Result<Redirect> {
    let (overview, _) = doing.find(&pages).await?;
    Ok(Redirect::to(&doing.page_of(overview.connection.id)))
}

/// It was over by the time that Meta had answered.
fn over(error: NotTaken) -> Result<NotTaken> {
    match error {
        NotTaken::Token(TokenError::None) => {
            Err(Error::Conflict("This connection was ended meanwhile. Nothing was changed.".to_owned()))
        }
        error => Ok(error),
    }
}

async fn set_token(
    State(pages): State<OwnAppPages>,
    chrome: Chrome,
    session: Session,
    doing: Doing,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let of = doing.find(&pages).await?;
    let set = match typed.token() {
        Ok(token) => {
            let graph = &pages.meta.now().graph;
            pages.connections.replace_token(graph, doing.by.id, &of.1, &token).await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = set {
        let mut page = page_of(&pages, chrome, &doing, &of);
        page.token_form = Shown::after(&typed, over(error)?)?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    page::flash(&session, "The new token is in use.").await?;
    Ok(Redirect::to(&doing.page_of(of.0.connection.id)).into_response())
}

async fn set_app(
    State(pages): State<OwnAppPages>,
    chrome: Chrome,
    session: Session,
    doing: Doing,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let of = doing.find(&pages).await?;
    let meta = pages.meta.now();
    let ours = meta.app.as_ref().map(|app| &app.id);
    let set = match typed.app() {
        Ok(app) => pages.connections.set_own_app(&meta.graph, ours, doing.by.id, &of.1, &app).await,
        Err(error) => Err(error),
    };
    if let Err(error) = set {
        let mut page = page_of(&pages, chrome, &doing, &of);
        page.app_form = Shown::after(&typed, over(error)?)?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    page::flash(&session, "App ID and App Secret are in use.").await?;
    Ok(Redirect::to(&doing.page_of(of.0.connection.id)).into_response())
}

async fn subscribe(
    State(pages): State<OwnAppPages>,
    session: Session,
    doing: Doing,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let (overview, own) = doing.find(&pages).await?;
    let id = own.connection;
    let graph = &pages.meta.now().graph;
    let access = pages.connections.access_with(id, None).await.map_err(Error::internal)?;
    let mut all_on = true;
    for (waba, _) in &overview.wabas {
        all_on &= pages.connections.switch_on(graph, &access, id, &waba.id).await?;
    }
    let text = if all_on {
        "Meta sends this account’s messages to your app now."
    } else {
        "Meta did not switch them on. Check that the token still works, then try again."
    };
    page::flash(&session, text).await?;
    Ok(Redirect::to(&doing.page_of(id)))
}
