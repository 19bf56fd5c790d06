//! A connection made by hand: what the customer brings is proven at Meta, kept, and its webhooks are switched on.

use super::{
    erase::note_standing,
    holders,
    model::Owner,
    own_app::{self, OwnApp},
    own_app_proof::{Brought, NotTaken, Proven, Wrong, name_of, prove_token, prove_waba},
    own_app_queries as own_queries,
    queries::{self, TokenRow},
    service::{Connections, TOKEN_COLUMN, TOKEN_TABLE, TokenError, access_of},
};
use crate::{
    accounts::{self, audit},
    base::{
        ids::{self, AppId, ConnectionId, CustomerId, UserId, WabaId},
        sealed::Place,
    },
    graph::{self, Access, AppCredentials, PhoneNumber, Waba},
    phone_numbers,
    store::StoreError,
};
use secrecy::{ExposeSecret, SecretString};

impl Connections {
    /// Makes a connection of what a customer brings: proves it at Meta, keeps it, and has Meta send the account's
    /// webhooks to that app. `ours`: the operator's app, through which one connects otherwise.
    ///
    /// # Errors
    /// See [`NotTaken`]: then nothing is kept. Where only the webhooks could not be switched on, the connection is made,
    /// and says so.
    pub async fn add_by_hand(
        &self,
        graph: &graph::Client,
        ours: Option<&AppId>,
        (by, customer): (UserId, CustomerId),
        brought: &Brought,
    ) -> Result<ConnectionId, NotTaken> {
        if brought.app_id.is_some() && brought.app_id.as_ref() == ours {
            let why = "This is our own app, and not one of yours. Connect with Facebook instead.";
            return Err(NotTaken::wrong(Wrong::AppId, why));
        }
        let app = brought.app_id.clone().zip(brought.secret.clone()).map(|(id, secret)| AppCredentials { id, secret });
        let proven = prove_token(graph, app.as_ref(), &brought.token).await?;
        let access = Access {
            token: brought.token.clone(),
            app_secret: brought.secret.clone(),
            connection: None,
            customer: Some(customer),
        };
        let (waba, numbers) = prove_waba(graph, &access, &brought.waba).await?;
        let id = self.save_own(by, customer, brought, &proven, (&waba, &numbers)).await?;
        self.switch_on(graph, &access, id, &waba.id).await?;
        Ok(id)
    }

    async fn save_own(
        &self,
        by: UserId,
        customer: CustomerId,
        brought: &Brought,
        proven: &Proven,
        (waba, numbers): (&Waba, &[PhoneNumber]),
    ) -> Result<ConnectionId, NotTaken> {
        let (id, now) = (ConnectionId::new(), self.clock.now());
        let row = id.to_string();
        let mut tx = self.store.write().await?;
        accounts::lock_customer(&mut tx, customer).await?;
        match queries::owner(&mut tx, &waba.id).await? {
            Some(owner) if owner.customer == customer => {
                let why = "This account is connected here already. To give it another token, open its connection.";
                return Err(NotTaken::wrong(Wrong::Waba, why));
            }
            Some(_) => return Err(anothers()),
            None => {}
        }
        let place = Place { table: TOKEN_TABLE, column: TOKEN_COLUMN, row: &row };
        let sealed = self.keys.seal(place, &brought.token);
        let token = TokenRow {
            id,
            sealed: &sealed,
            expires_at: proven.expires_at,
            data_access_expires_at: proven.data_access_expires_at,
            scopes: serde_json::to_string(&proven.scopes).map_err(|_| StoreError::Value("scopes".to_owned()))?,
            now,
        };
        let business = waba.owner_business_info.as_ref().map(|business| (business.id.clone(), business.name.clone()));
        queries::insert(&mut tx, &token, customer, &name_of(waba), business.as_ref()).await?;
        let word = SecretString::from(ids::random_token());
        let word = self.keys.seal(own_app::place("verify_token_sealed", &row), &word);
        let seal = |secret: &SecretString| self.keys.seal(own_app::place("app_secret_sealed", &row), secret);
        let secret = brought.secret.as_ref().map(seal);
        let callback = (ids::random_token(), word);
        let app_id = brought.app_id.as_ref();
        own_queries::insert(&mut tx, id, (&callback.0, &callback.1), app_id, secret.as_deref(), now).await?;
        // Somebody may have connected it since: the key decides.
        if !queries::claim(&mut tx, waba, Owner { customer, connection: id }, now).await? {
            return Err(anothers());
        }
        phone_numbers::replace(&mut tx, &waba.id, numbers, now).await?;
        holders::note(&mut tx, &waba.id, now).await?;
        self.templates.begin_sync(&mut tx, &waba.id).await?;
        note_standing(&mut tx, customer).await?;
        let entry = audit::Entry {
            actor: Some(by),
            customer: Some(customer),
            action: "connection.added_by_hand",
            subject: Some(&row),
            detail: None,
        };
        audit::record(&mut tx, &self.clock, entry).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Has Meta send an account's webhooks to the customer's app, and notes whether it did not do so before. Where Meta
    /// refuses, the connection says so, and offers to try again.
    pub(super) async fn switch_on(
        &self,
        graph: &graph::Client,
        access: &Access,
        id: ConnectionId,
        waba: &WabaId,
    ) -> Result<bool, StoreError> {
        let before = graph.subscribed_apps(access, waba).await.ok();
        if let Err(error) = graph.subscribe_app(access, waba).await {
            tracing::warn!(%waba, connection = %id, %error, "a customer's app could not be subscribed");
            return Ok(false);
        }
        let after = graph.subscribed_apps(access, waba).await.ok();
        let begun_here = before.zip(after).is_some_and(|(before, after)| after.len() > before.len());
        let mut tx = self.store.write().await?;
        if queries::owner(&mut tx, waba).await?.is_some_and(|owner| owner.connection == id) {
            own_queries::set_subscribed(&mut tx, waba, begun_here, self.clock.now()).await?;
            phone_numbers::begin_sync(&mut tx, &self.queue, waba, self.clock.now()).await?;
            tx.commit().await?;
            self.queue.wake();
        }
        Ok(true)
    }

    /// Puts another token in the place of a connection's, if it opens the same accounts; the connection works again.
    ///
    /// # Errors
    /// See [`NotTaken`]: then nothing is changed.
    pub async fn replace_token(
        &self,
        graph: &graph::Client,
        by: UserId,
        own: &OwnApp,
        token: &SecretString,
    ) -> Result<(), NotTaken> {
        let id = own.connection;
        let Some(overview) = self.overview(id).await? else { return Err(TokenError::None.into()) };
        let proven = prove_token(graph, own.credentials().as_ref(), token).await?;
        let access = access_of(id, token.clone(), own.secret.as_ref());
        let mut opened = Vec::new();
        for (waba, _) in &overview.wabas {
            opened.push(prove_waba(graph, &access, &waba.id).await?);
        }
        let (row, now) = (id.to_string(), self.clock.now());
        let sealed = self.keys.seal(Place { table: TOKEN_TABLE, column: TOKEN_COLUMN, row: &row }, token);
        let scopes = serde_json::to_string(&proven.scopes).map_err(|_| StoreError::Value("scopes".to_owned()))?;
        let mut tx = self.store.write().await?;
        let customer = overview.connection.customer_id;
        accounts::lock_customer(&mut tx, customer).await?;
        // Being undone, or made one through the operator's app: what was typed is for a connection that is no more.
        if !queries::get(&mut tx, id).await?.is_some_and(|there| there.may_get_token()) {
            return Err(TokenError::None.into());
        }
        let token = TokenRow {
            id,
            sealed: &sealed,
            expires_at: proven.expires_at,
            data_access_expires_at: proven.data_access_expires_at,
            scopes,
            now,
        };
        queries::renew(&mut tx, &token).await?;
        for (waba, numbers) in &opened {
            if queries::owner(&mut tx, &waba.id).await?.is_some_and(|owner| owner.connection == id) {
                phone_numbers::replace(&mut tx, &waba.id, numbers, now).await?;
            }
        }
        note_standing(&mut tx, customer).await?;
        self.note_by_hand(&mut tx, (by, customer), id, "connection.token_replaced").await?;
        tx.commit().await?;
        for (waba, _) in &opened {
            self.switch_on(graph, &access, id, &waba.id).await?;
        }
        Ok(())
    }

    /// Keeps an App ID and secret for a connection, after they were proven. The secret before counts for a day beside
    /// it, as webhooks that it signed may still come.
    ///
    /// # Errors
    /// See [`NotTaken`]: then nothing is changed.
    pub async fn set_own_app(
        &self,
        graph: &graph::Client,
        ours: Option<&AppId>,
        by: UserId,
        own: &OwnApp,
        app: &AppCredentials,
    ) -> Result<(), NotTaken> {
        if Some(&app.id) == ours {
            return Err(NotTaken::wrong(Wrong::AppId, "This is our own app, and not one of yours."));
        }
        let id = own.connection;
        let proven = prove_token(graph, Some(app), &self.token(id).await?).await?;
        let (row, now) = (id.to_string(), self.clock.now());
        let sealed = self.keys.seal(own_app::place("app_secret_sealed", &row), &app.secret);
        // Of another app, or the same secret once more: then there is none before it.
        let before = own.secret.as_ref().filter(|before| {
            own.app_id.as_ref() == Some(&app.id) && before.expose_secret() != app.secret.expose_secret()
        });
        let before = before.map(|before| self.keys.seal(own_app::place("old_secret_sealed", &row), before));
        let old = before.as_deref().map(|sealed| (sealed, now + own_app::OLD_SECRET_COUNTS));
        let mut tx = self.store.write().await?;
        let there = queries::get(&mut tx, id).await?.filter(|there| there.may_get_token());
        let Some(there) = there else { return Err(TokenError::None.into()) };
        own_queries::set_app(&mut tx, id, (&app.id, &sealed), old, now).await?;
        queries::set_token_ends(&mut tx, id, proven.expires_at, proven.data_access_expires_at).await?;
        self.note_by_hand(&mut tx, (by, there.customer_id), id, "connection.app_changed").await?;
        tx.commit().await?;
        Ok(())
    }

    async fn note_by_hand(
        &self,
        tx: &mut crate::store::WriteTx,
        (by, customer): (UserId, CustomerId),
        id: ConnectionId,
        action: &'static str,
    ) -> Result<(), StoreError> {
        let subject = id.to_string();
        let entry =
            audit::Entry { actor: Some(by), customer: Some(customer), action, subject: Some(&subject), detail: None };
        audit::record(tx, &self.clock, entry).await
    }

    /// Forgets secrets of apps that were replaced and count no more.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune_own_apps(&self) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        own_queries::drop_old_secrets(&mut tx, self.clock.now()).await?;
        tx.commit().await
    }
}

fn anothers() -> NotTaken {
    let why = "This account is connected by another company here. If it is yours, write to support.";
    NotTaken::wrong(Wrong::Waba, why)
}
