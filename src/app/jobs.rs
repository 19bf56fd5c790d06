//! What is done in the background, and what a webhook changes in other features.

use super::Parts;
use crate::{
    accounts::SEND_MAIL_JOB,
    backoffice::{self, CHECK_JOB},
    base::ids::{AttemptId, ConnectionId, InviteId, WabaId},
    connections::DISCONNECT_JOB,
    jobs::{self, Handlers, Outcome},
    signup::{ADVANCE_JOB, PartnerEvent, Signup},
    store::WriteTx,
    webhooks::{Change, ChangeHandler, PROCESS_JOB},
};
use std::sync::Arc;

/// The kind of the job that tidies up; it has one subject.
pub(super) const PRUNE_JOB: &str = "web.prune_sessions";
/// How often.
pub(super) const PRUNE_EVERY: time::Duration = time::Duration::hours(6);

/// What a webhook's change means for other features.
pub(super) fn on_change(signup: Signup) -> ChangeHandler {
    Arc::new(move |tx: &mut WriteTx, change: &Change| {
        let signup = signup.clone();
        Box::pin(async move {
            if change.field != "account_update" {
                return Ok(());
            }
            // https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update
            let event = change.value.get("event").and_then(|event| event.as_str()).unwrap_or_default();
            let info = change.value.get("waba_info");
            let text = |key: &str| info.and_then(|info| info.get(key)).and_then(|id| id.as_str());
            let waba = text("waba_id").and_then(|id| id.parse::<WabaId>().ok());
            if let (true, Some(waba)) = (event.starts_with("PARTNER_"), waba) {
                let business = text("owner_business_id").and_then(|id| id.parse().ok());
                let at = change.time.and_then(|at| time::OffsetDateTime::from_unix_timestamp(at).ok());
                signup.partner_event(tx, &PartnerEvent { event: event.to_owned(), waba, business, at }).await?;
            }
            Ok(())
        })
    })
}

/// What is done in the background, by the kind of the job.
pub(super) fn handlers(parts: &Parts) -> Handlers {
    let (office, clock) = (&parts.backoffice, parts.backoffice.clock.clone());
    let checks = office.checks.clone();
    let advance = parts.signup.clone();
    let process = parts.webhooks.clone();
    let (undo, setup) = (parts.connections.clone(), office.meta.clone());
    let mails = parts.invites.clone();
    let (sessions, webhooks) = (parts.sessions.clone(), parts.webhooks.clone());
    let (limits, invites) = (parts.limits.clone(), parts.invites.clone());
    let mut handlers = Handlers::from([
        (
            ADVANCE_JOB,
            jobs::handler(move |id| {
                let signup = advance.clone();
                async move { signup.advance(id.parse::<AttemptId>()?).await }
            }),
        ),
        (
            PROCESS_JOB,
            jobs::handler(move |id| {
                let webhooks = process.clone();
                async move { webhooks.process(&id).await }
            }),
        ),
        (
            DISCONNECT_JOB,
            jobs::handler(move |id| {
                let (connections, meta) = (undo.clone(), setup.now());
                async move {
                    let secret = meta.app.as_ref().map(|app| &app.secret);
                    connections.undo(&meta.graph, secret, id.parse::<ConnectionId>()?).await
                }
            }),
        ),
        (
            SEND_MAIL_JOB,
            jobs::handler(move |id| {
                let invites = mails.clone();
                async move { invites.send_mail(id.parse::<InviteId>()?).await }
            }),
        ),
        (
            CHECK_JOB,
            jobs::handler(move |_| {
                let checks = checks.clone();
                async move { checks.job().await }
            }),
        ),
        (
            PRUNE_JOB,
            jobs::handler(move |_| {
                let (sessions, webhooks, clock) = (sessions.clone(), webhooks.clone(), clock.clone());
                let (limits, invites) = (limits.clone(), invites.clone());
                async move {
                    sessions.prune().await?;
                    webhooks.prune().await?;
                    limits.prune().await?;
                    invites.prune().await?;
                    Ok(Outcome::Again(clock.now() + PRUNE_EVERY))
                }
            }),
        ),
    ]);
    handlers.extend(backoffice::handlers(office));
    handlers
}
