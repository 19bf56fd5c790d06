//! A number as the operator's staff read it at a glance.

use super::{
    model::{Number, Registration},
    words,
};
use crate::web::{Badge, when::When};
use time::OffsetDateTime;

/// One node that sending depends on.
#[derive(Clone, Debug)]
pub struct NodeView {
    /// What it is.
    pub name: String,
    /// How it stands.
    pub badge: Badge,
    /// Why, each with what Meta proposes, which may be empty.
    pub causes: Vec<(String, String)>,
}

/// A number at a glance.
#[derive(Clone, Debug)]
pub struct NumberView {
    /// Its ID at Meta.
    pub id: String,
    /// As people of the world read it.
    pub number: String,
    /// Whether it can be used.
    pub registration: Badge,
    /// The name that is shown.
    pub name: String,
    /// Meta's word on it.
    pub name_check: Badge,
    /// The name that was asked for instead, with Meta's word on that.
    pub new_name: Option<(String, Badge)>,
    /// How its customers rate it.
    pub quality: Badge,
    /// To how many people in 24 hours it may write first.
    pub limit: String,
    /// How fast.
    pub speed: String,
    /// Whether messages can be sent; `None`: not read yet.
    pub sending: Option<Badge>,
    /// The nodes on which that depends which are not as they should be.
    pub nodes: Vec<NodeView>,
    /// Where its webhooks go instead of the app's address: whose address it is, and it.
    pub webhooks: Vec<(&'static str, String)>,
    /// When it was read.
    pub read: When,
}

impl NumberView {
    /// How it stands.
    #[must_use]
    pub fn new(number: &Number, now: OffsetDateTime) -> Self {
        let quality = number.quality();
        let health = number.health.as_ref();
        let nodes = health.map(|health| health.nodes.iter().map(words::node).collect::<Vec<_>>()).unwrap_or_default();
        let asked = number.new_name.clone().filter(|name| *name != number.verified_name);
        let status = number.new_name_status.as_deref().filter(|status| *status != "NONE");
        let hook = |whose, address: &Option<String>| address.clone().map(|address| (whose, address));
        Self {
            id: number.id.to_string(),
            number: number.international(),
            registration: words::state(number),
            name: number.verified_name.clone(),
            name_check: words::name_check(number.name_status.as_deref()),
            new_name: asked.zip(status).map(|(name, status)| (name, words::name_check(Some(status)))),
            quality: Badge::new(quality.badge(), quality.word()),
            limit: number.limit().words(),
            speed: speed(number),
            sending: health.map(|health| match health.can_send.as_str() {
                "AVAILABLE" => Badge::new("good", "Can send"),
                "LIMITED" => Badge::new("attention", "Limited"),
                "BLOCKED" => Badge::new("problem", "Blocked"),
                other => Badge::new("neutral", words::sentence(other)),
            }),
            nodes: nodes
                .into_iter()
                .filter(|node| node.badge.look != "good")
                .map(|node| NodeView { name: for_staff(&node.name), badge: node.badge, causes: node.causes })
                .collect(),
            webhooks: [hook("number", &number.webhooks.number), hook("account", &number.webhooks.account)]
                .into_iter()
                .flatten()
                .collect(),
            read: When::new(number.read_at, now),
        }
    }
}

/// How fast a number may send. Meta's word on it is not of numbers that the WhatsApp Business app uses too: those have a
/// speed of their own.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users>
pub(super) fn speed(number: &Number) -> String {
    match number.registration() {
        Registration::Coexistence => "Up to 20 messages a second".to_owned(),
        _ => words::plain(number.throughput_level.as_deref()),
    }
}

/// The customer is not the reader.
fn for_staff(name: &str) -> String {
    match name {
        "Your WhatsApp account" => "The WhatsApp account".to_owned(),
        "Your business" => "The business".to_owned(),
        other => other.to_owned(),
    }
}
