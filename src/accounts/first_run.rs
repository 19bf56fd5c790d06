//! The first run: while nobody is there, people are led to one page that makes the first admin. It asks for
//! a code that only the log shows, so that whoever finds the address first is not the admin.

use super::{
    AccountError, Accounts, Limits, Role, codes,
    limits::{Subject, TooMany},
    model::EmailAddress,
    queries,
};
use crate::{
    base::{
        clock::Clock,
        ids::UserId,
        sealed::{KeyRing, Place, SealError},
        text::constant_time_eq,
    },
    store::{Store, StoreError, query},
    web,
};
use axum::{
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use secrecy::{ExposeSecret, SecretString};
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use url::Url;

/// The one row of `setup_codes`, which all processes share.
const PLACE: Place<'static> = Place { table: "setup_codes", column: "code_sealed", row: "first" };

/// Why the first admin was not made.
#[derive(Debug, thiserror::Error)]
pub enum FirstRunError {
    /// Somebody is there already.
    #[error("Doorway is set up already")]
    Done,
    /// It is not the code.
    #[error("this is not the set-up code")]
    WrongCode,
    /// Too many tries from this address.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The person could not be made.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The code does not open with the keys at hand.
    #[error("the set-up code: {0}")]
    Seal(#[from] SealError),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<FirstRunError> for web::Error {
    fn from(error: FirstRunError) -> Self {
        Self::internal(error)
    }
}

/// The first run. Cloning shares what is beneath.
#[derive(Clone)]
pub struct FirstRun {
    store: Store,
    clock: Clock,
    keys: KeyRing,
    limits: Limits,
    accounts: Accounts,
    /// Only that people exist is remembered: another process may make the first.
    over: Arc<AtomicBool>,
}

impl FirstRun {
    /// In this database.
    #[must_use]
    pub fn new(store: Store, clock: Clock, keys: KeyRing, accounts: Accounts) -> Self {
        let limits = Limits::new(store.clone(), clock.clone());
        Self { store, clock, keys, limits, accounts, over: Arc::default() }
    }

    /// Whether nobody is there yet.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_open(&self) -> Result<bool, StoreError> {
        if self.over.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let open = !queries::has_people(&mut self.store.read().await?).await?;
        if !open {
            self.over.store(true, Ordering::Relaxed);
        }
        Ok(open)
    }

    /// The code, made where there is none yet.
    ///
    /// # Errors
    /// The database's, or where it does not open.
    pub async fn code(&self) -> Result<SecretString, FirstRunError> {
        let sealed = self.keys.seal(PLACE, &codes::generate().into());
        let mut tx = self.store.write().await?;
        query("INSERT INTO setup_codes (id, code_sealed, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
            .bind(PLACE.row)
            .bind(sealed)
            .bind(self.clock.now())
            .execute(&mut tx)
            .await?;
        let kept = query("SELECT code_sealed FROM setup_codes WHERE id = $1")
            .bind(PLACE.row)
            .one(&mut tx, |row| row.text("code_sealed"))
            .await?;
        tx.commit().await?;
        Ok(self.keys.open(PLACE, &kept)?)
    }

    /// Says in the log how to begin, while nobody is there: the one secret that the log may hold. It is worth
    /// nothing once somebody exists.
    ///
    /// # Errors
    /// See [`FirstRun::code`].
    pub async fn announce(&self, public_url: &Url) -> Result<(), FirstRunError> {
        if self.is_open().await? {
            let (code, url) = (self.code().await?, public_url.join("setup").unwrap_or_else(|_| public_url.clone()));
            tracing::warn!("Nobody can sign in yet. Open {url} and enter the set-up code {}", code.expose_secret());
        }
        Ok(())
    }

    /// Makes the first admin, and the code worthless.
    ///
    /// # Errors
    /// See [`FirstRunError`].
    pub async fn complete(
        &self,
        from: Option<IpAddr>,
        code: &str,
        email: &EmailAddress,
        name: &str,
        password: SecretString,
    ) -> Result<UserId, FirstRunError> {
        if !self.is_open().await? {
            return Err(FirstRunError::Done);
        }
        let subjects: Vec<Subject> = from.map(Subject::setup_code).into_iter().collect();
        let guess = self.limits.begin(&subjects).await??;
        let right = self.code().await?;
        if !constant_time_eq(&codes::normal(right.expose_secret()), &codes::normal(code)) {
            return Err(FirstRunError::WrongCode);
        }
        self.limits.right(guess).await?;
        let new = self.accounts.prepare(email, name, password, Role::Admin, None).await?;
        let mut tx = self.store.write().await?;
        // Of two at once one waits here, and then finds the code gone.
        let mine = query("DELETE FROM setup_codes WHERE id = $1").bind(PLACE.row).execute(&mut tx).await? == 1;
        if !mine || queries::has_people(&mut tx).await? {
            return Err(FirstRunError::Done);
        }
        let id = self.accounts.insert(&mut tx, new).await?;
        tx.commit().await?;
        Ok(id)
    }
}

/// Leads people to `/setup` while nobody is there. What machines ask is not behind it.
///
/// # Errors
/// The database's.
pub async fn gate(first_run: FirstRun, request: Request, next: Next) -> Result<Response, web::Error> {
    if request.uri().path() == "/setup" || !first_run.is_open().await? {
        return Ok(next.run(request).await);
    }
    if web::is_script(request.headers()) {
        let body = serde_json::json!({ "error": {
            "title": "Doorway is not set up yet", "message": "Open its address in a browser and follow the page.",
        } });
        return Ok((StatusCode::SERVICE_UNAVAILABLE, axum::Json(body)).into_response());
    }
    Ok(Redirect::to("/setup").into_response())
}
