//! `/connect/attempts/{id}`: one page an attempt, which shows each step and keeps its address.

use super::{attempt::Placing, attempt_view::page, model::Step, service::Signup};
use crate::{
    accounts::Member,
    base::ids::{AttemptId, WabaId},
    web::{Access, Chrome, Error, Form, NoFields, Result, Routes, csp::OpensFacebook},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use std::str::FromStr;

pub(super) fn routes(signup: Signup) -> Routes {
    Routes::new()
        .get(Access::Member, "/connect/attempts/{id}", show)
        // A form that was shown again with its error stands under its own address: opened, it leads back.
        .get(Access::Member, "/connect/attempts/{id}/choose", back)
        .post(Access::Member, "/connect/attempts/{id}/choose", choose)
        .get(Access::Member, "/connect/attempts/{id}/waba", back)
        .post(Access::Member, "/connect/attempts/{id}/waba", type_waba_id)
        .get(Access::Member, "/connect/attempts/{id}/retry", back)
        .post(Access::Member, "/connect/attempts/{id}/retry", go_on)
        .with_state(signup)
}

fn parse(id: &str) -> Result<AttemptId> {
    AttemptId::from_str(id).map_err(|_| Error::NotFound)
}

async fn show(
    State(signup): State<Signup>,
    chrome: Chrome,
    member: Member,
    Path(id): Path<String>,
) -> Result<Response> {
    let attempt = signup.get(member.customer, parse(&id)?).await?;
    let page = page(&signup, chrome, &member, attempt).await?;
    Ok((OpensFacebook, page).into_response())
}

async fn back(Path(id): Path<String>) -> Result<Redirect> {
    Ok(Redirect::to(&format!("/connect/attempts/{}", parse(&id)?)))
}

#[derive(Deserialize)]
struct ChooseForm {
    #[serde(default)]
    waba: Vec<String>,
    /// Where another account came back than the one that was to be connected again.
    placing: Option<Placing>,
}

async fn choose(
    State(signup): State<Signup>,
    chrome: Chrome,
    member: Member,
    Path(id): Path<String>,
    Form(form): Form<ChooseForm>,
) -> Result<Response> {
    let attempt = signup.get(member.customer, parse(&id)?).await?;
    let chosen: Vec<WabaId> = form.waba.iter().filter_map(|id| id.parse().ok()).collect();
    if chosen.is_empty() && attempt.step == Step::Choosing {
        let mut page = page(&signup, chrome, &member, attempt).await?;
        page.choice_error = Some("Choose at least one account.");
        for choice in &mut page.choices {
            choice.checked = false;
        }
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, OpensFacebook, page).into_response());
    }
    if attempt.step == Step::Choosing {
        signup.choose(&member, attempt.id, &chosen, form.placing).await?;
    }
    Ok(Redirect::to(&format!("/connect/attempts/{id}")).into_response())
}

#[derive(Deserialize)]
struct WabaForm {
    #[serde(default)]
    waba_id: String,
}

async fn type_waba_id(
    State(signup): State<Signup>,
    chrome: Chrome,
    member: Member,
    Path(id): Path<String>,
    Form(form): Form<WabaForm>,
) -> Result<Response> {
    let attempt = signup.get(member.customer, parse(&id)?).await?;
    if attempt.step == Step::WabaIdNeeded {
        let digits: String = form.waba_id.split_whitespace().collect();
        match digits.parse::<WabaId>() {
            Ok(waba) => signup.type_waba_id(&member, attempt.id, &waba).await?,
            Err(_) => {
                let mut page = page(&signup, chrome, &member, attempt).await?;
                page.typed = form.waba_id;
                page.typed_error = Some("The ID has digits only: copy it once more.".to_owned());
                return Ok((StatusCode::UNPROCESSABLE_ENTITY, OpensFacebook, page).into_response());
            }
        }
    }
    Ok(Redirect::to(&format!("/connect/attempts/{id}")).into_response())
}

async fn go_on(
    State(signup): State<Signup>,
    member: Member,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    signup.go_on(&member, parse(&id)?).await?;
    Ok(Redirect::to(&format!("/connect/attempts/{id}")))
}
