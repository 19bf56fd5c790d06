//! The values as they were given: from a file, from the environment, from files of their own.

use std::{collections::BTreeMap, path::Path, str::FromStr};
use url::Url;

/// Every setting: its name in a file, and whether it may stand in a file of its own.
const SETTINGS: [(&str, bool); 28] = [
    ("listen", false),
    ("public_url", false),
    ("database_url", true),
    ("secret_key", true),
    ("secret_keys_old", true),
    ("meta_graph_url", false),
    ("meta_dialog_url", false),
    ("meta_sdk_url", false),
    ("graph_version", false),
    ("meta_app_id", false),
    ("meta_app_secret", true),
    ("meta_es_config_id", false),
    ("meta_verify_token", true),
    ("meta_system_token", true),
    ("meta_business_id", false),
    ("smtp_url", true),
    ("mail_from", false),
    ("staff_totp", false),
    ("allow_private_endpoints", false),
    ("keep_bodies_days", false),
    ("keep_events_days", false),
    ("keep_deliveries_days", false),
    ("keep_charts_days", false),
    ("trusted_proxies", false),
    ("operator_name", false),
    ("support_email", false),
    ("solution_partner", false),
    ("log", false),
];

/// The values as they were given, before any is understood.
pub(super) struct Raw {
    values: BTreeMap<String, String>,
    /// What stops the start.
    pub faults: Vec<String>,
    /// What is odd but stops nothing.
    pub warnings: Vec<String>,
}

/// How a setting is named in the environment, which is how faults name it.
fn env_name(name: &str) -> String {
    format!("DOORWAY_{}", name.to_uppercase())
}

impl Raw {
    pub fn gather(file: Option<&Path>, env: &[(String, String)]) -> Self {
        let mut raw = Self { values: BTreeMap::new(), faults: Vec::new(), warnings: Vec::new() };
        if let Some(path) = file {
            raw.read_file(path);
        }
        for (name, _) in env {
            if let Some(base) = name.strip_suffix("_FILE").filter(|base| env.iter().any(|(other, _)| other == base)) {
                raw.faults.push(format!("{base} and {name} are both set: keep one of them"));
            }
        }
        for (name, value) in env {
            let Some(name) = name.strip_prefix("DOORWAY_") else { continue };
            // Of the tests, and of the sandbox's own command.
            if name.starts_with("TEST_") || name.starts_with("SANDBOX_") || name.starts_with("RECORD") {
                continue;
            }
            if !raw.insert(&name.to_lowercase(), value.clone()) {
                // It may be another program's, or a newer Doorway's.
                raw.warnings.push(format!("DOORWAY_{name}: no such setting; ignored"));
            }
        }
        raw
    }

    fn read_file(&mut self, path: &Path) {
        use figment::providers::{Format, Toml};
        let table = figment::Figment::from(Toml::file_exact(path)).extract::<BTreeMap<String, figment::value::Value>>();
        match table {
            Ok(table) => {
                for (name, value) in table {
                    let text = match &value {
                        figment::value::Value::Array(_, items) => items
                            .iter()
                            .map(|item| item.as_str().map(str::to_owned))
                            .collect::<Option<Vec<_>>>()
                            .map(|items| items.join(",")),
                        figment::value::Value::String(_, text) => Some(text.clone()),
                        figment::value::Value::Bool(_, yes) => Some(yes.to_string()),
                        figment::value::Value::Num(_, number) => number
                            .to_u128()
                            .map(|number| number.to_string())
                            .or_else(|| number.to_i128().map(|number| number.to_string())),
                        _ => None,
                    };
                    match text {
                        Some(text) if self.insert(&name.to_lowercase(), text.clone()) => {}
                        Some(_) => self.faults.push(format!("{name} in {}: no such setting", path.display())),
                        None => self.faults.push(format!("{name} in {}: must be a text", path.display())),
                    }
                }
            }
            Err(error) => self.faults.push(format!("{}: {error}", path.display())),
        }
    }

    /// False where there is no such setting.
    fn insert(&mut self, name: &str, value: String) -> bool {
        let base = name.strip_suffix("_file").unwrap_or(name);
        match SETTINGS.iter().find(|(known, _)| *known == base) {
            Some((_, may_be_file)) if base == name || *may_be_file => {
                // The environment wins as a whole: its file over the other's value, and the other way round.
                self.values.remove(base);
                self.values.remove(&format!("{base}_file"));
                self.values.insert(name.to_owned(), value);
                true
            }
            _ => false,
        }
    }

    /// A value; empty counts as not given.
    pub fn text(&mut self, name: &str) -> Option<String> {
        if let Some(path) = self.values.get(&format!("{name}_file")) {
            return match std::fs::read_to_string(path) {
                Ok(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
                Err(error) => {
                    self.faults.push(format!("{}_FILE: {path}: {error}", env_name(name)));
                    None
                }
            };
        }
        self.values.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    pub fn parse<T: FromStr>(&mut self, name: &str, what: &str) -> Option<T> {
        let text = self.text(name)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.faults.push(format!("{}: must be {what}", env_name(name)));
        }
        parsed
    }

    /// An address of http or https without a query; `origin` demands that it has no path either.
    pub fn url(&mut self, name: &str, default: Option<&str>, origin: bool) -> Option<Url> {
        let text = self.text(name).or_else(|| default.map(str::to_owned))?;
        let what =
            if origin { "an origin such as https://example.org" } else { "an address such as https://example.org/x" };
        match Url::parse(&text) {
            Ok(url)
                if matches!(url.scheme(), "http" | "https")
                    && url.query().is_none()
                    && url.fragment().is_none()
                    && url.username().is_empty()
                    && (!origin || url.path() == "/") =>
            {
                Some(url)
            }
            _ => {
                self.faults.push(format!("{}: must be {what}", env_name(name)));
                None
            }
        }
    }
}
