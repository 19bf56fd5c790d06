//! What is wrong with the set-up, and how to mend it: a list of lines, each with its cure.

use crate::{
    app::{app_credentials, graph_client},
    base::http::{Outbound, Reach},
    config::Config,
    graph::{AppCredentials, Client, ErrorClass, GraphError},
    store::Store,
};
use std::{fmt, time::Duration};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Well.
    Green,
    /// Works, but.
    Amber,
    /// Does not work.
    Red,
    /// Can't be told here.
    Grey,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub grade: Grade,
    /// What was found.
    pub what: String,
    /// What to do, where something is to be done.
    pub cure: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.grade {
            Grade::Green => "ok     ",
            Grade::Amber => "warning",
            Grade::Red => "WRONG  ",
            Grade::Grey => "note   ",
        };
        write!(f, "{word}  {}", self.what)?;
        match &self.cure {
            Some(cure) => write!(f, "\n         -> {cure}"),
            None => Ok(()),
        }
    }
}

fn line(grade: Grade, what: impl Into<String>, cure: Option<&str>) -> Finding {
    Finding { grade, what: what.into(), cure: cure.map(str::to_owned) }
}

/// The findings where the configuration can't even be read.
#[must_use]
pub fn of_faults(faults: Vec<String>) -> Vec<Finding> {
    faults.into_iter().map(|fault| Finding { grade: Grade::Red, what: fault, cure: None }).collect()
}

/// Looks at everything: the database, the keys, Meta's side.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut all = vec![line(Grade::Green, "the configuration can be read", None)];
    all.extend(config.warnings.iter().map(|warning| line(Grade::Amber, warning.clone(), Some("check the spelling"))));
    all.push(if config.is_https() {
        line(Grade::Green, format!("the public URL is {}", config.public_url), None)
    } else {
        line(
            Grade::Grey,
            format!("{} is a local trial: Facebook's button works on https only", config.public_url),
            None,
        )
    });
    all.extend(database(config).await);
    all.extend(meta(config).await);
    all
}

async fn database(config: &Config) -> Vec<Finding> {
    let store = match Store::connect(&config.database_url).await {
        Ok(store) => store,
        Err(error) => {
            let what = format!("the database can't be reached: {error}");
            return vec![line(Grade::Red, what, Some("check DOORWAY_DATABASE_URL, and that the server is running"))];
        }
    };
    let mut all = vec![match store.is_ready().await {
        Ok(true) => line(Grade::Green, "the database answers and is up to date", None),
        Ok(false) => {
            line(Grade::Amber, "the database is not migrated yet", Some("doorway migrate (serve does it by itself)"))
        }
        Err(error) => {
            line(Grade::Red, format!("the database does not answer: {error}"), Some("check DOORWAY_DATABASE_URL"))
        }
    }];
    if all[0].grade == Grade::Green {
        all.push(keys(config, &store).await);
    }
    store.close().await;
    all
}

async fn keys(config: &Config, store: &Store) -> Finding {
    let clock = crate::base::clock::Clock::system();
    let Ok(app) = crate::app::App::build(config, store.clone(), clock) else {
        return line(Grade::Red, "the portal can't be put together", Some("see the log of serve"));
    };
    match app.check_keys().await {
        Ok((current, old)) => {
            if old == 0 {
                line(Grade::Green, format!("all {current} stored secrets open with the current key"), None)
            } else {
                let what = format!("{old} of {} stored secrets are sealed with an old key", current + old);
                line(Grade::Amber, what, Some("doorway rotate-keys; then drop DOORWAY_SECRET_KEYS_OLD"))
            }
        }
        Err(error) => line(
            Grade::Red,
            format!("a stored secret does not open: {error}"),
            Some("put the key it was sealed with into DOORWAY_SECRET_KEYS_OLD"),
        ),
    }
}

async fn meta(config: &Config) -> Vec<Finding> {
    let Some(app) = app_credentials(config) else {
        return vec![line(
            Grade::Red,
            "DOORWAY_META_APP_ID and DOORWAY_META_APP_SECRET are not set: nobody can connect",
            Some("Meta App Dashboard, App settings, Basic: App ID and App secret"),
        )];
    };
    let graph = graph_client(config);
    let mut all = vec![sdk(config).await];
    match graph.app(&app).await {
        Ok(info) => all.push(line(Grade::Green, format!("App ID and App Secret belong together: {}", info.name), None)),
        Err(error) => {
            all.push(app_refused(&error));
            return all;
        }
    }
    all.push(match &config.meta.es_config_id {
        Some(id) => line(Grade::Green, format!("Embedded Signup configuration {id} is set"), None),
        None => line(
            Grade::Amber,
            "DOORWAY_META_ES_CONFIG_ID is not set: customers go through plain OAuth and must type their WABA ID",
            Some("App Dashboard, Facebook Login for Business, Configurations: create one from the WhatsApp Embedded Signup template"),
        ),
    });
    all.extend(webhooks(config, &graph, &app).await);
    all.push(match &config.meta.system_token {
        Some(_) => line(Grade::Green, "a system token is set: signups that a browser lost can be recovered", None),
        None => line(
            Grade::Amber,
            "DOORWAY_META_SYSTEM_TOKEN is not set: a signup whose code the browser loses must be repeated",
            Some("Business settings, System users: a token of an admin system user with whatsapp_business_management"),
        ),
    });
    all
}

async fn sdk(config: &Config) -> Finding {
    let url = &config.meta.sdk_url;
    let outbound = Outbound::new(Reach::Operator, Duration::from_secs(10));
    let answer = match outbound.request(http::Method::GET, url.clone()) {
        Ok(request) => request.send().await.map(|response| response.status()),
        Err(refused) => return line(Grade::Red, refused.to_string(), None),
    };
    match answer {
        Ok(status) if status.is_success() => line(Grade::Green, format!("the SDK's script is there: {url}"), None),
        Ok(status) => {
            line(Grade::Red, format!("the SDK's script answers {status}: {url}"), Some("check DOORWAY_META_SDK_URL"))
        }
        Err(_) => line(
            Grade::Red,
            format!("the SDK's script can't be reached: {url}"),
            Some("check DOORWAY_META_SDK_URL and this machine's way to the internet"),
        ),
    }
}

fn app_refused(error: &GraphError) -> Finding {
    match error.class() {
        ErrorClass::Transient | ErrorClass::RateLimited => line(
            Grade::Red,
            format!("Meta does not answer: {error}"),
            Some("check DOORWAY_META_GRAPH_URL and this machine's way to the internet; try again"),
        ),
        ErrorClass::Authorization | ErrorClass::Rejected => line(
            Grade::Red,
            format!("Meta refuses App ID and App Secret: {error}"),
            Some("App Dashboard, App settings, Basic: copy both once more; they must be of the same app"),
        ),
    }
}

/// The fields without which the portal does not work.
const NEEDED_FIELDS: [&str; 2] = ["messages", "account_update"];

async fn webhooks(config: &Config, graph: &Client, app: &AppCredentials) -> Vec<Finding> {
    if config.meta.verify_token.is_none() {
        return vec![line(
            Grade::Amber,
            "DOORWAY_META_VERIFY_TOKEN is not set: Meta can't verify the callback address",
            Some("choose a word, set it here, and enter it in App Dashboard, WhatsApp, Configuration"),
        )];
    }
    let wanted = config.webhook_url();
    let cure = format!(
        "App Dashboard, WhatsApp, Configuration: callback URL {wanted}, your verify token, and the fields messages and account_update"
    );
    let subscriptions = match graph.app_subscriptions(app).await {
        Ok(subscriptions) => subscriptions,
        Err(error) => return vec![line(Grade::Red, format!("the webhook subscription can't be read: {error}"), None)],
    };
    let Some(ours) = subscriptions.iter().find(|one| one.object == "whatsapp_business_account") else {
        return vec![line(Grade::Red, "the app has no webhook subscription for WhatsApp", Some(&cure))];
    };
    let mut all = vec![if ours.callback_url == wanted.as_str() && ours.active {
        line(Grade::Green, format!("webhooks come to {wanted}"), None)
    } else {
        line(Grade::Red, format!("webhooks go to {}, not to {wanted}", ours.callback_url), Some(&cure))
    }];
    let missing: Vec<&str> =
        NEEDED_FIELDS.into_iter().filter(|field| !ours.fields.iter().any(|one| one.name == *field)).collect();
    all.push(if missing.is_empty() {
        line(Grade::Green, "the needed webhook fields are subscribed", None)
    } else {
        line(Grade::Red, format!("webhook fields not subscribed: {}", missing.join(", ")), Some(&cure))
    });
    all
}
