//! Running the check, keeping what it found, and the one button that registers our webhooks.

use super::{
    check::{self, Records, Surroundings},
    check_webhooks::{NEEDED_FIELDS, RECOMMENDED_FIELDS, ours},
    findings::Finding,
    settings::{MetaSettings, SettingsError, entry},
    settings_queries::{self as queries, Checked},
};
use crate::{
    accounts::audit,
    base::ids::UserId,
    connections::Connections,
    graph::{AppCredentials, GraphError, Setup},
    jobs::{JobError, Outcome},
    signup::Signup,
    store::{Store, StoreError},
};
use secrecy::ExposeSecret;
use std::collections::BTreeSet;
use time::Duration;

/// The kind of the job that checks the configuration; it has one subject.
pub const CHECK_JOB: &str = "backoffice.check";
/// How often.
pub(super) const CHECK_EVERY: Duration = Duration::hours(6);
/// How often Meta is asked where the settings change meanwhile.
const TRIES: u32 = 3;
/// The window of Meta's onboarding limit.
pub(super) const WEEK: Duration = Duration::days(7);

/// The check with all that it draws on. Cloning shares what is beneath.
#[derive(Clone)]
pub struct Checks {
    pub(super) settings: MetaSettings,
    pub(super) around: Surroundings,
    pub(super) store: Store,
    pub(super) signup: Signup,
    pub(super) connections: Connections,
}

/// Why the webhooks could not be registered.
#[derive(Debug)]
pub(super) enum RegisterError {
    /// App ID, secret or verify token are not set.
    Incomplete,
    /// Meta refused.
    Refused(GraphError),
    /// Meta said yes, but does not list what was asked for.
    NotKept(Vec<String>),
    /// The database's.
    Store(StoreError),
}

impl Checks {
    /// In these surroundings.
    #[must_use]
    pub fn new(
        settings: MetaSettings,
        around: Surroundings,
        store: Store,
        signup: Signup,
        connections: Connections,
    ) -> Self {
        Self { settings, around, store, signup, connections }
    }

    /// Checks the setup that counts now.
    ///
    /// # Errors
    /// The database's; what is wrong at Meta is no error, but a finding.
    pub async fn examine(&self) -> Result<Vec<Finding>, StoreError> {
        let meta = self.settings.live().now();
        let records = self.records(&meta).await?;
        Ok(check::examine(&meta, &self.around, &records).await)
    }

    pub(super) async fn records(&self, meta: &Setup) -> Result<Records, StoreError> {
        let config_worked = match &meta.es_config_id {
            Some(id) => Some(self.signup.config_worked(id).await?),
            None => None,
        };
        let onboarded = self.connections.onboarded_since(self.around.clock.now() - WEEK).await?;
        let ticks = queries::ticks(&mut self.store.read().await?).await?;
        let ticked = ticks.into_iter().map(|tick| tick.item).collect();
        Ok(Records { onboarded: Some(onboarded), config_worked, ticked })
    }

    /// Checks, and keeps what was found. `actor`: who asked for it, for the audit log.
    ///
    /// What was saved while Meta was asked makes it tell of settings that no longer count, and so the answer is not
    /// kept: it is asked again.
    pub(super) async fn run(&self, actor: Option<UserId>) -> Result<Vec<Finding>, StoreError> {
        let mut tries = 0;
        loop {
            let version = self.settings.applied().await;
            let findings = self.examine().await?;
            let checked = Checked { at: self.around.clock.now(), findings };
            tries += 1;
            let mut tx = self.store.write().await?;
            let is_stale = queries::settings_version(&mut tx).await? != version;
            if is_stale && tries < TRIES {
                drop(tx);
                if let Err(error) = self.settings.load().await {
                    tracing::warn!(%error, "what is checked is not what was saved last");
                }
                continue;
            }
            if !is_stale {
                queries::keep_check(&mut tx, &checked).await?;
            }
            if actor.is_some() {
                audit::record(&mut tx, &self.around.clock, entry(actor, "meta.check_run", None)).await?;
            }
            tx.commit().await?;
            return Ok(checked.findings);
        }
    }

    /// The job: forgets an old secret whose time is over, and checks.
    ///
    /// # Errors
    /// The database's.
    pub async fn job(&self) -> Result<Outcome, JobError> {
        self.settings.tidy().await?;
        self.run(None).await?;
        Ok(Outcome::Again(self.around.clock.now() + CHECK_EVERY))
    }

    /// Points the app's webhooks here, with all fields that Doorway reads; those that are there already stay.
    /// Tells the fields that Meta did not take.
    /// <https://developers.facebook.com/docs/graph-api/reference/app/subscriptions/>
    pub(super) async fn register_webhooks(&self, actor: UserId) -> Result<Vec<String>, RegisterError> {
        let meta = self.settings.live().now();
        let (Some(app), Some(verify_token)) = (&meta.app, &meta.verify_token) else {
            return Err(RegisterError::Incomplete);
        };
        let left_out = register(&meta, app, verify_token.expose_secret()).await?;
        let result = async {
            let mut tx = self.store.write().await?;
            let line = entry(Some(actor), "meta.webhooks_registered", None);
            audit::record(&mut tx, &self.around.clock, line).await?;
            tx.commit().await
        };
        result.await.map_err(RegisterError::Store)?;
        Ok(left_out)
    }

    /// The check that was kept last, and when the settings were changed last.
    pub(super) async fn last(&self) -> Result<Option<Checked>, SettingsError> {
        Ok(queries::last_check(&mut self.store.read().await?).await?)
    }
}

/// Meta says that a subscription is amended; others have seen it replaced. So all fields are sent that shall be
/// there afterwards, and what is there afterwards is read.
async fn register(meta: &Setup, app: &AppCredentials, verify_token: &str) -> Result<Vec<String>, RegisterError> {
    let refused = RegisterError::Refused;
    let before = check::ask(meta.graph.app_subscriptions(app)).await.map_err(refused)?;
    let there: BTreeSet<String> =
        ours(&before).iter().flat_map(|one| &one.fields).map(|field| field.name.clone()).collect();
    let with = |more: &[&str]| -> Vec<String> {
        let more = more.iter().map(|field| (*field).to_owned());
        there.iter().cloned().chain(more).collect::<BTreeSet<_>>().into_iter().collect()
    };
    let needed = with(&NEEDED_FIELDS);
    let all = with(&[&NEEDED_FIELDS[..], &RECOMMENDED_FIELDS[..]].concat());
    let post =
        async |fields: &[String]| meta.graph.subscribe_webhooks(app, &meta.webhook_url, verify_token, fields).await;
    let mut asked = all;
    let mut left_out = Vec::new();
    if let Err(error) = post(&asked).await {
        // 100: a parameter is not right; then it is one of the optional fields, which Meta names.
        if error.api().is_none_or(|api| api.code != 100) {
            return Err(RegisterError::Refused(error));
        }
        post(&needed).await.map_err(refused)?;
        asked = needed;
        for field in RECOMMENDED_FIELDS.map(str::to_owned) {
            if asked.contains(&field) {
                continue;
            }
            let mut next = asked.clone();
            next.push(field.clone());
            match post(&next).await {
                Ok(()) => asked = next,
                Err(error) if error.api().is_some_and(|api| api.code == 100) => left_out.push(field),
                Err(error) => return Err(RegisterError::Refused(error)),
            }
        }
    }
    let after = check::ask(meta.graph.app_subscriptions(app)).await.map_err(refused)?;
    let kept = ours(&after).filter(|one| one.callback_url == meta.webhook_url.as_str());
    let lost: Vec<String> = asked.into_iter().filter(|field| kept.is_none_or(|one| !one.has(field))).collect();
    if lost.is_empty() { Ok(left_out) } else { Err(RegisterError::NotKept(lost)) }
}
