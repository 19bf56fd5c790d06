//! Lists by pages with cursors (Graph API, *Paginated results*).

use super::{call::Call, error::GraphError};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const DEFAULT_LIMIT: usize = 25;
const MAX_LIMIT: usize = 100;

/// One page of `items`, each with its ID. `origin` is where `paging.next` points.
///
/// # Errors
/// Code 100 for a limit that is no number, and for a cursor that is none of ours.
pub(super) fn page(call: &Call, origin: &str, items: Vec<(String, Value)>) -> Result<Value, GraphError> {
    page_lazily(call, origin, items.into_iter(), |(id, _)| id.clone(), |(_, item)| Ok(item))
}

/// The same of things of which only those on the page are made into values: there may be thousands.
pub(super) fn page_lazily<T>(
    call: &Call,
    origin: &str,
    items: impl Iterator<Item = T>,
    id_of: impl Fn(&T) -> String,
    value_of: impl Fn(T) -> Result<Value, GraphError>,
) -> Result<Value, GraphError> {
    let items: Vec<(String, T)> = items.map(|item| (id_of(&item), item)).collect();
    let limit = match call.text("limit") {
        None => DEFAULT_LIMIT,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|limit| *limit > 0)
            .ok_or_else(|| GraphError::parameter("param limit must be a positive integer"))?
            .min(MAX_LIMIT),
    };
    let position = |cursor: &str| {
        let id = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let at = id.and_then(|id| items.iter().position(|(item, _)| *item == id));
        at.ok_or_else(|| GraphError::parameter("Invalid cursors values"))
    };
    let after = call.text("after").filter(|cursor| !cursor.is_empty());
    let before = call.text("before").filter(|cursor| !cursor.is_empty());
    let (start, end) = match (after, before) {
        (Some(cursor), _) => {
            let start = position(&cursor)? + 1;
            (start, (start + limit).min(items.len()))
        }
        (None, Some(cursor)) => {
            let end = position(&cursor)?;
            (end.saturating_sub(limit), end)
        }
        (None, None) => (0, limit.min(items.len())),
    };
    let total = items.len();
    let shown = items.into_iter().skip(start).take(end.saturating_sub(start));
    let shown = shown.map(|(id, item)| Ok((id, value_of(item)?))).collect::<Result<Vec<_>, GraphError>>()?;
    let cursor = |item: Option<&(String, Value)>| item.map(|(id, _)| URL_SAFE_NO_PAD.encode(id));
    let (Some(first), Some(last)) = (cursor(shown.first()), cursor(shown.last())) else {
        return Ok(json!({"data": []}));
    };
    let mut paging = json!({"cursors": {"before": first, "after": last}});
    if end < total {
        paging["next"] = json!(link(call, origin, limit, ("after", &last)));
    }
    if start > 0 {
        paging["previous"] = json!(link(call, origin, limit, ("before", &first)));
    }
    let data: Vec<Value> = shown.into_iter().map(|(_, item)| item).collect();
    Ok(json!({"data": data, "paging": paging}))
}

fn link(call: &Call, origin: &str, limit: usize, cursor: (&str, &str)) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for name in ["fields", "access_token"] {
        if let Some(value) = call.text(name) {
            query.append_pair(name, &value);
        }
    }
    query.append_pair("limit", &limit.to_string()).append_pair(cursor.0, cursor.1);
    format!("{origin}{}?{}", call.path, query.finish())
}
