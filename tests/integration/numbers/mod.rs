//! A customer's numbers: registered through what can stand in between, their PINs, names, codes, and what the WhatsApp
//! Business app brings.

mod coexistence;
mod life;
mod pins;
mod register;

use crate::support::*;
use http::Method;
use serde_json::{Value, json};

/// A connected customer: browser, the number's page, its ID at Meta, what the signup answered.
async fn connected(world: &World, scenarios: &[&str]) -> (Browser, String, String, Value) {
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, scenarios).await;
    let id = id(&signup, "phone_number_ids", 0);
    (browser, format!("{connection}/numbers/{id}"), id, signup)
}

/// Asks for the number to be registered.
async fn ask(browser: &Browser, page: &str, how: &str, pin: &str) -> Page {
    browser.post(&format!("{page}/register"), &[("how", how), ("pin", pin)]).await
}

/// Waits until the wizard says this.
async fn wizard_says(browser: &Browser, page: &str, words: &str) -> Page {
    let address = format!("{page}/register");
    eventually(&format!("the wizard to say {words:?}"), || async {
        let page = browser.get(&address).await;
        page.words().contains(words).then_some(page)
    })
    .await
}

/// How often Meta was asked to register or deregister.
fn calls(world: &World, edge: &str) -> usize {
    world.meta.calls().iter().filter(|call| call.path.ends_with(edge)).count()
}

async fn change_at_meta(world: &World, id: &str, mut change: Value) -> Value {
    change["phone_id"] = json!(id);
    world.meta.control(Method::POST, "phones", change).await
}
