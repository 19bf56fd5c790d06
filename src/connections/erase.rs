//! The end of a customer's connections when the customer is deleted, what is handed out about them, and how they
//! stand all in all.

use super::{
    ACCESS_JOB, Connections, DISCONNECT_JOB, RECHECK_JOB, RENEW_JOB, call_record, customer_queries, holders,
    jobs::DisconnectRequest, notice_queries, own_app_queries, permissions, queries, reconnect,
};
use crate::{
    accounts::{self, ConnectionStanding, User, audit},
    base::ids::{CustomerId, WabaId},
    phone_numbers::{self, PhoneNumbers},
    store::{Reads, Result, StoreError, WriteTx},
    web::download::{DownloadError, JsonFile},
};
use serde_json::Value;

/// How many calls are read at once to be handed out.
const AT_ONCE: i64 = 500;

/// Keeps beside the customer how its connections stand now. The customer must be locked.
pub(super) async fn note_standing(tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
    let (active, stale) = customer_queries::standing(tx, customer).await?;
    let standing = match (active, stale) {
        (_, true) => ConnectionStanding::NeedsReconnect,
        (true, false) => ConnectionStanding::Active,
        (false, false) => ConnectionStanding::None,
    };
    accounts::set_connection_standing(tx, customer, standing).await
}

impl Connections {
    /// Begins to undo all of a customer's connections, in the caller's transaction; what must be done at Meta
    /// follows as jobs. Numbers are not deregistered. Tells how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn disconnect_all(&self, tx: &mut WriteTx, actor: Option<&User>, customer: CustomerId) -> Result<usize> {
        let request = serde_json::to_string(&DisconnectRequest { deregister: false, since: self.clock.now_ms() })
            .map_err(|_| StoreError::Value("disconnecting".to_owned()))?;
        accounts::lock_customer(tx, customer).await?;
        let live = queries::list(tx, customer).await?;
        let mut begun = 0;
        for connection in live {
            if !queries::begin_disconnect(tx, customer, connection.id, &request).await? {
                continue;
            }
            begun += 1;
            let subject = connection.id.to_string();
            self.queue.enqueue(tx, DISCONNECT_JOB, &subject, self.clock.now()).await?;
            let entry = audit::Entry {
                actor: actor.map(|user| user.id),
                customer: Some(customer),
                action: "connection.disconnected",
                subject: Some(&subject),
                detail: None,
            };
            audit::record(tx, &self.clock, entry).await?;
        }
        note_standing(tx, customer).await?;
        Ok(begun)
    }

    /// How many of a customer's connections are not undone yet, in the caller's transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_live(&self, tx: &mut WriteTx, customer: CustomerId) -> Result<usize> {
        Ok(queries::list(tx, customer).await?.len())
    }

    /// The WABAs that are a customer's now.
    ///
    /// # Errors
    /// The database's.
    pub async fn wabas_of(&self, db: &mut impl Reads, customer: CustomerId) -> Result<Vec<WabaId>> {
        customer_queries::wabas_of(db, customer).await
    }

    /// Those of these WABAs that are not another customer's.
    ///
    /// # Errors
    /// The database's.
    pub async fn not_of_others(
        &self,
        db: &mut impl Reads,
        customer: CustomerId,
        wabas: impl IntoIterator<Item = WabaId>,
    ) -> Result<Vec<WabaId>> {
        let mut own = Vec::new();
        for waba in wabas {
            if queries::owner(db, &waba).await?.is_none_or(|owner| owner.customer == customer) {
                own.push(waba);
            }
        }
        Ok(own)
    }

    /// Forgets a customer's connections with their tokens, WABAs and numbers, in the caller's transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase(&self, tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
        for id in customer_queries::ids(tx, customer).await? {
            self.queue.cancel(tx, DISCONNECT_JOB, &id.to_string()).await?;
            for kind in [ACCESS_JOB, RECHECK_JOB, RENEW_JOB] {
                self.queue.cancel(tx, kind, &id.to_string()).await?;
            }
        }
        PhoneNumbers::erase(tx, &self.queue, customer).await?;
        for waba in customer_queries::wabas_of(tx, customer).await? {
            holders::note(tx, &waba, self.clock.now()).await?;
            self.templates.end_sync(tx, &waba).await?;
        }
        holders::erase(tx, customer).await?;
        call_record::erase(tx, customer).await?;
        customer_queries::erase(tx, customer).await
    }

    /// Removes what is kept no longer.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune(&self) -> Result<()> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        reconnect::queries::prune(&mut tx, now).await?;
        tx.commit().await?;
        call_record::prune(&self.store, now).await
    }

    /// Writes what is kept here about a customer: connections without their tokens, WABAs, numbers.
    ///
    /// # Errors
    /// The database's, and where nobody reads it any more.
    pub async fn export(&self, customer: CustomerId, file: &mut JsonFile) -> std::result::Result<(), DownloadError> {
        let mut db = self.store.read().await?;
        let connections = customer_queries::export(&mut db, customer).await?;
        let own_apps = own_app_queries::export(&mut db, customer).await?;
        let wabas = customer_queries::export_wabas(&mut db, customer).await?;
        let (mut numbers, mut notices): (Vec<Value>, Vec<Value>) = Default::default();
        for waba in customer_queries::wabas_of(&mut db, customer).await? {
            numbers.extend(phone_numbers::export(&mut db, &waba).await?);
            notices.extend(notice_queries::export(&mut db, &waba).await?);
        }
        let files = PhoneNumbers::export(&mut db, customer).await?;
        drop(db);
        file.list("connections", &connections).await?;
        file.list("own_meta_apps", &own_apps).await?;
        file.list("whatsapp_business_accounts", &wabas).await?;
        file.list("phone_numbers", &numbers).await?;
        file.list("phone_number_files", &files).await?;
        file.list("account_notices", &notices).await?;
        let checks = permissions::queries::export(&mut self.store.read().await?, customer).await?;
        file.list("permission_checks", &checks).await?;
        let links = reconnect::queries::export(&mut self.store.read().await?, customer).await?;
        file.list("reconnect_links", &links).await?;
        file.begin_list("graph_calls");
        let mut last = String::new();
        loop {
            let some = call_record::export(&mut self.store.read().await?, customer, &last, AT_ONCE).await?;
            for (_, call) in &some {
                file.item(call).await?;
            }
            match some.into_iter().last() {
                Some((id, _)) => last = id,
                None => break,
            }
        }
        file.end_list();
        Ok(())
    }
}
