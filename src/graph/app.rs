//! The operator's own app and its webhook subscription.
//! <https://developers.facebook.com/docs/graph-api/reference/app/subscriptions>

use super::{Access, AppCredentials, Call, Client, Result};
use http::Method;
use serde::Deserialize;

/// The app.
#[derive(Clone, Debug, Deserialize)]
pub struct AppInfo {
    /// Its ID.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
}

/// What the app has subscribed to for one kind of object.
#[derive(Clone, Debug, Deserialize)]
pub struct Subscription {
    /// `whatsapp_business_account` is ours.
    pub object: String,
    /// Where webhooks go.
    #[serde(default)]
    pub callback_url: String,
    /// Whether it is on.
    #[serde(default)]
    pub active: bool,
    /// Which fields.
    #[serde(default)]
    pub fields: Vec<SubscribedField>,
}

/// A webhook field. Meta sends objects with a name and a version.
#[derive(Clone, Debug, Deserialize)]
pub struct SubscribedField {
    /// Its name.
    pub name: String,
}

impl Client {
    /// Reads the app with its own token: proof that ID and secret belong together.
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn app(&self, app: &AppCredentials) -> Result<AppInfo> {
        let access = Access::new(app.token(), app.secret.clone());
        let query = vec![("fields", "id,name".to_owned())];
        self.call(&access, Method::GET, app.id.as_str(), Call { query, ..Call::default() }).await
    }

    /// What the app is subscribed to.
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn app_subscriptions(&self, app: &AppCredentials) -> Result<Vec<Subscription>> {
        let access = Access::new(app.token(), app.secret.clone());
        self.list(&access, &format!("{}/subscriptions", app.id), "").await
    }
}
