//! What can happen instead of a smooth signup, by name: in the popup's side panel and in the control API.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The screens of Embedded Signup that Meta names when one is abandoned
/// (embedded-signup/errors, *Abandoned flow screens*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    BusinessAccountSelection,
    WabaPhoneProfilePicker,
    WhatsappBusinessProfileSetup,
    PhoneNumberSetup,
    PhoneNumberVerification,
    Permissions,
}

impl Step {
    pub const ALL: [Self; 6] = [
        Self::BusinessAccountSelection,
        Self::WabaPhoneProfilePicker,
        Self::WhatsappBusinessProfileSetup,
        Self::PhoneNumberSetup,
        Self::PhoneNumberVerification,
        Self::Permissions,
    ];

    /// Meta's name, as in `current_step`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BusinessAccountSelection => "BUSINESS_ACCOUNT_SELECTION",
            Self::WabaPhoneProfilePicker => "WABA_PHONE_PROFILE_PICKER",
            Self::WhatsappBusinessProfileSetup => "WHATSAPP_BUSINESS_PROFILE_SETUP",
            Self::PhoneNumberSetup => "PHONE_NUMBER_SETUP",
            Self::PhoneNumberVerification => "PHONE_NUMBER_VERIFICATION",
            Self::Permissions => "PERMISSIONS",
        }
    }

    /// The screen in plain words.
    pub fn title(self) -> &'static str {
        match self {
            Self::BusinessAccountSelection => "choosing a portfolio",
            Self::WabaPhoneProfilePicker => "choosing a WhatsApp account",
            Self::WhatsappBusinessProfileSetup => "business information",
            Self::PhoneNumberSetup => "adding a number",
            Self::PhoneNumberVerification => "verifying the number",
            Self::Permissions => "reviewing permissions",
        }
    }
}

/// One thing that happens instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scenario {
    Cancel(Step),
    Close(Step),
    Plain(Plain),
    Graph(FaultKind),
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($variant:ident => $text:literal, $title:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) enum $name { $($variant),* }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in the control API.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The name in the side panel.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }
        }
    };
}

named!(
    /// The scenarios without a parameter.
    Plain {
        ErrorReported => "error_reported", "An error appears and is reported";
        ErrorEvent => "error_event", "An ERROR event is sent";
        CantOnboard => "cant_onboard", "The provider can't onboard customers right now";
        InvalidScopes => "invalid_scopes", "Invalid Scopes";
        NoNumber => "no_number", "Finished with no number";
        UnverifiedNumber => "unverified_number", "Finished with an unverified number";
        Coexistence => "coexistence", "Finished with a number that stays in the WhatsApp Business app";
        SeveralWabas => "several_wabas", "Three accounts shared, one with two numbers";
        SeveralNumbers => "several_numbers", "One account with three numbers";
        DisplayNamePending => "display_name_pending", "Display name not ready";
        DisplayNameReview => "display_name_review", "Display name under review for some seconds";
        DisplayNameDeclined => "display_name_declined", "Display name declined after some seconds";
        PinSet => "pin_set", "The number has a PIN already (246810)";
        NumberDeleted => "number_deleted", "The number was deleted elsewhere minutes ago";
        HalfDeregistered => "half_deregistered", "The number came off Cloud API only in part";
        HistoryDeclined => "history_declined", "Stays in the app, chats not shared";
        EventLost => "event_lost", "Event lost: only the code arrives";
        CodeLost => "code_lost", "Code lost: only the event arrives";
        CodeExpired => "code_expired", "Code arrives after its 30 seconds";
        CodeExpiredNow => "code_expired_now", "Code arrives already expired";
        PermissionsDeclined => "permissions_declined", "WhatsApp permissions declined";
        StaleGrant => "stale_grant", "Stale grant: WhatsApp permissions dropped";
        GranularWithoutTargets => "granular_without_targets", "Granular scopes without targets";
        TokenExpiringSoon => "token_expiring_soon", "Token expires in three days";
        TokenRevoked => "token_revoked", "Token revoked right after the exchange";
    }
);

named!(
    /// What can be wrong with the Graph API.
    FaultKind {
        Slow2s => "graph_slow_2s", "Graph answers after 2 seconds (next 6 calls)";
        Slow40s => "graph_slow_40s", "Graph answers after 40 seconds (next call)";
        Error500 => "graph_500", "Graph answers 500 (next 2 calls)";
        RateLimited => "graph_rate_limited", "Graph is rate limited (next 2 calls)";
        Down => "graph_down", "Graph closes the connection (next 2 calls)";
    }
);

impl FaultKind {
    /// How many calls it concerns where it is chosen for a signup.
    pub fn usual_times(self) -> u32 {
        match self {
            Self::Slow2s => 6,
            Self::Slow40s => 1,
            Self::Error500 | Self::RateLimited | Self::Down => 2,
        }
    }
}

impl Scenario {
    /// All there are, in the order of the side panel.
    pub fn all() -> impl Iterator<Item = Self> {
        let cancelled = Step::ALL.into_iter().map(Self::Cancel);
        let closed = Step::ALL.into_iter().map(Self::Close);
        let plain = Plain::ALL.iter().copied().map(Self::Plain);
        cancelled.chain(closed).chain(plain).chain(FaultKind::ALL.iter().copied().map(Self::Graph))
    }

    /// The name in the side panel.
    pub fn title(self) -> String {
        match self {
            Self::Cancel(step) => format!("Cancelled at {}", step.title()),
            Self::Close(step) => format!("Window closed at {}", step.title()),
            Self::Plain(plain) => plain.title().to_owned(),
            Self::Graph(kind) => kind.title().to_owned(),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancel(step) => write!(f, "cancel:{}", step.as_str()),
            Self::Close(step) => write!(f, "close:{}", step.as_str()),
            Self::Plain(plain) => f.write_str(plain.as_str()),
            Self::Graph(kind) => f.write_str(kind.as_str()),
        }
    }
}

/// No scenario has this name.
#[derive(Debug, thiserror::Error)]
#[error("no scenario is called {0:?}")]
pub(super) struct Unknown(String);

impl FromStr for Scenario {
    type Err = Unknown;
    fn from_str(name: &str) -> Result<Self, Unknown> {
        Self::all().find(|scenario| scenario.to_string() == name).ok_or_else(|| Unknown(name.to_owned()))
    }
}

impl Serialize for Scenario {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scenario {
    fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        String::deserialize(de)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Scenarios that the next popups begin with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Armed {
    pub scenarios: Vec<Scenario>,
    /// For how many popups; `None`: until taken back.
    pub times: Option<u32>,
}

/// A fault of the Graph API.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Fault {
    #[serde(rename = "fault")]
    pub kind: FaultKind,
    /// For how many calls; `None`: until taken back.
    pub times: Option<u32>,
    /// Only calls whose path contains this.
    pub path: Option<String>,
}

impl Serialize for FaultKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FaultKind {
    fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let name = String::deserialize(de)?;
        let found = Self::ALL.iter().copied().find(|kind| kind.as_str() == name);
        found.ok_or_else(|| serde::de::Error::custom(Unknown(name)))
    }
}

/// The scenarios of the next popup; counts them down.
pub(super) fn take_armed(armed: &mut Option<Armed>) -> Vec<Scenario> {
    let Some(current) = armed.as_mut() else { return Vec::new() };
    let scenarios = current.scenarios.clone();
    if let Some(times) = current.times.as_mut() {
        *times = times.saturating_sub(1);
        if *times == 0 {
            *armed = None;
        }
    }
    scenarios
}

/// The fault that befalls a call to this path; counts it down.
pub(super) fn take_fault(faults: &mut Vec<Fault>, path: &str) -> Option<FaultKind> {
    let at = faults.iter().position(|fault| fault.path.as_deref().is_none_or(|part| path.contains(part)))?;
    let kind = faults[at].kind;
    if let Some(times) = faults[at].times.as_mut() {
        *times = times.saturating_sub(1);
        if *times == 0 {
            faults.remove(at);
        }
    }
    Some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        let mut count = 0;
        for scenario in Scenario::all() {
            assert_eq!(scenario.to_string().parse::<Scenario>().unwrap(), scenario);
            count += 1;
        }
        assert_eq!(count, 12 + Plain::ALL.len() + FaultKind::ALL.len());
        assert!("cancel:NOWHERE".parse::<Scenario>().is_err());
    }

    #[test]
    fn armed_scenarios_and_faults_run_out() {
        let once = vec![Scenario::Plain(Plain::EventLost)];
        let mut armed = Some(Armed { scenarios: once.clone(), times: Some(2) });
        assert_eq!(take_armed(&mut armed), once);
        assert_eq!(take_armed(&mut armed), once);
        assert!(take_armed(&mut armed).is_empty() && armed.is_none());

        let mut faults =
            vec![Fault { kind: FaultKind::Error500, times: Some(1), path: Some("subscribed_apps".to_owned()) }];
        assert_eq!(take_fault(&mut faults, "/v25.0/1"), None);
        assert_eq!(take_fault(&mut faults, "/v25.0/1/subscribed_apps"), Some(FaultKind::Error500));
        assert_eq!(take_fault(&mut faults, "/v25.0/1/subscribed_apps"), None);
    }
}
