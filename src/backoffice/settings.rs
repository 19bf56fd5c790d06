//! What an admin sets of Meta's side: kept in `meta_settings`, put together with what the environment fixes,
//! and counting at once in every process. See `docs/decisions/0006-settings-that-change-while-running.md`.

use super::{
    findings::{self, Grade},
    settings_form::{Change, Typed},
    settings_queries::{self as queries, SettingsRow},
};
use crate::{
    accounts::audit,
    base::{
        clock::Clock,
        ids::{self, AppId, BusinessId, UserId},
        sealed::{KeyRing, Place, SealError},
    },
    graph::{AppCredentials, LiveSetup, Setup},
    store::{Store, StoreError},
};
use secrecy::{ExposeSecret, SecretString};
use std::{sync::Arc, time::Duration};
use time::OffsetDateTime;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// How often other processes look for a change.
const POLL: Duration = Duration::from_secs(5);

/// What the environment or the configuration file names: it wins over what an admin sets.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    /// `DOORWAY_META_APP_ID`.
    pub app_id: Option<AppId>,
    /// `DOORWAY_META_APP_SECRET`.
    pub app_secret: Option<SecretString>,
    /// `DOORWAY_META_ES_CONFIG_ID`.
    pub es_config_id: Option<String>,
    /// `DOORWAY_META_VERIFY_TOKEN`.
    pub verify_token: Option<SecretString>,
    /// `DOORWAY_GRAPH_VERSION`.
    pub graph_version: Option<String>,
    /// `DOORWAY_META_SYSTEM_TOKEN`.
    pub system_token: Option<SecretString>,
    /// `DOORWAY_META_BUSINESS_ID`.
    pub business_id: Option<BusinessId>,
}

/// Why settings could not be read or saved.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Somebody else saved meanwhile.
    #[error("the settings were changed meanwhile")]
    Changed,
    /// A secret does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SettingsError> for crate::web::Error {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Changed => Self::Conflict("Somebody else changed the settings meanwhile.".to_owned()),
            other => Self::internal(other),
        }
    }
}

/// What is stored, its secrets open.
#[derive(Clone, Debug, Default)]
pub(super) struct Stored {
    pub app_id: Option<AppId>,
    pub app_secret: Option<SecretString>,
    pub old_secret: Option<(SecretString, OffsetDateTime)>,
    pub es_config_id: Option<String>,
    pub verify_token: Option<SecretString>,
    pub graph_version: Option<String>,
    pub system_token: Option<SecretString>,
    pub business_id: Option<BusinessId>,
    pub version: i64,
    pub updated_at: Option<OffsetDateTime>,
}

/// The settings. Cloning shares what is beneath.
#[derive(Clone)]
pub struct MetaSettings {
    store: Store,
    clock: Clock,
    keys: KeyRing,
    live: LiveSetup,
    fixed: Arc<Fixed>,
    /// What is the same whatever an admin sets: addresses, and the client in its default version.
    base: Arc<Setup>,
    /// The version that counts in this process; held while a newer one is put in its place.
    applied: Arc<Mutex<i64>>,
}

fn place(column: &'static str) -> Place<'static> {
    Place { table: "meta_settings", column, row: "meta" }
}

impl MetaSettings {
    /// In this database. `live` begins with what `fixed` gives on top of `base`; see [`MetaSettings::load`].
    #[must_use]
    pub fn new(store: Store, clock: Clock, keys: KeyRing, base: Setup, fixed: Fixed) -> Self {
        let live = LiveSetup::new(together(&base, &fixed, Stored::default()));
        let (base, fixed) = (Arc::new(base), Arc::new(fixed));
        Self { store, clock, keys, live, fixed, base, applied: Arc::new(Mutex::new(0)) }
    }

    /// The setup that counts now, shared with whoever works with it.
    #[must_use]
    pub fn live(&self) -> LiveSetup {
        self.live.clone()
    }

    /// What the environment names.
    pub(super) fn fixed(&self) -> &Fixed {
        &self.fixed
    }

    /// Lets count what is stored, if it is newer than what counts.
    ///
    /// # Errors
    /// The database's, or a secret that does not open.
    pub async fn load(&self) -> Result<(), SettingsError> {
        let mut applied = self.applied.lock().await;
        let stored = self.stored().await?;
        if stored.version > *applied {
            *applied = stored.version;
            self.live.replace(together(&self.base, &self.fixed, stored));
        }
        Ok(())
    }

    /// Makes what is missing (a verify token is proposed), then loads. To be called before serving.
    ///
    /// # Errors
    /// See [`MetaSettings::load`].
    pub async fn begin(&self) -> Result<(), SettingsError> {
        let there = queries::settings_version(&mut self.store.read().await?).await? > 0;
        if !there {
            // Meta has refused words with odd characters: this one has letters, digits, - and _ only.
            let proposed = self.fixed.verify_token.is_none().then(|| SecretString::from(ids::random_token()));
            let sealed = proposed.map(|token| self.keys.seal(place("verify_token_sealed"), &token));
            let mut tx = self.store.write().await?;
            queries::make_settings(&mut tx, sealed, self.clock.now()).await?;
            tx.commit().await?;
        }
        self.load().await
    }

    /// Looks for changes of other processes until `stop`.
    pub async fn follow(self, stop: CancellationToken) {
        let mut trouble = false;
        while tokio::time::timeout(POLL, stop.cancelled()).await.is_err() {
            match self.follow_once().await {
                Ok(()) => trouble = false,
                // Once per trouble: it would fill the log.
                Err(error) if !trouble => {
                    tracing::warn!(%error, "Meta's settings can't be read; those read last count on");
                    trouble = true;
                }
                Err(_) => {}
            }
        }
    }

    /// The version of what is stored that counts in this process.
    pub(super) async fn applied(&self) -> i64 {
        *self.applied.lock().await
    }

    async fn follow_once(&self) -> Result<(), SettingsError> {
        let version = queries::settings_version(&mut self.store.read().await?).await?;
        if version > self.applied().await { self.load().await } else { Ok(()) }
    }

    /// What is stored now.
    pub(super) async fn stored(&self) -> Result<Stored, SettingsError> {
        let row = queries::settings(&mut self.store.read().await?).await?.unwrap_or_default();
        self.open(row)
    }

    fn open(&self, row: SettingsRow) -> Result<Stored, SettingsError> {
        let open = |column, sealed: Option<String>| {
            sealed.map(|sealed| self.keys.open(place(column), &sealed)).transpose().map_err(SettingsError::from)
        };
        let id = |column: &str| SettingsError::Store(StoreError::Value(column.to_owned()));
        let old = open("old_secret_sealed", row.old_secret_sealed)?;
        Ok(Stored {
            app_id: row.app_id.map(|text| text.parse()).transpose().map_err(|_| id("app_id"))?,
            app_secret: open("app_secret_sealed", row.app_secret_sealed)?,
            old_secret: old.zip(row.old_secret_until),
            es_config_id: row.es_config_id,
            verify_token: open("verify_token_sealed", row.verify_token_sealed)?,
            graph_version: row.graph_version,
            system_token: open("system_token_sealed", row.system_token_sealed)?,
            business_id: row.business_id.map(|text| text.parse()).transpose().map_err(|_| id("business_id"))?,
            version: row.version,
            updated_at: row.updated_at,
        })
    }

    /// Saves what was typed over the version that the form was made of, and lets it count. What the environment
    /// fixes is left alone. Tells the fields that changed.
    ///
    /// # Errors
    /// [`SettingsError::Changed`] where somebody else saved since the form was made.
    pub(super) async fn save(&self, actor: Option<UserId>, typed: &Typed) -> Result<Vec<&'static str>, SettingsError> {
        self.begin().await?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let mut row = queries::settings(&mut tx).await?.unwrap_or_default();
        if row.version != typed.version {
            return Err(SettingsError::Changed);
        }
        let before = self.open(row.clone())?;
        // A secret that is known to be wrong is not worth keeping.
        let known_wrong = queries::last_check(&mut tx).await?.is_some_and(|last| {
            findings::find(&last.findings, "app.credentials").is_some_and(|line| line.grade == Grade::Red)
        });
        let fixed = &self.fixed;
        let mut changed = Vec::new();
        let mut plain = |name, locked: bool, typed: &Option<String>, kept: &mut Option<String>| {
            if !locked && typed != kept {
                *kept = typed.clone();
                changed.push(name);
            }
        };
        let same_app = fixed.app_id.is_some() || row.app_id == typed.app_id;
        plain("app_id", fixed.app_id.is_some(), &typed.app_id, &mut row.app_id);
        plain("es_config_id", fixed.es_config_id.is_some(), &typed.es_config_id, &mut row.es_config_id);
        plain("graph_version", fixed.graph_version.is_some(), &typed.graph_version, &mut row.graph_version);
        plain("business_id", fixed.business_id.is_some(), &typed.business_id, &mut row.business_id);
        let mut secret = |name, column, locked: bool, change: &Change, now: Option<&SecretString>, kept: &mut _| {
            let differs = |new: &SecretString| now.is_none_or(|now| now.expose_secret() != new.expose_secret());
            match change {
                _ if locked => return false,
                Change::Keep => return false,
                Change::Remove if now.is_none() => return false,
                Change::Remove => *kept = None,
                Change::To(new) if !differs(new) => return false,
                Change::To(new) => *kept = Some(self.keys.seal(place(column), new)),
            }
            changed.push(name);
            true
        };
        let rotated = secret(
            "app_secret",
            "app_secret_sealed",
            fixed.app_secret.is_some(),
            &typed.app_secret,
            before.app_secret.as_ref(),
            &mut row.app_secret_sealed,
        );
        secret(
            "verify_token",
            "verify_token_sealed",
            fixed.verify_token.is_some(),
            &typed.verify_token,
            before.verify_token.as_ref(),
            &mut row.verify_token_sealed,
        );
        secret(
            "system_token",
            "system_token_sealed",
            fixed.system_token.is_some(),
            &typed.system_token,
            before.system_token.as_ref(),
            &mut row.system_token_sealed,
        );
        if rotated {
            let until = now + typed.keep_old;
            let old = before.app_secret.as_ref().filter(|_| same_app && !known_wrong && until > now);
            row.old_secret_sealed = old.map(|old| self.keys.seal(place("old_secret_sealed"), old));
            row.old_secret_until = old.map(|_| until);
        }
        if changed.is_empty() {
            return Ok(changed);
        }
        if !queries::save_settings(&mut tx, &row, now).await? {
            return Err(SettingsError::Changed);
        }
        audit::record(&mut tx, &self.clock, entry(actor, "meta.settings_changed", Some(changed.join(" ")))).await?;
        tx.commit().await?;
        self.load().await?;
        Ok(changed)
    }

    /// No longer takes webhooks that are signed with the old app secret.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub(super) async fn stop_old_secret(&self, actor: UserId) -> Result<bool, SettingsError> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let stopped = queries::drop_old_secret(&mut tx, now).await?;
        if stopped {
            audit::record(&mut tx, &self.clock, entry(Some(actor), "meta.old_secret_stopped", None)).await?;
        }
        tx.commit().await?;
        self.load().await?;
        Ok(stopped)
    }

    /// Forgets an old secret whose time is over.
    pub(super) async fn tidy(&self) -> Result<(), SettingsError> {
        let mut tx = self.store.write().await?;
        queries::forget_old_secret(&mut tx, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Sets what is not set yet, without a person: for the demo.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub async fn seed(&self, seed: Fixed) -> Result<(), SettingsError> {
        self.begin().await?;
        let stored = self.stored().await?;
        if stored.app_id.is_some() {
            return Ok(());
        }
        let to = |secret: Option<SecretString>| secret.map_or(Change::Keep, Change::To);
        let typed = Typed {
            app_id: seed.app_id.map(|id| id.to_string()),
            app_secret: to(seed.app_secret),
            es_config_id: seed.es_config_id,
            verify_token: to(seed.verify_token),
            graph_version: seed.graph_version,
            system_token: to(seed.system_token),
            business_id: seed.business_id.map(|id| id.to_string()),
            keep_old: time::Duration::ZERO,
            version: stored.version,
        };
        self.save(None, &typed).await.map(drop)
    }
}

pub(super) fn entry(actor: Option<UserId>, action: &'static str, detail: Option<String>) -> audit::Entry<'static> {
    audit::Entry { actor, customer: None, action, subject: None, detail }
}

/// What counts where nothing is stored.
#[must_use]
pub fn fixed_setup(base: Setup, fixed: &Fixed) -> Setup {
    together(&base, fixed, Stored::default())
}

/// What counts: the environment's word first, then what is stored.
fn together(base: &Setup, fixed: &Fixed, stored: Stored) -> Setup {
    let version = fixed.graph_version.clone().or(stored.graph_version);
    let id = fixed.app_id.clone().or(stored.app_id);
    let secret = fixed.app_secret.clone().or(stored.app_secret);
    Setup {
        graph: version.map_or_else(|| base.graph.clone(), |version| base.graph.with_version(&version)),
        app: id.zip(secret).map(|(id, secret)| AppCredentials { id, secret }),
        old_app_secret: stored.old_secret,
        es_config_id: fixed.es_config_id.clone().or(stored.es_config_id),
        verify_token: fixed.verify_token.clone().or(stored.verify_token),
        system_token: fixed.system_token.clone().or(stored.system_token),
        business_id: fixed.business_id.clone().or(stored.business_id),
        ..base.clone()
    }
}
