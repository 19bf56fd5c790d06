//! An endpoint's secret: shown on request, made anew, and the time in which both count.

use super::{
    endpoint::{Endpoint, Format},
    endpoint_page::view,
    pages::{EndpointPages, Own, done, page_of},
};
use crate::web::{Chrome, Form, NoFields, Result};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

/// Shows the endpoint's page with the secret in it, this once: no copy of it is kept on the way.
pub(super) async fn reveal(
    State(pages): State<EndpointPages>,
    chrome: Chrome,
    Own { member, endpoint }: Own,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Response> {
    let secret = pages.forwarding.show_secret(&member.user, member.customer, endpoint.id).await?;
    let page = view(&pages, chrome, &endpoint, Some(&secret), None).await?;
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], page).into_response())
}

#[derive(Template, WebTemplate)]
#[template(path = "forwarding/rotate.html")]
struct RotatePage {
    chrome: Chrome,
    id: String,
    name: String,
    is_meta: bool,
    /// A rotation is under way: the oldest of the three secrets would be dropped.
    is_rotating: bool,
    fault: Option<&'static str>,
}

pub(super) async fn ask_rotate(chrome: Chrome, Own { endpoint, .. }: Own) -> Response {
    rotate_page(chrome, endpoint, None)
}

fn rotate_page(chrome: Chrome, endpoint: Endpoint, fault: Option<&'static str>) -> Response {
    let is_meta = endpoint.format == Format::Meta;
    let is_rotating = endpoint.old_secret.is_some();
    let page = RotatePage { chrome, id: endpoint.id.to_string(), name: endpoint.name, is_meta, is_rotating, fault };
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    (status, page).into_response()
}

#[derive(Deserialize)]
pub(super) struct RotateForm {
    /// `overlap` or `at_once`.
    #[serde(default)]
    how: String,
}

pub(super) async fn rotate(
    State(pages): State<EndpointPages>,
    chrome: Chrome,
    session: Session,
    Own { member, endpoint }: Own,
    Form(form): Form<RotateForm>,
) -> Result<Response> {
    let (user, customer) = (&member.user, member.customer);
    let said = match form.how.as_str() {
        "overlap" => {
            "A new secret is made. Show it below and put it on your server: the old one counts for 24 hours more."
        }
        "at_once" => "A new secret is made, and the old one counts no longer. Show it below and put it on your server.",
        _ => return Ok(rotate_page(chrome, endpoint, Some("Choose one of the two."))),
    };
    pages.forwarding.rotate_secret(user, customer, endpoint.id).await?;
    if form.how == "at_once" {
        pages.forwarding.end_old_secret(user, customer, endpoint.id).await?;
    }
    Ok(done(&session, said, &format!("{}#secret", page_of(endpoint.id))).await?.into_response())
}

pub(super) async fn end_overlap(
    State(pages): State<EndpointPages>,
    session: Session,
    Own { member, endpoint }: Own,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    pages.forwarding.end_old_secret(&member.user, member.customer, endpoint.id).await?;
    let secret = format!("{}#secret", page_of(endpoint.id));
    done(&session, "From now on calls are signed with the new secret alone.", &secret).await
}
