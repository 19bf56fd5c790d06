//! SQL of tokens' renewal.

use crate::{
    base::{ids::ConnectionId, text},
    store::{Reads, Result, WriteTx, query},
};
use time::OffsetDateTime;

/// The connections that are not over and have no job of this kind, with the end of their tokens.
pub(super) async fn unplanned(db: &mut impl Reads, kind: &str) -> Result<Vec<(ConnectionId, Option<OffsetDateTime>)>> {
    query(
        "SELECT id, token_expires_at FROM connections WHERE state IN ('active', 'needs_reconnect') AND NOT EXISTS \
         (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.subject = connections.id)",
    )
    .bind(kind)
    .all(db, |row| Ok((row.parse("id")?, row.opt_time("token_expires_at")?)))
    .await
}

/// Puts the renewed token in the place of the one that it was made of; false where that is there no longer.
pub(super) async fn replace_token(
    tx: &mut WriteTx,
    id: ConnectionId,
    (old, new): (&str, &str),
    end: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<bool> {
    let replaced = query(
        "UPDATE connections SET token_sealed = $1, token_expires_at = $2, token_renewed_at = $3, renewal_tries = 0, \
         renewal_error = NULL WHERE id = $4 AND token_sealed = $5",
    )
    .bind(new)
    .bind(end)
    .bind(now)
    .bind(id)
    .bind(old)
    .execute(tx)
    .await?;
    Ok(replaced == 1)
}

/// Notes that it was tried in vain; how often so far.
pub(super) async fn note_failure(tx: &mut WriteTx, id: ConnectionId, error: &str) -> Result<i64> {
    let tries = query(
        "UPDATE connections SET renewal_tries = renewal_tries + 1, renewal_error = $1 WHERE id = $2 \
         RETURNING renewal_tries",
    )
    .bind(text::shorten(error, 300))
    .bind(id)
    .optional(tx, |row| row.int("renewal_tries"))
    .await?;
    Ok(tries.unwrap_or(0))
}
