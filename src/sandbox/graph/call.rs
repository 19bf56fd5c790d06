//! A call of the Graph API, taken apart: version, path, parameters from wherever they stood, token.

use super::{error::GraphError, upload};
use axum::body::{Body, Bytes, to_bytes};
use futures_util::StreamExt;
use http::{HeaderMap, Method, Request, header};
use serde_json::{Map, Value};

const MAX_BODY_BYTES: usize = 1024 * 1024;
const NEWEST: &str = "v25.0";

/// One call.
#[derive(Debug)]
pub(in crate::sandbox) struct Call {
    pub method: Method,
    /// As it came, for the record.
    pub path: String,
    pub query: String,
    /// `v25.0` where none was named.
    pub version: String,
    /// The path without the version.
    pub segments: Vec<String>,
    /// The JSON body, or the form as an object.
    pub body: Option<Value>,
    pub headers: HeaderMap,
    /// What is sent to an upload session.
    pub file: Option<Bytes>,
    /// Whether the sender broke off in the middle of it.
    pub broken: bool,
    params: Vec<(String, Value)>,
}

impl Call {
    pub async fn read(request: Request<Body>) -> Result<Self, GraphError> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let mut segments: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let version = match segments.first().filter(|first| is_version(first)) {
            Some(_) => segments.remove(0),
            None => NEWEST.to_owned(),
        };
        let (mut file, mut broken) = (None, false);
        let body = if parts.method == Method::POST && upload::is_session(&segments) {
            let (came, cut) = read_file(body).await?;
            (file, broken) = (Some(came), cut);
            None
        } else {
            let too_large = |_| GraphError::parameter("The body is too large");
            read_body(&parts.headers, &to_bytes(body, MAX_BODY_BYTES).await.map_err(too_large)?)?
        };
        let mut params: Vec<(String, Value)> = url::form_urlencoded::parse(query.as_bytes())
            .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
            .collect();
        if let Some(Value::Object(members)) = &body {
            params.extend(members.clone());
        }
        Ok(Self {
            method: parts.method,
            path,
            query,
            version,
            segments,
            body,
            headers: parts.headers,
            file,
            broken,
            params,
        })
    }

    /// A parameter, from the query or the body.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A parameter as text.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        matches!(self.text(name).as_deref(), Some("true" | "1"))
    }

    /// The token: of the `Authorization` header, else of the `access_token` parameter.
    pub fn token(&self) -> Option<String> {
        self.header_token().or_else(|| self.text("access_token")).filter(|token| !token.is_empty())
    }

    fn header_token(&self) -> Option<String> {
        let value = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
        known.then(|| token.trim().to_owned())
    }

    /// Where the token stood.
    pub fn auth_kind(&self) -> &'static str {
        match (self.header_token(), self.text("access_token")) {
            (Some(_), _) => "header",
            (None, Some(_)) => "parameter",
            (None, None) => "none",
        }
    }
}

fn is_version(part: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    part.strip_prefix('v').and_then(|rest| rest.split_once('.')).is_some_and(|(a, b)| digits(a) && digits(b))
}

/// An upload: what came counts, although the sender broke off.
async fn read_file(body: Body) -> Result<(Bytes, bool), GraphError> {
    let (mut stream, mut bytes) = (body.into_data_stream(), Vec::new());
    while let Some(next) = stream.next().await {
        let Ok(chunk) = next else { return Ok((bytes.into(), true)) };
        if bytes.len() + chunk.len() > upload::MAX_BYTES {
            return Err(GraphError::parameter("The file is too large"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes.into(), false))
}

fn read_body(headers: &HeaderMap, bytes: &Bytes) -> Result<Option<Value>, GraphError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") {
        let body = serde_json::from_slice(bytes)
            .map_err(|error| GraphError::parameter(format!("The body is no valid JSON: {error}")))?;
        return Ok(Some(body));
    }
    let pairs = url::form_urlencoded::parse(bytes);
    let members: Map<_, _> = pairs.map(|(key, value)| (key.into_owned(), value.into_owned().into())).collect();
    Ok(Some(Value::Object(members)))
}
