//! Single-use links by which people get in: invites, and new passwords. Opening a link uses nothing up
//! (mail scanners open links); the form behind it does. The link's secret is found by its hash, and kept
//! sealed while the link is good, so that it can be mailed and copied.

mod forgot;
mod forgot_pages;
mod jobs;
mod lines;
mod link_pages;
mod mails;
mod model;
mod open;
mod pages;
mod queries;
mod reset;
mod service;

use super::{Accounts, Limits, Pages, User, audit};
use crate::{
    base::{clock::Clock, ids::UserId, mail::Mailer, sealed::KeyRing},
    jobs::Queue,
    store::{Store, StoreError, WriteTx},
    web::Routes,
};
use url::Url;

pub use jobs::SEND_MAIL_JOB;
pub use lines::InviteLine;
pub use model::{Invite, Kind, MailState, Standing};
pub(super) use queries::revoke_resets;
pub use service::{Company, InviteError, NewInvite};

/// Invites and new passwords. Cloning shares what is beneath.
#[derive(Clone)]
pub struct Invites {
    /// People and companies.
    pub accounts: Accounts,
    /// The database.
    pub store: Store,
    /// The keys for secrets at rest.
    pub keys: KeyRing,
    /// Background work.
    pub queue: Queue,
    /// Limits on how often mail is asked for.
    pub limits: Limits,
    /// Sends mail; without it links are copied by hand.
    pub mailer: Option<Mailer>,
    /// Where people reach the portal.
    pub public_url: Url,
    /// The operator's name as customers know it.
    pub operator: String,
    /// Where answers to mails go.
    pub support_email: Option<String>,
    /// The time.
    pub clock: Clock,
}

/// Takes back the open links that somebody made who may do so no longer: they have the secrets still. All of them,
/// or only those that let into the staff.
///
/// # Errors
/// The database's.
pub(super) async fn revoke_made_by(
    tx: &mut WriteTx,
    clock: &Clock,
    actor: &User,
    maker: UserId,
    all: bool,
) -> Result<(), StoreError> {
    for (id, customer) in queries::revoke_made_by(tx, maker, all, clock.now()).await? {
        let (subject, action) = (id.to_string(), "invite.revoked");
        let entry = audit::Entry { actor: Some(actor.id), customer, action, subject: Some(&subject), detail: None };
        audit::record(tx, clock, entry).await?;
    }
    Ok(())
}

/// The pages of invites and new passwords.
pub(super) fn routes(invites: Invites, people: Pages) -> Routes {
    Routes::new()
        .merge(pages::routes())
        .merge(forgot_pages::routes())
        .with_state(invites.clone())
        .merge(link_pages::routes(invites, people))
}
