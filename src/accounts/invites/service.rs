//! Making, showing, mailing and taking back invites: who may do it to whom.

use super::{
    Invite, Invites, Kind, MailState, Standing,
    jobs::SEND_MAIL_JOB,
    lines::InviteLine,
    model::INVITE_FOR,
    queries::{self, NewRow},
};
use crate::{
    accounts::{
        AccountError, BusinessDetails, EmailAddress, Role, User, audit, customer_queries,
        limits::{Subject, Wait},
    },
    base::{
        ids::{self, CustomerId, InviteId, UserId},
        sealed::{Place, SealError},
    },
    store::{StoreError, WriteTx},
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

/// How long expired invites are still listed.
const LISTED: Duration = Duration::days(30);

/// Why something about an invite could not be done.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// It is not there, or not for this person.
    #[error("no such invite")]
    NotFound,
    /// The link is good no longer.
    #[error("the link is no longer good")]
    NotOpen(Standing),
    /// Somebody has this address already.
    #[error("somebody with this e-mail address is here already")]
    EmailTaken,
    /// A customer of this name is here already.
    #[error("a customer of this name is here already")]
    CompanyTaken(CustomerId),
    /// The new password will not do; the text says why.
    #[error("{0}")]
    WeakPassword(&'static str),
    /// Too many mails to this address.
    #[error("too many mails to this address; wait {0}")]
    TooMany(Wait),
    /// Too many invites by this person.
    #[error("too many invites; wait {0}")]
    TooManyInvites(Wait),
    /// About people and companies.
    #[error("{0}")]
    Account(AccountError),
    /// A sealed value does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AccountError> for InviteError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::WeakPassword(text) => Self::WeakPassword(text),
            other => Self::Account(other),
        }
    }
}

impl From<InviteError> for crate::web::Error {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::NotFound => Self::NotFound,
            InviteError::NotOpen(_) => {
                Self::Conflict("This link is used, taken back or expired. Invite them once more.".to_owned())
            }
            InviteError::TooMany(wait) => {
                Self::Conflict(format!("This address got many mails of late. Wait {wait}, then send it again."))
            }
            InviteError::TooManyInvites(wait) => {
                Self::Conflict(format!("You invited many people of late. Wait {wait}, then go on."))
            }
            InviteError::EmailTaken | InviteError::CompanyTaken(_) | InviteError::WeakPassword(_) => {
                Self::BadRequest(error.to_string())
            }
            InviteError::Account(error) => error.into(),
            InviteError::Seal(_) | InviteError::Store(_) => Self::internal(error),
        }
    }
}

/// Into which company somebody is invited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Company {
    /// None: staff.
    None,
    /// One that is here.
    Existing(CustomerId),
    /// A new one of this name.
    New(String),
}

/// An invite to be made.
#[derive(Clone, Debug)]
pub struct NewInvite {
    /// Whom.
    pub email: EmailAddress,
    /// Their name, where known.
    pub name: Option<String>,
    /// As what.
    pub role: Role,
    /// Into which company.
    pub company: Company,
    /// What is known of the business; `None` leaves what is there.
    pub details: Option<BusinessDetails>,
}

/// A link's secret, its hash, and sealed.
pub(super) struct Secret {
    pub hash: String,
    pub sealed: String,
}

pub(super) fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

fn place(id: &str) -> Place<'_> {
    Place { table: "invites", column: "token_sealed", row: id }
}

/// Whether this person may see and handle a link. What somebody asked for themselves is nobody else's.
fn may_handle(actor: &User, invite: &Invite) -> bool {
    let own = invite.customer_id.is_some() && invite.customer_id == actor.customer_id;
    match (invite.kind, actor.role) {
        (Kind::Reset, _) if invite.created_by.is_none() => false,
        (_, Role::Admin) => true,
        (_, Role::Support) => invite.role == Role::Customer,
        (Kind::Invite, Role::Customer) => own,
        (Kind::Reset, Role::Customer) => false,
    }
}

impl Invites {
    /// A new secret for this row.
    pub(super) fn new_secret(&self, id: InviteId) -> Secret {
        let secret = SecretString::from(ids::random_token());
        let sealed = self.keys.seal(place(&id.to_string()), &secret);
        Secret { hash: hash(secret.expose_secret()), sealed }
    }

    /// Invites somebody: admins whom they like, support into companies, members into their own.
    ///
    /// # Errors
    /// [`InviteError::EmailTaken`], [`InviteError::CompanyTaken`], [`InviteError::TooMany`],
    /// [`InviteError::TooManyInvites`], [`InviteError::NotFound`] where the actor may not, or the company is not there; or the database's.
    pub async fn create(&self, actor: &User, new: NewInvite) -> Result<InviteId, InviteError> {
        let allowed = match (actor.role, new.role, &new.company) {
            (Role::Admin, Role::Admin | Role::Support, Company::None) => true,
            (Role::Admin | Role::Support, Role::Customer, Company::Existing(_) | Company::New(_)) => true,
            (Role::Customer, Role::Customer, Company::Existing(company)) => {
                actor.customer_id == Some(*company) && new.details.is_none()
            }
            _ => false,
        };
        if !allowed {
            return Err(InviteError::NotFound);
        }
        self.limit(actor, new.email.as_str()).await?;
        let (id, now) = (InviteId::new(), self.clock.now());
        let secret = self.new_secret(id);
        let mut tx = self.store.write().await?;
        if queries::user_by_email(&mut tx, new.email.as_str()).await?.is_some() {
            return Err(InviteError::EmailTaken);
        }
        let customer_id = match &new.company {
            Company::None => None,
            Company::Existing(id) if queries::customer_is_there(&mut tx, *id).await? => Some(*id),
            Company::Existing(_) => return Err(InviteError::NotFound),
            Company::New(name) => Some(self.new_customer(&mut tx, actor, name, now).await?),
        };
        if let (Some(customer), Some(details)) = (customer_id, &new.details) {
            let json = serde_json::to_string(details).map_err(|_| StoreError::Value("details".to_owned()))?;
            customer_queries::set_details(&mut tx, customer, &json).await?;
            let subject = customer.to_string();
            self.note(&mut tx, Some(actor.id), customer_id, "customer.details_changed", &subject).await?;
        }
        for replaced in queries::revoke_same(&mut tx, new.email.as_str(), customer_id, now).await? {
            self.note(&mut tx, Some(actor.id), customer_id, "invite.revoked", &replaced.to_string()).await?;
        }
        let mailed = self.mailer.is_some();
        let row = NewRow {
            id,
            kind: Kind::Invite,
            token_hash: &secret.hash,
            token_sealed: &secret.sealed,
            email: new.email.as_str(),
            name: new.name.as_deref(),
            role: new.role,
            customer_id,
            user_id: None,
            created_by: Some(actor.id),
            at: now,
            expires_at: now + INVITE_FOR,
            mailed,
        };
        queries::insert(&mut tx, row).await?;
        self.note(&mut tx, Some(actor.id), customer_id, "invite.created", &id.to_string()).await?;
        if mailed {
            self.queue.enqueue(&mut tx, SEND_MAIL_JOB, &id.to_string(), now).await?;
        }
        tx.commit().await?;
        self.queue.wake();
        Ok(id)
    }

    async fn new_customer(
        &self,
        tx: &mut WriteTx,
        actor: &User,
        name: &str,
        now: OffsetDateTime,
    ) -> Result<CustomerId, InviteError> {
        if let Some(known) = customer_queries::by_name(tx, name).await? {
            return Err(InviteError::CompanyTaken(known.id));
        }
        let id = CustomerId::new();
        customer_queries::insert(tx, id, name, now).await?;
        self.note(tx, Some(actor.id), Some(id), "customer.created", &id.to_string()).await?;
        Ok(id)
    }

    /// A link that this person may handle.
    ///
    /// # Errors
    /// [`InviteError::NotFound`] also where it is for others.
    pub async fn get(&self, actor: &User, id: InviteId) -> Result<Invite, InviteError> {
        match queries::by_id(&mut self.store.read().await?, id).await? {
            Some(invite) if may_handle(actor, &invite) => Ok(invite),
            _ => Err(InviteError::NotFound),
        }
    }

    /// The address to hand on, while it is good.
    ///
    /// # Errors
    /// The database's, or that it does not open.
    pub async fn link(&self, invite: &Invite) -> Result<Option<SecretString>, InviteError> {
        if invite.standing(self.clock.now()) != Standing::Open {
            return Ok(None);
        }
        let Some(sealed) = queries::sealed(&mut self.store.read().await?, invite.id).await? else { return Ok(None) };
        let secret = self.keys.open(place(&invite.id.to_string()), &sealed)?;
        let mut url = self.public_url.clone();
        url.set_path(&format!("{}/{}", invite.kind.as_str(), secret.expose_secret()));
        Ok(Some(url.to_string().into()))
    }

    /// Takes a link back.
    ///
    /// # Errors
    /// [`InviteError::NotFound`], [`InviteError::NotOpen`] where it is used or taken back already.
    pub async fn revoke(&self, actor: &User, id: InviteId) -> Result<(), InviteError> {
        let invite = self.get(actor, id).await?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        if !queries::revoke(&mut tx, id, now).await? {
            return Err(InviteError::NotOpen(invite.standing(now)));
        }
        self.note(&mut tx, Some(actor.id), invite.customer_id, "invite.revoked", &id.to_string()).await?;
        Ok(tx.commit().await?)
    }

    /// Mails a link once more.
    ///
    /// # Errors
    /// [`InviteError::NotFound`] (also where no mail can be sent), [`InviteError::NotOpen`],
    /// [`InviteError::TooMany`], [`InviteError::TooManyInvites`].
    pub async fn send(&self, actor: &User, id: InviteId) -> Result<(), InviteError> {
        let invite = self.get(actor, id).await?;
        let now = self.clock.now();
        if self.mailer.is_none() {
            return Err(InviteError::NotFound);
        }
        if invite.standing(now) != Standing::Open {
            return Err(InviteError::NotOpen(invite.standing(now)));
        }
        // One that is on its way already is tried at once, and that is all.
        if invite.mail_state != Some(MailState::Queued) {
            self.limit(actor, &invite.email).await?;
        }
        let mut tx = self.store.write().await?;
        queries::set_mail(&mut tx, id, Some("queued"), now, None).await?;
        self.note(&mut tx, Some(actor.id), invite.customer_id, "invite.sent_again", &id.to_string()).await?;
        self.queue.enqueue(&mut tx, SEND_MAIL_JOB, &id.to_string(), now).await?;
        tx.commit().await?;
        self.queue.wake();
        Ok(())
    }

    /// Invites of a company that nobody used yet, also those that expired of late; the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn of_customer(&self, customer: CustomerId) -> Result<Vec<InviteLine>, InviteError> {
        let now = self.clock.now();
        let invites = queries::of_customer(&mut self.store.read().await?, customer, now - LISTED).await?;
        Ok(invites.iter().map(|invite| InviteLine::new(invite, now)).collect())
    }

    /// The same for staff.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_staff(&self) -> Result<Vec<InviteLine>, InviteError> {
        let now = self.clock.now();
        let invites = queries::of_staff(&mut self.store.read().await?, now - LISTED).await?;
        Ok(invites.iter().map(|invite| InviteLine::new(invite, now)).collect())
    }

    /// Forgets the secrets of expired links, and old links for new passwords.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let gone = queries::prune(&mut tx, now, now - LISTED).await?;
        tx.commit().await?;
        Ok(gone)
    }

    /// Counts an invite by this person, and a mail to this address.
    async fn limit(&self, actor: &User, email: &str) -> Result<(), InviteError> {
        if actor.role == Role::Customer
            && let Err(too_many) = self.limits.begin(&[Subject::inviter(actor.id)]).await?
        {
            return Err(InviteError::TooManyInvites(too_many.wait));
        }
        if self.mailer.is_some()
            && let Err(too_many) = self.limits.begin(&[Subject::invite(email)]).await?
        {
            return Err(InviteError::TooMany(too_many.wait));
        }
        Ok(())
    }

    pub(super) async fn note(
        &self,
        tx: &mut WriteTx,
        actor: Option<UserId>,
        customer: Option<CustomerId>,
        action: &'static str,
        subject: &str,
    ) -> Result<(), StoreError> {
        let entry = audit::Entry { actor, customer, action, subject: Some(subject), detail: None };
        audit::record(tx, &self.clock, entry).await
    }
}
