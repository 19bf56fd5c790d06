//! A thin, typed client of Meta's Graph API: one file per resource, errors kept whole.
//!
//! Every call with a token carries `appsecret_proof`, the token goes in the `Authorization` header, and
//! nothing secret stands in a URL (`input_token` of `/debug_token` excepted, which Meta takes no other way).
//! <https://developers.facebook.com/docs/graph-api/guides/secure-requests>

mod app;
mod business;
mod calls;
mod debug_token;
mod error;
mod lines;
mod media;
mod oauth;
mod paging;
mod phone_number;
mod profile;
mod register;
mod setup;
mod templates;
mod upload;
mod usage;
mod waba;

pub use app::{AppInfo, AppPermission, AppProfile, Subscription, WEBHOOK_OBJECT};
pub use business::Business;
pub use calls::{CallRecord, CallRecords, Watch};
pub use debug_token::{GranularScope, TokenFault, TokenInfo};
pub use error::{ApiError, ErrorClass, GraphError};
pub use lines::{Held, Line, Lines, NoLine, SharedLines};
pub use media::Media;
pub use oauth::{AppCredentials, BusinessToken};
pub use phone_number::{Health, HealthEntity, PhoneNumber, WebhookConfiguration};
pub use profile::{BusinessProfile, ProfileChange};
pub use register::{CodeMethod, SyncType};
pub use setup::{LiveSetup, Setup};
pub use templates::{MadeTemplate, MessageTemplate, NewTemplate, QualityScore, TemplatePage};
pub use upload::FileUpload;
pub use usage::{Reading, Usage};
pub use waba::Waba;

use crate::base::{
    clock::Clock,
    http::{Outbound, ReadError, read_capped},
    ids::{ConnectionId, CustomerId},
};
use error::ErrorBody;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use sha2::Sha256;
use std::time::Instant;
use time::OffsetDateTime;
use url::Url;

/// The result of every call.
pub type Result<T> = std::result::Result<T, GraphError>;

/// The client. Cloning shares its connections.
#[derive(Clone, Debug)]
pub struct Client {
    outbound: Outbound,
    base: Url,
    version: String,
    watch: Watch,
    /// For whom calls are made that no token tells it of.
    behalf: (Option<ConnectionId>, Option<CustomerId>),
}

/// With what a call is made: a token, and the app's secret to prove that it is ours.
#[derive(Clone, Debug)]
pub struct Access {
    /// A business token, system token or app token.
    pub token: SecretString,
    /// The secret of the app that the token belongs to; none where a customer brought a token alone.
    pub app_secret: Option<SecretString>,
    /// The connection whose token it is, for the record of calls.
    pub connection: Option<ConnectionId>,
    /// Whose signup it is called for, while there is no connection yet.
    pub customer: Option<CustomerId>,
}

impl Access {
    /// A business or system token with the secret of its app.
    #[must_use]
    pub fn new(token: SecretString, app_secret: SecretString) -> Self {
        Self { token, app_secret: Some(app_secret), connection: None, customer: None }
    }

    /// The same, for the record of this connection's calls.
    #[must_use]
    pub fn of(self, connection: ConnectionId) -> Self {
        Self { connection: Some(connection), ..self }
    }

    /// The same, for the record of what is called for this customer.
    #[must_use]
    pub fn for_customer(self, customer: CustomerId) -> Self {
        Self { customer: Some(customer), ..self }
    }

    /// HMAC-SHA256 of the token with the app secret, in hexadecimal.
    fn proof(&self) -> Option<String> {
        let secret = self.app_secret.as_ref()?;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("any key length will do");
        mac.update(self.token.expose_secret().as_bytes());
        Some(hex::encode(mac.finalize().into_bytes()))
    }
}

/// What goes with a call besides its path.
#[derive(Debug, Default)]
struct Call<'a> {
    query: Vec<(&'a str, String)>,
    json: Option<serde_json::Value>,
    form: Option<Vec<(&'a str, String)>>,
}

impl Client {
    /// A client of the Graph API at this origin, in this version (such as `v25.0`).
    #[must_use]
    pub fn new(outbound: Outbound, base: Url, version: String) -> Self {
        Self { outbound, base, version, watch: Watch::new(Clock::system()), behalf: (None, None) }
    }

    /// The same client, with its calls watched here.
    #[must_use]
    pub fn watched(self, watch: Watch) -> Self {
        Self { watch, ..self }
    }

    /// How far Meta's limits are used up.
    #[must_use]
    pub fn usage(&self) -> &Usage {
        &self.watch.usage
    }

    /// Until when what is done in the background should not call for this account (a WABA, by its ID); `None`: it may
    /// call now.
    #[must_use]
    pub fn wait(&self, access: &Access, account: Option<&str>) -> Option<OffsetDateTime> {
        self.watch.usage.wait(access, account, self.watch.clock.now())
    }

    /// The same client, calling another version.
    #[must_use]
    pub fn with_version(&self, version: &str) -> Self {
        Self { version: version.to_owned(), ..self.clone() }
    }

    /// The same, for the record of calls: those with the app's own token, or none, are made for this customer's signup.
    #[must_use]
    pub fn for_customer(&self, customer: CustomerId) -> Self {
        Self { behalf: (None, Some(customer)), ..self.clone() }
    }

    /// The same for a connection.
    #[must_use]
    pub fn for_connection(&self, connection: ConnectionId) -> Self {
        Self { behalf: (Some(connection), None), ..self.clone() }
    }

    /// The version that is called.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("/{}/{}", self.version, path.trim_start_matches('/')));
        url
    }

    async fn call<T: DeserializeOwned>(
        &self,
        access: &Access,
        method: Method,
        path: &str,
        call: Call<'_>,
    ) -> Result<T> {
        parse(&self.call_raw(access, method, path, call).await?)
    }

    async fn call_raw(&self, access: &Access, method: Method, path: &str, call: Call<'_>) -> Result<Vec<u8>> {
        let mut url = self.url(path);
        {
            let mut pairs = url.query_pairs_mut();
            pairs.extend_pairs(&call.query);
            if let Some(proof) = access.proof() {
                pairs.append_pair("appsecret_proof", &proof);
            }
        }
        if url.query() == Some("") {
            url.set_query(None);
        }
        let mut request = self
            .outbound
            .request(method.clone(), url)
            .map_err(|refused| GraphError::Unreachable { timeout: false, detail: refused.to_string() })?
            .bearer_auth(access.token.expose_secret());
        if let Some(json) = &call.json {
            request = request.json(json);
        }
        if let Some(form) = &call.form {
            request = request.form(form);
        }
        self.send(Some(access), &method, path, request).await
    }

    /// Sends a call, reads its answer, and notes both: the record of calls, Meta's limits, the log.
    async fn send(
        &self,
        access: Option<&Access>,
        method: &Method,
        path: &str,
        request: RequestBuilder,
    ) -> Result<Vec<u8>> {
        let (started, at) = (Instant::now(), self.watch.clock.now());
        let sent = request.send().await;
        let answer = sent.as_ref().ok().map(|answer| (answer.status().as_u16(), answer.headers().clone()));
        let result = finish(sent).await;
        let error = result.as_ref().err();
        log(method, path, started, error);
        let (status, headers) = answer.map_or_else(Default::default, |(status, headers)| (Some(status), headers));
        self.watch.usage.note(access, path, (&headers, error), self.watch.clock.now());
        let mut record = CallRecord::new(at, access, (method, path), status, error);
        if record.connection.is_none() && record.customer.is_none() {
            (record.connection, record.customer) = self.behalf;
        }
        // Meta's support asks for it also of calls that seemed to succeed.
        let trace = headers.get("x-fb-trace-id").and_then(|trace| trace.to_str().ok());
        let fbtrace_id = record.fbtrace_id.clone().or_else(|| trace.map(str::to_owned));
        self.watch.note(CallRecord { duration_ms: ms(started), fbtrace_id, ..record });
        result
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| GraphError::Unreadable { detail: error.to_string() })
}

/// Reads an answer: its body where it is a success, Graph's error otherwise.
async fn finish(sent: reqwest::Result<reqwest::Response>) -> Result<Vec<u8>> {
    let response = sent.map_err(|error| unreachable(&error))?;
    let status = response.status();
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<i64>().ok())
        // Nobody waits longer than a day, whatever is asked for.
        .map(|seconds| seconds.clamp(0, 86_400));
    let bytes = read_capped(response).await.map_err(|error| match error {
        ReadError::Transport(error) => unreachable(&error),
        ReadError::TooLarge => GraphError::Unreadable { detail: error.to_string() },
    })?;
    if status.is_success() {
        return Ok(bytes);
    }
    Err(match serde_json::from_slice::<ErrorBody>(&bytes) {
        Ok(body) => GraphError::Api(Box::new(body.into_error(status.as_u16(), retry_after))),
        // A gateway's error page, for instance.
        Err(_) => GraphError::Api(Box::new(ApiError::bare(status.as_u16(), retry_after))),
    })
}

fn unreachable(error: &reqwest::Error) -> GraphError {
    // The URL may hold an input_token.
    let mut detail = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        detail = cause.to_string();
        source = cause.source();
    }
    GraphError::Unreachable { timeout: error.is_timeout(), detail }
}

fn ms(started: Instant) -> i64 {
    i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX)
}

/// One line a call, without query, token or body.
fn log(method: &Method, path: &str, started: Instant, error: Option<&GraphError>) {
    let ms = ms(started);
    match error {
        None => tracing::debug!(target: "doorway::graph", %method, path, ms, "ok"),
        Some(error) => tracing::info!(target: "doorway::graph", %method, path, ms, %error, "failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_the_hmac_that_meta_documents() {
        // Computed with: printf token | openssl dgst -sha256 -hmac secret
        let access = Access::new("token".into(), "secret".into());
        assert_eq!(access.proof().unwrap(), "e941110e3d2bfe82621f0e3e1434730d7305d106c5f68c87165d0b27a4611a4a");
        assert!(!format!("{access:?}").contains("secret\""));
    }
}
