//! Whether somebody who has a stream open may still see what it shows: streams outlive the check at their beginning.

use super::{Accounts, User, queries};
use crate::{
    store::StoreError,
    web::session::{self, SessionId},
};

/// Somebody, and the session in which they are signed in.
#[derive(Clone, Debug)]
pub struct Presence {
    session: Option<SessionId>,
    user: User,
}

impl Presence {
    /// Of this person, now.
    #[must_use]
    pub fn new(session: &tower_sessions::Session, user: User) -> Self {
        Self { session: session.id(), user }
    }

    /// Who it is.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Whether they are still signed in, in the same role and the same company, which is not shut out.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_there(&self, accounts: &Accounts) -> Result<bool, StoreError> {
        let Some(session) = self.session else { return Ok(false) };
        let id = self.user.id;
        let mut db = accounts.store.read().await?;
        let is_signed_in = session::is_of(&mut db, &session, &id.to_string(), accounts.clock.now()).await?;
        let now = if is_signed_in { queries::user_by_id(&mut db, id).await? } else { None };
        Ok(now.is_some_and(|now| {
            !now.is_shut_out() && (now.role, now.customer_id) == (self.user.role, self.user.customer_id)
        }))
    }
}
