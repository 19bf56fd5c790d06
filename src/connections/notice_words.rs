//! Notices in words: what happened, and what to do.

use super::model::Notice;
use crate::base::ids::PhoneNumberId;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// For how long a notice is shown whose end nobody tells.
const SHOWN: Duration = Duration::days(30);
/// How many are shown at most.
const MOST: usize = 4;
/// Where Meta shows what it found, and takes appeals.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/policy-enforcement>
const SUPPORT_HOME: (To, &str) =
    (To::Address("https://business.facebook.com/business-support-home"), "Open Business Support Home");

/// Where flows are managed.
const FLOWS: (To, &str) =
    (To::Address("https://business.facebook.com/wa/manage/flows/"), "Open Flows in WhatsApp Manager");

/// Where something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// There.
    Address(&'static str),
    /// Where the same connection is connected again.
    Reconnect,
    /// At this part of the number's page.
    Number(&'static str),
}

/// A notice as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoticeWords {
    /// `problem`, `warning`, `info`.
    pub look: &'static str,
    /// What happened.
    pub title: String,
    /// What that means, and what to do.
    pub text: String,
    /// Where to do it: address, words.
    pub link: Option<(To, &'static str)>,
    /// The number, where it is about one.
    pub number: Option<PhoneNumberId>,
    /// When it was told.
    pub told_at: OffsetDateTime,
}

/// Those that still matter, in words: of each matter the last word counts. `connected_at`: when the access was given
/// last; `number`: how a number is written.
pub(super) fn current(
    notices: &[Notice],
    connected_at: OffsetDateTime,
    now: OffsetDateTime,
    number: impl Fn(&Notice) -> Option<String>,
) -> Vec<NoticeWords> {
    let mut matters = std::collections::BTreeSet::new();
    let mut shown = Vec::new();
    for notice in notices.iter().filter(|notice| notice.told_at > now - SHOWN) {
        // Limits are told to every new account.
        let begins_anew = matches!(matter(notice), "access" | "limits");
        let flow = notice.detail.get("flow_id").map(Value::to_string);
        if !matters.insert((matter(notice).to_owned(), notice.phone_number.clone(), flow))
            || begins_anew && notice.told_at < connected_at
        {
            continue;
        }
        shown.extend(words(notice, now, number(notice)));
    }
    // The worst first, so that nothing less crowds it out.
    shown.sort_by_key(|words: &NoticeWords| {
        ["problem", "warning"].iter().position(|look| *look == words.look).unwrap_or(2)
    });
    shown.truncate(MOST);
    shown
}

/// What a notice is about: a later one about the same replaces it.
fn matter(notice: &Notice) -> &str {
    match (notice.field.as_str(), notice.event.as_str()) {
        ("account_update", "PARTNER_REMOVED" | "PARTNER_APP_UNINSTALLED" | "ACCOUNT_DELETED") => "access",
        ("account_update", "ACCOUNT_OFFBOARDED" | "ACCOUNT_RECONNECTED") => "app",
        ("security", _) => "security",
        ("phone_number_name_update", _) => "name",
        ("business_capability_update", _) => "limits",
        ("account_settings_update", _) => "settings",
        (_, event) => event,
    }
}

/// A word of Meta's as one reads it: `LOW_CALLING_QUALITY` is `low calling quality`.
pub(super) fn plain(word: &str) -> String {
    word.to_lowercase().replace('_', " ")
}

pub(super) fn words(notice: &Notice, now: OffsetDateTime, number: Option<String>) -> Option<NoticeWords> {
    let text = |at: &str| notice.detail.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let shown = number.unwrap_or_else(|| "your number".to_owned());
    let said = |look, title: &str, text: String, link| {
        Some(NoticeWords {
            look,
            title: title.to_owned(),
            text,
            link,
            told_at: notice.told_at,
            number: notice.phone_number.clone(),
        })
    };
    match (notice.field.as_str(), notice.event.as_str()) {
        ("account_update", "ACCOUNT_VIOLATION") => {
            let kind = plain(text("/violation_info/violation_type"));
            let kind = if kind.is_empty() { String::new() } else { format!(" ({kind})") };
            let text = format!(
                "Meta says that messages or content broke its rules{kind}. See there what it found, and stop it: more of it leads to limits on the account."
            );
            said("warning", "Meta found something against its rules", text, Some(SUPPORT_HOME))
        }
        ("account_update", "ACCOUNT_RESTRICTION") => restriction(notice, now),
        ("account_update", "DISABLED_UPDATE") => match text("/ban_info/waba_ban_state") {
            "REINSTATE" => None,
            "SCHEDULE_FOR_DISABLE" => {
                let text =
                    "It will be switched off unless Meta changes its mind. See there why, and ask for a review now.";
                said("problem", "Meta is about to switch this account off", text.to_owned(), Some(SUPPORT_HOME))
            }
            _ => {
                let text = "No messages go out or come in. See at Meta why, and ask for a review there.";
                said("problem", "Meta has switched this account off", text.to_owned(), Some(SUPPORT_HOME))
            }
        },
        ("account_update", "ACCOUNT_DELETED") => {
            let text = "It was deleted at Meta. Connect another account, or a new one.";
            said(
                "problem",
                "This account is gone at Meta",
                text.to_owned(),
                Some((To::Address("/connect"), "Connect an account")),
            )
        }
        ("account_update", "PARTNER_REMOVED" | "PARTNER_APP_UNINSTALLED") => {
            let text = "Somebody took the access away, at Meta or in the WhatsApp Business app. If that was a mistake, connect again and choose the same account.";
            said(
                "problem",
                "The access to this account was taken away",
                text.to_owned(),
                Some((To::Reconnect, "Connect again")),
            )
        }
        ("account_update", "ACCOUNT_OFFBOARDED") => {
            let text = "The WhatsApp Business app was moved to another phone, or the number registered anew. Open the app there; if messages do not come back, connect again.";
            said(
                "warning",
                "The WhatsApp Business app was moved",
                text.to_owned(),
                Some((To::Reconnect, "Connect again")),
            )
        }
        ("security", "PIN_CHANGED") => {
            let text = format!(
                "Somebody set another PIN for {shown} in WhatsApp Manager. Messages go on; the number can't be registered anew with the old PIN."
            );
            said("info", "The PIN of a number was changed", text, Some((To::Number("/pin"), "See to the PIN")))
        }
        ("security", "PIN_RESET_REQUEST") => {
            let text = format!(
                "Somebody asked in WhatsApp Manager to switch off two-step verification of {shown}. If that was none of you, look there who may manage the account."
            );
            said("warning", "Two-step verification is to be switched off", text, Some(SUPPORT_HOME))
        }
        ("phone_number_name_update", "REJECTED") => {
            let (name, reason) = (text("/requested_verified_name"), plain(text("/rejection_reason")));
            let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            let text = format!("Meta declined “{name}” for {shown}{reason}. Choose another one.");
            said("warning", "A display name was declined", text, Some((To::Number("/name"), "Choose another name")))
        }
        ("business_capability_update", _) => limits(&notice.detail)
            .and_then(|text| said("info", "Meta has changed what this account may do", text, None)),
        ("account_settings_update", _) => {
            let calls = match text("/phone_number_settings/calling/status") {
                "ENABLED" => " Calls are on.",
                "DISABLED" => " Calls are off.",
                _ => "",
            };
            let text = format!("The settings for calls of {shown} are not what they were.{calls}");
            said("info", "Settings of a number were changed", text, None)
        }
        ("flows", _) => flow(notice).and_then(|text| said("warning", "A flow needs attention", text, Some(FLOWS))),
        ("account_alerts", _) if text("/alert_info/alert_status") != "NONE" => {
            let look = match text("/alert_info/alert_severity") {
                "CRITICAL" => "problem",
                "WARNING" => "warning",
                _ => "info",
            };
            let description = text("/alert_info/alert_description");
            let description = if description.is_empty() { plain(&notice.event) } else { description.to_owned() };
            said(look, "A message from Meta", description, None)
        }
        _ => None,
    }
}

/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/business_capability_update>
fn limits(detail: &Value) -> Option<String> {
    let word = |key: &str| detail.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let people = word("max_daily_conversations_per_business").or_else(|| word("max_daily_conversation_per_phone"));
    let people = people.and_then(|limit| match limit.trim_start_matches("TIER_") {
        "UNLIMITED" | "-1" => Some("as many people as you like".to_owned()),
        "2K" => Some("up to 2000 people".to_owned()),
        "10K" => Some("up to 10000 people".to_owned()),
        "100K" => Some("up to 100000 people".to_owned()),
        count => count.parse::<u32>().ok().map(|count| format!("up to {count} people")),
    });
    let count = |key: &str| word(key).and_then(|count| count.parse::<u32>().ok());
    let numbers = match (count("max_phone_numbers_per_business"), count("max_phone_numbers_per_waba")) {
        (Some(count), _) => Some(format!("Your business can have {count} numbers.")),
        (None, Some(count)) => Some(format!("The account can have {count} numbers.")),
        (None, None) => None,
    };
    let people = people.map(|people| format!("In 24 hours you can write first to {people}."));
    let all: Vec<String> = people.into_iter().chain(numbers).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// What is wrong with a flow; `None` where nothing is, any more.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/flows/reference/flowswebhooks>
fn flow(notice: &Notice) -> Option<String> {
    let text = |key: &str| notice.detail.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_odd = match notice.event.as_str() {
        "FLOW_STATUS_CHANGE" => matches!(text("new_status"), "BLOCKED" | "THROTTLED"),
        "FLOW_VERSION_EXPIRY_WARNING" => true,
        _ => text("alert_state") == "ACTIVATED",
    };
    let told = [text("message"), text("warning")].into_iter().find(|told| !told.trim().is_empty());
    let told = told.map_or_else(|| plain(&notice.event), str::to_owned);
    is_odd.then(|| format!("Flow {}: {}", text("flow_id"), crate::base::text::shorten(&told, 300)))
}

/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/policy-enforcement>
fn restriction(notice: &Notice, now: OffsetDateTime) -> Option<NoticeWords> {
    let list = notice.detail.get("restriction_info").and_then(Value::as_array).into_iter().flatten();
    let mut cannot = Vec::new();
    let mut until: Option<OffsetDateTime> = None;
    for one in list {
        let end = one.get("expiration").and_then(Value::as_i64).filter(|end| *end > 0);
        let end = end.and_then(|end| OffsetDateTime::from_unix_timestamp(end).ok());
        if end.is_some_and(|end| end < now) {
            continue;
        }
        until = until.max(end);
        cannot.push(match one.get("restriction_type").and_then(Value::as_str).unwrap_or_default() {
            "RESTRICTED_BIZ_INITIATED_MESSAGING" => "write to people first".to_owned(),
            "RESTRICTED_CUSTOMER_INITIATED_MESSAGING" => "answer people".to_owned(),
            "RESTRICTED_ADD_PHONE_NUMBER_ACTION" => "add numbers".to_owned(),
            "RESTRICTED_BIZ_INITIATED_AND_USER_INITIATED_CALLING" => "make or take calls".to_owned(),
            "RESTRICTED_USER_INITIATED_CALLING_CALL_BUTTON_HIDDEN" => "be called by a button".to_owned(),
            other => format!("use what Meta calls “{}”", plain(other.trim_start_matches("RESTRICTED_"))),
        });
    }
    if cannot.is_empty() {
        return None;
    }
    let end =
        until.map(|until| format!(" until {} {} {}", until.day(), until.month(), until.year())).unwrap_or_default();
    Some(NoticeWords {
        look: "problem",
        title: "Meta has limited this account".to_owned(),
        text: format!("You can't {}{end}. See at Meta why, and ask for a review there.", cannot.join(", or ")),
        link: Some(SUPPORT_HOME),
        number: notice.phone_number.clone(),
        told_at: notice.told_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::from_ms;
    use serde_json::json;

    fn notice(field: &str, event: &str, at: i64, detail: Value) -> Notice {
        let (waba_id, told_at) = ("1".parse().unwrap(), from_ms(at * 1000));
        Notice { waba_id, phone_number: None, event_id: at, field: field.into(), event: event.into(), told_at, detail }
    }

    fn titles(notices: &[Notice], connected: i64) -> Vec<String> {
        let all = current(notices, from_ms(connected * 1000), from_ms(1_000_000_000), |_| None);
        all.into_iter().map(|words| words.title).collect()
    }

    #[test]
    fn the_last_word_on_a_matter_counts() {
        let state = |state: &str, at| {
            notice("account_update", "DISABLED_UPDATE", at, json!({"ban_info": {"waba_ban_state": state}}))
        };
        assert_eq!(titles(&[state("DISABLE", 20)], 0), ["Meta has switched this account off"]);
        assert!(titles(&[state("REINSTATE", 30), state("DISABLE", 20)], 0).is_empty());
        let removed = notice("account_update", "PARTNER_REMOVED", 50, json!({}));
        assert_eq!(titles(std::slice::from_ref(&removed), 40).len(), 1);
        assert!(titles(&[removed], 60).is_empty(), "connected again since");
        let limited = |end: i64| {
            let info = json!([{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": end}]);
            notice("account_update", "ACCOUNT_RESTRICTION", 50, json!({ "restriction_info": info }))
        };
        assert_eq!(titles(&[limited(2_000_000)], 0).len(), 1);
        assert!(titles(&[limited(900_000)], 0).is_empty(), "over");
    }

    #[test]
    fn limits_are_said_as_meta_writes_them() {
        let said = |detail: Value| limits(&detail);
        let people = "In 24 hours you can write first to";
        assert_eq!(
            said(json!({"max_daily_conversations_per_business": 2000, "max_phone_numbers_per_waba": 25})).unwrap(),
            format!("{people} up to 2000 people. The account can have 25 numbers.")
        );
        let unlimited = format!("{people} as many people as you like.");
        assert_eq!(said(json!({"max_daily_conversations_per_business": "TIER_UNLIMITED"})), Some(unlimited.clone()));
        assert_eq!(said(json!({"max_daily_conversation_per_phone": -1})), Some(unlimited));
        assert_eq!(said(json!({"max_daily_conversations_per_business": "TIER_NEW"})), None);
        let told = notice("business_capability_update", "", 50, json!({"max_phone_numbers_per_business": 2}));
        assert_eq!(titles(std::slice::from_ref(&told), 40).len(), 1);
        assert!(titles(&[told], 60).is_empty(), "every new account is told its limits");
    }

    #[test]
    fn nothing_less_crowds_out_what_is_worse() {
        let flow = |at: i64| {
            notice("flows", "ENDPOINT_LATENCY", at, json!({"flow_id": at.to_string(), "alert_state": "ACTIVATED"}))
        };
        let mut all: Vec<Notice> = (60..70).rev().map(flow).collect();
        all.push(notice("account_update", "ACCOUNT_DELETED", 50, json!({})));
        let shown = titles(&all, 0);
        assert_eq!((shown.len(), shown[0].as_str()), (MOST, "This account is gone at Meta"));
    }
}
