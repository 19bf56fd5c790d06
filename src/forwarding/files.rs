//! Files of messages, fetched from Meta.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/media/media-api>

use super::format::{Fetched, Files, NotFetched, Room, cost};
use crate::{
    base::ids::ConnectionId,
    connections::{Connections, TokenError},
    graph::{Access, Client, ErrorClass, GraphError, LiveSetup, Media},
};
use futures_util::future::BoxFuture;
use std::time::{Duration, Instant};

/// The largest file that is put into a call, in bytes: audio and video have at most as much, documents may have more.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// How long each of the two steps may take: where it is, and it itself.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long is waited before Meta is asked again where it had trouble.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the address that Meta gives is used: it is good for five minutes.
const FRESH: Duration = Duration::from_mins(4);

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

    /// Where a file is, and how large by Meta's word.
    async fn find(&self, connection: ConnectionId, id: &str) -> Result<Found, NotFetched> {
        let meta = self.meta.now();
        let ours = meta.app.as_ref().map(|app| &app.secret);
        let access = match self.connections.access_with(connection, ours).await {
            Ok(access) => access,
            Err(TokenError::None) => return Err(NotFetched::NoAccess),
            Err(error) => {
                tracing::error!(%error, %connection, "a connection's token could not be read");
                return Err(NotFetched::Unavailable);
            }
        };
        let media = in_time(connection, || meta.graph.media(&access, id)).await?;
        Ok(Found { at: Instant::now(), graph: meta.graph.clone(), access, media })
    }

    async fn file(&self, connection: ConnectionId, id: &str, room: &mut Room) -> Result<Fetched, NotFetched> {
        let mut found = self.find(connection, id).await?;
        let told = found.media.file_size.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        if told.is_some_and(|told| told > MAX_BYTES) {
            return Err(NotFetched::TooLarge);
        }
        // Where it is larger than Meta says there is another try, with room for the largest.
        let sizes = told.filter(|told| *told < MAX_BYTES).into_iter().chain([MAX_BYTES]);
        for max in sizes {
            room.take(cost(max)).await;
            if found.at.elapsed() > FRESH {
                found = self.find(connection, id).await?;
            }
            let Found { graph, access, media, .. } = &found;
            if let Some(bytes) = in_time(connection, || graph.download(access, &media.url, max)).await? {
                return Ok(Fetched::File { mime_type: found.media.mime_type, bytes });
            }
        }
        Err(NotFetched::TooLarge)
    }
}

/// A file that Meta has.
struct Found {
    at: Instant,
    graph: Client,
    access: Access,
    media: Media,
}

/// Asks Meta, and once more where it had trouble.
async fn in_time<T, F: Future<Output = Result<T, GraphError>>>(
    connection: ConnectionId,
    ask: impl Fn() -> F,
) -> Result<T, NotFetched> {
    let asked = async {
        match ask().await {
            Err(error) if error.class() == ErrorClass::Transient => {
                tokio::time::sleep(AGAIN).await;
                ask().await
            }
            asked => asked,
        }
    };
    let asked = tokio::time::timeout(TIMEOUT, asked).await.map_err(|_| NotFetched::Unavailable)?;
    asked.map_err(|error| {
        tracing::info!(%error, %connection, "a file was not handed out");
        match error.class() {
            ErrorClass::Authorization => NotFetched::NoAccess,
            ErrorClass::Rejected => NotFetched::Gone,
            ErrorClass::RateLimited | ErrorClass::Transient => NotFetched::Unavailable,
        }
    })
}

impl Files for MetaFiles {
    fn fetch<'a>(&'a self, connection: ConnectionId, id: &'a str, room: &'a mut Room) -> BoxFuture<'a, Fetched> {
        Box::pin(async move { self.file(connection, id, room).await.unwrap_or_else(Fetched::Not) })
    }
}
