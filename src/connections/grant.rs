//! What a finished signup hands over.

use crate::{
    base::ids::{BusinessId, ConnectionId, CustomerId, UserId},
    graph,
};
use secrecy::SecretString;
use time::OffsetDateTime;

/// What a finished signup hands over to be kept.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Whose it is.
    pub customer: CustomerId,
    /// Who connected.
    pub by: UserId,
    /// The business token.
    pub token: SecretString,
    /// When it ends.
    pub token_expires_at: Option<OffsetDateTime>,
    /// When access to the data ends, which is another thing.
    pub data_access_expires_at: Option<OffsetDateTime>,
    /// The permissions.
    pub scopes: Vec<String>,
    /// The WABAs that were proven with the token and chosen, with their numbers.
    pub wabas: Vec<(graph::Waba, Vec<graph::PhoneNumber>)>,
    /// The connection that was to be connected again: what nobody holds yet goes there.
    pub into: Option<ConnectionId>,
    /// Whether these accounts take the place of those that it held.
    pub instead: bool,
}

impl Grant {
    /// The business that most of the WABAs belong to: a grant's usual case is one.
    #[must_use]
    pub fn business(&self) -> Option<(BusinessId, String)> {
        self.wabas
            .iter()
            .find_map(|(waba, _)| waba.owner_business_info.as_ref())
            .map(|business| (business.id.clone(), business.name.clone()))
    }

    /// What to call the connection until the customer says otherwise.
    #[must_use]
    pub fn name(&self) -> String {
        let business = self.business().map(|(_, name)| name).filter(|name| !name.trim().is_empty());
        let waba = || self.wabas.iter().map(|(waba, _)| waba.name.clone()).find(|name| !name.trim().is_empty());
        crate::base::text::shorten(&business.or_else(waba).unwrap_or_else(|| "WhatsApp".to_owned()), 80)
    }
}
