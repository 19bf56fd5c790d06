//! The built-in receiver: what a customer's own server would be, for trying out before there is one. It believes only
//! calls that are signed rightly, keeps the last of them, and answers what its page's switch says.

use super::{
    endpoint::Endpoint,
    format,
    pages::{EndpointPages, parse},
    receiver_queries,
    service::ForwardingError,
};
use crate::{
    base::text,
    web::{Access, Routes},
};
use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use std::time::Duration;

/// The largest call that is taken, in bytes: files come in base64.
const MAX_BODY: usize = 32 * 1024 * 1024;
/// How much of a body is kept, in bytes.
const MAX_KEPT: usize = 64 * 1024;
/// How long a slow answer takes: longer than anybody waits for it.
const SLOW: Duration = Duration::from_secs(20);

/// What the receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    Well,
    Fails,
    Busy,
    Slowly,
    Gone,
}

impl Answers {
    pub(super) const ALL: [Self; 5] = [Self::Well, Self::Fails, Self::Busy, Self::Slowly, Self::Gone];

    /// The number by which it is kept: HTTP's status; 0 is none in time.
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Well => 200,
            Self::Fails => 500,
            Self::Busy => 503,
            Self::Slowly => 0,
            Self::Gone => 410,
        }
    }

    pub(super) fn of(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.number() == number)
    }

    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Well => ("200, all is well", "The delivery is done."),
            Self::Fails => ("500, a failure", "The delivery is tried again by its schedule."),
            Self::Busy => ("503, come again in 30 seconds", "With Retry-After, which is kept."),
            Self::Slowly => ("Nothing for 20 seconds", "Doorway gives up after 15 seconds and tries again."),
            Self::Gone => ("410, gone", "Doorway calls this endpoint no more until you resume it."),
        }
    }
}

pub(super) fn routes(pages: EndpointPages) -> Routes {
    Routes::new()
        .post(Access::Machine, "/receive/{endpoint}", receive)
        .map(|router| router.layer(DefaultBodyLimit::max(MAX_BODY)))
        .with_state(pages)
}

/// The headers that say something about a call.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let tells = |name: &str| {
        ["webhook-", "doorway-", "x-hub-"].iter().any(|start| name.starts_with(start))
            || matches!(name, "content-type" | "content-length" | "user-agent")
    };
    let all = headers.iter().filter(|(name, _)| tells(name.as_str()));
    all.map(|(name, value)| (name.to_string(), text::without_nul(&String::from_utf8_lossy(value.as_bytes())))).collect()
}

async fn receive(
    State(pages): State<EndpointPages>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(id) = parse(&id) else { return StatusCode::NOT_FOUND.into_response() };
    let endpoint = match pages.forwarding.any_endpoint(id).await {
        Ok(endpoint) if endpoint.url.is_none() => endpoint,
        Ok(_) | Err(ForwardingError::NotFound) => return StatusCode::NOT_FOUND.into_response(),
        Err(error) => return failed(&error),
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Err(why) = format::check(&endpoint, header, &body, pages.forwarding.clock.now()) {
        // Nobody else puts anything on a customer's page.
        return (StatusCode::UNAUTHORIZED, format!("{why}\n")).into_response();
    }
    let kept = keep(&pages, &endpoint, &headers, &body).await;
    // It may hold a file, and the answer may take its time.
    drop(body);
    match kept {
        Ok(answers) => answer(answers).await,
        Err(error) => failed(&error),
    }
}

fn failed(error: &ForwardingError) -> Response {
    tracing::error!(%error, "the built-in receiver could not keep a call");
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

/// Keeps the call; tells what is to be answered.
async fn keep(
    pages: &EndpointPages,
    endpoint: &Endpoint,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answers, ForwardingError> {
    let forwarding = &pages.forwarding;
    let full = String::from_utf8_lossy(body);
    let mut kept = text::without_nul(text::within_bytes(&full, MAX_KEPT));
    if kept.len() < full.len() {
        kept.push('…');
    }
    let headers = serde_json::to_string(&shown(headers)).unwrap_or_default();
    let mut tx = forwarding.store.write().await?;
    let answers = Answers::of(receiver_queries::answers(&mut tx, endpoint.id).await?).unwrap_or(Answers::Well);
    let now = forwarding.clock.now();
    receiver_queries::keep(&mut tx, endpoint.id, now, headers, kept, answers.number()).await?;
    tx.commit().await?;
    Ok(answers)
}

async fn answer(answers: Answers) -> Response {
    match answers {
        Answers::Well => (StatusCode::OK, "ok\n").into_response(),
        Answers::Fails => (StatusCode::INTERNAL_SERVER_ERROR, "set to fail\n").into_response(),
        Answers::Busy => {
            let later = (HeaderName::from_static("retry-after"), HeaderValue::from_static("30"));
            (StatusCode::SERVICE_UNAVAILABLE, [later], "set to be busy\n").into_response()
        }
        Answers::Slowly => {
            tokio::time::sleep(SLOW).await;
            (StatusCode::OK, "late\n").into_response()
        }
        Answers::Gone => (StatusCode::GONE, "set to be gone\n").into_response(),
    }
}
