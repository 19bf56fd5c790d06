//! What is done in the background.

use super::Parts;
use crate::{
    accounts::SEND_MAIL_JOB,
    backoffice::{self, CHECK_JOB},
    base::ids::{AttemptId, ConnectionId, InviteId, PhoneNumberId},
    business_profile::COPY_JOB,
    connections::{ACCESS_JOB, DISCONNECT_JOB, LINK_MAIL_JOB, RECHECK_JOB, RENEW_JOB},
    forwarding,
    jobs::{self, Handlers, Outcome},
    message_templates, phone_numbers,
    signup::ADVANCE_JOB,
};
use std::sync::{
    Arc,
    atomic::{AtomicI32, Ordering},
};

/// The kind of the job that tidies up; it has one subject.
pub(super) const PRUNE_JOB: &str = "web.prune_sessions";
/// How often.
pub(super) const PRUNE_EVERY: time::Duration = time::Duration::hours(1);
/// How long after the start what is set up at Meta is looked at first.
pub(super) const CHECK_AFTER: time::Duration = time::Duration::hours(6);

/// What is done in the background, by the kind of the job.
pub(super) fn handlers(parts: &Parts) -> Handlers {
    let (office, clock) = (&parts.backoffice, parts.backoffice.clock.clone());
    let checks = office.checks.clone();
    let advance = parts.signup.clone();
    let (undo, setup) = (parts.connections.clone(), office.meta.clone());
    let (access, access_setup) = (parts.connections.clone(), office.meta.clone());
    let (recheck, recheck_setup) = (parts.connections.clone(), office.meta.clone());
    let (renew, renew_setup) = (parts.connections.clone(), office.meta.clone());
    let (mails, links) = (parts.invites.clone(), parts.permissions.links.clone());
    let profiles = parts.profiles.clone();
    let (sessions, webhooks) = (parts.sessions.clone(), parts.webhooks.clone());
    let connections = parts.connections.clone();
    let pictures = parts.profiles.clone();
    let (limits, invites) = (parts.limits.clone(), parts.invites.clone());
    let (forwarding, keep) = (parts.forwarding.clone(), parts.retention);
    // On which day the marks of duplicates were walked through last.
    let walked = Arc::new(AtomicI32::new(0));
    let mut handlers = Handlers::from([
        (
            ADVANCE_JOB,
            jobs::handler(move |id| {
                let signup = advance.clone();
                async move { signup.advance(id.parse::<AttemptId>()?).await }
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
            ACCESS_JOB,
            jobs::handler(move |id| {
                let (connections, meta) = (access.clone(), access_setup.now());
                async move { connections.check_access(&meta, id.parse::<ConnectionId>()?).await }
            }),
        ),
        (
            RECHECK_JOB,
            jobs::handler(move |id| {
                let (connections, meta) = (recheck.clone(), recheck_setup.now());
                async move { connections.recheck(&meta, id.parse::<ConnectionId>()?).await }
            }),
        ),
        (
            RENEW_JOB,
            jobs::handler(move |id| {
                let (connections, meta) = (renew.clone(), renew_setup.now());
                async move { connections.renew_token(&meta, id.parse::<ConnectionId>()?).await }
            }),
        ),
        (
            LINK_MAIL_JOB,
            jobs::handler(move |id| {
                let links = links.clone();
                async move { links.send_mail(&id).await }
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
            COPY_JOB,
            jobs::handler(move |id| {
                let profiles = profiles.clone();
                async move { profiles.copy(id.parse::<PhoneNumberId>()?).await }
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
                let (limits, invites, forwarding) = (limits.clone(), invites.clone(), forwarding.clone());
                let (walked, connections, pictures) = (walked.clone(), connections.clone(), pictures.clone());
                async move {
                    let now = clock.now();
                    sessions.prune().await?;
                    webhooks.prune(now - keep.bodies, now - keep.events, now - keep.charts).await?;
                    let today = now.to_julian_day();
                    if walked.load(Ordering::Relaxed) != today {
                        webhooks.prune_marks().await?;
                        walked.store(today, Ordering::Relaxed);
                    }
                    connections.prune_own_apps().await?;
                    pictures.prune().await?;
                    forwarding.prune(now - keep.deliveries, now - keep.charts).await?;
                    limits.prune().await?;
                    invites.prune().await?;
                    connections.prune().await?;
                    Ok(Outcome::Again(clock.now() + PRUNE_EVERY))
                }
            }),
        ),
    ]);
    handlers.extend(message_templates::handlers(&parts.templates, &parts.lines));
    handlers.extend(phone_numbers::handlers(&parts.number_pages.numbers));
    handlers.extend(backoffice::handlers(office));
    handlers.extend(forwarding::handlers(&parts.forwarding, &parts.webhooks, &parts.invites));
    handlers
}
