//! The lines about the app: its credentials, what its dashboard holds, its permissions, its configuration.

use super::{
    check::{Answer, Ground, Records, is_no_answer, untold},
    findings::Finding,
};
use crate::{
    base::http::is_loopback,
    graph::{AppInfo, AppPermission, AppProfile, ErrorClass, GraphError, Setup},
};
use url::Url;

const BASIC: &str = "App Dashboard, App settings > Basic";

/// Whether Meta says that the secret is not this app's: code 1, and the message names it.
pub(super) fn is_wrong_secret(error: &GraphError) -> bool {
    error.api().is_some_and(|api| api.status < 500 && api.code == 1 && api.message.contains("secret"))
}

/// Whether Meta knows no app of this ID.
fn is_no_app(error: &GraphError) -> bool {
    error.api().is_some_and(|api| api.status < 500 && api.code == 101)
}

/// The line where no App ID or no secret is set.
pub(super) fn missing() -> Finding {
    Finding::red(
        "app.credentials",
        "App ID and App Secret are not set: nobody can connect",
        format!(
            "{BASIC}: copy the App ID, and the App Secret behind Show (Backoffice > Meta settings, or DOORWAY_META_APP_ID and DOORWAY_META_APP_SECRET)"
        ),
    )
}

/// Whether Meta answers, and takes App ID and secret. Code 190 alone tells neither a wrong secret from a wrong ID
/// nor from a setting of the app: the request for the app's own token does.
pub(super) fn credentials(info: &Answer<AppInfo>, proof: &Answer<()>, version: &str) -> (Vec<Finding>, Ground) {
    if let (Err(error), Err(other)) = (info, proof)
        && is_no_answer(error)
        && is_no_answer(other)
    {
        let dead = Finding::red(
            "graph",
            format!("Meta does not answer: {error}"),
            "look at https://metastatus.com and at this machine’s way to the internet (DOORWAY_META_GRAPH_URL if you set it); then try again",
        );
        let line = Finding::grey("app.credentials", "App ID and App Secret: not checked, Meta does not answer");
        return (vec![dead, line], Ground::Dead);
    }
    let alive = Finding::green("graph", format!("Meta’s Graph API answers in version {version}"));
    let (line, ground) = match (info, proof) {
        (Ok(app), _) => {
            (Finding::green("app.credentials", format!("App ID and App Secret belong together: {}", app.name)), Ground::Firm)
        }
        (_, Err(error)) if is_wrong_secret(error) => (
            Finding::red(
                "app.credentials",
                "Meta refuses App ID and App Secret: the secret is not this app’s",
                format!("{BASIC}: press Show beside App secret and copy it; if in doubt, copy both once more. They must be of the same app"),
            )
            .with_detail(error.to_string()),
            Ground::Refused,
        ),
        (_, Err(error)) if is_no_app(error) => (
            Finding::red(
                "app.credentials",
                "Meta refuses App ID and App Secret: there is no app with this ID",
                format!("{BASIC}: copy both once more, the App ID from the top of the page. An Instagram app ID or a business’s ID is another number"),
            )
            .with_detail(error.to_string()),
            Ground::Refused,
        ),
        (Err(error), Ok(())) if !is_no_answer(error) => (
            Finding::red(
                "app.credentials",
                "the App Secret is right, but Meta does not let this server use it",
                "App Dashboard, App settings > Advanced: Native or desktop app must be off, and the Server IP allowlist empty or with this server’s address",
            )
            .with_detail(error.to_string()),
            Ground::Refused,
        ),
        (Err(error), Ok(())) => (
            Finding::green("app.credentials", "App ID and App Secret belong together").with_detail(error.to_string()),
            Ground::Firm,
        ),
        (Err(error), Err(_)) if error.class() == ErrorClass::RateLimited || is_no_answer(error) => (
            Finding::amber("app.credentials", "App ID and App Secret: Meta asks to wait", "check again in some minutes")
                .with_detail(error.to_string()),
            Ground::Dead,
        ),
        (Err(error), Err(_)) => (
            Finding::red(
                "app.credentials",
                "Meta refuses App ID and App Secret",
                format!("{BASIC}: copy both once more; they must be of the same app"),
            )
            .with_detail(error.to_string()),
            Ground::Refused,
        ),
    };
    (vec![alive, line], ground)
}

/// What *App settings, Basic* must hold before the app can go live.
/// <https://developers.facebook.com/docs/development/create-an-app/app-dashboard/basic-settings>
pub(super) fn profile(answer: &Answer<AppProfile>, redirect_uri: &Url) -> Vec<Finding> {
    let rows = [
        ("app.domains", "the App Domains"),
        ("app.privacy", "the privacy policy’s URL"),
        ("app.terms", "the terms’ URL"),
        ("app.icon", "the app’s icon"),
        ("app.category", "the app’s category"),
    ];
    let profile = match answer {
        Ok(profile) => profile,
        Err(error) => return rows.iter().map(|(id, about)| untold(id, about, error)).collect(),
    };
    let filled = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
    let host = redirect_uri.host_str().unwrap_or_default();
    // A domain there also covers what lies below it.
    let listed = profile.app_domains.iter().any(|domain| {
        let domain = domain.trim().to_lowercase();
        host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
    });
    let domains = if listed {
        Finding::green("app.domains", format!("{host} is among the App Domains"))
    } else if is_loopback(redirect_uri) {
        Finding::grey("app.domains", "a local trial needs no App Domain")
    } else {
        Finding::amber(
            "app.domains",
            format!("{host} is not among the App Domains"),
            format!(
                "{BASIC} > App domains: add {host}. It is another list than the allowed domains of Facebook Login for Business"
            ),
        )
    };
    let line = |id, there: bool, what: &str, field: &str| {
        if there {
            Finding::green(id, format!("{what} is there"))
        } else {
            Finding::amber(
                id,
                format!("{what} is missing: App Review and Live mode want it"),
                format!("{BASIC} > {field}"),
            )
        }
    };
    vec![
        domains,
        line("app.privacy", filled(&profile.privacy_policy_url), "the privacy policy’s URL", "Privacy policy URL"),
        line("app.terms", filled(&profile.terms_of_service_url), "the terms’ URL", "Terms of Service URL"),
        line("app.icon", filled(&profile.icon_url) || filled(&profile.logo_url), "the app’s icon", "App icon"),
        line("app.category", filled(&profile.category), "the app’s category", "Category"),
    ]
}

/// Whether both permissions went through App Review. Meta lists a permission once it is live; one that is under
/// review looks like one that nobody asked for.
pub(super) fn permissions(answer: &Answer<Vec<AppPermission>>) -> Vec<Finding> {
    let both = [
        ("permission.management", "whatsapp_business_management"),
        ("permission.messaging", "whatsapp_business_messaging"),
    ];
    both.map(|(id, name)| {
        let listed = match answer {
            Ok(listed) => listed,
            Err(error) => return untold(id, &format!("the permission {name}"), error),
        };
        let status = listed.iter().find(|one| one.permission == name).map(|one| one.status.as_str());
        match status {
            Some("live") => Finding::green(id, format!("{name} has advanced access")),
            other => Finding::amber(
                id,
                format!("{name} is not approved yet, or under review"),
                "App Dashboard, App Review > Requests: ask for advanced access, with a screen recording of its own for each permission. Until then Meta refuses the accounts of customers",
            )
            .with_detail(other.map_or_else(
                || "Meta does not list it among the approved permissions".to_owned(),
                |status| format!("Meta says: {status}"),
            )),
        }
    })
    .into()
}

/// The Facebook Login for Business configuration. Meta shows it to no program: only a signup proves it.
pub(super) fn es_config(meta: &Setup, records: &Records) -> Finding {
    match (&meta.es_config_id, records.config_worked) {
        (None, _) => Finding::amber(
            "es_config",
            "no Embedded Signup configuration is set: customers go through plain OAuth and must type their WABA ID",
            "App Dashboard, Facebook Login for Business > Configurations: create one from the WhatsApp Embedded Signup template and copy its Configuration ID (DOORWAY_META_ES_CONFIG_ID)",
        ),
        (Some(id), Some(true)) => {
            Finding::green("es_config", format!("Embedded Signup configuration {id} has brought a customer"))
        }
        (Some(id), _) => Finding::grey(
            "es_config",
            format!(
                "Embedded Signup configuration {id} is set; Meta tells nothing of it until the first customer comes through it"
            ),
        ),
    }
}
