//! What kept webhooks hold about WABAs whose customer is deleted or wants to see it.
//!
//! One body may hold entries of several WABAs, and what concerns others must stay. Meta names the WABA as the
//! entry's ID; partner events stand in entries of the operator's business, and name it in `waba_info`.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update>

use super::{Webhooks, intake, queries};
use crate::{
    base::{clock, ids::WabaId},
    store::{Result, WriteTx},
    web::download::{DownloadError, JsonFile},
};
use serde_json::{Value, json};

/// How many bodies are read at once; each has up to 3 MB.
const AT_ONCE: i64 = 20;

/// What is left of a body without some WABAs.
#[derive(Debug, PartialEq)]
enum Rest {
    /// It held nothing of them.
    Untouched,
    /// This.
    Less(String),
    /// Nothing.
    Nothing,
}

fn is_one_of(id: Option<&Value>, wabas: &[WabaId]) -> bool {
    let id = match id {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => return false,
    };
    wabas.iter().any(|waba| waba.as_str() == id)
}

/// Whether a change in somebody else's entry tells of one of these WABAs.
fn names(change: &Value, wabas: &[WabaId]) -> bool {
    is_one_of(change.pointer("/value/waba_info/waba_id"), wabas)
}

/// A body without these WABAs. One that nobody can read is nobody's: it goes as a whole.
fn without(body: &str, wabas: &[WabaId]) -> Rest {
    let Ok(mut json) = serde_json::from_str::<Value>(body) else { return Rest::Nothing };
    let Some(entries) = json.get_mut("entry").and_then(Value::as_array_mut) else { return Rest::Nothing };
    let before = entries.len();
    entries.retain(|entry| !is_one_of(entry.get("id"), wabas));
    let mut touched = entries.len() < before;
    for entry in entries.iter_mut() {
        if let Some(changes) = entry.get_mut("changes").and_then(Value::as_array_mut) {
            let before = changes.len();
            changes.retain(|change| !names(change, wabas));
            touched |= changes.len() < before;
        }
    }
    entries.retain(|entry| entry.get("changes").and_then(Value::as_array).is_none_or(|changes| !changes.is_empty()));
    match (touched, entries.is_empty()) {
        (false, _) => Rest::Untouched,
        (true, true) => Rest::Nothing,
        (true, false) => Rest::Less(json.to_string()),
    }
}

/// What a body says of one WABA: its entries, and the changes in others' entries that name it.
fn about(body: &str, waba: &WabaId) -> Vec<Value> {
    let wabas = std::slice::from_ref(waba);
    let Ok(json) = serde_json::from_str::<Value>(body) else { return Vec::new() };
    let mut all = Vec::new();
    for entry in json.get("entry").and_then(Value::as_array).into_iter().flatten() {
        if is_one_of(entry.get("id"), wabas) {
            all.push(entry.clone());
            continue;
        }
        let changes = entry.get("changes").and_then(Value::as_array).into_iter().flatten();
        let changes: Vec<&Value> = changes.filter(|change| names(change, wabas)).collect();
        if !changes.is_empty() {
            all.push(json!({ "time": entry.get("time"), "changes": changes }));
        }
    }
    all
}

impl Webhooks {
    /// Takes what is kept about these WABAs out of all bodies, in small transactions. Gives the number after which
    /// [`Webhooks::erase_since`] must look again.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase(&self, wabas: &[WabaId]) -> Result<i64> {
        let since = intake::LAST.value(&mut self.store.read().await?).await?;
        for waba in wabas {
            let mut last = 0;
            loop {
                let mut tx = self.store.write().await?;
                let Some(id) = erase_some(&mut tx, waba, wabas, last).await? else { break };
                tx.commit().await?;
                last = id;
            }
        }
        Ok(since)
    }

    /// The same for what has come since, in the caller's transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase_since(&self, tx: &mut WriteTx, wabas: &[WabaId], since: i64) -> Result<()> {
        for waba in wabas {
            let mut last = since;
            while let Some(id) = erase_some(tx, waba, wabas, last).await? {
                last = id;
            }
        }
        Ok(())
    }

    /// Writes what is kept here about these WABAs.
    ///
    /// # Errors
    /// The database's, and where nobody reads it any more.
    pub async fn export(&self, wabas: &[WabaId], file: &mut JsonFile) -> std::result::Result<(), DownloadError> {
        file.begin_list("webhooks");
        for waba in wabas {
            let mut last = 0;
            loop {
                let some = queries::naming(&mut self.store.read().await?, waba, last, AT_ONCE).await?;
                let Some(kept) = some.last() else { break };
                last = kept.seq;
                for kept in &some {
                    let at = clock::rfc3339(kept.received_at);
                    for entry in about(&kept.body, waba) {
                        file.item(&json!({ "received_at": at, "waba_id": waba, "entry": entry })).await?;
                    }
                }
            }
        }
        file.end_list();
        Ok(())
    }
}

/// Takes these WABAs out of the next bodies that name the first of them; gives the last one's number.
async fn erase_some(tx: &mut WriteTx, waba: &WabaId, wabas: &[WabaId], after: i64) -> Result<Option<i64>> {
    let some = queries::naming(tx, waba, after, AT_ONCE).await?;
    for kept in &some {
        match without(&kept.body, wabas) {
            Rest::Untouched => {}
            Rest::Less(body) => queries::set_body(tx, kept.seq, &body).await?,
            Rest::Nothing => queries::delete(tx, kept.seq).await?,
        }
    }
    Ok(some.last().map(|kept| kept.seq))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wabas(ids: &[&str]) -> Vec<WabaId> {
        ids.iter().map(|id| id.parse().unwrap()).collect()
    }

    #[test]
    fn what_is_others_stays() {
        let own = r#"{"id":"1","changes":[{"field":"messages","value":{"text":"hello"}}]}"#;
        let others = r#"{"id":2,"changes":[{"field":"messages","value":{"context":{"id":"1"}}}]}"#;
        let partner =
            |waba: &str| format!(r#"{{"field":"account_update","value":{{"waba_info":{{"waba_id":"{waba}"}}}}}}"#);
        let operator = format!(r#"{{"id":"9","time":1,"changes":[{},{}]}}"#, partner("1"), partner("2"));
        let body = |entries: &[&str]| format!(r#"{{"entry":[{}],"object":"x"}}"#, entries.join(","));
        let same =
            |a: &str, b: &str| serde_json::from_str::<Value>(a).unwrap() == serde_json::from_str::<Value>(b).unwrap();

        let one = wabas(&["1"]);
        assert_eq!(without(&body(&[own]), &one), Rest::Nothing);
        assert_eq!(without(&body(&[others]), &one), Rest::Untouched);
        assert_eq!(without("no JSON", &one), Rest::Nothing);
        let Rest::Less(rest) = without(&body(&[own, others, &operator]), &one) else { panic!("something is left") };
        let kept = format!(r#"{{"id":"9","time":1,"changes":[{}]}}"#, partner("2"));
        assert!(same(&rest, &body(&[others, &kept])), "{rest}");
        assert_eq!(without(&body(&[own, others, &operator]), &wabas(&["1", "2"])), Rest::Nothing);

        assert_eq!(about(&body(&[own, others, &operator]), &one[0]).len(), 2);
        assert_eq!(about(&body(&[others]), &one[0]), Vec::<Value>::new());
    }
}
