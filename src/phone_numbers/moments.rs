//! What a customer's timeline tells of numbers: what changed by their readings, and calls that Meta counts and refused.

use super::{
    PhoneNumbers,
    model::{Number, Quality, international},
    readings::{self, Changed, Overrides},
    words,
};
use crate::{
    base::ids::{CustomerId, PhoneNumberId},
    store::Result,
    web::{Badge, Before, Moment},
};
use std::collections::HashMap;
use url::Url;

impl PhoneNumbers {
    /// What changed with a customer's numbers, before this one: quality, limit, speed, state, the name's review, where
    /// webhooks go.
    ///
    /// # Errors
    /// The database's.
    pub async fn change_moments(&self, customer: CustomerId, before: &Before, limit: i64) -> Result<Vec<Moment>> {
        let changes = readings::changes(&mut self.store.read().await?, customer, before, limit).await?;
        Ok(changes.iter().map(of_change).collect())
    }

    /// Registrations and ends of them that Meta refused, or that no answer is known of, before this one. What it did is
    /// on the audit log.
    ///
    /// # Errors
    /// The database's.
    pub async fn try_moments(&self, customer: CustomerId, before: &Before, limit: i64) -> Result<Vec<Moment>> {
        let tries = super::file_queries::tries_before(&mut self.store.read().await?, customer, before, limit).await?;
        Ok(tries
            .into_iter()
            .map(|one| {
                let what = if one.is_register { "Registering" } else { "Deregistering" };
                let number = international(&one.number);
                let (badge, came) = match one.outcome.as_deref() {
                    None => (Badge::new("waiting", "No answer"), "Meta’s answer is not known".to_owned()),
                    Some(code) => (Badge::new("problem", "Refused"), format!("Meta refused: {}", refused(code))),
                };
                let details = one.outcome.iter().map(|code| format!("code {code}")).collect();
                Moment {
                    at: one.at,
                    id: one.id,
                    badge: Some(badge),
                    what: format!("{what} {number}: {came}."),
                    details,
                }
            })
            .collect())
    }

    /// How a customer's numbers are written, by the ID that each has or had last.
    ///
    /// # Errors
    /// The database's.
    pub async fn written(&self, customer: CustomerId) -> Result<HashMap<PhoneNumberId, String>> {
        let all = super::file_queries::written(&mut self.store.read().await?, customer).await?;
        Ok(all.into_iter().map(|(id, number)| (id, international(&number))).collect())
    }
}

/// What a refusal of `register` or `deregister` means.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>
fn refused(code: &str) -> String {
    match code.split('/').next().unwrap_or_default() {
        "133005" => "the PIN is not the number’s".to_owned(),
        "133006" => "the number must be confirmed by code first".to_owned(),
        "133008" => "too many wrong PINs".to_owned(),
        "133009" => "PINs came too fast".to_owned(),
        "133010" => "the number is not registered".to_owned(),
        "133015" => "the number is still being deleted elsewhere".to_owned(),
        "133016" => "all tries of 72 hours are used up".to_owned(),
        "100" if code.ends_with("/2388001") => "the display name is not ready".to_owned(),
        _ => format!("code {code}"),
    }
}

/// An address without what may be a secret in it.
fn short(address: &str) -> String {
    match Url::parse(address) {
        Ok(url) => format!("{}{}", url.host_str().unwrap_or_default(), url.path()),
        Err(_) => "an address that can’t be read".to_owned(),
    }
}

fn hooks(overrides: &Overrides) -> String {
    let of = |whose: &str, words: &str| overrides.get(whose).map(|address| format!("{words} {}", short(address)));
    of("number", "to the number’s own address")
        .or_else(|| of("account", "to the account’s own address"))
        .unwrap_or_else(|| "to the app’s address".to_owned())
}

fn of_change(changed: &Changed) -> Moment {
    let (was, is) = (&changed.before, &changed.after);
    let mut said = Vec::new();
    let mut look = "neutral";
    let mut tell = |what: &str, was: Option<(String, String)>, turns: &'static str| {
        if let Some((was, is)) = was.filter(|(was, is)| was != is) {
            said.push(format!("{what} {was} → {is}"));
            look = match (look, turns) {
                ("problem", _) | (_, "problem") => "problem",
                ("attention", _) | (_, "attention") => "attention",
                ("good", _) | (_, "good") => "good",
                _ => "neutral",
            };
        }
    };
    let pair = |was: &Option<String>, is: &Option<String>, words: &dyn Fn(&str) -> String| {
        Some((words(was.as_deref()?), words(is.as_deref()?)))
    };
    let turns = |badge: &'static str| if badge == "waiting" { "neutral" } else { badge };
    let quality = |word: &str| Quality::of(Some(word)).word().to_lowercase();
    tell("quality", pair(&was.quality, &is.quality, &quality), turns(Quality::of(is.quality.as_deref()).badge()));
    let limit = |tier: &str| Number::limit_of(Some(tier)).words().to_lowercase();
    tell("limit in 24 hours", pair(&was.limit, &is.limit, &limit), "neutral");
    let plain = |word: &str| words::plain(Some(word)).to_lowercase();
    tell("speed", pair(&was.throughput, &is.throughput, &plain), "neutral");
    let status = match is.status.as_deref() {
        Some("BANNED" | "RESTRICTED" | "DISCONNECTED" | "DELETED") => "problem",
        Some("CONNECTED") => "good",
        _ => "neutral",
    };
    tell("state", pair(&was.status, &is.status, &plain), status);
    let name = |word: &str| words::name_check(Some(word)).word.to_lowercase();
    let name_look = turns(words::name_check(is.name_status.as_deref()).look);
    tell("name check", pair(&was.name_status, &is.name_status, &name), name_look);
    let sending = match is.can_send.as_deref() {
        Some("BLOCKED") => "problem",
        Some("LIMITED") => "attention",
        _ => "good",
    };
    tell("sending", pair(&was.can_send, &is.can_send, &|word| words::sentence(word).to_lowercase()), sending);
    let webhooks = was.webhooks.as_ref().zip(is.webhooks.as_ref());
    tell("webhooks", webhooks.map(|(was, is)| (hooks(was), hooks(is))), "neutral");
    let badge = match look {
        "problem" => Badge::new("problem", "Worse"),
        "attention" => Badge::new("attention", "Look"),
        "good" => Badge::new("good", "Better"),
        _ => Badge::new("neutral", "Changed"),
    };
    let raw = |name: &str, was: &Option<String>, is: &Option<String>| {
        let both = was.as_ref().zip(is.as_ref()).filter(|(was, is)| was != is);
        both.map(|(was, is)| format!("{name} {was} → {is}"))
    };
    let details = [
        raw("quality_rating", &was.quality, &is.quality),
        raw("whatsapp_business_manager_messaging_limit", &was.limit, &is.limit),
        raw("throughput", &was.throughput, &is.throughput),
        raw("status", &was.status, &is.status),
        raw("name_status", &was.name_status, &is.name_status),
        raw("health_status", &was.can_send, &is.can_send),
    ];
    Moment {
        at: is.at,
        id: changed.file.clone(),
        badge: Some(badge),
        what: format!("{}: {}.", international(&changed.number), said.join("; ")),
        details: details.into_iter().flatten().collect(),
    }
}
