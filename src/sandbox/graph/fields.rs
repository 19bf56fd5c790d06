//! The `fields` parameter: `id,name,phone_numbers.limit(5){id,display_phone_number}`.

use super::error::GraphError;
use serde_json::{Map, Value};

/// One requested field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub name: String,
    /// `limit(5)` and the like.
    pub params: Vec<(String, String)>,
    pub sub: Option<Vec<Self>>,
}

/// Reads the parameter.
///
/// # Errors
/// Code 2500, as Graph has for what it can't parse.
pub(super) fn parse(text: &str) -> Result<Vec<Field>, GraphError> {
    let mut rest = text.trim();
    let fields = list(&mut rest, 0)?;
    if rest.is_empty() { Ok(fields) } else { Err(syntax(rest)) }
}

fn syntax(rest: &str) -> GraphError {
    GraphError::new(2500, format!("Syntax error \"Expected end of string instead of \"{rest}\".\""))
}

fn list(rest: &mut &str, depth: usize) -> Result<Vec<Field>, GraphError> {
    if depth > 4 {
        return Err(syntax(rest));
    }
    let mut fields = Vec::new();
    loop {
        *rest = rest.trim_start();
        let name = take_name(rest);
        if name.is_empty() {
            return if fields.is_empty() && rest.is_empty() { Ok(fields) } else { Err(syntax(rest)) };
        }
        let mut field = Field { name, params: Vec::new(), sub: None };
        while let Some(after) = rest.strip_prefix('.') {
            *rest = after;
            let name = take_name(rest);
            let (value, after) =
                rest.strip_prefix('(').and_then(|inner| inner.split_once(')')).ok_or_else(|| syntax(rest))?;
            field.params.push((name, value.to_owned()));
            *rest = after;
        }
        if let Some(after) = rest.strip_prefix('{') {
            *rest = after;
            field.sub = Some(list(rest, depth + 1)?);
            *rest = rest.trim_start().strip_prefix('}').ok_or_else(|| syntax(rest))?;
        }
        fields.push(field);
        *rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None => return Ok(fields),
        }
    }
}

fn take_name(rest: &mut &str) -> String {
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    *rest = after;
    name.to_owned()
}

/// A node with all the fields it has.
pub(super) struct Node {
    pub kind: &'static str,
    pub all: Map<String, Value>,
    /// What is answered where no fields are asked for.
    pub defaults: &'static [&'static str],
}

impl Node {
    /// The requested fields; a field without a value is left out, as Graph does.
    ///
    /// # Errors
    /// Code 100 for a field that this node does not have.
    pub fn select(mut self, fields: &[Field]) -> Result<Value, GraphError> {
        let id = self.all.get("id").cloned();
        let mut out = Map::new();
        if fields.is_empty() {
            for name in self.defaults {
                if let Some(value) = self.all.remove(*name).filter(|value| !value.is_null()) {
                    out.insert((*name).to_owned(), value);
                }
            }
        }
        for field in fields {
            let Some(value) = self.all.get(&field.name) else {
                return Err(GraphError::parameter(format!(
                    "Tried accessing nonexisting field ({}) on node type ({})",
                    field.name, self.kind
                )));
            };
            if !value.is_null() {
                out.insert(field.name.clone(), narrow(value, field.sub.as_deref()));
            }
        }
        if let Some(id) = id {
            out.insert("id".to_owned(), id);
        }
        Ok(Value::Object(out))
    }
}

/// Keeps the named members of an object, of each item of a list, or of each item under `data`.
fn narrow(value: &Value, sub: Option<&[Field]>) -> Value {
    let Some(sub) = sub else { return value.clone() };
    match value {
        Value::Array(items) => items.iter().map(|item| narrow(item, Some(sub))).collect(),
        Value::Object(members) if members.contains_key("data") => {
            let mut members = members.clone();
            if let Some(data) = members.get_mut("data") {
                *data = narrow(data, Some(sub));
            }
            Value::Object(members)
        }
        Value::Object(members) => sub
            .iter()
            .filter_map(|field| {
                members.get(&field.name).map(|member| (field.name.clone(), narrow(member, field.sub.as_deref())))
            })
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node() -> Node {
        let Value::Object(all) = json!({"id": "1", "name": "A", "owner": {"id": "2", "name": "B"}, "none": null})
        else {
            unreachable!()
        };
        Node { kind: "Thing", all, defaults: &["id", "name"] }
    }

    #[test]
    fn fields_are_honoured() {
        assert_eq!(node().select(&[]).unwrap(), json!({"id": "1", "name": "A"}));
        let fields = parse("owner{name}, none").unwrap();
        assert_eq!(node().select(&fields).unwrap(), json!({"id": "1", "owner": {"name": "B"}}));
        let unknown = node().select(&parse("colour").unwrap()).unwrap_err();
        assert_eq!(unknown.message, "(#100) Tried accessing nonexisting field (colour) on node type (Thing)");
    }

    #[test]
    fn nesting_and_parameters_are_read() {
        let fields = parse("id,phone_numbers.limit(5){id,display_phone_number}").unwrap();
        assert_eq!(fields[1].params, [("limit".to_owned(), "5".to_owned())]);
        assert_eq!(fields[1].sub.as_ref().unwrap().len(), 2);
        for bad in ["id,,name", "a{b", "a}", "a.limit", "a b"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse("").unwrap().is_empty());
    }
}
