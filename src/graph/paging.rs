//! Lists come in pages with cursors.
//! <https://developers.facebook.com/docs/graph-api/results>

use super::{Access, Call, Client, GraphError, Result, parse};
use http::Method;
use serde::{Deserialize, de::DeserializeOwned};

/// The most pages that are read of one list; at 100 a page no customer has more.
const MAX_PAGES: usize = 100;
/// The most that is read of one list, in bytes: what the other side sends must not fill our memory.
const MAX_BYTES: usize = 16 * 1024 * 1024;

#[derive(Deserialize)]
pub(super) struct Page<T> {
    #[serde(default = "Vec::new")]
    pub data: Vec<T>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    cursors: Option<Cursors>,
    next: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Cursors {
    after: Option<String>,
}

impl<T> Page<T> {
    /// The cursor of the page that follows; none on the last.
    pub(super) fn next(&mut self) -> Option<String> {
        self.paging.take().filter(|paging| paging.next.is_some())?.cursors?.after
    }
}

impl Client {
    /// All entries of a list. Goes by the cursor, never by the `next` URL, which would carry the token.
    pub(super) async fn list<T: DeserializeOwned>(&self, access: &Access, path: &str, fields: &str) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        let mut bytes = 0;
        for _ in 0..MAX_PAGES {
            let mut query = vec![("limit", "100".to_owned())];
            if !fields.is_empty() {
                query.push(("fields", fields.to_owned()));
            }
            if let Some(after) = &after {
                query.push(("after", after.clone()));
            }
            let body = self.call_raw(access, Method::GET, path, Call { query, ..Call::default() }).await?;
            bytes += body.len();
            if bytes > MAX_BYTES {
                return Err(GraphError::Unreadable { detail: format!("a list of more than {MAX_BYTES} bytes") });
            }
            let mut page: Page<T> = parse(&body)?;
            let next = page.next();
            all.extend(page.data);
            if next.is_none() || next == after {
                break;
            }
            after = next;
        }
        Ok(all)
    }
}
