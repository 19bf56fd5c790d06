//! What somebody is told whose company may not use the portal: only once their password was right, so that nobody
//! learns from it who is here.

use super::User;
use crate::web::Chrome;
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

#[derive(Template, WebTemplate)]
#[template(path = "accounts/shut_out.html")]
struct ShutOutPage {
    chrome: Chrome,
    company: String,
}

/// The answer to a right password of somebody who is shut out; `None` for everybody else.
pub(super) fn refuse(chrome: &Chrome, user: &User) -> Option<Response> {
    if !user.is_shut_out() {
        return None;
    }
    let company = user.customer_name.clone().unwrap_or_default();
    Some((StatusCode::FORBIDDEN, ShutOutPage { chrome: chrome.clone(), company }).into_response())
}
