//! All that is stored about a customer, as one file for whoever asks for it (GDPR, article 15).

use super::Backoffice;
use crate::{
    accounts::User,
    base::{clock, ids::CustomerId},
    web::{
        self,
        download::{self, DownloadError, JsonFile},
    },
};
use axum::response::Response;

impl Backoffice {
    /// Writes down that it is handed out, and hands it out.
    pub(super) async fn export(&self, actor: &User, id: CustomerId) -> web::Result<Response> {
        let mut tx = self.store.write().await?;
        self.accounts.note_of_customer(&mut tx, actor, id, "customer.exported").await?;
        tx.commit().await?;
        let backoffice = self.clone();
        let name = format!("customer-{id}.json");
        download::json_file(&name, move |file| async move { backoffice.write_export(id, file).await })
    }

    async fn write_export(&self, id: CustomerId, mut file: JsonFile) -> Result<JsonFile, DownloadError> {
        file.value("exported_at", &clock::rfc3339(self.clock.now()).into()).await?;
        let wabas = self.signup.wabas_of(&mut self.store.read().await?, id).await?;
        self.accounts.export(id, &mut file).await?;
        self.connections.export(id, &mut file).await?;
        self.signup.export(id, &wabas, &mut file).await?;
        self.messaging.export(id, &mut file).await?;
        let held = self.connections.wabas_of(&mut self.store.read().await?, id).await?;
        self.templates.export(&held, &mut file).await?;
        self.profiles.export(&held, &mut file).await?;
        self.webhooks.export(id, &mut file).await?;
        self.forwarding.export(id, &mut file).await?;
        Ok(file)
    }
}
