//! What the Graph API answers when it refuses, kept whole for support.
//! <https://developers.facebook.com/docs/graph-api/guides/error-handling> and
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a call did not succeed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum GraphError {
    /// Meta answered with an error.
    Api(Box<ApiError>),
    /// No answer came: no connection, or not in time. It may have been carried out all the same.
    Unreachable {
        /// Whether time ran out.
        timeout: bool,
        /// The cause, without any URL.
        detail: String,
    },
    /// The answer was a success that can't be read.
    Unreadable {
        /// What did not fit.
        detail: String,
    },
}

/// Graph's error object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The code, 0 where none came.
    pub code: i64,
    /// The subcode.
    pub subcode: Option<i64>,
    /// The type, such as `OAuthException`.
    // Not `kind`: under that name the enum above keeps which of its variants this is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The message for developers.
    pub message: String,
    /// The title that Meta would show a person.
    pub user_title: Option<String>,
    /// The text that Meta would show a person.
    pub user_message: Option<String>,
    /// What Meta's support asks for.
    pub fbtrace_id: Option<String>,
    /// Whether Meta says that trying again helps.
    pub is_transient: bool,
    /// Seconds to wait, where told.
    pub retry_after: Option<i64>,
    /// Whether an error object came at all (a gateway's error page has none).
    pub has_body: bool,
}

/// What kind of failure it is, for what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The token is not, or no longer, good for this. Only this makes a connection stale.
    Authorization,
    /// Too many calls: wait.
    RateLimited,
    /// Meta's trouble or the network's: try again.
    Transient,
    /// Meta refuses what was asked: trying again changes nothing.
    Rejected,
}

impl GraphError {
    /// The kind of failure.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Api(error) => error.class(),
            Self::Unreachable { .. } => ErrorClass::Transient,
            Self::Unreadable { .. } => ErrorClass::Rejected,
        }
    }

    /// Graph's error object, where one came.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }

    /// Whether this is Graph's error with this code and subcode.
    #[must_use]
    pub fn is(&self, code: i64, subcode: i64) -> bool {
        self.api().is_some_and(|error| error.code == code && error.subcode == Some(subcode))
    }
}

impl ApiError {
    pub(super) fn bare(status: u16, retry_after: Option<i64>) -> Self {
        Self {
            status,
            code: 0,
            subcode: None,
            kind: String::new(),
            message: String::new(),
            user_title: None,
            user_message: None,
            fbtrace_id: None,
            is_transient: false,
            retry_after,
            has_body: false,
        }
    }

    fn class(&self) -> ErrorClass {
        match (self.status, self.code) {
            // Application, user, page, custom and WhatsApp Business limits.
            // https://developers.facebook.com/docs/graph-api/overview/rate-limiting
            (429, _) | (_, 4 | 17 | 32 | 613 | 80_007 | 80_008 | 80_014 | 130_429) => ErrorClass::RateLimited,
            // A failed deregistration comes with status 500, and stays until it is done again.
            // https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
            (_, 133_000) => ErrorClass::Rejected,
            (500.., _) | (_, 1 | 2 | 131_000 | 131_016 | 133_004) => ErrorClass::Transient,
            _ if self.is_transient => ErrorClass::Transient,
            (400..=499, 102 | 190) => ErrorClass::Authorization,
            (400..=499, 0) if self.has_body => ErrorClass::Authorization,
            (400..=499, 3 | 10 | 200..=299) => ErrorClass::Authorization,
            _ => ErrorClass::Rejected,
        }
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(error) => error.fmt(f),
            Self::Unreachable { timeout: true, .. } => f.write_str("Meta did not answer in time"),
            Self::Unreachable { detail, .. } => write!(f, "Meta can't be reached: {detail}"),
            Self::Unreadable { detail } => write!(f, "Meta's answer can't be read: {detail}"),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}, code {}", self.status, self.code)?;
        if let Some(subcode) = self.subcode {
            write!(f, "/{subcode}")?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if let Some(trace) = &self.fbtrace_id {
            write!(f, " (fbtrace_id {trace})")?;
        }
        Ok(())
    }
}

impl std::error::Error for GraphError {}

/// The error as it comes over the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ErrorBody {
    error: WireError,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct WireError {
    #[serde(default)]
    message: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    code: i64,
    error_subcode: Option<i64>,
    error_user_title: Option<String>,
    error_user_msg: Option<String>,
    error_data: Option<serde_json::Value>,
    fbtrace_id: Option<String>,
    #[serde(default)]
    is_transient: bool,
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {}: {}", self.error.code, self.error.message)
    }
}

impl ErrorBody {
    pub(super) fn into_error(self, status: u16, retry_after: Option<i64>) -> ApiError {
        let wire = self.error;
        let details = wire.error_data.as_ref().and_then(|data| data.get("details")).and_then(|text| text.as_str());
        let message = match details {
            Some(details) if !wire.message.contains(details) => format!("{} ({details})", wire.message),
            _ => wire.message,
        };
        let message = without_tokens(&message);
        ApiError {
            status,
            code: wire.code,
            subcode: wire.error_subcode,
            kind: wire.kind,
            message,
            user_title: wire.error_user_title,
            user_message: wire.error_user_msg,
            fbtrace_id: wire.fbtrace_id,
            is_transient: wire.is_transient,
            retry_after,
            has_body: true,
        }
    }
}

/// Meta repeats a token that it can't read in its message ("Malformed access token EAA..."): what is kept
/// and logged has none.
fn without_tokens(message: &str) -> String {
    let mut clean = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find("EAA") {
        clean.push_str(&rest[..at]);
        clean.push_str("EAA…");
        let tail = &rest[at..];
        let end = tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(tail.len());
        rest = &tail[end..];
    }
    clean.push_str(rest);
    without_secrets(&clean)
}

/// The same for what has no such beginning: an app's token (ID, bar, App Secret), and whatever is as long as a
/// secret and has digits, as no word of Meta's has.
fn without_secrets(message: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '|');
    let mut clean = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(is_part) {
        let (before, tail) = rest.split_at(at);
        let (word, after) = tail.split_at(tail.find(|c| !is_part(c)).unwrap_or(tail.len()));
        let is_secret =
            word.trim_matches('|').contains('|') || (word.len() >= 30 && word.contains(|c: char| c.is_ascii_digit()));
        clean.push_str(before);
        clean.push_str(if is_secret { "…" } else { word });
        rest = after;
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(status: u16, json: &str) -> ErrorClass {
        serde_json::from_str::<ErrorBody>(json).unwrap().into_error(status, None).class()
    }

    #[test]
    fn only_an_answer_about_authorization_counts_as_one() {
        assert_eq!(
            class(401, r#"{"error":{"message":"x","type":"OAuthException","code":190,"error_subcode":460}}"#),
            ErrorClass::Authorization
        );
        assert_eq!(class(403, r#"{"error":{"code":200}}"#), ErrorClass::Authorization);
        assert_eq!(class(400, r#"{"error":{"code":10}}"#), ErrorClass::Authorization);
        assert_eq!(class(500, r#"{"error":{"code":190}}"#), ErrorClass::Transient);
        assert_eq!(class(500, r#"{"error":{"code":133000}}"#), ErrorClass::Rejected);
        assert_eq!(class(400, r#"{"error":{"code":2,"is_transient":true}}"#), ErrorClass::Transient);
        assert_eq!(class(400, r#"{"error":{"code":80008}}"#), ErrorClass::RateLimited);
        assert_eq!(class(400, r#"{"error":{"code":100,"error_subcode":33}}"#), ErrorClass::Rejected);
        assert_eq!(ApiError::bare(502, None).class(), ErrorClass::Transient);
        assert_eq!(ApiError::bare(400, None).class(), ErrorClass::Rejected);
    }

    #[test]
    fn a_token_that_meta_repeats_is_not_kept() {
        assert_eq!(without_tokens("Malformed access token EAAGx_9-Z: no"), "Malformed access token EAA…: no");
        assert_eq!(without_tokens("EAA1 EAA2"), "EAA… EAA…");
        assert_eq!(without_tokens("plain"), "plain");
        let secret = "0123456789abcdef0123456789abcdef";
        for odd in [format!("Malformed access token 42|{secret}"), format!("Malformed access token {secret}.")] {
            assert!(!without_tokens(&odd).contains(secret), "{odd}");
        }
        let id = "Object with ID '102290129340398' does not exist";
        assert_eq!(without_tokens(id), id);
    }

    #[test]
    fn what_is_kept_reads_back() {
        let json = r#"{"error":{"message":"x","type":"OAuthException","code":190,"error_subcode":460}}"#;
        let api = serde_json::from_str::<ErrorBody>(json).unwrap().into_error(401, Some(3));
        for error in [
            GraphError::Api(Box::new(api)),
            GraphError::Unreachable { timeout: true, detail: "closed".to_owned() },
            GraphError::Unreadable { detail: "no id".to_owned() },
        ] {
            let kept = serde_json::to_string(&error).unwrap();
            let read: GraphError = serde_json::from_str(&kept).unwrap();
            assert_eq!(format!("{read:?}"), format!("{error:?}"));
        }
    }

    #[test]
    fn details_are_kept() {
        let json = r##"{"error":{"message":"(#133005) Two step verification PIN Mismatch","type":"OAuthException",
            "code":133005,"error_data":{"messaging_product":"whatsapp","details":"wrong pin"},"fbtrace_id":"Az"}}"##;
        let error = serde_json::from_str::<ErrorBody>(json).unwrap().into_error(400, None);
        assert!(error.message.ends_with("(wrong pin)"));
        assert!(error.to_string().contains("fbtrace_id Az"));
    }
}
