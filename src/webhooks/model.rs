//! What a webhook's body says, as far as it makes sense: one odd change never harms its neighbours.

use serde_json::Value;

/// One change of one entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The entry's ID: a WABA, or the operator's business for partner events.
    pub entry_id: String,
    /// The field, such as `messages` or `account_update`.
    pub field: String,
    /// What it tells.
    pub value: Value,
    /// When it happened, in seconds since the epoch, by Meta's word.
    pub time: Option<i64>,
}

/// A webhook's body.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    /// Its changes, in order.
    pub changes: Vec<Change>,
}

impl Payload {
    /// Reads a body; `None` where it is no JSON object of Meta's. What does not fit in it is left out here;
    /// the body itself is kept as it came.
    #[must_use]
    pub fn read(body: &str) -> Option<Self> {
        let json: Value = serde_json::from_str(body).ok()?;
        let entries = json.get("entry")?.as_array()?;
        let mut changes = Vec::new();
        for entry in entries {
            let entry_id = match entry.get("id") {
                Some(Value::String(id)) => id.clone(),
                Some(Value::Number(id)) => id.to_string(),
                _ => String::new(),
            };
            let time = entry.get("time").and_then(Value::as_i64);
            for change in entry.get("changes").and_then(Value::as_array).into_iter().flatten() {
                // Some of Meta's examples have the field beside the list instead of in it.
                let field = change.get("field").or_else(|| entry.get("field")).and_then(Value::as_str);
                if let (Some(field), Some(value)) = (field, change.get("value")) {
                    let (entry_id, field, value) = (entry_id.clone(), field.to_owned(), value.clone());
                    changes.push(Change { entry_id, field, value, time });
                }
            }
        }
        Some(Self { changes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_change_does_not_harm_its_neighbours() {
        let body = r#"{"object":"whatsapp_business_account","entry":[
            {"id":"1","changes":[{"field":"account_update","value":{"event":"PARTNER_ADDED"}}, 7, {"value":{}}]},
            "odd", {"id":2,"changes":[{"value":{"event":"PARTNER_APP_INSTALLED"}}],"field":"account_update"}]}"#;
        let changes = Payload::read(body).unwrap().changes;
        assert_eq!(changes.len(), 2);
        assert_eq!((changes[1].entry_id.as_str(), changes[1].field.as_str()), ("2", "account_update"));
        assert!(Payload::read("[]").is_none() && Payload::read("nonsense").is_none());
    }
}
