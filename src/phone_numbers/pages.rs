//! The pages of a customer's numbers, below the connection that holds them.

use super::{
    add_page, name_page, number_page,
    numbers::{AskError, Found, PhoneNumbers},
    pin_page, register_page, verify_page,
};
use crate::{
    accounts::{Accounts, Member},
    base::ids::{ConnectionId, PhoneNumberId},
    web::{Access, Error, Result, Routes, page},
};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
    response::Redirect,
};
use tower_sessions::Session;

/// What the pages of numbers work with.
#[derive(Clone)]
pub struct NumberPages {
    /// The numbers.
    pub numbers: PhoneNumbers,
    /// Whoever asks for a PIN proves who they are.
    pub accounts: Accounts,
}

/// The routes of this feature.
pub fn routes(pages: NumberPages) -> Routes {
    Routes::new()
        .get(Access::Member, "/connections/{id}/numbers/new", add_page::form)
        .post(Access::Member, "/connections/{id}/numbers/new", add_page::add)
        .get(Access::Member, "/connections/{id}/numbers/{number}", number_page::show)
        .get(Access::Member, "/connections/{id}/numbers/{number}/refresh", back)
        .post(Access::Member, "/connections/{id}/numbers/{number}/refresh", number_page::refresh)
        .get(Access::Member, "/connections/{id}/numbers/{number}/sync", back)
        .post(Access::Member, "/connections/{id}/numbers/{number}/sync", number_page::sync)
        .get(Access::Member, "/connections/{id}/numbers/{number}/register", register_page::show)
        .post(Access::Member, "/connections/{id}/numbers/{number}/register", register_page::register)
        .get(Access::Member, "/connections/{id}/numbers/{number}/stop", back)
        .post(Access::Member, "/connections/{id}/numbers/{number}/stop", register_page::stop)
        .get(Access::Member, "/connections/{id}/numbers/{number}/deregister", register_page::ask_deregister)
        .post(Access::Member, "/connections/{id}/numbers/{number}/deregister", register_page::deregister)
        .get(Access::Member, "/connections/{id}/numbers/{number}/verify", verify_page::show)
        .post(Access::Member, "/connections/{id}/numbers/{number}/verify", verify_page::verify)
        .get(Access::Member, "/connections/{id}/numbers/{number}/send-code", back)
        .post(Access::Member, "/connections/{id}/numbers/{number}/send-code", verify_page::send)
        .get(Access::Member, "/connections/{id}/numbers/{number}/pin", pin_page::show)
        .post(Access::Member, "/connections/{id}/numbers/{number}/pin", pin_page::reveal)
        .get(Access::Member, "/connections/{id}/numbers/{number}/set-pin", back)
        .post(Access::Member, "/connections/{id}/numbers/{number}/set-pin", pin_page::change)
        .get(Access::Member, "/connections/{id}/numbers/{number}/name", name_page::show)
        .post(Access::Member, "/connections/{id}/numbers/{number}/name", name_page::change)
        .with_state(pages)
}

/// The member's number that the path names.
pub(super) struct Own {
    pub member: Member,
    pub found: Found,
}

impl FromRequestParts<NumberPages> for Own {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, pages: &NumberPages) -> Result<Self> {
        let member = Member::from_request_parts(parts, pages).await?;
        let path = Path::<(String, String)>::from_request_parts(parts, pages).await.map_err(|_| Error::NotFound)?;
        let (connection, number) = ids(&path.0.0, &path.0.1)?;
        let found = pages.numbers.find(member.customer, connection, &number).await?;
        Ok(Self { member, found })
    }
}

fn ids(connection: &str, number: &str) -> Result<(ConnectionId, PhoneNumberId)> {
    let connection = connection.parse().map_err(|_| Error::NotFound)?;
    Ok((connection, number.parse().map_err(|_| Error::NotFound)?))
}

/// What every page of a number has at its head.
pub(super) struct Head {
    /// The number's page.
    pub path: String,
    pub connection: String,
    pub connection_name: String,
    pub number: String,
    /// As people of its country write it.
    pub national: Option<String>,
}

impl Head {
    pub fn new(found: &Found) -> Self {
        Self {
            path: page_of(found),
            connection: found.held.connection.to_string(),
            connection_name: found.held.name.clone(),
            number: found.number.international(),
            national: found.number.national(),
        }
    }
}

/// Where a number's page is.
pub(super) fn page_of(found: &Found) -> String {
    format!("/connections/{}/numbers/{}", found.held.connection, found.number.id)
}

/// Says on the next page that something is done, and leads there.
pub(super) async fn done(session: &Session, words: &str, address: &str) -> Result<Redirect> {
    page::flash(session, words).await?;
    Ok(Redirect::to(address))
}

/// An address that only takes a form leads back to the number's page.
async fn back(Path((connection, number)): Path<(String, String)>) -> Result<Redirect> {
    let (connection, number) = ids(&connection, &number)?;
    Ok(Redirect::to(&format!("/connections/{connection}/numbers/{number}")))
}

/// Why Meta could not be asked or said no, as a sentence with what to do; our own faults are passed on.
pub(super) fn refusal(error: AskError) -> Result<String> {
    Ok(match error {
        AskError::NoAccess => "Facebook ended our access. Connect the account again, then try again.".to_owned(),
        AskError::Busy => "This is being done already. Look again in a minute.".to_owned(),
        AskError::Internal(error) => return Err(Error::Internal(error)),
        AskError::Graph(error) => match error.api().filter(|_| error.class() == crate::graph::ErrorClass::Rejected) {
            Some(api) => {
                let said = api.user_message.clone().filter(|text| !text.is_empty());
                let said = said.unwrap_or_else(|| api.message.clone());
                format!("Meta says: {} (code {})", crate::base::text::shorten(said.trim(), 300), api.code)
            }
            None => "Meta did not answer as it should. Try again in a minute.".to_owned(),
        },
    })
}
