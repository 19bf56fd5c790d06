//! What is done in the background, beside the dispatcher.

use super::{CANCEL_JOB, MAIL_JOB, REMOVE_JOB, REPLAY_JOB, RESUME_JOB, mail, service::Forwarding};
use crate::{
    accounts::Invites,
    base::ids::EndpointId,
    jobs::{self, Handler, Handlers, Outcome},
    store::Result,
    webhooks::Webhooks,
};
use futures_util::future::BoxFuture;

/// The handlers. Mail goes the way that invites go.
#[must_use]
pub fn handlers(forwarding: &Forwarding, webhooks: &Webhooks, invites: &Invites) -> Handlers {
    let (replaying, webhooks) = (forwarding.clone(), webhooks.clone());
    let (mailing, invites) = (forwarding.clone(), invites.clone());
    Handlers::from([
        (RESUME_JOB, of(forwarding, |forwarding, id| Box::pin(forwarding.set_all_due(id)))),
        (CANCEL_JOB, of(forwarding, |forwarding, id| Box::pin(forwarding.cancel_pending(id)))),
        (REMOVE_JOB, of(forwarding, |forwarding, id| Box::pin(forwarding.remove(id)))),
        (
            REPLAY_JOB,
            jobs::handler(move |subject| {
                let (forwarding, webhooks) = (replaying.clone(), webhooks.clone());
                async move { forwarding.carry_on(&webhooks, &subject).await }
            }),
        ),
        (
            MAIL_JOB,
            jobs::handler(move |id| {
                let (forwarding, invites) = (mailing.clone(), invites.clone());
                async move { mail::send(&forwarding, &invites, id.parse::<EndpointId>()?).await }
            }),
        ),
    ])
}

/// Work about an endpoint.
type Work = for<'a> fn(&'a Forwarding, EndpointId) -> BoxFuture<'a, Result<()>>;

/// A handler of jobs whose subject is an endpoint's ID.
fn of(forwarding: &Forwarding, work: Work) -> Handler {
    let forwarding = forwarding.clone();
    jobs::handler(move |id| {
        let forwarding = forwarding.clone();
        async move {
            work(&forwarding, id.parse::<EndpointId>()?).await?;
            Ok(Outcome::Done)
        }
    })
}
