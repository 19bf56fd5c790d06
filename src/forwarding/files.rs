//! Files of messages, fetched from Meta.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/media/media-api>

use super::format::{Fetched, Files, NotFetched};
use crate::{
    base::ids::ConnectionId,
    connections::{Connections, TokenError},
    graph::{Access, Client, ErrorClass, GraphError, LiveSetup},
};
use futures_util::future::BoxFuture;
use std::time::Duration;

/// The largest file that is put into a call, in bytes: audio and video have at most as much, documents may have more.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// How long all of it may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long is waited before Meta is asked again where it had trouble.
const AGAIN: Duration = Duration::from_secs(1);

/// Fetches files with the business token of the connection that the message came for.
pub struct MetaFiles {
    connections: Connections,
    meta: LiveSetup,
}

impl MetaFiles {
    /// With these connections' tokens, at Meta as it is set up now.
    #[must_use]
    pub fn new(connections: Connections, meta: LiveSetup) -> Self {
        Self { connections, meta }
    }

    async fn file(&self, connection: ConnectionId, id: &str) -> Fetched {
        let meta = self.meta.now();
        let Some(app) = &meta.app else { return Fetched::Not(NotFetched::NoAccess) };
        let access = match self.connections.access(connection, &app.secret).await {
            Ok(access) => access,
            Err(TokenError::None) => return Fetched::Not(NotFetched::NoAccess),
            Err(error) => {
                tracing::error!(%error, %connection, "a connection's token could not be read");
                return Fetched::Not(NotFetched::Unavailable);
            }
        };
        let mut fetched = fetch(&meta.graph, &access, id).await;
        if matches!(&fetched, Err(error) if error.class() == ErrorClass::Transient) {
            tokio::time::sleep(AGAIN).await;
            fetched = fetch(&meta.graph, &access, id).await;
        }
        fetched.unwrap_or_else(|error| {
            tracing::info!(%error, %connection, "a file was not handed out");
            Fetched::Not(match error.class() {
                ErrorClass::Authorization => NotFetched::NoAccess,
                ErrorClass::Rejected => NotFetched::Gone,
                ErrorClass::RateLimited | ErrorClass::Transient => NotFetched::Unavailable,
            })
        })
    }
}

async fn fetch(graph: &Client, access: &Access, id: &str) -> Result<Fetched, GraphError> {
    let media = graph.media(access, id).await?;
    let bytes = graph.download(access, &media.url, MAX_BYTES).await?;
    Ok(bytes.map_or(Fetched::Not(NotFetched::TooLarge), |bytes| Fetched::File { mime_type: media.mime_type, bytes }))
}

impl Files for MetaFiles {
    fn fetch<'a>(&'a self, connection: ConnectionId, id: &'a str) -> BoxFuture<'a, Fetched> {
        Box::pin(async move {
            let file = tokio::time::timeout(TIMEOUT, self.file(connection, id)).await;
            file.unwrap_or(Fetched::Not(NotFetched::Unavailable))
        })
    }
}
