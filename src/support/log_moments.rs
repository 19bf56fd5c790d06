//! What a customer's timeline tells from the audit log: what people did, and what Doorway did, beside what features tell
//! with more about it.

use super::{pages::Support, timeline::Kind};
use crate::{
    accounts::{Cursor, Filter, LogLine, audit_words},
    base::ids::{CustomerId, PhoneNumberId},
    business_profile::Field,
    web::{Badge, Before, Moment, Result},
};
use std::collections::HashMap;

/// What is told, by kind. What is left out is told better by its feature (attempts, checks of permissions), or is
/// no part of the story (people signing in).
const TOLD: &[(Kind, &[&str])] = &[
    (Kind::Attempts, &["attempt.accounts_chosen", "attempt.resumed", "attempt.waba_id_typed"]),
    (
        Kind::Permissions,
        &[
            "connection.added_by_hand",
            "connection.app_changed",
            "connection.created",
            "connection.disconnected",
            "connection.left_unconfirmed",
            "connection.link_made",
            "connection.link_revoked",
            "connection.link_used",
            "connection.renamed",
            "connection.renewed",
            "connection.token_renewed",
            "connection.token_replaced",
            "waba.released",
        ],
    ),
    (
        Kind::Numbers,
        &[
            "number.added",
            "number.code_sent",
            "number.deregister_asked",
            "number.deregistered",
            "number.name_asked",
            "number.pin_change_asked",
            "number.pin_changed",
            "number.pin_shown",
            "number.register_asked",
            "number.registered",
            "number.task_failed",
            "number.task_given_up",
            "number.verified",
        ],
    ),
    (Kind::Templates, &["template.created", "template.deleted", "template.edited"]),
    (
        Kind::Other,
        &[
            "customer.created",
            "customer.details_changed",
            "customer.exported",
            "customer.renamed",
            "customer.suspended",
            "customer.unsuspended",
            "endpoint.changed",
            "endpoint.created",
            "endpoint.deleted",
            "endpoint.disabled",
            "endpoint.failing",
            "endpoint.paused",
            "endpoint.replayed",
            "endpoint.resumed",
            "endpoint.secret_rotated",
            "profile.changed",
        ],
    ),
];

/// Those of the kinds that are wanted, before this one.
pub(super) async fn read(
    support: &Support,
    customer: CustomerId,
    numbers: &HashMap<PhoneNumberId, String>,
    wanted: &(dyn Fn(Kind) -> bool + Sync),
    before: &Before,
    limit: i64,
) -> Result<Vec<(Kind, Moment)>> {
    let actions: Vec<&'static str> =
        TOLD.iter().filter(|(kind, _)| wanted(*kind)).flat_map(|(_, actions)| actions.iter().copied()).collect();
    if actions.is_empty() {
        return Ok(Vec::new());
    }
    let filter = Filter { customer: Some(customer), actions, ..Filter::default() };
    let cursor = Cursor::new(before.at, &before.id);
    let lines = support.accounts.audit_log(&filter, Some(&cursor), limit).await?;
    let mut names: HashMap<String, String> =
        numbers.iter().map(|(id, number)| (id.to_string(), number.clone())).collect();
    for overview in support.connections.list(customer).await? {
        let connection = overview.connection;
        names.insert(connection.id.to_string(), format!("“{}”", connection.name));
    }
    let templates: Vec<String> = lines
        .iter()
        .filter(|line| line.action.starts_with("template."))
        .filter_map(|line| line.subject.clone())
        .collect();
    if !templates.is_empty() {
        let wabas = support.connections.held_wabas(customer).await?;
        names.extend(support.templates.names(&wabas, &templates).await?);
    }
    Ok(lines.iter().filter_map(|line| Some((kind_of(&line.action)?, moment(line, &names)))).collect())
}

fn kind_of(action: &str) -> Option<Kind> {
    TOLD.iter().find(|(_, actions)| actions.contains(&action)).map(|(kind, _)| *kind)
}

/// The fields of a profile that a detail names, as people read them.
fn fields(detail: &str) -> String {
    let labels = Field::ALL.iter().filter(|field| detail.split(", ").any(|key| key == field.key()));
    labels.map(|field| field.label().to_lowercase()).collect::<Vec<_>>().join(", ")
}

fn moment(line: &LogLine, names: &HashMap<String, String>) -> Moment {
    let who = match (line.actor, line.actor_name.as_deref()) {
        (None, _) => "Doorway",
        (Some(_), Some(name)) => name,
        (Some(_), None) => "Somebody who was removed",
    };
    let did = audit_words::words(&line.action).unwrap_or(&line.action);
    let to = line.subject.as_ref().and_then(|subject| names.get(subject));
    let fields = (line.action == "profile.changed").then(|| fields(line.detail.as_deref().unwrap_or_default()));
    let said = to.cloned().into_iter().chain(fields.filter(|fields| !fields.is_empty()));
    let to: String = said.map(|said| format!(": {said}")).collect();
    let badge = match line.action.as_str() {
        "number.task_failed" | "connection.left_unconfirmed" => Some(Badge::new("problem", "Failed")),
        "endpoint.disabled" | "endpoint.failing" => Some(Badge::new("problem", "Stopped")),
        "connection.disconnected" | "number.deregistered" | "waba.released" | "customer.suspended" => {
            Some(Badge::new("attention", "Ended"))
        }
        "connection.created" | "connection.renewed" | "number.registered" | "number.verified" => {
            Some(Badge::new("good", "Done"))
        }
        _ => None,
    };
    let mut details = vec![line.action.clone()];
    details.extend(line.detail.clone());
    details.extend(line.subject.as_ref().map(|id| format!("{} {id}", audit_words::subject_kind(&line.action))));
    Moment { at: line.at, id: line.id.clone(), badge, what: format!("{who} {did}{to}."), details }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_profile_are_named() {
        assert_eq!(fields("picture, vertical, websites"), "photo, category, websites");
        assert_eq!(fields(""), "");
        let line = LogLine {
            id: "1".to_owned(),
            at: time::OffsetDateTime::UNIX_EPOCH,
            action: "profile.changed".to_owned(),
            subject: Some("5".to_owned()),
            detail: Some("about, email".to_owned()),
            actor: None,
            actor_name: None,
            customer: None,
            customer_name: None,
            address: None,
        };
        let names = HashMap::from([("5".to_owned(), "+44 20 7946 0958".to_owned())]);
        let told = moment(&line, &names).what;
        assert!(told.ends_with("shows itself in WhatsApp: +44 20 7946 0958: about, e-mail address."), "{told}");
    }

    #[test]
    fn all_that_is_told_has_words() {
        for action in TOLD.iter().flat_map(|(_, actions)| actions.iter()) {
            assert!(audit_words::words(action).is_some(), "{action}");
        }
    }
}
