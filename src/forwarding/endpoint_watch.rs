//! Tells an endpoint's open pages when they would look different.

use super::{
    page_queries,
    pages::{EndpointPages, find},
};
use crate::{accounts::Member, base::ids::EndpointId, web::Result};
use axum::{
    extract::{Path, State},
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::Stream;
use std::{convert::Infallible, time::Duration};
use tokio::time::Instant;

/// How long one stream lasts; then the browser comes again, and it is seen whether somebody is still signed in.
const MAX_STREAM: Duration = Duration::from_secs(600);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(700);

/// Server-sent events: `change` with a word for how the pages look, at once and whenever it has changed; the page
/// then fetches itself. Ends when the endpoint is no longer there.
pub(super) async fn watch(
    State(pages): State<EndpointPages>,
    member: Member,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = std::result::Result<Event, Infallible>>>> {
    let id = find(&pages, &member, &id).await?.id;
    let until = Instant::now() + MAX_STREAM;
    let stream = futures_util::stream::unfold(String::new(), move |seen| {
        let pages = pages.clone();
        async move {
            while Instant::now() < until {
                let version = look(&pages, id).await?;
                if version != seen {
                    let event = Event::default().event("change").data(&version);
                    return Some((Ok(event), version));
                }
                tokio::time::sleep(LOOK).await;
            }
            None
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

async fn look(pages: &EndpointPages, id: EndpointId) -> Option<String> {
    let mut db = pages.forwarding.store.read().await.ok()?;
    page_queries::version(&mut db, id).await.ok()?
}
