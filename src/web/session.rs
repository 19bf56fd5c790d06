//! Sessions in the database. The row is named by a hash of the session's ID, so that reading the
//! database lets nobody in.

use crate::{
    base::clock::{self, Clock},
    store::{Reads, Store, StoreError, WriteTx, query},
};
use sha2::{Digest, Sha256};
pub use tower_sessions::session::Id as SessionId;
use tower_sessions::{
    Expiry, SessionManagerLayer,
    cookie::SameSite,
    session::{Id, Record},
    session_store::{self, SessionStore},
};

/// How long a session lives without being used.
pub const IDLE: time::Duration = time::Duration::days(14);
/// How long one lives in which nobody has signed in: it holds the sign-in form's token.
pub const IDLE_ANONYMOUS: time::Duration = time::Duration::hours(2);
/// Where the signed-in person's ID stands in the session.
pub const USER_KEY: &str = "user";

/// Keeps sessions in [`Store`].
#[derive(Clone, Debug)]
pub struct DbSessions {
    store: Store,
    clock: Clock,
}

impl DbSessions {
    /// Sessions in this database.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// The layer that gives every request its session. The cookie's name differs from the sandbox's,
    /// since cookies ignore ports; on https it is bound to this host.
    #[must_use]
    pub fn layer(self, https: bool) -> SessionManagerLayer<Self> {
        SessionManagerLayer::new(self)
            .with_name(if https { "__Host-doorway_session" } else { "doorway_session" })
            .with_secure(https)
            .with_http_only(true)
            // Lax: the OAuth callback is a navigation from Facebook and must find its session.
            .with_same_site(SameSite::Lax)
            .with_expiry(Expiry::OnInactivity(IDLE))
    }

    /// Removes what has expired; tells how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune(&self) -> Result<u64, StoreError> {
        let mut tx = self.store.write().await?;
        let gone = query("DELETE FROM sessions WHERE expires_at < $1").bind(self.clock.now()).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(gone)
    }

    async fn insert(&self, record: &Record) -> Result<bool, StoreError> {
        let mut tx = self.store.write().await?;
        let made = bind_all(
            "INSERT INTO sessions (id, user_id, data, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            record,
            &mut tx,
        )
        .await?;
        tx.commit().await?;
        Ok(made == 1)
    }

    /// Writes a session back, if it is still there: one that was ended while a request was under way must not
    /// come to life again.
    async fn update(&self, record: &Record) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        bind_all("UPDATE sessions SET user_id = $2, data = $3, expires_at = $4 WHERE id = $1", record, &mut tx).await?;
        tx.commit().await
    }

    async fn find(&self, id: &Id) -> Result<Option<Record>, StoreError> {
        let mut db = self.store.read().await?;
        query("SELECT data, expires_at FROM sessions WHERE id = $1 AND expires_at > $2")
            .bind(row_id(id))
            .bind(self.clock.now())
            .optional(&mut db, |row| {
                Ok(Record { id: *id, data: row.json("data")?, expiry_date: row.time("expires_at")? })
            })
            .await
    }

    async fn remove(&self, id: &Id) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        query("DELETE FROM sessions WHERE id = $1").bind(row_id(id)).execute(&mut tx).await?;
        tx.commit().await
    }
}

async fn bind_all(sql: &'static str, record: &Record, tx: &mut WriteTx) -> Result<u64, StoreError> {
    let user = record.data.get(USER_KEY).and_then(|value| value.as_str());
    let data = serde_json::to_string(&record.data).map_err(|_| StoreError::Value("data".to_owned()))?;
    query(sql)
        .bind(row_id(&record.id))
        .bind(user.map(str::to_owned))
        .bind(data)
        .bind(clock::to_ms(record.expiry_date))
        .execute(tx)
        .await
}

/// The name of a session's row: a hash of what the cookie holds, so it may be shown to its owner.
#[must_use]
pub fn row_id(id: &Id) -> String {
    hex::encode(Sha256::digest(id.to_string()))
}

/// Whether a session is still there, and this person is signed in in it.
///
/// # Errors
/// The database's.
pub async fn is_of(db: &mut impl Reads, id: &Id, user: &str, now: time::OffsetDateTime) -> Result<bool, StoreError> {
    let found = query("SELECT 1 AS n FROM sessions WHERE id = $1 AND user_id = $2 AND expires_at > $3")
        .bind(row_id(id))
        .bind(user)
        .bind(now)
        .optional(db, |_| Ok(()))
        .await?;
    Ok(found.is_some())
}

fn backend(error: StoreError) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

#[async_trait::async_trait]
impl SessionStore for DbSessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        while !self.insert(record).await.map_err(backend)? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        self.update(record).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.find(id).await.map_err(backend)
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.remove(id).await.map_err(backend)
    }
}
