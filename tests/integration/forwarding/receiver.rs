//! A customer's server: it keeps every call, and answers as it is told.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::net::TcpListener;
use url::Url;

/// A call as it came.
#[derive(Clone, Debug)]
pub struct Got {
    pub number: i64,
    pub attempt: i64,
    pub event: String,
    /// The ID of the message that it tells.
    pub message: String,
    pub body: String,
    pub headers: HeaderMap,
    pub at: Instant,
    /// When it was answered; `None` while it is not.
    pub answered: Option<Instant>,
}

/// How a call is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    Status(u16),
    With(u16, Vec<(&'static str, String)>),
    After(Duration, u16),
    /// Never.
    Hang,
    /// The connection breaks before a status.
    Reset,
    /// A status, and a body that breaks off.
    BreakOff(u16),
    /// 40 MB.
    Huge(u16),
}

type Rule = Box<dyn Fn(&Got) -> Answer + Send + Sync>;

struct Inner {
    got: Mutex<Vec<Got>>,
    rule: Mutex<Rule>,
}

/// Cloning shares it.
#[derive(Clone)]
pub struct Receiver {
    pub url: Url,
    inner: Arc<Inner>,
}

impl Receiver {
    /// Answers 200.
    pub async fn start() -> Self {
        Self::answering(|_| Answer::Status(200)).await
    }

    pub async fn answering(rule: impl Fn(&Got) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap()).parse().unwrap();
        let inner = Arc::new(Inner { got: Mutex::default(), rule: Mutex::new(Box::new(rule)) });
        let router = Router::new().fallback(take).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, inner }
    }

    pub fn answer(&self, rule: impl Fn(&Got) -> Answer + Send + Sync + 'static) {
        *self.inner.rule.lock().unwrap() = Box::new(rule);
    }

    pub fn got(&self) -> Vec<Got> {
        self.inner.got.lock().unwrap().clone()
    }

    pub fn len(&self) -> usize {
        self.inner.got.lock().unwrap().len()
    }

    /// Waits until so many calls came.
    pub async fn calls(&self, n: usize) -> Vec<Got> {
        let what = format!("{n} calls");
        super::eventually(&what, || async { (self.len() >= n).then(|| self.got()) }).await
    }
}

async fn take(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let message = body.split("\"wamid.").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let got = Got {
        number: text("doorway-sequence").parse().unwrap_or(0),
        attempt: text("doorway-attempt").parse().unwrap_or(0),
        event: text("doorway-event"),
        message: message.to_owned(),
        headers,
        body,
        at: Instant::now(),
        answered: None,
    };
    let answer = (inner.rule.lock().unwrap())(&got);
    let at = {
        let mut all = inner.got.lock().unwrap();
        all.push(got);
        all.len() - 1
    };
    let done = |inner: &Inner| inner.got.lock().unwrap()[at].answered = Some(Instant::now());
    let status = |status: u16| StatusCode::from_u16(status).unwrap();
    let broken = |status: StatusCode| {
        // What was begun goes out before it breaks.
        let pieces = futures_util::stream::unfold(0, |at| async move {
            match at {
                0 => Some((Ok(Bytes::from_static(b"the beginning")), 1)),
                _ => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    Some((Err(std::io::Error::other("broken off")), 2))
                }
            }
        });
        (status, Body::from_stream(pieces)).into_response()
    };
    match answer {
        Answer::Status(of) => {
            done(&inner);
            (status(of), format!("said {of}")).into_response()
        }
        Answer::With(of, headers) => {
            let mut response = (status(of), "with headers").into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Answer::After(wait, of) => {
            tokio::time::sleep(wait).await;
            done(&inner);
            status(of).into_response()
        }
        Answer::Hang => std::future::pending().await,
        Answer::Reset => panic!("the connection breaks"),
        Answer::BreakOff(of) => broken(status(of)),
        Answer::Huge(of) => {
            let piece = Bytes::from(vec![b'x'; 1 << 16]);
            let pieces = futures_util::stream::iter((0..640).map(move |_| Ok::<_, std::io::Error>(piece.clone())));
            (status(of), Body::from_stream(pieces)).into_response()
        }
    }
}
