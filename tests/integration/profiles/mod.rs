//! The business profile of a number: reading, editing, what was changed meanwhile, copies.

mod copies;
mod edit;

use crate::support::*;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::{Value, json};

/// A customer with a connection, and the address of its first number's profile.
struct Stage {
    world: World,
    browser: Browser,
    path: String,
    numbers: Vec<String>,
}

impl Stage {
    async fn new(db: Database, scenarios: &[&str]) -> Self {
        let world = World::start(db).await;
        let browser = world.customer("Harbour Bakery").await;
        let (connection, signup) = world.connect(&browser, scenarios).await;
        let numbers = signup["phone_number_ids"].as_array().unwrap();
        let numbers: Vec<String> = numbers.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        let path = format!("{connection}/numbers/{}/profile", numbers[0]);
        Self { world, browser, path, numbers }
    }

    /// Somebody edits a profile on the phone, or looks at it.
    async fn phone(&self, number: usize, change: Value) -> Value {
        let mut body = change;
        body["phone_id"] = json!(self.numbers[number]);
        self.world.meta.control(Method::POST, "profiles", body).await["profile"].clone()
    }

    async fn show(&self) -> Page {
        let page = self.browser.get(&self.path).await;
        assert_eq!(page.status, 200, "{}", page.words());
        page
    }

    /// The form as the page has it, with these fields changed.
    async fn save(&self, page: &Page, changes: &[(&str, &str)]) -> Page {
        self.send(page, changes, None).await
    }

    async fn send(&self, page: &Page, changes: &[(&str, &str)], photo: Option<&[u8]>) -> Page {
        let mut fields = fields(&page.text);
        for (name, value) in changes {
            fields.retain(|(key, _)| key != name || *name == "also");
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        let mut body = Vec::new();
        for (name, value) in &fields {
            let head = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend(head.as_bytes());
            body.extend(value.as_bytes());
            body.extend(b"\r\n");
        }
        if let Some(photo) = photo {
            body.extend(b"--edge\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"me.png\"\r\n");
            body.extend(b"Content-Type: image/png\r\n\r\n");
            body.extend(photo);
            body.extend(b"\r\n");
        }
        body.extend(b"--edge--\r\n");
        let request = self.browser.own(self.browser.request(Method::POST, &self.path));
        self.browser.send(request.header("content-type", "multipart/form-data; boundary=edge").body(body)).await
    }
}

/// What a browser would send of the form: inputs, text areas and the chosen option; no files, no ticks.
fn fields(html: &str) -> Vec<(String, String)> {
    let form = html.split_once("enctype=\"multipart/form-data\"").unwrap().1.split_once("</form>").unwrap().0;
    let plain = |text: &str| {
        text.replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#60;", "<")
            .replace("&#62;", ">")
            .replace("&#38;", "&")
    };
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| plain(value))
    };
    let mut found = Vec::new();
    for tag in form.split('<').skip(1) {
        let (head, after) = tag.split_once('>').unwrap();
        let Some(name) = attribute(head, "name") else { continue };
        let kind = attribute(head, "type").unwrap_or_default();
        if head.starts_with("textarea") {
            found.push((name, plain(after)));
        } else if head.starts_with("select") {
            let options = form.split_once(&format!("name=\"{name}\"")).unwrap().1.split_once("</select>").unwrap().0;
            let chosen = options.split('<').find(|tag| tag.contains(" selected")).unwrap_or_default();
            found.push((name, attribute(chosen, "value").unwrap_or_default()));
        } else if head.starts_with("input") {
            match kind.as_str() {
                "checkbox" | "file" => {}
                "radio" if !head.contains(" checked") => {}
                _ => found.push((name, attribute(head, "value").unwrap_or_default())),
            }
        }
    }
    found
}

/// A PNG's first bytes, as far as anybody here looks.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0]);
    bytes
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
