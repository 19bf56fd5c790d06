//! Connections as lines to Meta for those who work with what they hold.

use super::{
    ACCESS_JOB,
    model::{Connection, ConnectionState},
    queries,
    service::{Connections, TokenError},
};
use crate::{
    base::ids::{ConnectionId, CustomerId, WabaId},
    graph::{ErrorClass, GraphError, Held, Line, Lines, LiveSetup, NoLine},
    store::{Reads, StoreError},
};
use futures_util::future::BoxFuture;

/// Connections at Meta as it is set up now.
pub struct ConnectionLines {
    connections: Connections,
    meta: LiveSetup,
}

impl ConnectionLines {
    /// Of these connections.
    #[must_use]
    pub fn new(connections: Connections, meta: LiveSetup) -> Self {
        Self { connections, meta }
    }
}

impl From<StoreError> for NoLine {
    fn from(error: StoreError) -> Self {
        Self::Failed(Box::new(error))
    }
}

async fn held(db: &mut impl Reads, connection: Connection) -> Result<Option<Held>, NoLine> {
    if connection.state == ConnectionState::Disconnected {
        return Ok(None);
    }
    let wabas = queries::wabas(db, connection.id).await?.into_iter().map(|waba| waba.id).collect();
    Ok(Some(Held {
        connection: connection.id,
        customer: connection.customer_id,
        name: connection.name,
        is_active: connection.state == ConnectionState::Active,
        wabas,
    }))
}

impl Lines for ConnectionLines {
    fn held(&self, connection: ConnectionId) -> BoxFuture<'_, Result<Option<Held>, NoLine>> {
        Box::pin(async move {
            let mut db = self.connections.store.read().await?;
            match queries::get(&mut db, connection).await? {
                Some(found) => held(&mut db, found).await,
                None => Ok(None),
            }
        })
    }

    fn holder<'a>(&'a self, waba: &'a WabaId) -> BoxFuture<'a, Result<Option<Held>, NoLine>> {
        Box::pin(async move {
            let mut db = self.connections.store.read().await?;
            let Some(owner) = queries::owner(&mut db, waba).await? else { return Ok(None) };
            match queries::get(&mut db, owner.connection).await? {
                Some(found) => held(&mut db, found).await,
                None => Ok(None),
            }
        })
    }

    fn of_customer(&self, customer: CustomerId) -> BoxFuture<'_, Result<Vec<Held>, NoLine>> {
        Box::pin(async move {
            let mut db = self.connections.store.read().await?;
            let mut all = Vec::new();
            for connection in queries::list(&mut db, customer).await? {
                all.extend(held(&mut db, connection).await?.filter(|held| held.is_active));
            }
            Ok(all)
        })
    }

    fn line(&self, connection: ConnectionId) -> BoxFuture<'_, Result<Line, NoLine>> {
        Box::pin(async move {
            let meta = self.meta.now();
            match self.held(connection).await? {
                Some(held) if held.is_active => {}
                _ => return Err(NoLine::None),
            }
            let ours = meta.app.as_ref().map(|app| &app.secret);
            if ours.is_none() && self.connections.own_app(connection).await.is_ok_and(|own| own.is_none()) {
                return Err(NoLine::None);
            }
            match self.connections.access_with(connection, ours).await {
                Ok(access) => Ok(Line { connection, graph: meta.graph.clone(), access }),
                Err(TokenError::None) => Err(NoLine::None),
                Err(error) => Err(NoLine::Failed(Box::new(error))),
            }
        })
    }

    fn refused<'a>(&'a self, connection: ConnectionId, error: &'a GraphError) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if error.class() != ErrorClass::Authorization {
                return;
            }
            let asked = async {
                let connections = &self.connections;
                let mut tx = connections.store.write().await?;
                let now = connections.clock.now();
                connections.queue.enqueue(&mut tx, ACCESS_JOB, &connection.to_string(), now).await?;
                tx.commit().await
            };
            match asked.await {
                Ok(()) => self.connections.queue.wake(),
                Err(error) => tracing::warn!(%error, %connection, "the access could not be looked into"),
            }
        })
    }
}
