//! What the settings' page shows: the fields with their help, the check, and the values for Meta's dashboard.

use super::{
    Backoffice,
    findings::{Finding, Grade},
    settings::{Fixed, Stored},
    settings_form::{FieldErrors, KEEP_OLD, SettingsForm},
};
use crate::{
    graph::Setup,
    web::{Chrome, Result, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use secrecy::{ExposeSecret, SecretString};

/// A field: its name, its label, the variable that may fix it, what it is, and where it stands at Meta.
struct Help {
    name: &'static str,
    label: &'static str,
    variable: &'static str,
    secret: bool,
    what: &'static str,
    place: &'static str,
}

/// Meta's places as of November 2026:
/// <https://developers.facebook.com/docs/development/create-an-app/app-dashboard/basic-settings>,
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/implementation>,
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint>,
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/access-tokens>
const FIELDS: [Help; 7] = [
    Help {
        name: "app_id",
        label: "App ID",
        variable: "DOORWAY_META_APP_ID",
        secret: false,
        what: "The number of your app at Meta. Not the one of Instagram > API setup.",
        place: "App Dashboard: at the top of the page, or App settings > Basic",
    },
    Help {
        name: "app_secret",
        label: "App Secret",
        variable: "DOORWAY_META_APP_SECRET",
        secret: true,
        what: "Proves to Meta that Doorway is your app, and to Doorway that a webhook is Meta’s.",
        place: "App Dashboard: App settings > Basic > App secret > Show",
    },
    Help {
        name: "es_config_id",
        label: "Embedded Signup configuration ID",
        variable: "DOORWAY_META_ES_CONFIG_ID",
        secret: false,
        what: "Names what customers are asked in Facebook’s window, and how long their token lives.",
        place: "App Dashboard: Facebook Login for Business > Configurations > Configuration ID",
    },
    Help {
        name: "verify_token",
        label: "Verify token",
        variable: "DOORWAY_META_VERIFY_TOKEN",
        secret: true,
        what: "A word that only you and Meta know, for the webhooks’ handshake. Doorway has proposed one; change it only if you want another.",
        place: "You make it up; it goes to App Dashboard: WhatsApp > Configuration. The button above does that for you",
    },
    Help {
        name: "system_token",
        label: "System token",
        variable: "DOORWAY_META_SYSTEM_TOKEN",
        secret: true,
        what: "Optional. With it Doorway fetches the access of a customer who finished while their browser lost the answer.",
        place: "Business settings > System users: an admin system user with your app assigned > Generate token, with business_management and whatsapp_business_management",
    },
    Help {
        name: "business_id",
        label: "Business portfolio ID",
        variable: "DOORWAY_META_BUSINESS_ID",
        secret: false,
        what: "Optional. Lets Doorway see whether Meta has verified your business.",
        place: "Business settings > Business info",
    },
    Help {
        name: "graph_version",
        label: "Graph API version",
        variable: "DOORWAY_GRAPH_VERSION",
        secret: false,
        what: "Empty: the one that this Doorway was made for.",
        place: "Meta’s list: developers.facebook.com, Graph API, Changelog",
    },
];

/// A field as the page shows it.
pub(super) struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub what: &'static str,
    pub place: &'static str,
    pub secret: bool,
    /// What stands in the field: what was typed, or what is stored. Always empty for a secret.
    pub value: String,
    /// How a stored secret is recognised.
    pub kept: Option<String>,
    /// The variable that fixes it, where one does, and what it says.
    pub locked: Option<(&'static str, String)>,
    pub error: Option<String>,
    /// What somebody else saved meanwhile, where it differs from what was typed.
    pub meanwhile: Option<String>,
    pub removable: bool,
}

impl Field {
    /// Whether customers go without a configuration, by what is stored.
    pub fn lacks_config(&self) -> bool {
        self.name == "es_config_id" && self.value.is_empty() && self.locked.is_none()
    }

    /// The IDs of what describes the field.
    pub fn described_by(&self) -> String {
        let mut ids = format!("{}-what {}-where", self.name, self.name);
        for (there, part) in
            [(self.kept.is_some(), "kept"), (self.meanwhile.is_some(), "meanwhile"), (self.error.is_some(), "error")]
        {
            if there {
                ids.push_str(&format!(" {}-{part}", self.name));
            }
        }
        ids
    }
}

/// How a secret is told from another: its end.
pub(super) fn ending(secret: &SecretString) -> String {
    let text = secret.expose_secret();
    let count = text.chars().count();
    if count < 12 {
        "Kept".to_owned()
    } else {
        format!("Kept, ends in …{}", text.chars().skip(count - 4).collect::<String>())
    }
}

/// A finding for the page.
pub(super) struct Line {
    pub finding: Finding,
    pub what: String,
    pub cure: Option<String>,
}

impl Line {
    pub fn new(finding: Finding) -> Self {
        let (what, cure) = (sentence(&finding.what), finding.cure.as_deref().map(sentence));
        Self { finding, what, cure }
    }
}

/// Begins with a capital letter and ends with a full stop: `doctor` prints the same words without.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let is_name = text.starts_with("http") || text.starts_with("whatsapp_");
    let first = chars.next().map(|c| if is_name { c.to_string() } else { c.to_uppercase().to_string() });
    let text = format!("{}{}", first.unwrap_or_default(), chars.as_str());
    if text.ends_with(['.', '/']) || is_name { text } else { format!("{text}.") }
}

/// The last check, sorted: what needs somebody first.
pub(super) struct CheckView {
    pub at: When,
    /// The settings were saved after it.
    pub is_old: bool,
    pub attention: Vec<Line>,
    pub rest: Vec<Line>,
    pub summary: String,
}

impl CheckView {
    fn new(findings: Vec<Finding>, at: When, is_old: bool) -> Self {
        let summary = summary(&findings);
        let (mut attention, mut rest): (Vec<Finding>, Vec<Finding>) =
            findings.into_iter().partition(Finding::wants_attention);
        attention.sort_by_key(|finding| finding.grade);
        // Good lines first; what can't be told is no worry.
        rest.sort_by_key(|finding| std::cmp::Reverse(finding.grade));
        let lines = |list: Vec<Finding>| list.into_iter().map(Line::new).collect();
        Self { at, is_old, attention: lines(attention), rest: lines(rest), summary }
    }
}

/// `1 wrong, 2 need attention, 12 good, 4 not checked`.
pub(super) fn summary(findings: &[Finding]) -> String {
    let count = |grade| findings.iter().filter(|finding| finding.grade == grade).count();
    let parts = [
        (count(Grade::Red), "wrong", "wrong"),
        (count(Grade::Amber), "needs attention", "need attention"),
        (count(Grade::Green), "good", "good"),
        (count(Grade::Grey), "can’t be told", "can’t be told"),
    ];
    let words =
        parts.iter().filter(|(n, ..)| *n > 0).map(|(n, one, many)| format!("{n} {}", if *n == 1 { one } else { many }));
    words.collect::<Vec<_>>().join(", ")
}

/// A value for Meta's dashboard, to be copied.
pub(super) struct CopyValue {
    pub label: &'static str,
    pub value: String,
    pub place: &'static str,
}

fn copy_values(meta: &Setup) -> Vec<CopyValue> {
    let host = meta.redirect_uri.host_str().unwrap_or_default().to_owned();
    let value = |label, value: String, place| CopyValue { label, value, place };
    let mut all = vec![
        value(
            "Valid OAuth redirect URI",
            meta.redirect_uri.to_string(),
            "Facebook Login for Business > Settings > Client OAuth settings",
        ),
        value(
            "Allowed domain for the JavaScript SDK",
            meta.redirect_uri.origin().ascii_serialization(),
            "Facebook Login for Business > Settings > Client OAuth settings",
        ),
        value("App domain", host, "App settings > Basic > App domains"),
        value("Callback URL", meta.webhook_url.to_string(), "WhatsApp > Configuration > Webhook"),
    ];
    // The one secret that is shown: it must be pasted there.
    if let Some(token) = &meta.verify_token {
        all.push(value("Verify token", token.expose_secret().to_owned(), "WhatsApp > Configuration > Webhook"));
    }
    all
}

/// What went wrong with a form, on top of its fields.
pub(super) struct Trouble {
    pub title: String,
    pub text: String,
    pub detail: Option<String>,
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/settings.html")]
pub(super) struct SettingsPage {
    chrome: Chrome,
    fields: Vec<Field>,
    version: i64,
    has_secret: bool,
    keep_old: Vec<(i64, &'static str)>,
    old_secret_until: Option<When>,
    check: Option<CheckView>,
    can_register: bool,
    values: Vec<CopyValue>,
    trouble: Option<Trouble>,
}

/// What is locked by the environment.
pub(super) fn is_locked(fixed: &Fixed, name: &str) -> bool {
    locked_value(fixed, name).is_some()
}

fn locked_value(fixed: &Fixed, name: &str) -> Option<String> {
    match name {
        "app_id" => fixed.app_id.as_ref().map(ToString::to_string),
        "app_secret" => fixed.app_secret.as_ref().map(ending),
        "es_config_id" => fixed.es_config_id.clone(),
        "verify_token" => fixed.verify_token.as_ref().map(ending),
        "graph_version" => fixed.graph_version.clone(),
        "system_token" => fixed.system_token.as_ref().map(ending),
        "business_id" => fixed.business_id.as_ref().map(ToString::to_string),
        _ => None,
    }
}

/// What a form that failed brings along.
#[derive(Default)]
pub(super) struct Failed {
    pub typed: Option<SettingsForm>,
    pub errors: FieldErrors,
    pub trouble: Option<Trouble>,
    /// Somebody else saved meanwhile.
    pub changed: bool,
}

fn field(help: &Help, fixed: &Fixed, stored: &Stored, failed: &Failed) -> Field {
    let (plain, kept) = match help.name {
        "app_id" => (stored.app_id.as_ref().map(ToString::to_string), None),
        "es_config_id" => (stored.es_config_id.clone(), None),
        "graph_version" => (stored.graph_version.clone(), None),
        "business_id" => (stored.business_id.as_ref().map(ToString::to_string), None),
        "app_secret" => (None, stored.app_secret.as_ref()),
        "verify_token" => (None, stored.verify_token.as_ref()),
        _ => (None, stored.system_token.as_ref()),
    };
    let plain = plain.unwrap_or_default();
    let typed = failed.typed.as_ref().map(|form| match help.name {
        "app_id" => form.app_id.clone(),
        "es_config_id" => form.es_config_id.clone(),
        "graph_version" => form.graph_version.clone(),
        "business_id" => form.business_id.clone(),
        _ => String::new(),
    });
    let differs = failed.changed && !help.secret && typed.as_ref().is_some_and(|typed| typed.trim() != plain);
    let word = if plain.is_empty() { "Empty now".to_owned() } else { format!("Saved meanwhile: {plain}") };
    let locked = locked_value(fixed, help.name).map(|value| (help.variable, value));
    Field {
        name: help.name,
        label: help.label,
        what: help.what,
        place: help.place,
        secret: help.secret,
        removable: help.name == "system_token" && kept.is_some() && locked.is_none(),
        kept: kept.map(ending).filter(|_| locked.is_none()),
        value: if help.secret { String::new() } else { typed.unwrap_or(plain) },
        locked,
        error: failed.errors.get(help.name).cloned(),
        meanwhile: differs.then_some(word),
    }
}

/// The page as things stand.
pub(super) async fn page(office: &Backoffice, chrome: Chrome, failed: Failed) -> Result<SettingsPage> {
    let settings = &office.settings;
    settings.begin().await?;
    let (stored, meta, now) = (settings.stored().await?, settings.live().now(), office.clock.now());
    let fixed = settings.fixed();
    let check = office.checks.last().await?.map(|last| {
        let is_old = stored.updated_at.is_some_and(|at| at > last.at);
        CheckView::new(last.findings, When::new(last.at, now), is_old)
    });
    let lost = failed.typed.as_ref().is_some_and(SettingsForm::has_secret);
    let mut trouble = failed.trouble.as_ref().map(|one| Trouble {
        title: one.title.clone(),
        text: one.text.clone(),
        detail: one.detail.clone(),
    });
    if let Some(trouble) = trouble.as_mut().filter(|_| lost) {
        trouble.text.push_str(" Secrets are never shown again: enter those that you typed once more.");
    }
    let old = stored.old_secret.as_ref().filter(|(_, until)| *until > now);
    Ok(SettingsPage {
        fields: FIELDS.iter().map(|help| field(help, fixed, &stored, &failed)).collect(),
        version: stored.version,
        has_secret: stored.app_secret.is_some() && fixed.app_secret.is_none(),
        keep_old: KEEP_OLD.to_vec(),
        old_secret_until: old.map(|(_, until)| When::new(*until, now)),
        check,
        can_register: meta.app.is_some() && meta.verify_token.is_some(),
        // A word that the server's own configuration holds is not the backoffice's to show.
        values: copy_values(&meta),
        trouble,
        chrome,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_its_end_only() {
        assert_eq!(ending(&"0123456789abcdef".to_owned().into()), "Kept, ends in …cdef");
        assert_eq!(ending(&"short".to_owned().into()), "Kept");
    }

    #[test]
    fn findings_read_as_sentences() {
        assert_eq!(sentence("webhooks come to https://a.example/"), "Webhooks come to https://a.example/");
        assert_eq!(sentence("check again"), "Check again.");
    }
}
