//! Files for Meta to keep: a session is started for one, its bytes follow, and the handle that comes back is named where
//! the file is used (the picture of a profile, the sample of a template's header). What broke off goes on where it stopped.
//! <https://developers.facebook.com/docs/graph-api/guides/upload> and
//! <https://developers.facebook.com/docs/graph-api/reference/application/uploads/>

use super::{Access, Call, Client, ErrorClass, GraphError, Result, Setup, parse};
use crate::base::{ids::AppId, text::constant_time_eq};
use axum::body::Bytes;
use http::Method;
use secrecy::ExposeSecret;
use serde::{Deserialize, Deserializer};
use std::time::{Duration, Instant};
use url::Url;

/// How often a file is sent on from where it broke off.
const TRIES: u32 = 4;
/// How long sending may take, with all its tries: a person waits for it.
const TOTAL: Duration = Duration::from_secs(90);
/// The kinds of file that Meta takes (guides/upload).
const TYPES: [&str; 5] = ["application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4"];

/// A file to be kept.
#[derive(Clone, Debug)]
pub struct FileUpload {
    /// Its name, such as `logo.png`.
    pub name: String,
    /// Such as `image/png`.
    pub mime_type: String,
    /// All of it.
    pub bytes: Bytes,
}

/// A session, as it is answered.
#[derive(Debug, Deserialize)]
struct Session {
    /// `upload:…`, with a signature that looks like a query.
    id: String,
    #[serde(default, deserialize_with = "offset")]
    file_offset: usize,
}

/// Meta writes it as a text.
fn offset<'de, D: Deserializer<'de>>(de: D) -> std::result::Result<usize, D::Error> {
    let value = serde_json::Value::deserialize(de)?;
    let number = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    number.and_then(|number| usize::try_from(number).ok()).ok_or_else(|| serde::de::Error::custom("no offset"))
}

#[derive(Debug, Deserialize)]
struct Sent {
    /// The handle, once the file is whole.
    h: Option<String>,
}

impl Setup {
    /// The app that an access belongs to, by its secret: ours, or none that we know.
    #[must_use]
    pub fn app_of(&self, access: &Access) -> Option<&AppId> {
        let (app, secret) = (self.app.as_ref()?, access.app_secret.as_ref()?);
        constant_time_eq(app.secret.expose_secret(), secret.expose_secret()).then_some(&app.id)
    }

    /// Has Meta keep a file, and gives its handle. By the reference the token must be of someone with a role on the app:
    /// where the connection's own is refused for that, the operator's system token is tried, if there is one.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn upload(&self, graph: &Client, access: &Access, file: &FileUpload) -> Result<String> {
        let app = self.app_of(access);
        let error = match graph.upload(access, app, file).await {
            Err(error) if lacks_role(&error) => error,
            result => return result,
        };
        match (app, &self.app, &self.system_token) {
            (Some(id), Some(app), Some(token)) => {
                graph.upload(&Access::new(token.clone(), app.secret.clone()), Some(id), file).await
            }
            _ => Err(error),
        }
    }
}

/// Whether the token works but may not do this: not 190, which is about the token itself.
fn lacks_role(error: &GraphError) -> bool {
    error.class() == ErrorClass::Authorization && error.api().is_some_and(|api| !matches!(api.code, 102 | 190))
}

impl Client {
    /// Has Meta keep a file, and gives its handle. Without an app's ID it is the app that the token was made by.
    ///
    /// # Errors
    /// See [`GraphError`]; also where the file is of no kind that Meta takes.
    pub async fn upload(&self, access: &Access, app: Option<&AppId>, file: &FileUpload) -> Result<String> {
        self.upload_within(TOTAL, access, app, file).await
    }

    async fn upload_within(
        &self,
        total: Duration,
        access: &Access,
        app: Option<&AppId>,
        file: &FileUpload,
    ) -> Result<String> {
        if !TYPES.contains(&file.mime_type.as_str()) {
            return Err(GraphError::Unreadable {
                detail: format!("{} is no type that can be uploaded", file.mime_type),
            });
        }
        let mut session = self.start_session(access, app, file).await?;
        let began = Instant::now();
        let left = || total.saturating_sub(began.elapsed());
        let mut tries = 0;
        loop {
            tries += 1;
            let rest = file.bytes.slice(session.file_offset.min(file.bytes.len())..);
            let result = self.session(access, &session.id, Some((session.file_offset, rest)), left()).await;
            let error = match result.and_then(|body| parse::<Sent>(&body)) {
                Ok(Sent { h: Some(handle) }) => return Ok(handle),
                Ok(Sent { h: None }) => GraphError::Unreadable { detail: "no handle came for the file".to_owned() },
                // A session that was gone on with may be of no use any more: once more from the beginning.
                Err(error) if error.class() == ErrorClass::Rejected && tries > 1 => error,
                Err(error) if error.class() != ErrorClass::Transient => return Err(error),
                Err(error) => error,
            };
            if tries == TRIES || left().is_zero() {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(250) * tries).await;
            if error.class() == ErrorClass::Rejected {
                session = self.start_session(access, app, file).await?;
                continue;
            }
            // How much of it arrived. Where even that can't be learned now, the next round finds out.
            match self.session(access, &session.id, None, left()).await.and_then(|body| parse::<Session>(&body)) {
                Ok(now) => session.file_offset = now.file_offset,
                Err(error) if error.class() != ErrorClass::Transient => return Err(error),
                Err(_) => {}
            }
        }
    }

    async fn start_session(&self, access: &Access, app: Option<&AppId>, file: &FileUpload) -> Result<Session> {
        let query = vec![
            ("file_name", file.name.clone()),
            ("file_length", file.bytes.len().to_string()),
            ("file_type", file.mime_type.clone()),
        ];
        let path = format!("{}/uploads", app.map_or("app", AppId::as_str));
        let session: Session = self.call(access, Method::POST, &path, Call { query, ..Call::default() }).await?;
        if session.id.starts_with("upload:") {
            return Ok(session);
        }
        Err(GraphError::Unreadable { detail: "the session is none".to_owned() })
    }

    /// Sends bytes to a session, or asks how far it is, in at most so long. The token goes as `OAuth`, as the guide has it.
    async fn session(
        &self,
        access: &Access,
        id: &str,
        send: Option<(usize, Bytes)>,
        within: Duration,
    ) -> Result<Vec<u8>> {
        let method = if send.is_some() { Method::POST } else { Method::GET };
        let url = self.session_url(id, access);
        let request = self.outbound.request(method.clone(), url);
        let request =
            request.map_err(|refused| GraphError::Unreachable { timeout: false, detail: refused.to_string() })?;
        let request = request.header("authorization", format!("OAuth {}", access.token.expose_secret()));
        let mut request = request.timeout(within);
        if let Some((offset, bytes)) = send {
            request = request.header("file_offset", offset).header("content-type", "application/octet-stream");
            request = request.body(bytes);
        }
        // The session's signature is in nobody's record.
        self.send(Some(access), &method, "upload", request).await
    }

    fn session_url(&self, id: &str, access: &Access) -> Url {
        let (path, query) = id.split_once('?').unwrap_or((id, ""));
        let mut url = self.url(path);
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        if let Some(proof) = access.proof() {
            url.query_pairs_mut().append_pair("appsecret_proof", &proof);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::http::{Outbound, Reach};

    #[test]
    fn a_sessions_signature_stays_a_query() {
        let outbound = Outbound::new(Reach::Operator, Duration::from_secs(1));
        let client = Client::new(outbound, "https://graph.facebook.com".parse().unwrap(), "v25.0".to_owned());
        let access = Access { token: "token".into(), app_secret: None, connection: None, customer: None };
        let url = |id: &str| client.session_url(id, &access).to_string();
        assert_eq!(url("upload:MTph=?sig=ARZ"), "https://graph.facebook.com/v25.0/upload:MTph=?sig=ARZ");
        assert_eq!(url("upload:MTph"), "https://graph.facebook.com/v25.0/upload:MTph");
        let proven = client.session_url("upload:a?sig=b", &Access::new("token".into(), "secret".into()));
        assert!(proven.query().unwrap().starts_with("sig=b&appsecret_proof="));
    }

    #[tokio::test]
    async fn an_upload_ends_in_time_and_each_call_is_recorded() {
        use axum::{Json, Router, routing::post};
        // A session that takes bytes and never answers.
        let start = post(async || Json(serde_json::json!({"id": "upload:abc?sig=secret"})));
        let router = Router::new()
            .route("/v25.0/app/uploads", start)
            .fallback(async || std::future::pending::<&'static str>().await);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let watch = super::super::Watch::new(crate::base::clock::Clock::system());
        let mut records = watch.records();
        let outbound = Outbound::new(Reach::Operator, Duration::from_secs(60));
        let client = Client::new(outbound, url.parse().unwrap(), "v25.0".to_owned()).watched(watch);
        let access = Access::new("token".into(), "secret".into());
        let bytes = Bytes::from_static(b"bytes");
        let file = FileUpload { name: "a.png".to_owned(), mime_type: "image/png".to_owned(), bytes };
        let upload = client.upload_within(Duration::from_millis(200), &access, None, &file);
        let ended = tokio::time::timeout(Duration::from_secs(30), upload).await.expect("it ends by itself");
        assert!(matches!(ended, Err(GraphError::Unreachable { timeout: true, .. })), "{ended:?}");
        let paths: Vec<String> = std::iter::from_fn(|| records.try_recv().ok()).map(|record| record.path).collect();
        assert_eq!(paths, ["app/uploads", "upload"]);
    }
}
