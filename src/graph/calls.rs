//! A record of the calls: what was asked, what came of it, and how long it took. Never a token, a PIN, a query or a
//! body. Who keeps it takes it from the other end.

use super::{Access, GraphError, Usage};
use crate::base::{
    clock::Clock,
    ids::{ConnectionId, CustomerId},
    text,
};
use http::Method;
use std::sync::{Arc, PoisonError, RwLock};
use time::OffsetDateTime;
use tokio::sync::mpsc;

/// How many calls may wait to be kept; beyond that the record has a gap, and no call waits for it.
const WAITING: usize = 4_096;
/// The longest part of a path that is believed to be an ID or a word, in characters.
const LONGEST_PART: usize = 40;
/// The longest message that is kept, in characters.
const LONGEST_ERROR: usize = 300;

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// When it began.
    pub at: OffsetDateTime,
    /// The connection whose token it was made with, where known.
    pub connection: Option<ConnectionId>,
    /// Whose signup it was made for, where there was no connection yet.
    pub customer: Option<CustomerId>,
    /// The method.
    pub method: String,
    /// The path without version and query; what could be a secret in it is left out.
    pub path: String,
    /// The HTTP status; none where no answer came.
    pub status: Option<u16>,
    /// Graph's code, where it refused.
    pub code: Option<i64>,
    /// Graph's subcode.
    pub subcode: Option<i64>,
    /// What Meta's support asks for.
    pub fbtrace_id: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// Why it did not succeed, in short.
    pub error: Option<String>,
}

/// The other end of the record.
pub type CallRecords = mpsc::Receiver<CallRecord>;

/// Who watches a client's calls: the record of them, and how far Meta's limits are used up. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Watch {
    pub(super) clock: Clock,
    pub(super) usage: Usage,
    kept: Arc<RwLock<Option<mpsc::Sender<CallRecord>>>>,
}

impl Watch {
    /// By this clock; nothing is kept of the calls until somebody asks for them.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, usage: Usage::default(), kept: Arc::default() }
    }

    /// The record of calls from now on; who asked before gets no more of them.
    #[must_use]
    pub fn records(&self) -> CallRecords {
        let (sender, receiver) = mpsc::channel(WAITING);
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    pub(super) fn note(&self, record: CallRecord) {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = kept.as_ref()
            && sender.try_send(record).is_err()
        {
            tracing::debug!(target: "doorway::graph", "a call is missing in the record");
        }
    }
}

impl CallRecord {
    pub(super) fn new(
        at: OffsetDateTime,
        access: Option<&Access>,
        (method, path): (&Method, &str),
        status: Option<u16>,
        error: Option<&GraphError>,
    ) -> Self {
        let api = error.and_then(GraphError::api);
        Self {
            at,
            connection: access.and_then(|access| access.connection),
            customer: access.and_then(|access| access.customer),
            method: method.to_string(),
            path: redacted(path),
            status: api.map(|api| api.status).or(status),
            code: api.filter(|api| api.has_body).map(|api| api.code),
            subcode: api.and_then(|api| api.subcode),
            fbtrace_id: api.and_then(|api| api.fbtrace_id.as_deref()).map(|trace| text::shorten(trace, 80)),
            duration_ms: 0,
            error: error.map(|error| text::shorten(&short(error), LONGEST_ERROR)),
        }
    }
}

/// Code and trace have places of their own.
fn short(error: &GraphError) -> String {
    match error.api() {
        Some(api) if !api.message.is_empty() => api.message.clone(),
        Some(api) => format!("HTTP {}", api.status),
        None => error.to_string(),
    }
}

/// A path without its query. Meta's IDs and words stay; of anything longer, or that holds other characters (the
/// sessions of uploads carry a signature), only the beginning is told.
fn redacted(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    let part = |part: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if part.len() <= LONGEST_PART && part.chars().all(is_plain) {
            return part.to_owned();
        }
        let word: String = part.chars().take_while(char::is_ascii_lowercase).take(20).collect();
        format!("{word}…")
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_secret_is_not_told() {
        assert_eq!(redacted("/102290129340398/phone_numbers"), "102290129340398/phone_numbers");
        assert_eq!(redacted("debug_token?input_token=EAAsecret"), "debug_token");
        assert_eq!(redacted("upload:MTphdHRhY2htZW50?sig=ARZqkGCA"), "upload…");
        assert_eq!(redacted(&format!("x/{}", "a1".repeat(40))), "x/a…");
        assert_eq!(redacted("oauth/access_token"), "oauth/access_token");
    }

    #[test]
    fn a_full_record_holds_nothing_up() {
        let watch = Watch::new(Clock::system());
        let record = || CallRecord::new(watch.clock.now(), None, (&Method::GET, "me"), Some(200), None);
        watch.note(record());
        let mut records = watch.records();
        for _ in 0..WAITING + 10 {
            watch.note(record());
        }
        let mut kept = 0;
        while records.try_recv().is_ok() {
            kept += 1;
        }
        assert_eq!(kept, WAITING);
    }
}
