//! Display names under review: it takes some seconds here, hours or days at Meta. A name with `WhatsApp` in it is
//! rejected, as is `Test`, `Sample` or `Shop` alone; the rest is approved.
//!
//! Meta: display-names; webhooks/reference/phone_number_name_update.

use super::{
    Sandbox,
    assets::{NameStatus, Phone, Review, digits},
    state::State,
    webhooks::{self, Delivery},
};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a review takes.
const REVIEW_MS: i64 = 8_000;

/// The review of the name that a number begins with.
pub(super) fn first_review(name: &str, declined: bool, now_ms: i64) -> Review {
    let rejected = declined.then(|| "NAME_NOT_CONSISTENT".to_owned());
    Review { name: name.to_owned(), due_ms: now_ms + REVIEW_MS, rejected, over: false, first: true }
}

/// The review of another name.
pub(super) fn another(name: &str, now_ms: i64) -> Review {
    let lower = name.to_lowercase();
    let rejected = match lower.as_str() {
        name if name.contains("whatsapp") => Some("NAME_ENDCLIENT_NOTRELATED"),
        "test" | "sample" | "shop" => Some("NAME_FORMAT_UNACCEPTABLE"),
        _ => None,
    };
    let rejected = rejected.map(str::to_owned);
    Review { name: name.to_owned(), due_ms: now_ms + REVIEW_MS, rejected, over: false, first: false }
}

/// Ends the reviews whose time has come; tells the webhooks to send.
pub(super) fn settle(state: &mut State, now_ms: i64) -> Vec<Delivery> {
    let mut told = Vec::new();
    for phone in &mut state.phones {
        // Changed by hand meanwhile.
        let moot = phone.more.review.as_ref().is_some_and(|review| review.first)
            && phone.name_status != NameStatus::PendingReview;
        let Some(review) = phone.more.review.as_mut().filter(|review| !review.over && review.due_ms <= now_ms) else {
            continue;
        };
        review.over = true;
        if moot {
            continue;
        }
        let (name, rejected, first) = (review.name.clone(), review.rejected.clone(), review.first);
        match &rejected {
            None => {
                phone.verified_name.clone_from(&name);
                phone.name_status = NameStatus::Approved;
            }
            Some(_) if first => phone.name_status = NameStatus::Declined,
            Some(_) => {}
        }
        told.push(Delivery::new(decision(phone, &name, rejected.as_deref(), now_ms), now_ms));
    }
    state.outbox.extend(told.iter().cloned());
    told
}

fn decision(phone: &Phone, name: &str, rejected: Option<&str>, now_ms: i64) -> Value {
    about(
        phone,
        "phone_number_name_update",
        json!({
            "display_phone_number": digits(&phone.display),
            "decision": if rejected.is_some() { "REJECTED" } else { "APPROVED" },
            "requested_verified_name": name,
            "rejection_reason": rejected,
        }),
        now_ms,
    )
}

/// A webhook of this field about a number, from its account.
pub(super) fn about(phone: &Phone, field: &str, value: Value, now_ms: i64) -> Value {
    json!({
        "object": "whatsapp_business_account",
        "entry": [{
            "id": phone.waba_id,
            "time": now_ms / 1000,
            "changes": [{"field": field, "value": value}],
        }],
    })
}

/// Whether a review's time has come.
pub(super) fn is_due(state: &State, now_ms: i64) -> bool {
    let reviews = state.phones.iter().filter_map(|phone| phone.more.review.as_ref());
    reviews.into_iter().any(|review| !review.over && review.due_ms <= now_ms)
}

/// Ends what is due, where something is.
pub(super) fn end_due(sandbox: &Sandbox) -> std::io::Result<()> {
    let now_ms = sandbox.now_ms();
    if sandbox.read(|state| is_due(state, now_ms)) {
        let told = sandbox.change(|state| settle(state, now_ms))?;
        webhooks::send(sandbox, told);
    }
    Ok(())
}

/// Looks once a second whether a review is over, also of those that a former process began. Without a runtime nobody
/// would be told.
pub(super) fn resume(sandbox: &Sandbox) {
    if tokio::runtime::Handle::try_current().is_err() {
        return;
    }
    let weak = std::sync::Arc::downgrade(&sandbox.inner);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let Some(inner) = weak.upgrade() else { return };
            if let Err(error) = end_due(&Sandbox { inner }) {
                tracing::error!(%error, "the sandbox's state could not be written");
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_names_are_rejected() {
        for (name, rejected) in [
            ("Harbour Bakery", None),
            ("Test", Some("NAME_FORMAT_UNACCEPTABLE")),
            ("My WhatsApp", Some("NAME_ENDCLIENT_NOTRELATED")),
        ] {
            assert_eq!(another(name, 0).rejected.as_deref(), rejected, "{name}");
        }
    }
}
