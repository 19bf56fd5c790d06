//! Customers' own apps, as the intake of webhooks knows them.

use crate::{
    connections::Connections,
    store::Result,
    webhooks::{OwnApp, OwnApps, OwnNews, Owner},
};
use futures_util::future::BoxFuture;

/// Those of these connections.
pub(super) struct Wired(pub Connections);

impl OwnApps for Wired {
    fn by_key<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<OwnApp>>> {
        Box::pin(async move {
            let found = self.0.own_app_by_key(key).await?;
            Ok(found.map(|(app, owner)| OwnApp {
                owner: Owner { customer: owner.customer, connection: owner.connection },
                secrets: app.secrets(self.0.now()),
                verify_token: app.verify_token,
                refused_at: app.refused_at,
            }))
        })
    }

    fn note<'a>(&'a self, app: &'a OwnApp, news: OwnNews) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match news {
                OwnNews::Verified => self.0.own_app_verified(app.owner.connection).await,
                OwnNews::Refused => self.0.own_app_refused(app.owner.connection, app.refused_at).await,
            }
        })
    }
}
