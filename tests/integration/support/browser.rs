//! A browser without a screen: cookies, the headers by which a server tells its own pages from others',
//! the sign-in form, and the calls that `static/js/launcher.mjs` makes.

use super::{Page, eventually};
use doorway::base::http::{Outbound, Reach, read_capped};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use url::Url;

/// The portal's session cookie on http.
const SESSION: &str = "doorway_session";

#[derive(Default)]
struct Kept {
    cookies: BTreeMap<String, String>,
    csrf: String,
    /// Every cookie value ever received, and every page.
    all_cookies: Vec<String>,
    pages: Vec<String>,
}

/// One person's browser. Cloning shares it.
#[derive(Clone)]
pub struct Browser {
    pub url: Url,
    http: Outbound,
    kept: Arc<Mutex<Kept>>,
}

impl Browser {
    pub fn new(portal: &Url) -> Self {
        let http = Outbound::new(Reach::Operator, Duration::from_secs(60));
        Self { url: portal.clone(), http, kept: Arc::default() }
    }

    /// The address of a path; a full address stays.
    fn at(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }

    /// A request with this browser's cookies.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let cookies: Vec<String> =
            self.kept.lock().unwrap().cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.http.request(method, self.at(path)).unwrap();
        if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) }
    }

    /// Sends it, unless the portal can't be reached.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Page> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let Ok(body) = read_capped(response).await else {
            return Ok(Page { status: StatusCode::BAD_GATEWAY, headers, text: String::new() });
        };
        let page = Page { status, text: String::from_utf8(body).unwrap(), headers };
        self.keep(&page);
        Ok(page)
    }

    /// Sends it, again where the network breaks, as `static/js/post.mjs` does.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        for pause in [300, 1_000, 2_000, 4_000] {
            if let Ok(page) = self.try_send(request.try_clone().unwrap()).await {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        self.try_send(request).await.unwrap()
    }

    fn keep(&self, page: &Page) {
        let mut kept = self.kept.lock().unwrap();
        for cookie in page.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() || cookie.contains("Max-Age=0") {
                kept.cookies.remove(name);
            } else {
                kept.cookies.insert(name.to_owned(), value.to_owned());
                kept.all_cookies.push(value.to_owned());
            }
        }
        if let Some(csrf) = page.csrf() {
            kept.csrf = csrf;
        }
        kept.pages.push(page.text.clone());
    }

    pub async fn get(&self, path: &str) -> Page {
        self.send(self.request(Method::GET, path).header("sec-fetch-site", "same-origin")).await
    }

    /// A form of the portal's own page, with the token that was seen last.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf();
        let mut form = vec![("csrf", csrf.as_str())];
        form.extend_from_slice(fields);
        self.send(self.own(self.request(Method::POST, path)).form(&form)).await
    }

    /// What a browser says of a request that the portal's own page makes.
    pub fn own(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        request.header("origin", self.url.origin().ascii_serialization()).header("sec-fetch-site", "same-origin")
    }

    /// What `static/js/post.mjs` sends.
    pub fn script(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = self.own(self.request(Method::POST, path)).header("accept", "application/json");
        request.header("x-csrf-token", self.csrf()).json(body)
    }

    /// Signs in through the form; what it answers.
    pub async fn sign_in(&self, email: &str, password: &str) -> Page {
        assert_eq!(self.get("/signin").await.status, 200);
        let page = self.post("/signin", &[("email", email), ("password", password)]).await;
        if page.status.is_redirection() {
            // The token of the new session.
            self.get("/settings").await;
        }
        page
    }

    pub fn csrf(&self) -> String {
        self.kept.lock().unwrap().csrf.clone()
    }

    /// The session cookie's value.
    pub fn session(&self) -> Option<String> {
        self.kept.lock().unwrap().cookies.get(SESSION).cloned()
    }

    pub fn set_session(&self, value: &str) {
        self.kept.lock().unwrap().cookies.insert(SESSION.to_owned(), value.to_owned());
    }

    /// Every cookie value that it was ever given.
    pub fn all_cookies(&self) -> Vec<String> {
        self.kept.lock().unwrap().all_cookies.clone()
    }

    /// Everything that it was ever shown.
    pub fn pages(&self) -> Vec<String> {
        self.kept.lock().unwrap().pages.clone()
    }

    pub async fn is_signed_in(&self) -> bool {
        self.get("/settings").await.status == 200
    }

    /// Begins an attempt, as the launcher does when the window is open.
    pub async fn begin(&self) -> Attempt {
        let begun = self.send(self.script("/connect/attempts", &json!({"coexistence": false}))).await;
        assert_eq!(begun.status, 201, "{}", begun.text);
        let text = |name: &str| begun.json()[name].as_str().unwrap().to_owned();
        Attempt { browser: self.clone(), id: text("id"), url: text("url") }
    }

    /// The attempt that a redirect leads to.
    pub fn attempt_at(&self, url: &str) -> Attempt {
        let id = url.rsplit('/').next().unwrap().to_owned();
        Attempt { browser: self.clone(), id, url: url.to_owned() }
    }
}

/// An attempt in a browser.
#[derive(Clone)]
pub struct Attempt {
    browser: Browser,
    pub id: String,
    pub url: String,
}

impl Attempt {
    async fn bring(&self, what: &str, body: &Value) {
        let answer = self.browser.send(self.browser.script(&format!("{}/{what}", self.url), body)).await;
        assert_eq!(answer.status, 204, "{what}: {}", answer.text);
    }

    /// The code of what the sandbox's signup answered.
    pub async fn code(&self, signup: &Value) {
        assert!(signup["code"].is_string(), "{signup}");
        self.bring("code", &json!({"code": signup["code"]})).await;
    }

    /// The message event of it.
    pub async fn event(&self, signup: &Value) {
        assert!(signup["event"].is_object(), "{signup}");
        self.bring("event", &signup["event"]).await;
    }

    /// The window is closed without a code.
    pub async fn closed(&self) {
        self.bring("closed", &json!({})).await;
    }

    /// Both halves, as far as there are any; without a code the window's end.
    pub async fn bring_all(&self, signup: &Value) {
        if signup["event"].is_object() {
            self.event(signup).await;
        }
        if signup["code"].is_string() { self.code(signup).await } else { self.closed().await }
    }

    pub async fn page(&self) -> Page {
        self.browser.get(&self.url).await
    }

    /// Waits until it no longer says `working`; its page.
    pub async fn settled(&self) -> Page {
        eventually(&format!("the end of {}", self.url), || async {
            let page = self.page().await;
            (page.attempt().0 != "working").then_some(page)
        })
        .await
    }

    /// Waits for its end, which must be this one.
    pub async fn ends(&self, state: &str, reason: &str) -> Page {
        let page = self.settled().await;
        assert_eq!(page.attempt(), (state.to_owned(), reason.to_owned()), "{}", page.words());
        page
    }

    pub async fn is_done(&self) -> Page {
        self.ends("done", "done").await
    }

    /// The connections that its page leads to.
    pub async fn connections(&self) -> Vec<String> {
        let page = self.is_done().await;
        let links = page.text.split("href=\"/connections/").skip(1);
        links.map(|rest| format!("/connections/{}", rest.split('"').next().unwrap())).collect()
    }

    /// The one connection that it led to.
    pub async fn connection(&self) -> String {
        let all = self.connections().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().unwrap()
    }
}
