//! The sandbox in Meta's place, on a port of its own, with an eye on every Graph call as it came over
//! the wire: nothing masked.

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use doorway::{
    backoffice::{NEEDED_FIELDS, RECOMMENDED_FIELDS},
    base::{
        clock::Clock,
        http::{Outbound, Reach, read_capped},
    },
    sandbox::{AppSeed, Options, Sandbox, WebhookSeed},
};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, sync::watch};
use url::Url;

pub const APP_ID: &str = "670843887433847";
pub const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const CONFIG_ID: &str = "31602279155865";
pub const SYSTEM_TOKEN: &str = "EAAsystemTokenOfTheOperatorInTheTests0123456789";
pub const VERIFY_TOKEN: &str = "the word of the handshake";
pub const BUSINESS_ID: &str = "2949482758682047";

/// A Graph call as it came.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub authorization: Option<String>,
    pub content_type: String,
    pub body: String,
    pub answer: String,
    pub began: Instant,
    /// `None` while it is not answered.
    pub ended: Option<Instant>,
}

impl Call {
    /// The values of this parameter, in the query and in a form.
    pub fn in_query(&self, name: &str) -> Option<String> {
        find(&self.query, name)
    }

    pub fn in_form(&self, name: &str) -> Option<String> {
        find(&self.body, name)
    }
}

fn find(pairs: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(pairs.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// How many of these calls stood one after the other at most: those that overlap count once.
pub fn sequential(calls: &[Call]) -> usize {
    let mut spans: Vec<_> = calls.iter().map(|call| (call.ended.unwrap(), call.began)).collect();
    spans.sort();
    let mut last = None;
    spans.iter().fold(0, |count, (ended, began)| match last {
        Some(before) if *began < before => count,
        _ => {
            last = Some(*ended);
            count + 1
        }
    })
}

#[derive(Default)]
struct Seen {
    calls: Vec<Call>,
    delay: Duration,
}

/// Which calls wait, and what becomes of those that waited.
#[derive(Clone, Debug, Default)]
struct Holds {
    at: Vec<(Method, String)>,
    /// Whose answers wait.
    answers: Vec<(Method, String)>,
    abandoned: bool,
}

impl Holds {
    fn keep(&self, method: &Method, path: &str) -> bool {
        self.at.iter().any(|(held, part)| held == method && path.contains(part))
    }

    fn keep_answer(&self, method: &Method, path: &str) -> bool {
        self.answers.iter().any(|(held, part)| held == method && path.contains(part))
    }
}

/// The sandbox. Cloning shares it.
#[derive(Clone)]
pub struct Meta {
    pub url: Url,
    http: Outbound,
    seen: Arc<Mutex<Seen>>,
    holds: Arc<watch::Sender<Holds>>,
}

impl Meta {
    /// Starts it for a portal at this address.
    pub async fn start(portal: &Url, data_dir: &Path, clock: Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let at = |path: &str| portal.join(path).unwrap();
        let options = Options {
            public_url: url.clone(),
            data_dir: data_dir.to_owned(),
            record: None,
            app: AppSeed {
                id: APP_ID.to_owned(),
                name: "Test Operator".to_owned(),
                secret: APP_SECRET.into(),
                config_id: CONFIG_ID.to_owned(),
                business_id: BUSINESS_ID.to_owned(),
                system_token: SYSTEM_TOKEN.into(),
                redirect_uris: vec![at("/auth/whatsapp/callback")],
                allowed_domains: vec![portal.origin().ascii_serialization()],
            },
            webhook: Some(WebhookSeed {
                callback_url: at("/webhooks/whatsapp"),
                verify_token: VERIFY_TOKEN.to_owned(),
                fields: NEEDED_FIELDS.iter().chain(&RECOMMENDED_FIELDS).map(|field| (*field).to_owned()).collect(),
            }),
            control_token: None,
        };
        let sandbox = Sandbox::open(options, clock).unwrap();
        let http = Outbound::new(Reach::Operator, Duration::from_secs(60));
        let meta = Self { url, http, seen: Arc::default(), holds: Arc::new(watch::channel(Holds::default()).0) };
        let router: Router = sandbox.router().layer(middleware::from_fn_with_state(meta.clone(), watch_call));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        meta
    }

    /// The control API.
    pub async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let url = self.url.join(&format!("/_sandbox/{path}")).unwrap();
        let response = self.http.request(method, url).unwrap().json(&body).send().await.unwrap();
        let status = response.status();
        let text = String::from_utf8(read_capped(response).await.unwrap()).unwrap();
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// A customer goes through the window: `{code, event, waba_ids, phone_number_ids, business_id}`.
    pub async fn signup(&self, scenarios: &[&str]) -> Value {
        self.signup_of(json!({ "scenarios": scenarios })).await
    }

    pub async fn signup_of(&self, body: Value) -> Value {
        self.control(Method::POST, "signups", body).await
    }

    /// The next calls go wrong: `times` of them, all for `None`; of those whose path contains `path`.
    pub async fn fault(&self, kind: &str, times: Option<u32>, path: Option<&str>) {
        self.control(Method::POST, "faults", json!({"fault": kind, "times": times, "path": path})).await;
    }

    pub async fn mend(&self) {
        self.control(Method::DELETE, "faults", json!({})).await;
    }

    /// The account as the sandbox has it.
    pub async fn waba(&self, id: &str) -> Value {
        let state = self.control(Method::GET, "state", json!({})).await;
        state["wabas"].as_array().unwrap().iter().find(|waba| waba["id"] == id).unwrap().clone()
    }

    /// The number as the sandbox has it.
    pub async fn phone(&self, id: &str) -> Value {
        let state = self.control(Method::GET, "state", json!({})).await;
        state["phones"].as_array().unwrap().iter().find(|phone| phone["id"] == id).unwrap().clone()
    }

    /// What came until now.
    pub fn calls(&self) -> Vec<Call> {
        self.seen.lock().unwrap().calls.clone()
    }

    pub fn forget_calls(&self) {
        self.seen.lock().unwrap().calls.clear();
    }

    /// Each call takes this long, so that those made side by side are seen to be.
    pub fn slow_down(&self, delay: Duration) {
        self.seen.lock().unwrap().delay = delay;
    }

    /// Waits until a call with this in its path has come, answered or not.
    pub async fn called(&self, path: &str) -> Call {
        super::eventually(&format!("a call of {path}"), || async {
            self.calls().into_iter().find(|call| call.path.contains(path))
        })
        .await
    }

    /// Lets calls to paths with this text wait, before they have any effect.
    pub fn hold(&self, method: Method, path: &str) {
        self.holds.send_modify(|holds| holds.at.push((method, path.to_owned())));
    }

    /// Lets answers to calls of paths with this text wait: they had their effect, and say what stands now.
    pub fn hold_answers(&self, method: Method, path: &str) {
        self.holds.send_modify(|holds| holds.answers.push((method, path.to_owned())));
    }

    /// Waits until a call with this in its path has its answer, on its way or held.
    pub async fn answered(&self, method: &Method, path: &str) {
        super::eventually(&format!("an answer to {path}"), || async {
            let answered = |call: &Call| call.method == *method && call.path.contains(path) && !call.answer.is_empty();
            self.calls().iter().any(answered).then_some(())
        })
        .await;
    }

    /// Lets those that wait go on.
    pub fn release(&self) {
        self.holds.send_replace(Holds::default());
    }

    /// Lets those of this method go on.
    pub fn release_only(&self, method: &Method) {
        self.holds.send_modify(|holds| holds.at.retain(|(held, _)| held != method));
    }

    /// Ends those that wait; they never had an effect.
    pub fn abandon(&self) {
        self.holds.send_replace(Holds { abandoned: true, ..Holds::default() });
    }
}

async fn watch_call(State(meta): State<Meta>, request: Request, next: Next) -> Response {
    let is_graph = request.uri().path().starts_with("/v25.0/") && !request.uri().path().contains("/dialog/");
    if !is_graph {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let bytes: Bytes = to_bytes(body, 1 << 20).await.unwrap();
    let text = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let call = Call {
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authorization: text("authorization"),
        content_type: text("content-type").unwrap_or_default(),
        body: String::from_utf8_lossy(&bytes).into_owned(),
        answer: String::new(),
        began: Instant::now(),
        ended: None,
    };
    // Whether it waits is decided before it is told of: who then ends the waiting means this call too.
    let mut holds = meta.holds.subscribe();
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    let held = holds.borrow_and_update().keep(&parts.method, parts.uri.path());
    let (at, delay) = {
        let mut seen = meta.seen.lock().unwrap();
        seen.calls.push(call);
        (seen.calls.len() - 1, seen.delay)
    };
    tokio::time::sleep(delay).await;
    if held {
        let after = holds.wait_for(|holds| !holds.keep(&parts.method, parts.uri.path())).await.unwrap().abandoned;
        if after {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    }
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    let (parts, body) = response.into_parts();
    // An answer that breaks off is passed on broken.
    let Ok(bytes) = to_bytes(body, 1 << 20).await else {
        let broken = futures_util::stream::iter([Err::<Bytes, _>(std::io::Error::other("broken off"))]);
        return Response::from_parts(parts, Body::from_stream(broken));
    };
    if let Some(call) = meta.seen.lock().unwrap().calls.get_mut(at) {
        call.ended = Some(Instant::now());
        call.answer = String::from_utf8_lossy(&bytes).into_owned();
    }
    holds.wait_for(|holds| !holds.keep_answer(&method, &path)).await.unwrap();
    Response::from_parts(parts, Body::from(bytes))
}
