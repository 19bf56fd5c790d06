//! The accounts that a customer can choose from.

use super::{desk::TemplateDesk, page_queries as queries, pages::no_line};
use crate::{
    base::ids::WabaId,
    graph::Held,
    web::{Error, Result},
};

/// An account to choose.
pub(super) struct WabaChoice {
    pub id: String,
    pub name: String,
    pub is_chosen: bool,
}

impl TemplateDesk {
    /// The accounts of a connection with their names.
    pub(super) async fn wabas(&self, held: &Held, chosen: &WabaId) -> Result<Vec<WabaChoice>> {
        let mut db = self.templates.store.read().await?;
        let mut all = Vec::new();
        for id in &held.wabas {
            let name = queries::waba(&mut db, id).await?.map(|(name, _)| name).unwrap_or_default();
            all.push(WabaChoice { id: id.to_string(), name, is_chosen: id == chosen });
        }
        Ok(all)
    }

    /// This connection, and the customer's others that work: a template can be made in the accounts of each.
    async fn around(&self, held: &Held) -> Result<Vec<Held>> {
        let others = self.lines.of_customer(held.customer).await.map_err(no_line)?;
        let others = others.into_iter().filter(|other| other.connection != held.connection);
        Ok(std::iter::once(held.clone()).chain(others).collect())
    }

    /// Where a new template goes: the account that is asked for, of any of the customer's connections, or the first of
    /// this one.
    pub(super) async fn place(&self, held: &Held, asked: &str) -> Result<(Held, WabaId)> {
        if let Ok(Some(waba)) = Self::waba(held, asked) {
            return Ok((held.clone(), waba));
        }
        let fits = |waba: &&WabaId| waba.as_str() == asked;
        let found = self.around(held).await?.into_iter().find_map(|one| {
            let waba = one.wabas.iter().find(fits).cloned()?;
            Some((one, waba))
        });
        found.ok_or(Error::NotFound)
    }

    /// The accounts that a new template may go to; where there are several, named with their connection and a number.
    pub(super) async fn places(&self, held: &Held, chosen: &WabaId) -> Result<Vec<WabaChoice>> {
        let around = self.around(held).await?;
        let several = around.iter().map(|one| one.wabas.len()).sum::<usize>() > 1;
        let mut all: Vec<WabaChoice> = Vec::new();
        for one in &around {
            for mut choice in self.wabas(one, chosen).await? {
                if around.len() > 1 && choice.name != one.name {
                    choice.name = format!("{}: {}", one.name, choice.name);
                }
                if several {
                    let waba = choice.id.parse().map_err(|_| Error::NotFound)?;
                    let number = queries::number_of(&mut self.templates.store.read().await?, &waba).await?;
                    let told = number.unwrap_or_else(|| format!("account {}", choice.id));
                    choice.name = format!("{}, {told}", choice.name);
                }
                all.push(choice);
            }
        }
        Ok(all)
    }

    /// Where a copy goes first: to another account than the one it is of, where there is one.
    pub(super) async fn place_of_copy(&self, held: &Held, of: &WabaId) -> Result<(Held, WabaId)> {
        for one in self.around(held).await? {
            if let Some(waba) = one.wabas.iter().find(|waba| *waba != of).cloned() {
                return Ok((one, waba));
            }
        }
        Ok((held.clone(), of.clone()))
    }
}
