//! The sandbox over real HTTP, each test with one of its own.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod control;
mod dialog;
mod graph;
mod numbers;
mod oauth;
mod pages;
mod record;
mod scenarios;
mod uploads;
mod webhooks;

use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    routing::get,
};
use doorway::{
    base::{
        clock::Clock,
        http::{Outbound, Reach},
    },
    sandbox::{AppSeed, Options, Sandbox, WebhookSeed},
};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;

pub const APP_ID: &str = "670843887433847";
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const CONFIG: &str = "31602279155865";
pub const BUSINESS: &str = "2949482758682047";
pub const SYSTEM: &str = "EAAsystemsystemsystemsystemsystemsystem";
pub const REDIRECT: &str = "http://localhost:8080/auth/whatsapp/callback";
pub const OPENER: &str = "http://localhost:8080";

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// `(code, subcode)` of an error.
    pub fn error(&self) -> (i64, Option<i64>) {
        let body = self.json();
        let error = &body["error"];
        assert!(error["message"].is_string() && error["type"].is_string(), "{body}");
        assert_eq!(self.headers["x-fb-trace-id"], error["fbtrace_id"].as_str().unwrap());
        (error["code"].as_i64().unwrap(), error["error_subcode"].as_i64())
    }
}

/// A webhook as it arrived.
#[derive(Clone, Debug)]
pub struct Hook {
    pub body: Vec<u8>,
    pub signature: String,
}

/// A receiver of webhooks.
#[derive(Clone, Default)]
pub struct Receiver {
    pub hooks: Arc<Mutex<Vec<Hook>>>,
    /// How many are refused before one is taken.
    pub refuse: Arc<Mutex<u32>>,
    pub url: String,
}

pub const VERIFY: &str = "a verify token";

impl Receiver {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Self { url, ..Self::default() };
        let router = Router::new().route("/hook", get(challenge).post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        receiver
    }

    /// Waits until so many have come.
    pub async fn wait(&self, count: usize) -> Vec<Hook> {
        for _ in 0..200 {
            let hooks = self.hooks.lock().unwrap().clone();
            if hooks.len() >= count {
                return hooks;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{count} webhooks did not come: {:?}", self.hooks.lock().unwrap());
    }
}

async fn challenge(Query(query): Query<HashMap<String, String>>) -> (StatusCode, String) {
    if query["hub.verify_token"] == VERIFY && query["hub.mode"] == "subscribe" {
        (StatusCode::OK, query["hub.challenge"].clone())
    } else {
        (StatusCode::FORBIDDEN, String::new())
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut refuse = receiver.refuse.lock().unwrap();
    if *refuse > 0 {
        *refuse -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let signature = headers["x-hub-signature-256"].to_str().unwrap().to_owned();
    receiver.hooks.lock().unwrap().push(Hook { body: body.to_vec(), signature });
    StatusCode::OK
}

pub fn hmac(key: &str, message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

/// A sandbox that is served.
pub struct Running {
    pub origin: String,
    pub clock: Clock,
    pub dir: TempDir,
    pub receiver: Receiver,
    pub record: PathBuf,
    pub http: Outbound,
}

pub fn options(public_url: &str, dir: &TempDir, webhook: Option<&str>) -> Options {
    Options {
        public_url: public_url.parse().unwrap(),
        data_dir: dir.path().to_owned(),
        record: Some(dir.path().join("record.jsonl")),
        app: AppSeed {
            id: APP_ID.to_owned(),
            name: "Doorway Demo".to_owned(),
            secret: SECRET.into(),
            config_id: CONFIG.to_owned(),
            business_id: BUSINESS.to_owned(),
            system_token: SYSTEM.into(),
            redirect_uris: vec![REDIRECT.parse().unwrap()],
            allowed_domains: vec!["localhost".to_owned()],
        },
        webhook: webhook.map(|url| WebhookSeed {
            callback_url: url.parse().unwrap(),
            verify_token: VERIFY.to_owned(),
            fields: vec!["messages".to_owned(), "account_update".to_owned()],
        }),
        control_token: None,
    }
}

impl Running {
    pub async fn start() -> Self {
        Self::start_in(TempDir::new().unwrap(), true).await
    }

    pub async fn without_webhook() -> Self {
        Self::start_in(TempDir::new().unwrap(), false).await
    }

    async fn start_in(dir: TempDir, webhook: bool) -> Self {
        let receiver = Receiver::start().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let clock = Clock::system();
        let url = webhook.then_some(receiver.url.as_str());
        let sandbox = Sandbox::open(options(&origin, &dir, url), clock.clone()).unwrap();
        let router = sandbox.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let record = dir.path().join("record.jsonl");
        let http = Outbound::new(Reach::Operator, Duration::from_secs(60));
        Self { origin, clock, dir, receiver, record, http }
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = String::from_utf8(doorway::base::http::read_capped(response).await.unwrap()).unwrap();
        Answer { status, headers, text }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.origin).parse().unwrap()).unwrap()
    }

    pub async fn page(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.send(self.request(method, &format!("/_sandbox/{path}")).json(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    pub async fn signup(&self, scenarios: &[&str]) -> Value {
        self.control(Method::POST, "signups", json!({ "scenarios": scenarios })).await
    }

    /// A Graph call as the portal makes it: token in the header, with its proof.
    pub async fn graph(&self, method: Method, path: &str, token: &str) -> Answer {
        self.send(self.signed(method, path, token)).await
    }

    pub fn signed(&self, method: Method, path: &str, token: &str) -> reqwest::RequestBuilder {
        let join = if path.contains('?') { '&' } else { '?' };
        let proof = hmac(SECRET, token.as_bytes());
        self.request(method, &format!("/v25.0{path}{join}appsecret_proof={proof}")).bearer_auth(token)
    }

    pub async fn exchange(&self, code: &str) -> Answer {
        let form = [("client_id", APP_ID), ("client_secret", SECRET), ("code", code)];
        self.send(self.request(Method::POST, "/v25.0/oauth/access_token").form(&form)).await
    }

    /// The token of a signup with these scenarios, and what the signup answered.
    pub async fn token(&self, scenarios: &[&str]) -> (String, Value) {
        let signup = self.signup(scenarios).await;
        let answer = self.exchange(signup["code"].as_str().unwrap()).await;
        (text(&answer.json()["access_token"]), signup)
    }

    pub async fn inspect(&self, token: &str) -> Value {
        let app = format!("{APP_ID}|{SECRET}");
        let answer = self.graph(Method::GET, &format!("/debug_token?input_token={token}"), &app).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["data"].clone()
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
