//! The lines about webhooks: callback and fields.

use super::{
    check::{Answer, untold},
    findings::Finding,
};
use crate::graph::{Setup, Subscription, WEBHOOK_OBJECT};

/// The fields without which the portal does not work: messages, and the word that a customer has finished.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/implementation>
pub const NEEDED_FIELDS: [&str; 2] = ["messages", "account_update"];

/// The fields that tell how an account, its numbers and templates fare, and those of numbers that stay in the
/// WhatsApp Business app.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>
pub const RECOMMENDED_FIELDS: [&str; 15] = [
    "account_alerts",
    "account_review_update",
    "account_settings_update",
    "business_capability_update",
    "history",
    "message_template_components_update",
    "message_template_quality_update",
    "message_template_status_update",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
    "smb_app_state_sync",
    "smb_message_echoes",
    "template_category_update",
    "user_preferences",
];

/// The subscription of ours among the app's.
pub(super) fn ours(all: &[Subscription]) -> Option<&Subscription> {
    all.iter().find(|one| one.object == WEBHOOK_OBJECT)
}

/// Whether there is a word for the handshake.
pub(super) fn verify_token(meta: &Setup) -> Finding {
    match meta.verify_token {
        Some(_) => Finding::green("webhooks.verify_token", "a verify token is set"),
        None => Finding::amber(
            "webhooks.verify_token",
            "no verify token is set: Meta can’t verify the callback address",
            "Backoffice > Meta settings proposes one (or set DOORWAY_META_VERIFY_TOKEN)",
        ),
    }
}

/// Callback and fields.
pub(super) fn lines(answer: &Answer<Vec<Subscription>>, meta: &Setup) -> Vec<Finding> {
    let wanted = &meta.webhook_url;
    let cure = format!(
        "press Register callback and fields in Meta settings; or by hand: App Dashboard, WhatsApp > Configuration: callback URL {wanted}, your verify token, and the fields {}",
        NEEDED_FIELDS.join(" and ")
    );
    let subscriptions = match answer {
        Ok(subscriptions) => subscriptions,
        Err(error) => {
            return vec![
                untold("webhooks.callback", "the webhooks’ callback", error),
                untold("webhooks.fields", "the needed webhook fields", error),
                untold("webhooks.recommended", "the recommended webhook fields", error),
            ];
        }
    };
    let Some(ours) = ours(subscriptions) else {
        let none = "not checked, there is no subscription";
        return vec![
            Finding::red("webhooks.callback", "the app has no webhook subscription for WhatsApp", cure),
            Finding::grey("webhooks.fields", format!("the needed webhook fields: {none}")),
            Finding::grey("webhooks.recommended", format!("the recommended webhook fields: {none}")),
        ];
    };
    let callback = if ours.callback_url != wanted.as_str() {
        let what = format!("webhooks go to {}, not to {wanted}", ours.callback_url);
        Finding::red("webhooks.callback", what, cure.clone())
    } else if ours.active {
        Finding::green("webhooks.callback", format!("webhooks come to {wanted}"))
    } else {
        Finding::red("webhooks.callback", "the webhook subscription is switched off", cure.clone())
    };
    let missing = |fields: &[&'static str]| -> Vec<&'static str> {
        fields.iter().copied().filter(|field| !ours.has(field)).collect()
    };
    let needed = missing(&NEEDED_FIELDS);
    let fields = if needed.is_empty() {
        Finding::green("webhooks.fields", "the needed webhook fields are subscribed")
    } else {
        Finding::red("webhooks.fields", format!("webhook fields not subscribed: {}", needed.join(", ")), cure.clone())
    };
    let recommended = missing(&RECOMMENDED_FIELDS);
    let more = if recommended.is_empty() {
        Finding::green("webhooks.recommended", "the recommended webhook fields are subscribed")
    } else {
        Finding::amber(
            "webhooks.recommended",
            format!("recommended webhook fields not subscribed: {}", recommended.join(", ")),
            "press Register callback and fields in Meta settings; or switch them on in App Dashboard, WhatsApp > Configuration > Webhook fields",
        )
    };
    vec![callback, fields, more]
}
