//! Files that people sent: asked for by ID, fetched by the address that comes back.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/media/media-api>
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/media/media-download-api>

use super::{Access, Call, CallRecord, Client, GraphError, Result, unreachable};
use crate::base::ids::meta_digits;
use http::Method;
use secrecy::ExposeSecret;
use serde::{Deserialize, Deserializer};
use url::Url;

/// Where Meta keeps files. The token goes nowhere else.
const HOSTS: [&str; 4] = ["fbsbx.com", "facebook.com", "fbcdn.net", "whatsapp.net"];

/// A file at Meta. IDs that came by webhook are good for 7 days.
#[derive(Clone, Debug, Deserialize)]
pub struct Media {
    /// Where to fetch it, for 5 minutes.
    pub url: Url,
    /// Such as `image/jpeg`.
    #[serde(default)]
    pub mime_type: String,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: Option<String>,
    /// In bytes.
    #[serde(default, deserialize_with = "size")]
    pub file_size: Option<u64>,
}

/// Some pages write it as a number, some as a text.
fn size<'de, D: Deserializer<'de>>(de: D) -> std::result::Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(de)?;
    Ok(value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok())))
}

impl Client {
    /// Where the file of this ID is.
    ///
    /// # Errors
    /// See [`GraphError`]; also where the ID is none of Meta's.
    pub async fn media(&self, access: &Access, id: &str) -> Result<Media> {
        let id = meta_digits(id).map_err(|error| GraphError::Unreadable { detail: format!("the file is {error}") })?;
        self.call(access, Method::GET, id, Call::default()).await
    }

    /// The file there, if it has at most `max` bytes; else `None`.
    ///
    /// # Errors
    /// See [`GraphError`]; also where the address is not Meta's.
    pub async fn download(&self, access: &Access, url: &Url, max: usize) -> Result<Option<Vec<u8>>> {
        if !self.is_metas(url) {
            return Err(GraphError::Unreadable { detail: "the file's address is not Meta's".to_owned() });
        }
        let refused = |refused: crate::base::http::Refused| GraphError::Unreachable {
            timeout: false,
            detail: refused.to_string(),
        };
        // Meta turns away programs that do not say what they are.
        let request = self.outbound.request(Method::GET, url.clone()).map_err(refused)?;
        let request = request.bearer_auth(access.token.expose_secret()).header("user-agent", "doorway");
        let (started, at) = (std::time::Instant::now(), self.watch.clock.now());
        let sent = request.send().await.map_err(|error| unreachable(&error));
        let status = sent.as_ref().ok().map(|answer| answer.status().as_u16());
        // The address is a secret of its own.
        let record = CallRecord::new(at, Some(access), (&Method::GET, "media"), status, sent.as_ref().err());
        self.watch.note(CallRecord { duration_ms: super::ms(started), ..record });
        let mut response = sent?;
        let status = response.status().as_u16();
        if !response.status().is_success() {
            return super::finish(Ok(response))
                .await
                .and(Err(GraphError::Unreadable { detail: format!("HTTP {status} for a file") }));
        }
        let too_large = |length: u64| usize::try_from(length).is_ok_and(|length| length > max);
        if response.content_length().is_some_and(too_large) {
            return Ok(None);
        }
        // At once: growing would take up to twice as much.
        let length = response.content_length().and_then(|length| usize::try_from(length).ok());
        let mut bytes = Vec::with_capacity(length.unwrap_or(max));
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
            if bytes.len() + chunk.len() > max {
                return Ok(None);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes))
    }

    /// Meta's hosts by HTTPS, or the very host that Graph itself is called at.
    pub(super) fn is_metas(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let among = |known: &str| host == known || host.strip_suffix(known).is_some_and(|rest| rest.ends_with('.'));
        url.origin() == self.base.origin() || url.scheme() == "https" && HOSTS.iter().any(|known| among(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::http::{Outbound, Reach};

    #[test]
    fn the_token_goes_to_meta_alone() {
        let outbound = Outbound::new(Reach::Operator, std::time::Duration::from_secs(1));
        let client = Client::new(outbound, "https://graph.facebook.com".parse().unwrap(), "v25.0".to_owned());
        let is_metas = |url: &str| client.is_metas(&url.parse().unwrap());
        assert!(is_metas("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1"));
        assert!(is_metas("https://graph.facebook.com/x") && is_metas("https://mmg.whatsapp.net/x"));
        for other in ["http://lookaside.fbsbx.com/", "https://evilfbsbx.com/", "https://fbsbx.com.evil.example/"] {
            assert!(!is_metas(other), "{other}");
        }
    }
}
