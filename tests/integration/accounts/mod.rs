//! Signing in and out, sessions, and the protection of forms.

mod csrf;
mod devices;
mod first_run;
mod forgot;
mod headers;
mod invite_power;
mod invites;
mod limits;
mod passwords;
mod sessions;
mod signin;
mod staff_two_step;
mod two_step;

use crate::support::*;
use doorway::{accounts::Role, store::query};
use serde_json::json;
use totp_rs::{Builder, Secret, Totp};

/// The one e-mail address that is there.
async fn only_email(world: &World) -> String {
    world.column("SELECT email FROM users", "email").await.unwrap()
}

/// The audit log's actions that concern people, oldest first.
async fn actions(world: &World) -> Vec<String> {
    let mut db = world.portal.store.read().await.unwrap();
    query("SELECT action FROM audit_log ORDER BY at, id").all(&mut db, |row| row.text("action")).await.unwrap()
}

/// An authenticator app.
struct App(Totp);

impl App {
    /// The code that it shows at the world's time, some steps of 30 seconds off.
    fn code(&self, world: &World, steps: i64) -> String {
        let at = world.clock.now().unix_timestamp() + 30 * steps;
        self.0.generate(u64::try_from(at).unwrap()).to_string()
    }

    /// A code that is right at none of the times around now.
    fn wrong_code(&self, world: &World) -> String {
        let right: Vec<String> = (-3..=3).map(|steps| self.code(world, steps)).collect();
        (0..).map(|n| format!("{n:06}")).find(|code| !right.contains(code)).unwrap()
    }

    /// Time goes on, so that the next code is a new one.
    fn next_code(&self, world: &World) -> String {
        world.advance(31);
        self.code(world, 0)
    }
}

/// Begins to set up an app in this browser; nothing is confirmed.
async fn scan(browser: &Browser) -> App {
    browser.get("/settings/two-step").await;
    assert_eq!(browser.post("/settings/two-step/begin", &[]).await.location(), "/settings/two-step");
    app_of(&browser.get("/settings/two-step").await)
}

/// The app that scans what a page shows.
fn app_of(page: &Page) -> App {
    let key = page.attribute("data-copy").unwrap();
    let url = page.text.split("href=\"otpauth://").nth(1).unwrap().split('"').next().unwrap();
    assert!(url.contains(&key) && url.contains("Test%20Operator"), "{url}");
    App(Builder::new().with_secret(Secret::try_from_base32(key).unwrap()).build().unwrap())
}

/// Sets up an app; the app, and the recovery codes.
async fn enrol(world: &World, browser: &Browser) -> (App, Vec<String>) {
    // Codes change each half minute; the next is far away now.
    world.advance(30 - world.clock.now().unix_timestamp() % 30);
    let app = scan(browser).await;
    let page = browser.post("/settings/two-step/confirm", &[("code", &app.code(world, 0))]).await;
    assert_eq!(page.status, 200, "{}", page.words());
    (app, recovery_codes(&page))
}

fn recovery_codes(page: &Page) -> Vec<String> {
    let codes = page.text.split("<li><code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
    let codes: Vec<String> = codes.collect();
    assert_eq!(codes.len(), 10);
    codes
}

/// The first step alone.
async fn first_step(world: &World, email: &str) -> Browser {
    let browser = world.anonymous();
    browser.get("/signin").await;
    let page = browser.post("/signin", &[("email", email), ("password", PASSWORD)]).await;
    assert_eq!(page.location(), "/signin/code");
    browser.get("/signin/code").await;
    browser
}
