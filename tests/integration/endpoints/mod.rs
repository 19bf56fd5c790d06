//! The pages on which customers make and keep endpoints, and what is sent in each format.

mod formats;
mod forms;
mod handshake;
mod receiver;
mod secret;
mod server;
mod strangers;

use crate::support::*;
use server::Server;

const NEW: &str = "/settings/endpoints/new";

/// A new endpoint of this browser's customer; its page's address.
async fn made(browser: &Browser, fields: &[(&str, &str)]) -> String {
    browser.get(NEW).await;
    let page = browser.post(NEW, fields).await;
    assert_eq!(page.status, 303, "{}", page.words());
    page.location().to_owned()
}

/// One with the built-in receiver.
async fn with_receiver(browser: &Browser, name: &str, format: &str) -> String {
    made(browser, &[("name", name), ("to", "receiver"), ("format", format)]).await
}

/// The secret, as the page shows it to who asks.
async fn secret(browser: &Browser, page: &str) -> String {
    let shown = browser.post(&format!("{page}/secret"), &[]).await;
    assert_eq!((shown.status.as_u16(), shown.headers["cache-control"].to_str().unwrap()), (200, "no-store"));
    let (_, rest) = shown.text.split_once(r#"<code id="the-secret">"#).expect("the secret is on the page");
    rest.split('<').next().unwrap().replace("&#43;", "+").replace("&#61;", "=").replace("&#47;", "/")
}
