//! The list of customers: searched, filtered, sorted, and paged by the last row's own values, so that the page after
//! row 90,000 costs what the first one does.

use super::{
    AccountError, Accounts, Customer,
    customer_queries::{self, Piece},
};
use crate::base::{clock, ids::CustomerId};
use std::str::FromStr;

/// Which customers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CustomerFilter {
    /// Every one.
    #[default]
    All,
    /// Whose people may use the portal.
    Active,
    /// Suspended.
    Suspended,
    /// Without a connection that works or did.
    Unconnected,
    /// With a connection whose access ended.
    NeedsReconnect,
}

impl CustomerFilter {
    /// All of them, as the page offers them.
    pub const ALL: [Self; 5] = [Self::All, Self::Active, Self::Suspended, Self::Unconnected, Self::NeedsReconnect];

    /// The word for it in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Unconnected => "unconnected",
            Self::NeedsReconnect => "needs_reconnect",
        }
    }
}

impl FromStr for CustomerFilter {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|filter| filter.as_str() == s).ok_or(())
    }
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CustomerSort {
    /// The newest first.
    #[default]
    Newest,
    /// By name.
    Name,
}

impl CustomerSort {
    /// The word for it in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Name => "name",
        }
    }
}

impl FromStr for CustomerSort {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        [Self::Newest, Self::Name].into_iter().find(|sort| sort.as_str() == s).ok_or(())
    }
}

/// How a customer's connections stand, all in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionStanding {
    /// There is none, or none any more.
    None,
    /// All that are there work.
    Active,
    /// The access of one of them ended.
    NeedsReconnect,
}

impl ConnectionStanding {
    /// The word for it in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Active => "active",
            Self::NeedsReconnect => "needs_reconnect",
        }
    }
}

impl FromStr for ConnectionStanding {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        [Self::None, Self::Active, Self::NeedsReconnect].into_iter().find(|one| one.as_str() == s).ok_or(())
    }
}

/// A row of the list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The customer.
    pub customer: Customer,
    /// How its connections stand.
    pub connections: ConnectionStanding,
    pub(super) name_key: String,
}

/// Where a page begins or ends: a row's values in the list's order, as an address carries them. The page beside it
/// is found also where that row is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerCursor {
    /// Milliseconds since the epoch, or the name in lower case.
    key: String,
    id: CustomerId,
}

impl CustomerCursor {
    fn of(row: &Listed, sort: CustomerSort) -> Self {
        let key = match sort {
            CustomerSort::Newest => clock::to_ms(row.customer.created_at).to_string(),
            CustomerSort::Name => row.name_key.clone(),
        };
        Self { key, id: row.customer.id }
    }
}

impl std::fmt::Display for CustomerCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.id, self.key)
    }
}

impl FromStr for CustomerCursor {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        let (id, key) = s.split_once('.').ok_or(())?;
        Ok(Self { key: key.to_owned(), id: id.parse().map_err(|_| ())? })
    }
}

/// Which way from a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PageAt {
    /// The list's beginning.
    #[default]
    Start,
    /// What follows it.
    After(CustomerCursor),
    /// What precedes it.
    Before(CustomerCursor),
}

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct CustomersWanted {
    /// A part of the company's name, or of a member's name or address; all for an empty one.
    pub text: String,
    /// Which customers.
    pub filter: CustomerFilter,
    /// In which order.
    pub sort: CustomerSort,
    /// From where on.
    pub at: PageAt,
}

/// A page of the list.
#[derive(Clone, Debug, Default)]
pub struct CustomerPage {
    /// The rows, in order.
    pub rows: Vec<Listed>,
    /// Where the page before ends; `None` on the first.
    pub before: Option<CustomerCursor>,
    /// Where the next page begins; `None` on the last.
    pub after: Option<CustomerCursor>,
}

impl Accounts {
    /// A page of the list of customers.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_customers(&self, wanted: &CustomersWanted, size: usize) -> Result<CustomerPage, AccountError> {
        let mut db = self.store.read().await?;
        let limit = i64::try_from(size).unwrap_or(i64::MAX - 1) + 1;
        let piece = Piece { filter: wanted.filter, text: &wanted.text, limit };
        let (cursor, forward) = match &wanted.at {
            PageAt::Start => (None, true),
            PageAt::After(cursor) => (Some(cursor), true),
            PageAt::Before(cursor) => (Some(cursor), false),
        };
        let id = cursor.map(|cursor| cursor.id.to_string());
        let mut rows = match wanted.sort {
            CustomerSort::Newest => {
                // Something that no address of ours says begins at the beginning.
                let at = cursor.and_then(|cursor| cursor.key.parse().ok()).unwrap_or(i64::MAX);
                customer_queries::by_age(&mut db, piece, (at, id.as_deref().unwrap_or_default()), forward).await?
            }
            CustomerSort::Name => {
                let key = cursor.map_or("", |cursor| cursor.key.as_str());
                customer_queries::by_alphabet(&mut db, piece, (key, id.as_deref().unwrap_or_default()), forward).await?
            }
        };
        let more = rows.len() > size;
        rows.truncate(size);
        if !forward {
            rows.reverse();
        }
        // The row that a page was asked beside of is, or was, on the other side.
        let (has_before, has_after) = if forward { (cursor.is_some(), more) } else { (more, true) };
        let at = |row: Option<&Listed>| row.map(|row| CustomerCursor::of(row, wanted.sort));
        Ok(CustomerPage {
            before: at(rows.first()).filter(|_| has_before),
            after: at(rows.last()).filter(|_| has_after),
            rows,
        })
    }

    /// One row of the list.
    ///
    /// # Errors
    /// The database's.
    pub async fn listed_customer(&self, id: CustomerId) -> Result<Option<Listed>, AccountError> {
        Ok(customer_queries::listed_by_id(&mut self.store.read().await?, id).await?)
    }

    /// How many customers a filter lets through.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_customers(&self, filter: CustomerFilter) -> Result<i64, AccountError> {
        Ok(customer_queries::count(&mut self.store.read().await?, filter).await?)
    }

    /// Companies by their name, or a member's name or address; the newest first. All for an empty text.
    ///
    /// # Errors
    /// The database's.
    pub async fn search_customers(&self, text: &str, limit: i64) -> Result<Vec<Customer>, AccountError> {
        let wanted = CustomersWanted { text: text.to_owned(), ..CustomersWanted::default() };
        let page = self.list_customers(&wanted, usize::try_from(limit).unwrap_or_default()).await?;
        Ok(page.rows.into_iter().map(|row| row.customer).collect())
    }

    /// Makes customers findable that were there before the list was.
    ///
    /// # Errors
    /// The database's.
    pub async fn index_customers(&self) -> Result<(), AccountError> {
        loop {
            let mut tx = self.store.write().await?;
            let some = customer_queries::not_indexed(&mut tx, 500).await?;
            for id in &some {
                customer_queries::index(&mut tx, *id).await?;
            }
            tx.commit().await?;
            if some.is_empty() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_address() {
        for key in ["1700000000000", "żółw & co. 1.5 %", ""] {
            let cursor = CustomerCursor { key: key.to_owned(), id: CustomerId::new() };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for bad in ["", "x", "x.y", "1700000000000"] {
            assert!(bad.parse::<CustomerCursor>().is_err());
        }
    }
}
