//! The record of Graph exchanges: a file of JSON lines with secrets masked in their own shape, and the
//! last few calls in memory for the home page and the control API.

use super::{OpenError, Sandbox};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    sync::{Mutex, PoisonError},
};

const REMEMBERED: usize = 500;

/// One call, as `/_sandbox/requests` tells it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Seen {
    /// RFC 3339, UTC.
    pub at: String,
    pub method: String,
    pub path: String,
    pub status: u16,
    /// `none`, `header` or `parameter`: where the token stood.
    pub auth: &'static str,
    /// Whether the call carried an `appsecret_proof`.
    pub proof: bool,
}

/// One exchange with Graph.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Exchange {
    pub method: String,
    pub path: String,
    pub query: String,
    pub request: Option<Value>,
    pub status: u16,
    pub response: Value,
}

/// Appends to the record.
pub(super) struct Recorder(Mutex<File>);

impl Recorder {
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.map(|file| Self(Mutex::new(file))).map_err(|source| OpenError::Io { path: path.to_owned(), source })
    }

    fn write(&self, exchange: &Exchange) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(exchange)?;
        line.push(b'\n');
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)
    }
}

/// Writes an exchange down, masked.
pub(super) fn exchange(sandbox: &Sandbox, mut exchange: Exchange, seen: Seen) {
    let mut calls = sandbox.inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
    if calls.len() == REMEMBERED {
        calls.pop_front();
    }
    calls.push_back(seen);
    drop(calls);
    let Some(recorder) = &sandbox.inner.recorder else { return };
    exchange.query = mask_query(&exchange.query);
    exchange.request = exchange.request.map(|body| mask(None, body));
    exchange.response = mask(None, exchange.response);
    if let Err(error) = recorder.write(&exchange) {
        tracing::error!(%error, "a Graph exchange could not be recorded");
    }
}

fn mask_query(query: &str) -> String {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let masked = pairs.map(|(key, value)| (key.to_string(), mask_text(Some(&key), &value)));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(masked).finish()
}

fn mask(key: Option<&str>, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(mask_text(key, &text)),
        Value::Number(_) if key == Some("pin") => Value::String("0".repeat(6)),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| mask(key, item)).collect()),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(key, member)| {
                    // `code` is a secret as a text only: in an error it is the number that matters.
                    let member = mask(Some(&key), member);
                    (key, member)
                })
                .collect::<Map<_, _>>(),
        ),
        other => other,
    }
}

fn mask_text(key: Option<&str>, text: &str) -> String {
    match key {
        Some("pin") => "0".repeat(6),
        Some("client_secret" | "appsecret_proof") => "0".repeat(text.len()),
        Some("verify_token" | "hub.verify_token") => "x".repeat(text.len()),
        // A number's verification code keeps its shape, as a PIN does.
        Some("code") if text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit()) => "0".repeat(6),
        Some("code") => keep(text, 2),
        Some("access_token" | "input_token" | "fb_exchange_token") => mask_token(text),
        // Paging links carry whole query strings.
        _ if text.starts_with("http") && text.contains('?') => match text.split_once('?') {
            Some((address, query)) => format!("{address}?{}", mask_query(query)),
            None => text.to_owned(),
        },
        _ if text.starts_with("EAA") => mask_token(text),
        _ => text.to_owned(),
    }
}

/// `EAA...` stays an `EAA...` of its length, an app token keeps the App ID before the bar.
pub(super) fn mask_token(token: &str) -> String {
    match token.split_once('|') {
        Some((app, secret)) => format!("{app}|{}", keep(secret, 0)),
        None => keep(token, 3),
    }
}

fn keep(text: &str, start: usize) -> String {
    let head: String = text.chars().take(start).collect();
    let rest = text.chars().count().saturating_sub(start);
    head + &"x".repeat(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_masked_in_their_shape() {
        let body = json!({
            "pin": "123456", "client_secret": "abcd", "code": "AQsecret", "messaging_product": "whatsapp",
            "nested": {"access_token": "EAAsecret"}, "error": {"code": 100}
        });
        assert_eq!(
            mask(None, body),
            json!({
                "pin": "000000", "client_secret": "0000", "code": "AQxxxxxx", "messaging_product": "whatsapp",
                "nested": {"access_token": "EAAxxxxxx"}, "error": {"code": 100}
            })
        );
        assert_eq!(mask_query("input_token=EAAsecret&fields=id"), "input_token=EAAxxxxxx&fields=id");
        assert_eq!(mask_query("access_token=12%7Csecret"), "access_token=12%7Cxxxxxx");
        let next = json!({"next": "http://h/v25.0/1/x?access_token=EAAsecret&after=b"});
        assert_eq!(mask(None, next), json!({"next": "http://h/v25.0/1/x?access_token=EAAxxxxxx&after=b"}));
    }
}
