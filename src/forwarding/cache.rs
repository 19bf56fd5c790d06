//! What endpoints want, in memory: customers without endpoints cost nothing.

use super::{
    endpoint::{EndpointState, Format, wants},
    queries::{self, ENDPOINTS},
};
use crate::{
    base::ids::{CustomerId, EndpointId, PhoneNumberId, WabaId},
    store::{Reads, Result},
    webhooks::{Kind, RoutedChange},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What an endpoint wants.
#[derive(Debug)]
pub(super) struct Wish {
    pub id: EndpointId,
    pub format: Format,
    customer: CustomerId,
    pub kinds: Option<Vec<Kind>>,
    wabas: Option<Vec<WabaId>>,
    numbers: Option<Vec<PhoneNumberId>>,
}

impl Wish {
    /// Whether it wants this change.
    pub fn wants(&self, routed: &RoutedChange<'_>) -> bool {
        let Self { kinds, wabas, numbers, .. } = self;
        let (kinds, place) = (kinds.as_deref(), &routed.route.place);
        wants(self.customer, kinds, wabas.as_deref(), numbers.as_deref(), place, routed.kinds())
    }
}

/// What all endpoints want that are not disabled, by customer.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    version: i64,
    of: HashMap<CustomerId, Vec<Wish>>,
}

impl Wishes {
    /// What a customer's want.
    pub fn of(&self, customer: CustomerId) -> &[Wish] {
        self.of.get(&customer).map_or(&[], Vec::as_slice)
    }

    /// Whether nobody wants anything.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}

/// Keeps them until an endpoint changes. Cloning shares it.
#[derive(Clone, Default)]
pub(super) struct Cache(Arc<Mutex<Arc<Wishes>>>);

impl Cache {
    /// What they want now, in the caller's transaction.
    pub async fn now(&self, db: &mut impl Reads) -> Result<Arc<Wishes>> {
        let version = ENDPOINTS.value(db).await?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known.version == version {
            return Ok(known);
        }
        let mut wishes = Wishes { version, ..Wishes::default() };
        for row in queries::all(db).await?.into_iter().filter(|row| row.state != EndpointState::Disabled) {
            let wish = Wish {
                id: row.id,
                format: row.format,
                customer: row.customer,
                kinds: row.kinds.map(|all| all.iter().filter_map(|kind| kind.parse().ok()).collect()),
                wabas: row.wabas.map(|all| all.iter().filter_map(|id| id.parse().ok()).collect()),
                numbers: row.numbers.map(|all| all.iter().filter_map(|id| id.parse().ok()).collect()),
            };
            wishes.of.entry(row.customer).or_default().push(wish);
        }
        let wishes = Arc::new(wishes);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = wishes.clone();
        Ok(wishes)
    }
}
