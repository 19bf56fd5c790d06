//! What templates are or were called, for whoever has only their IDs.

use super::MessageTemplates;
use crate::{
    base::ids::WabaId,
    store::{Result, query},
};
use std::collections::HashMap;

impl MessageTemplates {
    /// The names of those of these templates that are, or were, in these accounts, by their IDs, with the language where
    /// it is known: `order_shipped (de)`.
    ///
    /// # Errors
    /// The database's.
    pub async fn names(&self, wabas: &[WabaId], ids: &[String]) -> Result<HashMap<String, String>> {
        let mut db = self.store.read().await?;
        let mut names = HashMap::new();
        for id in ids {
            for waba in wabas {
                let found = query(
                    "SELECT name, language FROM (\
                     SELECT 0 AS place, name, language FROM message_templates WHERE waba_id = $1 AND template_id = $2 \
                     UNION ALL \
                     SELECT 1, name, language FROM template_decisions WHERE waba_id = $1 AND template_id = $2 \
                     UNION ALL \
                     SELECT 2, name, '' FROM template_acts WHERE waba_id = $1 AND template_id = $2) AS known \
                     ORDER BY place LIMIT 1",
                )
                .bind(waba)
                .bind(id)
                .optional(&mut db, |row| Ok((row.text("name")?, row.text("language")?)))
                .await?;
                if let Some((name, language)) = found {
                    let name = if language.is_empty() { name } else { format!("{name} ({language})") };
                    names.insert(id.clone(), name);
                }
            }
        }
        Ok(names)
    }
}
