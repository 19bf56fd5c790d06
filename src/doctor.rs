//! What is wrong with the set-up, and how to mend it: the check of the backoffice, with what only the command line
//! can tell (configuration, database, keys) in front.

use crate::{
    app::{self, App},
    backoffice,
    base::clock::Clock,
    config::Config,
    store::Store,
};

pub use crate::backoffice::{Finding, Grade};

/// The findings where the configuration can't even be read.
#[must_use]
pub fn of_faults(faults: Vec<String>) -> Vec<Finding> {
    faults.into_iter().map(|fault| Finding::new("configuration", Grade::Red, fault)).collect()
}

/// Looks at everything: the database, the keys, Meta's side.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut all = vec![Finding::green("configuration", "the configuration can be read")];
    all.extend(
        config.warnings.iter().map(|warning| Finding::amber("configuration", warning.clone(), "check the spelling")),
    );
    if config.allow_private_endpoints {
        let what = "customers’ endpoints may lie inside your network: they can make Doorway call what is there";
        let cure = "drop DOORWAY_ALLOW_PRIVATE_ENDPOINTS, unless all customers are yours to trust";
        all.push(Finding::amber("endpoints", what, cure));
    }
    let meta = match database(config, &mut all).await {
        Some(findings) => findings,
        None => {
            let around = app::surroundings(config, Clock::system());
            backoffice::examine_without_records(&app::setup_without_database(config), &around).await
        }
    };
    all.extend(meta);
    all
}

/// The lines about database and keys; what the check says with what is stored, where that can be read.
async fn database(config: &Config, all: &mut Vec<Finding>) -> Option<Vec<Finding>> {
    let store = match Store::connect(&config.database_url).await {
        Ok(store) => store,
        Err(error) => {
            let what = format!("the database can't be reached: {error}");
            all.push(Finding::red("database", what, "check DOORWAY_DATABASE_URL, and that the server is running"));
            return None;
        }
    };
    let (line, is_ready) = match store.is_ready().await {
        Ok(true) => (Finding::green("database", "the database answers and is up to date"), true),
        Ok(false) => {
            let cure = "doorway migrate (serve does it by itself)";
            (Finding::amber("database", "the database is not migrated yet", cure), false)
        }
        Err(error) => {
            let what = format!("the database does not answer: {error}");
            (Finding::red("database", what, "check DOORWAY_DATABASE_URL"), false)
        }
    };
    all.push(line);
    let findings = if is_ready { stored(config, &store, all).await } else { None };
    store.close().await;
    findings
}

async fn stored(config: &Config, store: &Store, all: &mut Vec<Finding>) -> Option<Vec<Finding>> {
    let Ok(app) = App::build(config, store.clone(), Clock::system()) else {
        all.push(Finding::red("keys", "the portal can't be put together", "see the log of serve"));
        return None;
    };
    let line = match app.check_keys().await {
        Ok((current, 0)) => Finding::green("keys", format!("all {current} stored secrets open with the current key")),
        Ok((current, old)) => Finding::amber(
            "keys",
            format!("{old} of {} stored secrets are sealed with an old key", current + old),
            "doorway rotate-keys; then drop DOORWAY_SECRET_KEYS_OLD",
        ),
        Err(error) => Finding::red(
            "keys",
            format!("a stored secret does not open: {error}"),
            "put the key it was sealed with into DOORWAY_SECRET_KEYS_OLD",
        ),
    };
    all.push(line);
    if let Err(error) = app.load_settings().await {
        let what = format!("Meta's settings can't be read: {error}");
        all.push(Finding::red("settings", what, "the lines above say why; only what the environment sets is checked"));
        return None;
    }
    match app.checks.examine().await {
        Ok(findings) => Some(findings),
        Err(error) => {
            all.push(Finding::red("database", format!("the database does not answer: {error}"), "try again"));
            None
        }
    }
}
