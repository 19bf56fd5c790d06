//! What of connections, their accounts, numbers and templates needs somebody's attention, for all customers or one.

use super::{Connections, attention_queries as queries, model::Connection};
use crate::{
    base::ids::{ConnectionId, CustomerId, PhoneNumberId, WabaId},
    message_templates::Template,
    phone_numbers::{self, Matter, Number, Quality, Registration},
    store::StoreError,
};
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

/// How long before its end a token is told of.
const SOON: Duration = Duration::days(14);
/// How many of each kind are looked for: whoever has more begins with these.
pub(super) const MOST: i64 = 200;

/// What is the matter.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// Meta does not take the token any more.
    AccessEnded {
        /// Whether it is of an app of the customer's own.
        is_own_app: bool,
    },
    /// The token ends soon, or is over.
    TokenEnds(OffsetDateTime),
    /// The token does not open this account any more.
    AccountClosed(String),
    /// Meta does not send the webhooks of this account.
    NotSubscribed(String),
    /// Meta has blocked this number.
    NumberBlocked(String),
    /// People block or report what this number sends.
    QualityLow(String),
    /// This number can't send or receive yet; `Registration` says why.
    NotReady(String, Registration),
    /// Meta says what stands in the way of this number: what, and what to do.
    Obstacle(String, String, String),
    /// Templates of one account that can't be sent, or soon won't.
    Templates {
        /// The account.
        waba: WabaId,
        /// Which, those told of last first.
        unwell: Vec<Template>,
    },
}

/// Something that needs attention.
#[derive(Clone, Debug)]
pub struct Attention {
    /// Whose it is.
    pub customer: CustomerId,
    /// Which connection.
    pub connection: ConnectionId,
    /// What the customer calls that.
    pub name: String,
    /// What is the matter.
    pub trouble: Trouble,
    /// With which number, where it is about one.
    pub number: Option<PhoneNumberId>,
    /// Since when, as far as it was read or told; else when it was last read. Of several, since the first.
    pub since: OffsetDateTime,
}

/// Each with what tells since when it is so.
fn number_troubles(number: &Number) -> Vec<(Trouble, Matter)> {
    let shown = number.international();
    let mut all = Vec::new();
    match number.registration() {
        Registration::Blocked => all.push((Trouble::NumberBlocked(shown.clone()), Matter::Status)),
        Registration::Ready | Registration::Coexistence => {}
        of_name @ (Registration::NamePending | Registration::NameDeclined) => {
            all.push((Trouble::NotReady(shown.clone(), of_name), Matter::Name));
        }
        other => all.push((Trouble::NotReady(shown.clone(), other), Matter::Status)),
    }
    if number.quality() == Quality::Low {
        all.push((Trouble::QualityLow(shown.clone()), Matter::Quality));
    }
    if all.is_empty() {
        let said = |one: &phone_numbers::Obstacle| {
            let trouble = Trouble::Obstacle(shown.clone(), one.description.clone(), one.solution.clone());
            (trouble, Matter::Sending)
        };
        all.extend(number.obstacles.first().map(said));
    }
    all
}

impl Connections {
    /// What needs attention; `None`: of all customers. In no order.
    ///
    /// # Errors
    /// The database's.
    pub async fn attention(&self, customer: Option<CustomerId>) -> Result<Vec<Attention>, StoreError> {
        let mut db = self.store.read().await?;
        let mut all = Vec::new();
        let of = |connection: &Connection, trouble: Trouble, since: OffsetDateTime| Attention {
            customer: connection.customer_id,
            connection: connection.id,
            name: connection.name.clone(),
            trouble,
            number: None,
            since,
        };
        for (connection, since) in queries::stale(&mut db, customer).await? {
            all.push(of(&connection, Trouble::AccessEnded { is_own_app: connection.is_own_app }, since));
        }
        let now = self.clock.now();
        for (connection, ends) in queries::ending(&mut db, customer, now + SOON).await? {
            // Over since it ended; else since it is told of.
            let got = connection.token_renewed_at.unwrap_or(connection.connected_at);
            let since = if ends <= now { ends } else { got.max(ends - SOON).min(now) };
            all.push(of(&connection, Trouble::TokenEnds(ends), since));
        }
        for (connection, waba, since) in queries::closed(&mut db, customer).await? {
            all.push(of(&connection, Trouble::AccountClosed(waba), since));
        }
        for (connection, waba, since) in queries::unsubscribed(&mut db, customer).await? {
            all.push(of(&connection, Trouble::NotSubscribed(waba), since));
        }
        for (connection, waba) in queries::with_numbers_unwell(&mut db, customer).await? {
            for number in phone_numbers::list(&mut db, &waba).await? {
                for (trouble, matter) in number_troubles(&number) {
                    let since = phone_numbers::stands_since(&mut db, connection.customer_id, &number, matter).await?;
                    let one = of(&connection, trouble, since.unwrap_or(number.read_at));
                    all.push(Attention { number: Some(number.id.clone()), ..one });
                }
            }
        }
        let holders = queries::holders(&mut db, customer).await?;
        drop(db);
        let wabas: Vec<_> = holders.keys().cloned().collect();
        let wabas = customer.is_some().then_some(&wabas[..]);
        let mut accounts: BTreeMap<WabaId, (Vec<Template>, OffsetDateTime)> = BTreeMap::new();
        for (template, since) in self.templates.unwell(wabas, MOST).await? {
            let (unwell, first) = accounts.entry(template.waba_id.clone()).or_insert((Vec::new(), since));
            *first = since.min(*first);
            unwell.push(template);
        }
        for (waba, (unwell, since)) in accounts {
            if let Some(connection) = holders.get(&waba) {
                all.push(of(connection, Trouble::Templates { waba, unwell }, since));
            }
        }
        Ok(all)
    }
}
