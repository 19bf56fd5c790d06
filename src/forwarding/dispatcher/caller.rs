//! One call: what is sent, and what is made of the answer.

use crate::{
    base::{
        clock::Clock,
        http::{Outbound, Reach, Refused},
    },
    forwarding::{
        endpoint::{Delivery, Endpoint},
        format::Call,
        schedule,
    },
};
use http::{Method, header::RETRY_AFTER};
use std::{
    error::Error,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::time::Instant;
use url::Url;

/// How long a call may take.
const WHOLE: Duration = Duration::from_secs(15);
/// How long the start of an answer is waited for once its status is there: by then all is said.
const ANSWER: Duration = Duration::from_secs(2);
/// How much of an answer is read at most, in bytes: a short one is read whole, so that its connection can be used again.
const READ: usize = 16 * 1024;
/// How much of it is kept, in bytes.
const KEPT: usize = 500;

/// What a call came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Answered {
    pub status: Option<u16>,
    /// Why there is no answer, or none that counts, in a word.
    pub error: Option<&'static str>,
    pub answer: Option<String>,
    pub retry_after: Option<time::Duration>,
    pub took: time::Duration,
}

impl Answered {
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// It does not want to be called any more.
    pub fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

/// Makes calls.
pub(super) struct Caller {
    /// To where customers chose.
    chosen: Outbound,
    /// To the built-in receiver.
    own: Outbound,
    own_at: Url,
    clock: Clock,
}

impl Caller {
    /// `private`: whether customers may choose addresses in private networks. `own`: where this process listens.
    pub fn new(private: bool, own: SocketAddr, clock: Clock) -> Self {
        let reach = if private { Reach::Operator } else { Reach::Public };
        let ip = match own.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let own_at = format!("http://{}/receive/", SocketAddr::new(ip, own.port()));
        Self {
            chosen: Outbound::for_calls(reach, WHOLE),
            own: Outbound::for_calls(Reach::Operator, WHOLE),
            own_at: own_at.parse().expect("an address with a port makes a URL"),
            clock,
        }
    }

    /// Makes a call and reads the start of the answer.
    pub async fn call(&self, endpoint: &Endpoint, delivery: &Delivery, call: Call) -> Answered {
        let began = Instant::now();
        let mut answered = self.send(endpoint, delivery, call).await;
        answered.took = time::Duration::try_from(began.elapsed()).unwrap_or(time::Duration::MAX);
        answered
    }

    async fn send(&self, endpoint: &Endpoint, delivery: &Delivery, call: Call) -> Answered {
        let failed = |error| Answered { error: Some(error), ..Answered::default() };
        let request = match &endpoint.url {
            Some(url) => self.chosen.request(Method::POST, url.clone()),
            None => {
                let id = endpoint.id.to_string();
                self.own.request(Method::POST, self.own_at.join(&id).unwrap_or_else(|_| self.own_at.clone()))
            }
        };
        let Ok(mut request) = request else { return failed("refused_address") };
        let Call { body, headers, room } = call;
        request = request.header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request = request.header("doorway-attempt", (delivery.attempts + 1).to_string());
        if let Some(event) = delivery.event {
            request = request.header("doorway-event", event.to_string());
        }
        let response = request.body(body).send().await;
        // What was sent is needed no longer.
        drop(room);
        let response = match response {
            Ok(response) => response,
            Err(error) => return failed(word(&error)),
        };
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Answered {
            status: Some(status.as_u16()),
            error: status.is_redirection().then_some("redirect"),
            retry_after: retry_after.and_then(|value| schedule::retry_after(value, self.clock.now())),
            answer: start(response).await,
            took: time::Duration::ZERO,
        }
    }
}

/// The start of an answer; what comes of it in time.
async fn start(mut response: reqwest::Response) -> Option<String> {
    let (mut kept, mut read) = (Vec::new(), 0);
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            read += chunk.len();
            kept.extend(chunk.iter().take(KEPT - kept.len().min(KEPT)));
            if read > READ {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(ANSWER, reading).await;
    // A character may have been cut in two.
    let text = String::from_utf8_lossy(&kept);
    let text = crate::base::text::without_nul(text.trim_end_matches('\u{fffd}'));
    (!text.is_empty()).then(|| text.to_string())
}

/// Why there was no answer, in a word.
fn word(error: &reqwest::Error) -> &'static str {
    let mut inner: Option<&(dyn Error + 'static)> = Some(error);
    let mut tls = false;
    let mut dns = false;
    while let Some(cause) = inner {
        if cause.is::<Refused>() {
            return "refused_address";
        }
        let of_io = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        tls |= cause.is::<rustls::Error>() || of_io.is_some_and(|cause| cause.is::<rustls::Error>());
        dns |= cause.to_string() == "dns error";
        inner = cause.source();
    }
    match () {
        () if error.is_timeout() => "timeout",
        () if tls => "tls",
        () if dns => "dns",
        () if error.is_connect() => "connect",
        () if error.is_builder() => "url",
        () => "broken_off",
    }
}
