//! What the page's script calls: begin an attempt, bring its two halves, watch it.

use super::{attempt::Reconnect, changes::Changes, model::Step, queries, service::Signup};
use crate::{
    accounts::Member,
    base::ids::{AttemptId, ConnectionId, CustomerId},
    web::{Access, Error, Result, Routes, csrf::ScriptVerified},
};
use axum::{
    Json,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::Stream;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{convert::Infallible, str::FromStr, time::Duration};

/// The most that a script may send, in bytes.
const MAX_BODY: usize = 32 * 1024;
/// How long one stream lasts.
const MAX_STREAM: Duration = Duration::from_secs(600);
/// How often is looked for changes that another process made.
const LOOK: Duration = Duration::from_secs(2);

pub(super) fn routes(signup: Signup) -> Routes {
    Routes::new()
        .post(Access::Member, "/connect/attempts", begin)
        .post(Access::Member, "/connect/attempts/{id}/event", event)
        .post(Access::Member, "/connect/attempts/{id}/code", code)
        .post(Access::Member, "/connect/attempts/{id}/closed", closed)
        .get(Access::Member, "/connect/attempts/{id}/stream", watch)
        .map(|router| router.layer(DefaultBodyLimit::max(MAX_BODY)))
        .with_state(signup)
}

fn parse(id: &str) -> Result<AttemptId> {
    AttemptId::from_str(id).map_err(|_| Error::NotFound)
}

#[derive(Deserialize)]
struct Begin {
    #[serde(default)]
    coexistence: bool,
    /// The connection that is to be connected again, and the link that led there.
    reconnect: Option<ConnectionId>,
    link: Option<String>,
}

#[derive(Serialize)]
struct Begun {
    id: AttemptId,
    url: String,
}

async fn begin(
    State(signup): State<Signup>,
    member: Member,
    _: ScriptVerified,
    Json(body): Json<Begin>,
) -> Result<(StatusCode, Json<Begun>)> {
    let (link, placing) = (body.link, None);
    let reconnect = body.reconnect.map(|connection| Reconnect { connection, link, placing });
    let attempt = signup.begin(&member, AttemptId::new(), body.coexistence, reconnect).await?;
    let url = format!("/connect/attempts/{}", attempt.id);
    Ok((StatusCode::CREATED, Json(Begun { id: attempt.id, url })))
}

async fn event(
    State(signup): State<Signup>,
    member: Member,
    _: ScriptVerified,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Result<StatusCode> {
    signup.event(member.customer, parse(&id)?, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Code {
    code: SecretString,
}

async fn code(
    State(signup): State<Signup>,
    member: Member,
    _: ScriptVerified,
    Path(id): Path<String>,
    Json(body): Json<Code>,
) -> Result<StatusCode> {
    signup.code(member.customer, parse(&id)?, &body.code).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn closed(
    State(signup): State<Signup>,
    member: Member,
    _: ScriptVerified,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    signup.window_closed(member.customer, parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Server-sent events: `change` with the attempt's version, whenever it has changed; the page then
/// fetches itself. Ends when nothing more happens by itself.
async fn watch(
    State(signup): State<Signup>,
    member: Member,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = std::result::Result<Event, Infallible>>>> {
    let id = parse(&id)?;
    signup.get(member.customer, id).await?;
    // Then the browser comes again, and it is seen whether somebody is still signed in.
    let until = tokio::time::Instant::now() + MAX_STREAM;
    let start = (signup.changes.listen(), None, false);
    let stream = futures_util::stream::unfold(start, move |(mut bell, mut seen, ended)| {
        let (signup, customer) = (signup.clone(), member.customer);
        async move {
            if ended || tokio::time::Instant::now() >= until {
                return None;
            }
            loop {
                match look(&signup, customer, id).await {
                    Some((version, ends)) if seen != Some(version) => {
                        seen = Some(version);
                        let event = Event::default().event("change").data(version.to_string());
                        return Some((Ok(event), (bell, seen, ends)));
                    }
                    Some((_, true)) | None => return None,
                    Some(_) => {}
                }
                if tokio::time::Instant::now() >= until {
                    return None;
                }
                let _ = tokio::time::timeout(LOOK, Changes::heard(&mut bell, id)).await;
            }
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// The attempt's version, and whether nothing more happens by itself.
async fn look(signup: &Signup, customer: CustomerId, id: AttemptId) -> Option<(i64, bool)> {
    let mut db = signup.store.read().await.ok()?;
    let (version, step) = queries::version(&mut db, customer, id).await.ok()??;
    // A failure may still be turned around by a half that comes late, so the page goes on listening.
    Some((version, step == Step::Done))
}
