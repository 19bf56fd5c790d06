//! The built-in receiver: what a customer's own server would be, for trying out before there is one. It believes only
//! calls that are signed rightly, keeps the last of them, and answers what its page's switch says.

use super::{
    endpoint::{Endpoint, Format},
    format::{self, standard_webhooks},
    pages::{EndpointPages, parse},
    receiver_queries::Call,
    receiver_writer::NotKept,
    service::ForwardingError,
};
use crate::{
    base::text,
    web::{Access, Inflow, Routes},
};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use std::time::Duration;
use time::OffsetDateTime;

/// The largest call that is taken, in bytes: files come in base64.
const MAX_BODY: usize = 32 * 1024 * 1024;
/// What large calls may hold together while they come, in bytes.
static INFLOW: Inflow = Inflow::new(MAX_BODY, 96 << 20);
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
    Routes::new().post(Access::Machine, "/receive/{endpoint}", receive).with_state(pages)
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

/// Whether a call's headers are such as those of a genuine one. Who has only heard of the address gets no further.
fn may_be_genuine(format: Format, headers: &HeaderMap, now: OffsetDateTime) -> Result<(), &'static str> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if format == Format::Meta {
        let given = header(format::meta::HEADER).ok_or("the header X-Hub-Signature-256 is missing")?;
        let hex = given.strip_prefix("sha256=").unwrap_or_default();
        let is_one = hex.len() == 64 && hex.bytes().all(|letter| letter.is_ascii_hexdigit());
        return is_one.then_some(()).ok_or("the header X-Hub-Signature-256 holds no signature");
    }
    let signed = header("webhook-id").and(header("webhook-signature")).filter(|all| all.contains("v1,"));
    let seconds = signed.and(header("webhook-timestamp")).and_then(|seconds| seconds.parse::<i64>().ok());
    let seconds = seconds.ok_or("a header of the signature is missing or unreadable")?;
    let away = now.unix_timestamp().checked_sub(seconds).and_then(i64::checked_abs);
    let is_now = away.is_some_and(|away| away <= standard_webhooks::TOLERANCE.whole_seconds());
    is_now.then_some(()).ok_or("it is more than five minutes old, or from the future")
}

async fn receive(
    State(pages): State<EndpointPages>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Ok(id) = parse(&id) else { return StatusCode::NOT_FOUND.into_response() };
    let endpoint = match pages.forwarding.any_endpoint(id).await {
        Ok(endpoint) if endpoint.url.is_none() => endpoint,
        Ok(_) | Err(ForwardingError::NotFound) => return StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%error, "the built-in receiver could not look for an endpoint");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let now = pages.forwarding.clock.now();
    if let Err(why) = may_be_genuine(endpoint.format, &headers, now) {
        return (StatusCode::UNAUTHORIZED, format!("{why}\n")).into_response();
    }
    let taken = match INFLOW.take(&headers, body).await {
        Ok(taken) => taken,
        Err(refused) => return refused.into_response(),
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Err(why) = format::check(&endpoint, header, &taken.body, now) {
        // Nobody else puts anything on a customer's page.
        return (StatusCode::UNAUTHORIZED, format!("{why}\n")).into_response();
    }
    let call = call(&endpoint, &headers, &taken.body, now);
    // What is kept is short; the body makes room while the answer takes its time.
    drop(taken);
    match pages.received.keep(call).await {
        Ok(Some(answers)) => answer(answers).await,
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(NotKept) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// What is kept of a call.
fn call(endpoint: &Endpoint, headers: &HeaderMap, body: &[u8], at: OffsetDateTime) -> Call {
    let full = String::from_utf8_lossy(body);
    let mut body = text::without_nul(text::within_bytes(&full, MAX_KEPT));
    if body.len() < full.len() {
        body.push('…');
    }
    let headers = serde_json::to_string(&shown(headers)).unwrap_or_default();
    Call { endpoint: endpoint.id, at, headers, body }
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
