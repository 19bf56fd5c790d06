//! The settings' form: what was typed, and what is wrong with it.

use crate::base::{ids::meta_digits, text::is_graph_version};
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::BTreeMap;
use time::Duration;

/// What becomes of a secret.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// It stays; the field was left empty.
    Keep,
    /// It goes.
    Remove,
    /// Another takes its place.
    To(SecretString),
}

/// What was typed, understood.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub app_id: Option<String>,
    pub app_secret: Change,
    pub es_config_id: Option<String>,
    pub verify_token: Change,
    pub graph_version: Option<String>,
    pub system_token: Change,
    pub business_id: Option<String>,
    /// For how long webhooks signed with the old app secret are taken, if there comes another.
    pub keep_old: Duration,
    /// The version that the form was made of.
    pub version: i64,
}

/// The form as it comes.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct SettingsForm {
    pub app_id: String,
    pub app_secret: String,
    pub es_config_id: String,
    pub verify_token: String,
    pub graph_version: String,
    pub system_token: String,
    pub remove_system_token: String,
    pub business_id: String,
    pub keep_old_hours: String,
    pub version: String,
}

/// What is wrong, by the field's name.
pub(super) type FieldErrors = BTreeMap<&'static str, String>;

/// The times for which an old secret may be kept, in hours, with their words.
pub(super) const KEEP_OLD: [(i64, &str); 5] =
    [(24, "24 hours"), (1, "1 hour"), (72, "3 days"), (168, "7 days"), (0, "not at all")];

impl SettingsForm {
    /// Understands the form. `locked` tells the fields that the environment fixes: they are not looked at.
    pub fn read(&self, locked: impl Fn(&str) -> bool, has_app: bool) -> Result<Typed, FieldErrors> {
        let mut errors = FieldErrors::new();
        let mut id = |name: &'static str, text: &str| {
            let text = text.trim();
            if text.is_empty() || locked(name) {
                return None;
            }
            match meta_digits(text) {
                Ok(digits) => Some(digits.to_owned()),
                Err(_) => {
                    errors.insert(name, no_id(name, text));
                    None
                }
            }
        };
        let app_id = id("app_id", &self.app_id);
        let es_config_id = id("es_config_id", &self.es_config_id);
        let business_id = id("business_id", &self.business_id);
        if app_id.is_some() && app_id == es_config_id {
            let text = "This is the App ID again. The configuration ID is another number: Facebook Login for Business > Configurations.";
            errors.insert("es_config_id", text.to_owned());
        }
        if app_id.is_some() && app_id == business_id {
            let text =
                "This is the App ID again. The portfolio’s ID is another number: Business settings > Business info.";
            errors.insert("business_id", text.to_owned());
        }
        let mut secret = |name: &'static str, text: &str, wrong: fn(&str) -> Option<&'static str>| {
            let text = text.trim();
            if text.is_empty() || locked(name) {
                return Change::Keep;
            }
            let common = (text.len() > 2_000).then_some("This is too long.").or_else(|| {
                text.contains(|c: char| c.is_whitespace() || c.is_control())
                    .then_some("There is a space or a line break inside. Copy it once more.")
            });
            match common.or_else(|| wrong(text)) {
                Some(text) => {
                    errors.insert(name, text.to_owned());
                    Change::Keep
                }
                None => Change::To(text.to_owned().into()),
            }
        };
        let app_secret = secret("app_secret", &self.app_secret, wrong_secret);
        let verify_token = secret("verify_token", &self.verify_token, wrong_verify_token);
        let mut system_token = secret("system_token", &self.system_token, wrong_system_token);
        if !self.remove_system_token.is_empty() && !locked("system_token") {
            if matches!(system_token, Change::To(_)) {
                let text = "You typed a token and ticked its removal. Do one of them.";
                errors.insert("system_token", text.to_owned());
            }
            system_token = Change::Remove;
        }
        let comes = matches!(app_secret, Change::To(_));
        if self.app_id.trim().is_empty() && !locked("app_id") && (comes || has_app) {
            errors.insert("app_id", "Enter the App ID: without it nobody can connect.".to_owned());
        }
        let graph_version = Some(self.graph_version.trim().to_lowercase()).filter(|text| !text.is_empty());
        let graph_version = graph_version.map(|text| if text.starts_with('v') { text } else { format!("v{text}") });
        if graph_version.as_ref().is_some_and(|version| !is_graph_version(version)) && !locked("graph_version") {
            errors.insert("graph_version", "Enter a version such as v25.0.".to_owned());
        }
        let hours = self.keep_old_hours.parse().ok().filter(|hours| KEEP_OLD.iter().any(|(one, _)| one == hours));
        let typed = Typed {
            app_id,
            app_secret,
            es_config_id,
            verify_token,
            graph_version,
            system_token,
            business_id,
            keep_old: Duration::hours(hours.unwrap_or(24)),
            version: self.version.parse().unwrap_or(0),
        };
        if errors.is_empty() { Ok(typed) } else { Err(errors) }
    }

    /// Whether a secret was typed, which the page does not give back.
    pub fn has_secret(&self) -> bool {
        [&self.app_secret, &self.verify_token, &self.system_token].iter().any(|text| !text.trim().is_empty())
    }
}

fn is_hex(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn no_id(name: &str, text: &str) -> String {
    let what = match name {
        "app_id" => "The App ID",
        "es_config_id" => "The configuration ID",
        _ => "The portfolio’s ID",
    };
    // Never repeated: it may be a secret in the wrong field.
    let looks = if text.starts_with("EAA") {
        "This looks like an access token."
    } else if is_hex(text) {
        "This looks like the App Secret."
    } else if text.contains("://") {
        "This looks like an address."
    } else {
        "This is not one."
    };
    format!("{looks} {what} has digits only.")
}

fn wrong_secret(text: &str) -> Option<&'static str> {
    if text.starts_with("EAA") {
        Some("This looks like an access token. The App Secret stands in App settings > Basic, behind Show.")
    } else if text.contains('|') {
        Some("This looks like an app token. The App Secret is only what stands after the bar.")
    } else if text.bytes().all(|b| b.is_ascii_digit()) {
        Some("This looks like an ID. The App Secret has letters too; it stands in App settings > Basic, behind Show.")
    } else if text.contains(['•', '●', '*']) {
        Some("These are only dots. Press Show beside it in App settings > Basic, then copy.")
    } else if text.len() < 6 {
        Some("This is too short for an App Secret.")
    } else {
        None
    }
}

fn wrong_verify_token(text: &str) -> Option<&'static str> {
    // Handshakes with odd characters have failed at Meta.
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        Some("Use letters, digits, - and _ only: Meta’s handshake has failed with others.")
    } else if !(8..=200).contains(&text.len()) {
        Some("Use 8 to 200 characters.")
    } else {
        None
    }
}

fn wrong_system_token(text: &str) -> Option<&'static str> {
    if text.contains('|') {
        Some("This looks like an app token. A system user’s token comes from Business settings > System users.")
    } else if text.bytes().all(|b| b.is_ascii_digit()) {
        Some("This looks like an ID. A token is a long text that usually begins with EAA.")
    } else if is_hex(text) {
        Some("This looks like the App Secret. A token is a longer text that usually begins with EAA.")
    } else if text.len() < 20 {
        Some("This is too short for a token.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(change: impl FnOnce(&mut SettingsForm)) -> FieldErrors {
        let mut form = SettingsForm { app_id: "42".to_owned(), ..SettingsForm::default() };
        change(&mut form);
        form.read(|_| false, false).err().unwrap_or_default()
    }

    #[test]
    fn what_was_pasted_into_the_wrong_field_is_told() {
        let secret = "0123456789abcdef0123456789abcdef";
        assert!(errors(|form| form.app_id = secret.to_owned())["app_id"].contains("looks like the App Secret"));
        assert!(errors(|form| form.app_id = "EAAGx".to_owned())["app_id"].contains("access token"));
        assert!(!errors(|form| form.app_id = secret.to_owned())["app_id"].contains(secret));
        assert!(errors(|form| form.es_config_id = "42".to_owned())["es_config_id"].contains("App ID again"));
        for (typed, told) in
            [("123456", "ID"), ("42|abcdef", "app token"), ("EAAGabc", "access token"), ("••••••••", "dots")]
        {
            assert!(errors(|form| form.app_secret = typed.to_owned())["app_secret"].contains(told), "{typed}");
        }
        assert!(errors(|form| form.system_token = secret.to_owned())["system_token"].contains("App Secret"));
        assert!(errors(|form| form.verify_token = "a word with spaces".to_owned()).contains_key("verify_token"));
        assert!(errors(|form| form.graph_version = "25".to_owned()).contains_key("graph_version"));
        assert!(errors(|form| form.app_id.clear()).is_empty());
        assert!(
            errors(|form| {
                form.app_id.clear();
                form.app_secret = secret.to_owned();
            })
            .contains_key("app_id")
        );
    }

    #[test]
    fn pasted_values_are_trimmed() {
        let form = SettingsForm {
            app_id: " 42\n".to_owned(),
            graph_version: " 26.0 ".to_owned(),
            keep_old_hours: "5".to_owned(),
            ..SettingsForm::default()
        };
        let typed = form.read(|_| false, false).unwrap();
        assert_eq!((typed.app_id.as_deref(), typed.graph_version.as_deref()), (Some("42"), Some("v26.0")));
        assert_eq!(typed.keep_old, Duration::hours(24), "only times that are offered");
        assert!(matches!(typed.app_secret, Change::Keep));
    }
}
