//! Lists come in pages with cursors.
//! <https://developers.facebook.com/docs/graph-api/results>

use super::{Access, Call, Client, Result};
use http::Method;
use serde::{Deserialize, de::DeserializeOwned};

/// The most pages that are read of one list; at 100 a page no customer has more.
const MAX_PAGES: usize = 200;

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

impl Client {
    /// All entries of a list. Goes by the cursor, never by the `next` URL, which would carry the token.
    pub(super) async fn list<T: DeserializeOwned>(&self, access: &Access, path: &str, fields: &str) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut query = vec![("limit", "100".to_owned())];
            if !fields.is_empty() {
                query.push(("fields", fields.to_owned()));
            }
            if let Some(after) = &after {
                query.push(("after", after.clone()));
            }
            let page: Page<T> = self.call(access, Method::GET, path, Call { query, ..Call::default() }).await?;
            all.extend(page.data);
            after = page
                .paging
                .filter(|paging| paging.next.is_some())
                .and_then(|paging| paging.cursors)
                .and_then(|cursors| cursors.after);
            if after.is_none() {
                break;
            }
        }
        Ok(all)
    }
}
