//! What an admin sets of Meta's side: settings, their check, the webhooks' registration, the go-live list.

mod check;
mod go_live;
mod register;
mod settings;

use crate::support::*;
use doorway::{accounts::Role, config::Config};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const PATH: &str = "/backoffice/settings";

/// Nothing of Meta's side in the environment.
fn nothing_set(config: &mut Config) {
    let meta = &mut config.meta;
    (meta.app_id, meta.app_secret, meta.es_config_id) = (None, None, None);
    (meta.verify_token, meta.system_token, meta.business_id) = (None, None, None);
}

async fn empty(db: Database) -> World {
    World::with(db, nothing_set).await
}

/// The settings that are right for the sandbox.
fn right() -> Vec<(&'static str, String)> {
    vec![
        ("app_id", APP_ID.to_owned()),
        ("app_secret", APP_SECRET.to_owned()),
        ("es_config_id", CONFIG_ID.to_owned()),
        ("verify_token", String::new()),
        ("system_token", SYSTEM_TOKEN.to_owned()),
        ("business_id", BUSINESS_ID.to_owned()),
        ("graph_version", String::new()),
    ]
}

/// Sends the form, made of the page as it stands now.
async fn save(admin: &Browser, fields: &[(&'static str, String)]) -> Page {
    let version = version(&admin.get(PATH).await);
    send(admin, &version, fields).await
}

/// Sends a form that was made of this version.
async fn send(admin: &Browser, version: &str, fields: &[(&'static str, String)]) -> Page {
    let mut form = vec![("version", version)];
    form.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
    admin.post(PATH, &form).await
}

/// The right form with one field another.
fn with(name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    and(right(), name, value)
}

/// A form with one more field, or one field another.
fn and(mut form: Vec<(&'static str, String)>, name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    form.retain(|(other, _)| *other != name);
    form.push((name, value.to_owned()));
    form
}

fn version(page: &Page) -> String {
    let tag = page.tag_with("name=\"version\"").unwrap();
    let (_, rest) = tag.split_once("value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// Grade and words of a line of the check.
fn line(page: &Page, id: &str) -> (String, String) {
    let (_, rest) = page.text.split_once(&format!("data-finding=\"{id}\"")).unwrap_or_else(|| {
        panic!("no line {id} in: {}", page.words());
    });
    let (_, grade) = rest.split_once("data-grade=\"").unwrap();
    let grade = grade.split('"').next().unwrap().to_owned();
    let html = rest.split_once('>').unwrap().1.split("</li>").next().unwrap().to_owned();
    (grade, Page { text: html, ..page.clone() }.words())
}

/// Checks, and gives the page with what was found.
async fn check(admin: &Browser) -> Page {
    assert_eq!(admin.post("/backoffice/settings/check", &[]).await.location(), "/backoffice/settings#check");
    admin.get(PATH).await
}

async fn audit_count(world: &World, action: &'static str) -> i64 {
    let mut db = world.portal.store.read().await.unwrap();
    let count = doorway::store::query("SELECT count(*) AS n FROM audit_log WHERE action = $1").bind(action);
    count.one(&mut db, |row| row.int("n")).await.unwrap()
}
