//! `/backoffice`: what needs attention, first.

use super::Backoffice;
use crate::web::{Access, Chrome, Routes};
use askama::Template;
use askama_web::WebTemplate;

pub(super) fn routes() -> Routes<Backoffice> {
    Routes::new().get(Access::Admin, "/backoffice", overview)
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/overview.html")]
struct OverviewPage {
    chrome: Chrome,
}

async fn overview(chrome: Chrome) -> OverviewPage {
    OverviewPage { chrome }
}
