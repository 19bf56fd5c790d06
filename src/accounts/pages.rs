//! Start page, and what signing in has in common.

use super::{
    Accounts, FirstRun, Invites, KnownBrowsers, TwoStep, User, invites, settings_page, setup_page, signin_page,
    two_step,
};
use crate::web::{
    Access, Chrome, Result, Routes,
    session::{IDLE, USER_KEY},
};
use askama::Template;
use askama_web::WebTemplate;
use tower_sessions::{Expiry, Session};

/// What the pages of this feature work with.
#[derive(Clone)]
pub struct Pages {
    /// People and companies.
    pub accounts: Accounts,
    /// The second step.
    pub two_step: TwoStep,
    /// The first run.
    pub first_run: FirstRun,
    /// Browsers in which people have signed in before.
    pub known: KnownBrowsers,
}

/// The routes of this feature.
pub fn routes(pages: Pages, links: Invites) -> Routes {
    Routes::new()
        .get(Access::Anyone, "/", index)
        .get(Access::Anyone, "/setup", setup_page::show)
        .post(Access::Anyone, "/setup", setup_page::set_up)
        .get(Access::Anyone, "/signin", signin_page::show)
        .post(Access::Anyone, "/signin", signin_page::sign_in)
        .get(Access::Anyone, "/signin/code", signin_page::show_code)
        .post(Access::Anyone, "/signin/code", signin_page::code)
        .post(Access::Anyone, "/signout", signin_page::sign_out)
        .get(Access::SignedIn, "/settings", settings_page::show)
        .get(Access::SignedIn, "/settings/account", settings_page::back)
        .post(Access::SignedIn, "/settings/account", settings_page::rename)
        .get(Access::SignedIn, "/settings/password", settings_page::back)
        .post(Access::SignedIn, "/settings/password", settings_page::change_password)
        .get(Access::SignedIn, "/settings/sessions/{id}/end", settings_page::back_from_session)
        .post(Access::SignedIn, "/settings/sessions/{id}/end", settings_page::end_session)
        .get(Access::SignedIn, "/settings/sessions/end-others", settings_page::back)
        .post(Access::SignedIn, "/settings/sessions/end-others", settings_page::end_other_sessions)
        .get(Access::SignedIn, "/settings/sessions/end", settings_page::back)
        .post(Access::SignedIn, "/settings/sessions/end", settings_page::end_sessions)
        .with_state(pages.clone())
        .merge(invites::routes(links, pages.clone()))
        .merge(two_step::routes(pages.two_step))
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/index.html")]
struct IndexPage {
    chrome: Chrome,
}

async fn index(chrome: Chrome) -> IndexPage {
    IndexPage { chrome }
}

/// Where to go after signing in: a path of ours, nothing else.
pub(super) fn safe_next(next: &str) -> Option<&str> {
    // Browsers drop tabs and newlines and read a backslash as a slash, so that /<tab>/evil.example would lead
    // away.
    let own = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(|c: char| c == '\\' || c.is_control() || !c.is_ascii());
    own.then_some(next)
}

/// Where a person's work is.
pub(super) fn home(user: &User) -> &'static str {
    if user.role.is_staff() { "/support" } else { "/connections" }
}

/// Begins a session of this person: everything from before is dropped and the ID renewed, so that one
/// that somebody planted is worth nothing.
pub(super) async fn begin(session: &Session, user: &User) -> Result<()> {
    session.clear().await;
    session.cycle_id().await?;
    session.set_expiry(Some(Expiry::OnInactivity(IDLE)));
    session.insert(USER_KEY, user.id.to_string()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_one_stays_on_this_site() {
        assert_eq!(safe_next("/connect?x=1"), Some("/connect?x=1"));
        for evil in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\r\nSet-Cookie: x",
            "/\t/evil.example",
            "/\0",
        ] {
            assert_eq!(safe_next(evil), None, "{evil}");
        }
    }
}
