//! The operator's own app: what its dashboard holds, its permissions, and its webhook subscription.
//! <https://developers.facebook.com/docs/graph-api/reference/application/> and
//! <https://developers.facebook.com/docs/graph-api/reference/app/subscriptions>

use super::{Access, AppCredentials, Call, Client, Result};
use http::Method;
use serde::Deserialize;
use url::Url;

/// The object whose webhooks are ours.
pub const WEBHOOK_OBJECT: &str = "whatsapp_business_account";

/// The app.
#[derive(Clone, Debug, Deserialize)]
pub struct AppInfo {
    /// Its ID.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
}

/// What stands in the dashboard under *App settings, Basic*. What is not filled in is left out by Meta.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AppProfile {
    /// *App domains*.
    #[serde(default)]
    pub app_domains: Vec<String>,
    /// *Category*.
    pub category: Option<String>,
    /// *App icon*: a picture's address.
    pub icon_url: Option<String>,
    /// The larger picture of the same.
    pub logo_url: Option<String>,
    /// *Privacy policy URL*.
    pub privacy_policy_url: Option<String>,
    /// *Terms of Service URL*.
    pub terms_of_service_url: Option<String>,
}

/// A permission that went through App Review.
/// <https://developers.facebook.com/docs/graph-api/reference/application/permissions/>
#[derive(Clone, Debug, Deserialize)]
pub struct AppPermission {
    /// Its name, such as `whatsapp_business_messaging`.
    pub permission: String,
    /// `live` where it is approved.
    #[serde(default)]
    pub status: String,
}

/// What the app has subscribed to for one kind of object.
#[derive(Clone, Debug, Deserialize)]
pub struct Subscription {
    /// [`WEBHOOK_OBJECT`] is ours.
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

impl Subscription {
    /// Whether this field is subscribed.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|one| one.name == field)
    }
}

/// A webhook field. Meta shows objects with a name and a version, and documents plain names.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "FieldForm")]
pub struct SubscribedField {
    /// Its name.
    pub name: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FieldForm {
    Named { name: String },
    Plain(String),
}

impl From<FieldForm> for SubscribedField {
    fn from(form: FieldForm) -> Self {
        match form {
            FieldForm::Named { name } | FieldForm::Plain(name) => Self { name },
        }
    }
}

fn own(app: &AppCredentials) -> Access {
    Access::new(app.token(), app.secret.clone())
}

impl Client {
    /// Reads the app with its own token: proof that ID and secret belong together.
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn app(&self, app: &AppCredentials) -> Result<AppInfo> {
        let query = vec![("fields", "id,name".to_owned())];
        self.call(&own(app), Method::GET, app.id.as_str(), Call { query, ..Call::default() }).await
    }

    /// Reads what the dashboard holds of the app.
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn app_profile(&self, app: &AppCredentials) -> Result<AppProfile> {
        let fields = "app_domains,category,icon_url,logo_url,privacy_policy_url,terms_of_service_url";
        let query = vec![("fields", fields.to_owned())];
        self.call(&own(app), Method::GET, app.id.as_str(), Call { query, ..Call::default() }).await
    }

    /// The permissions that went through App Review.
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn app_permissions(&self, app: &AppCredentials) -> Result<Vec<AppPermission>> {
        self.list(&own(app), &format!("{}/permissions", app.id), "").await
    }

    /// What the app is subscribed to.
    ///
    /// # Errors
    /// See [`super::GraphError`].
    pub async fn app_subscriptions(&self, app: &AppCredentials) -> Result<Vec<Subscription>> {
        self.list(&own(app), &format!("{}/subscriptions", app.id), "").await
    }

    /// Subscribes the app to fields of [`WEBHOOK_OBJECT`]. Meta asks the callback for its challenge before it
    /// answers.
    ///
    /// # Errors
    /// See [`super::GraphError`]; code 2200 where the callback did not answer the challenge.
    pub async fn subscribe_webhooks(
        &self,
        app: &AppCredentials,
        callback: &Url,
        verify_token: &str,
        fields: &[String],
    ) -> Result<()> {
        let form = vec![
            ("object", WEBHOOK_OBJECT.to_owned()),
            ("callback_url", callback.to_string()),
            ("verify_token", verify_token.to_owned()),
            ("fields", fields.join(",")),
            ("include_values", "true".to_owned()),
        ];
        let path = format!("{}/subscriptions", app.id);
        // `{"success": true}`, or the same as a text.
        let call = Call { form: Some(form), ..Call::default() };
        self.call::<serde::de::IgnoredAny>(&own(app), Method::POST, &path, call).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_both_of_metas_forms() {
        let one: Subscription = serde_json::from_str(
            r#"{"object":"whatsapp_business_account","fields":["messages",{"name":"security","version":"v25.0"}]}"#,
        )
        .unwrap();
        assert!(one.has("messages") && one.has("security") && !one.has("history") && !one.active);
    }
}
