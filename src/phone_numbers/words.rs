//! How a number stands, in words for its owner: what happened, what to do.

use super::{
    file::{Failure, File, Reason, Stage, Task},
    model::{HealthNode, Number, Registration},
};
use crate::web::Badge;

/// A failure as its owner reads it.
pub(super) struct Words {
    pub title: &'static str,
    pub happened: String,
    pub to_do: &'static str,
}

pub(super) fn of(failure: &Failure, task: Option<Task>) -> Words {
    let leaving = task == Some(Task::Deregister);
    let (title, happened, to_do) = match failure.reason {
        Reason::Already if leaving => ("It was deregistered already", "Nothing had to be changed.", ""),
        Reason::Already => ("It was registered already", "Nothing had to be changed, and no try was used up.", ""),
        Reason::WrongPin => (
            "This is not the number’s PIN",
            "The number has a PIN from before, and Meta did not take the one we sent.",
            "Choose one of the three ways below.",
        ),
        Reason::PinGuesses => (
            "Too many wrong PINs",
            "Meta takes no PIN for this number for a while, not even the right one.",
            "Wait until the time below. Use it to find the PIN, or set a new one.",
        ),
        Reason::PinTooFast => (
            "That was too fast for Meta",
            "Meta wants a pause between two PINs. It has not looked at the last one.",
            "Wait until the time below, then try once more.",
        ),
        Reason::NoPin => ("A PIN is missing", "There is no PIN to register the number with.", "Choose one below."),
        Reason::NotVerified => (
            "Meta must see that the number is yours",
            "Before it can be registered, Meta sends a code to the number.",
            "Ask for the code and enter it. Then register the number.",
        ),
        Reason::NameNotReady => (
            "Meta is not ready with the name",
            "Meta refused three times because the display name is not ready, although it does not say that it still looks at it. We stopped, so that no more tries are used up.",
            "Wait a day, then try again. If it stays so, write to us.",
        ),
        Reason::NameDeclined if task == Some(Task::Rename) => (
            "Meta has declined the new name",
            "The number keeps the name that it has, and goes on sending and receiving.",
            "Choose another one: your business as people know it, in usual spelling.",
        ),
        Reason::NameDeclined => (
            "Meta has declined the display name",
            "A number can only be registered under a name that Meta accepts.",
            "Choose another name: your business as people know it, in usual spelling.",
        ),
        Reason::Deleting => (
            "The number is still being deleted elsewhere",
            "It was in use somewhere else, and Meta has not finished deleting it there.",
            "Wait some minutes, then try again.",
        ),
        Reason::TooMany => (
            "All tries are used up",
            "Meta allows 10 tries in 72 hours. This number has had them.",
            "Wait until the time below. Until then neither we nor you can register it.",
        ),
        Reason::HalfDeregistered => (
            "The number was not deregistered properly before",
            "An earlier attempt to take it off did not come to its end.",
            "Deregister it once more, then register it.",
        ),
        Reason::NoAccess => (
            "Facebook ended our access",
            "We may not do this any more for your account.",
            "Connect the account again, then try again.",
        ),
        Reason::Unclear => (
            "Meta does not say how the number stands",
            "We only register a number that Meta says is not registered.",
            "Try again in some minutes.",
        ),
        Reason::Coexistence => (
            "The number is in use with the WhatsApp Business app",
            "It works here as it is: it must never be registered or deregistered.",
            "There is nothing to do.",
        ),
        Reason::Storage => (
            "Meta did not take the country",
            "Where messages are kept could not be set, so the number was not registered.",
            "Choose another country, or none, and try again.",
        ),
        Reason::Trouble => (
            "Meta has trouble",
            "We tried many times, and Meta did not answer as it should.",
            "Try again later. Nothing of yours is lost.",
        ),
        Reason::Gone => (
            "The number is not in this account any more",
            "It was deleted, or moved to another account.",
            "Connect once more and choose the account that has it.",
        ),
        Reason::Refused if leaving => (
            "Meta did not deregister the number",
            "It gave a reason that we don’t know.",
            "Try again later. If it stays so, write to us, with the details below.",
        ),
        Reason::Refused => (
            "Meta did not register the number",
            "It gave a reason that we don’t know.",
            "Try again later. If it stays so, write to us, with the details below.",
        ),
    };
    Words { title, happened: happened.to_owned(), to_do }
}

/// What is going on, in a sentence; `None` where nothing is.
pub(super) fn under_way(file: &File, number: &Number) -> Option<(&'static str, String)> {
    let name = file.wanted_name.as_deref().unwrap_or(&number.verified_name);
    match (file.stage?, file.task?) {
        (Stage::Asked | Stage::WaitingName, Task::Rename) => Some((
            "Meta is checking the new name",
            format!(
                "It looks at “{name}”, which takes from minutes to some days. Then we register the number again under it. You can close this page."
            ),
        )),
        (Stage::Asked, Task::Deregister) => Some(("Deregistering the number", "This takes some seconds.".to_owned())),
        (Stage::Asked, _) => Some(("Registering the number", "This takes some seconds.".to_owned())),
        (Stage::WaitingName, _) => Some((
            "Meta is checking the display name",
            format!(
                "It looks at “{name}”, which takes from minutes to some days. We look again and again, and register the number as soon as Meta is ready: no try is used up before. You can close this page."
            ),
        )),
        (Stage::Waiting, _) => Some((
            "Waiting for Meta",
            match file.failure.as_ref().map(|failure| failure.reason) {
                Some(Reason::Deleting) => {
                    "The number is still being deleted where it was before. We try again by ourselves.".to_owned()
                }
                _ => "Meta did not answer as it should. We try again by ourselves.".to_owned(),
            },
        )),
        (Stage::Failed | Stage::Done, _) => None,
    }
}

/// Whether it can be used.
pub(super) fn state(number: &Number) -> Badge {
    match number.registration() {
        Registration::Ready => Badge::new("good", "Ready"),
        Registration::Coexistence => Badge::new("good", "Ready, shared with the app"),
        Registration::Unverified => Badge::new("attention", "Not confirmed by code"),
        Registration::NamePending => Badge::new("waiting", "Meta is checking the name"),
        Registration::NameDeclined => Badge::new("problem", "Display name declined"),
        Registration::NotRegistered => Badge::new("attention", "Not registered yet"),
        Registration::Blocked => Badge::new("problem", "Blocked by Meta"),
        Registration::Unclear => Badge::new("attention", format!("Meta says: {}", plain(number.status.as_deref()))),
    }
}

/// Meta's word on a display name.
pub(super) fn name_check(status: Option<&str>) -> Badge {
    match status {
        Some("APPROVED" | "AVAILABLE_WITHOUT_REVIEW") => Badge::new("good", "Accepted"),
        Some("PENDING_REVIEW" | "PENDING" | "IN_REVIEW") => Badge::new("waiting", "Meta is checking"),
        Some("DECLINED") => Badge::new("problem", "Declined"),
        Some("EXPIRED") => Badge::new("attention", "Expired"),
        None | Some("NONE") => Badge::new("neutral", "None yet"),
        Some(other) => Badge::new("neutral", other),
    }
}

/// What the quality means. <https://www.facebook.com/business/help/896873687365001>
pub(super) fn quality_means(rating: Option<&str>) -> &'static str {
    match rating {
        Some("GREEN") => "People like your messages: few block or report them.",
        Some("YELLOW") => "Some people block or report your messages. Write to fewer, and make it more useful.",
        Some("RED") => {
            "Many people block or report your messages. Meta may limit the number: stop what is not wanted now."
        }
        _ => "Meta rates a number once it has sent some messages.",
    }
}

/// A word of Meta's for people; one that nobody knows as it came.
pub(super) fn plain(word: Option<&str>) -> String {
    match word {
        None => "Not known yet".to_owned(),
        Some("CLOUD_API") => "Cloud API".to_owned(),
        Some("ON_PREMISE") => "On-Premises API".to_owned(),
        Some("NOT_APPLICABLE") => "None until it is registered".to_owned(),
        Some("STANDARD") => "Up to 80 messages a second".to_owned(),
        Some("HIGH") => "Up to 1,000 messages a second".to_owned(),
        Some("LIVE") => "For everybody".to_owned(),
        Some("SANDBOX") => "For tests only".to_owned(),
        Some("CONNECTED" | "LINKED") => "Connected".to_owned(),
        Some("VERIFIED") => "Yes".to_owned(),
        Some("NOT_VERIFIED" | "UNVERIFIED") => "Not yet".to_owned(),
        Some("EXPIRED") => "Expired".to_owned(),
        Some(other) => sentence(other),
    }
}

/// `RATE_LIMITED` is *Rate limited*.
pub(super) fn sentence(word: &str) -> String {
    let lower = word.to_lowercase().replace('_', " ");
    let mut letters = lower.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

/// One node that sending depends on.
pub(super) struct Node {
    pub name: String,
    pub badge: Badge,
    /// Why, with what Meta proposes.
    pub causes: Vec<(String, String)>,
}

pub(super) fn node(node: &HealthNode) -> Node {
    let name = match node.kind.as_str() {
        "PHONE_NUMBER" => "This number".to_owned(),
        "WABA" => "Your WhatsApp account".to_owned(),
        "BUSINESS" => "Your business".to_owned(),
        "APP" => "Our app".to_owned(),
        "MESSAGE_TEMPLATE" => "A message template".to_owned(),
        other => sentence(other),
    };
    let badge = match node.can_send.as_str() {
        "AVAILABLE" => Badge::new("good", "Fine"),
        "LIMITED" => Badge::new("attention", "Limited"),
        "BLOCKED" => Badge::new("problem", "Blocked"),
        other => Badge::new("neutral", sentence(other)),
    };
    Node { name, badge, causes: node.causes.clone() }
}

/// What a reading changed, in sentences.
pub(super) fn changes(before: &Number, after: &Number) -> Vec<String> {
    let mut all = Vec::new();
    let mut told = |what: &str, was: String, is: String| {
        if was != is {
            all.push(format!("{what}: was “{was}”, is “{is}”."));
        }
    };
    told("State", state(before).word, state(after).word);
    told("Name", before.verified_name.clone(), after.verified_name.clone());
    let name = |number: &Number| name_check(number.name_status.as_deref()).word;
    told("Name check", name(before), name(after));
    told("Quality", before.quality().word().to_owned(), after.quality().word().to_owned());
    told("Limit in 24 hours", before.limit().words(), after.limit().words());
    let speed = |number: &Number| plain(number.throughput_level.as_deref());
    told("Speed", speed(before), speed(after));
    let proven = |number: &Number| plain(number.code_verification_status.as_deref());
    told("Confirmed by code", proven(before), proven(after));
    let official = |number: &Number| if number.is_official == Some(true) { "Yes" } else { "No" }.to_owned();
    told("Official Business Account", official(before), official(after));
    let health = |number: &Number| {
        number.health.as_ref().map_or_else(|| "Not known yet".to_owned(), |health| sentence(&health.can_send))
    };
    told("Sending", health(before), health(after));
    let nodes = |number: &Number| -> String {
        let nodes = number.health.iter().flat_map(|health| health.nodes.iter().map(node));
        nodes.map(|node| format!("{}: {}", node.name, node.badge.word)).collect::<Vec<_>>().join(", ")
    };
    told("What sending needs", nodes(before), nodes(after));
    told("At Meta", plain(before.status.as_deref()), plain(after.status.as_deref()));
    told("Runs on", plain(before.platform_type.as_deref()), plain(after.platform_type.as_deref()));
    told("For whom", plain(before.account_mode.as_deref()), plain(after.account_mode.as_deref()));
    let shared = |number: &Number| if number.is_on_biz_app == Some(true) { "Yes" } else { "No" }.to_owned();
    told("In the WhatsApp Business app too", shared(before), shared(after));
    let hook = |number: &Number| {
        let own = [&number.webhooks.number, &number.webhooks.account].into_iter().flatten().next();
        own.map_or("the app’s", |_| "one of its own").to_owned()
    };
    told("Webhook address", hook(before), hook(after));
    all
}
