//! What a search by a number, or by an ID of Meta's, finds.

use super::{Connections, queries};
use crate::{
    base::ids::{CustomerId, PhoneNumberId, WabaId},
    phone_numbers::{self, Number},
    store::{Reads, StoreError},
};

/// What it was that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundWhat {
    /// This number; how it is written.
    Number(PhoneNumberId, String),
    /// This account; its name.
    Account(WabaId, String),
}

/// One that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whose it is.
    pub customer: CustomerId,
    /// What they call the connection in which it is.
    pub connection: String,
    /// What it is.
    pub what: FoundWhat,
}

impl Connections {
    /// The numbers that are written so, in whatever notation, or whose ID at Meta it is; the account whose ID it is.
    ///
    /// # Errors
    /// The database's.
    pub async fn found(&self, text: &str) -> Result<Vec<Found>, StoreError> {
        let mut db = self.store.read().await?;
        let mut found = Vec::new();
        let text = text.trim();
        if let Ok(id) = text.parse::<PhoneNumberId>()
            && let Some(waba) = phone_numbers::waba_of(&mut db, &id).await?
        {
            found.extend(numbers(&mut db, &waba, |number| number.id == id).await?);
        }
        let mut wabas = phone_numbers::wabas_of_number(&mut db, text).await?;
        wabas.sort_unstable();
        wabas.dedup();
        for waba in wabas {
            let fits = |number: &Number| phone_numbers::is_written_so(&number.display, text);
            found.extend(numbers(&mut db, &waba, fits).await?);
        }
        if let Ok(id) = text.parse::<WabaId>()
            && let Some(owner) = queries::owner(&mut db, &id).await?
            && let Some(connection) = queries::get(&mut db, owner.connection).await?
        {
            let name = queries::wabas(&mut db, connection.id).await?.into_iter().find(|waba| waba.id == id);
            let what = FoundWhat::Account(id, name.map(|waba| waba.name).unwrap_or_default());
            found.push(Found { customer: owner.customer, connection: connection.name, what });
        }
        Ok(found)
    }

    /// The customers who had a number that is written so, or whose ID at Meta it was, and may have it still.
    ///
    /// # Errors
    /// The database's.
    pub async fn customers_who_had(&self, text: &str) -> Result<Vec<CustomerId>, StoreError> {
        let mut found = phone_numbers::customers_of(&mut self.store.read().await?, text).await?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// Those numbers of an account that fit, with whose it is.
async fn numbers(db: &mut impl Reads, waba: &WabaId, fits: impl Fn(&Number) -> bool) -> Result<Vec<Found>, StoreError> {
    let Some(owner) = queries::owner(db, waba).await? else { return Ok(Vec::new()) };
    let Some(connection) = queries::get(db, owner.connection).await? else { return Ok(Vec::new()) };
    let all = phone_numbers::list(db, waba).await?;
    Ok(all
        .iter()
        .filter(|number| fits(number))
        .map(|number| Found {
            customer: owner.customer,
            connection: connection.name.clone(),
            what: FoundWhat::Number(number.id.clone(), number.international()),
        })
        .collect())
}
