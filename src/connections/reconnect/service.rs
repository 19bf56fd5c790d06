//! Making links, showing them, taking them back, using them.

use super::{
    LINK_MAIL_JOB,
    link::{GOOD_FOR, LinkLine, LinkStanding, MOST_OPEN, ReconnectLink},
    queries::{self, NewLink},
};
use crate::{
    accounts::{Invites, User, audit},
    base::{
        ids::{self, ConnectionId, CustomerId, UserId},
        sealed::{Place, SealError},
    },
    connections::Connections,
    store::{StoreError, WriteTx},
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// How many links are listed.
const LISTED: i64 = 10;

/// Links with what it takes to mail them. Cloning shares what is beneath.
#[derive(Clone)]
pub struct ReconnectLinks {
    /// Connections.
    pub connections: Connections,
    /// The mailer, the public address, how the operator is called.
    pub invites: Invites,
}

/// Why a link could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

fn place(id: &str) -> Place<'_> {
    Place { table: "reconnect_links", column: "token_sealed", row: id }
}

impl Connections {
    /// The link with this secret, whether it is good or not. Looking uses nothing up.
    ///
    /// # Errors
    /// The database's.
    pub async fn reconnect_link(&self, secret: &str) -> Result<Option<ReconnectLink>, StoreError> {
        queries::by_hash(&mut self.store.read().await?, &hash(secret)).await
    }

    /// Whether the link of this ID is good, and for this connection.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_link_open(&self, id: &str, connection: ConnectionId) -> Result<bool, StoreError> {
        let link = queries::by_id(&mut self.store.read().await?, id).await?;
        let now = self.clock.now();
        Ok(link.is_some_and(|link| link.connection == connection && link.standing(now) == LinkStanding::Open))
    }

    /// Uses a link up, in the transaction that replaces the token. False where it was used or taken back meanwhile.
    ///
    /// # Errors
    /// The database's.
    pub async fn use_link(&self, tx: &mut WriteTx, id: &str, by: UserId) -> Result<bool, StoreError> {
        let Some(link) = queries::by_id(tx, id).await? else { return Ok(false) };
        if !queries::claim(tx, id, by, self.clock.now()).await? {
            return Ok(false);
        }
        let subject = link.connection.to_string();
        let entry = audit::Entry {
            actor: Some(by),
            customer: Some(link.customer),
            action: "connection.link_used",
            subject: Some(&subject),
            detail: None,
        };
        audit::record(tx, &self.clock, entry).await?;
        Ok(true)
    }
}

impl ReconnectLinks {
    /// Makes a link, to be mailed where an address is given; its ID. The oldest of too many good ones is taken back.
    ///
    /// # Errors
    /// The database's.
    pub async fn create(
        &self,
        actor: &User,
        (connection, customer): (ConnectionId, CustomerId),
        email: Option<&str>,
    ) -> Result<String, StoreError> {
        let (id, at) = (ids::new_uuid().to_string(), self.connections.clock.now());
        let secret = SecretString::from(ids::random_token());
        let sealed = self.connections.keys.seal(place(&id), &secret);
        let mut tx = self.connections.store.write().await?;
        let open = queries::list(&mut tx, connection, 100).await?;
        let open = open.iter().filter(|link| link.standing(at) == LinkStanding::Open);
        for old in open.skip(MOST_OPEN - 1) {
            queries::revoke(&mut tx, &old.id, at).await?;
        }
        let new = NewLink {
            id: &id,
            connection,
            customer,
            hash: &hash(secret.expose_secret()),
            sealed: &sealed,
            by: actor.id,
            at,
            expires_at: at + GOOD_FOR,
            email,
        };
        queries::insert(&mut tx, new).await?;
        self.note(&mut tx, actor, &(connection, customer), "connection.link_made").await?;
        if email.is_some() {
            self.connections.queue.enqueue(&mut tx, LINK_MAIL_JOB, &id, at).await?;
        }
        tx.commit().await?;
        self.connections.queue.wake();
        Ok(id)
    }

    async fn note(
        &self,
        tx: &mut WriteTx,
        actor: &User,
        (connection, customer): &(ConnectionId, CustomerId),
        action: &'static str,
    ) -> Result<(), StoreError> {
        let subject = connection.to_string();
        let entry = audit::Entry {
            actor: Some(actor.id),
            customer: Some(*customer),
            action,
            subject: Some(&subject),
            detail: None,
        };
        audit::record(tx, &self.connections.clock, entry).await
    }

    /// A connection's link.
    ///
    /// # Errors
    /// The database's.
    pub async fn get(&self, connection: ConnectionId, id: &str) -> Result<Option<ReconnectLink>, StoreError> {
        let link = queries::by_id(&mut self.connections.store.read().await?, id).await?;
        Ok(link.filter(|link| link.connection == connection))
    }

    /// The address to hand on, while it is good.
    ///
    /// # Errors
    /// The database's, or that it does not open.
    pub async fn address(&self, link: &ReconnectLink) -> Result<Option<SecretString>, LinkError> {
        if link.standing(self.connections.clock.now()) != LinkStanding::Open {
            return Ok(None);
        }
        let sealed = queries::sealed(&mut self.connections.store.read().await?, &link.id).await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let secret = self.connections.keys.open(place(&link.id), &sealed)?;
        let mut url = self.invites.public_url.clone();
        url.set_path(&format!("reconnect/{}", secret.expose_secret()));
        Ok(Some(url.to_string().into()))
    }

    /// Takes a link back; false where it was used or taken back already.
    ///
    /// # Errors
    /// The database's.
    pub async fn revoke(&self, actor: &User, link: &ReconnectLink) -> Result<bool, StoreError> {
        let mut tx = self.connections.store.write().await?;
        let revoked = queries::revoke(&mut tx, &link.id, self.connections.clock.now()).await?;
        if revoked {
            self.note(&mut tx, actor, &(link.connection, link.customer), "connection.link_revoked").await?;
        }
        tx.commit().await?;
        Ok(revoked)
    }

    /// The last links of a connection.
    ///
    /// # Errors
    /// The database's.
    pub async fn lines(&self, connection: ConnectionId) -> Result<Vec<LinkLine>, StoreError> {
        let now = self.connections.clock.now();
        let links = queries::list(&mut self.connections.store.read().await?, connection, LISTED).await?;
        Ok(links.iter().map(|link| LinkLine::new(link, now)).collect())
    }
}
