//! The record of calls to Graph, kept in batches: all SQL of `graph_calls`.

use crate::{
    accounts,
    base::{
        clock, ids,
        ids::{ConnectionId, CustomerId},
    },
    graph::{CallRecord, CallRecords},
    store::{Reads, Result, Row, Rows, Store, WriteTx, query},
    web::Before,
};
use std::time::Duration;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// How many are written at once at most.
const BATCH: usize = 256;
/// How long calls are gathered before they are written.
const GATHER: Duration = Duration::from_millis(500);
/// For how long they are kept.
const KEPT: time::Duration = time::Duration::days(30);
/// How many are kept at most: some 200 bytes each.
const MOST: i64 = 500_000;
/// How many are removed at once.
const STEP: i64 = 2_000;

/// Takes the record of calls and writes it down until `stop`; what waits then is written still. Where that fails the
/// record has a gap, and the log says so.
pub async fn keep_calls(store: Store, mut records: CallRecords, stop: CancellationToken) {
    let mut waiting = Vec::new();
    loop {
        let ends = tokio::select! {
            () = stop.cancelled() => true,
            some = records.recv_many(&mut waiting, BATCH) => some == 0,
        };
        if ends {
            records.close();
            while records.recv_many(&mut waiting, BATCH).await > 0 {}
        } else if waiting.len() < BATCH {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(GATHER) => {}
            }
        }
        while let Ok(one) = records.try_recv() {
            waiting.push(one);
        }
        for batch in waiting.chunks(BATCH) {
            if let Err(error) = write(&store, batch).await {
                tracing::warn!(%error, calls = batch.len(), "calls to Meta are missing in the record");
            }
        }
        waiting.clear();
        if ends {
            return;
        }
    }
}

async fn write(store: &Store, calls: &[CallRecord]) -> Result<()> {
    static INSERT: Rows = Rows::new(
        "INSERT INTO graph_calls (id, at, connection_id, customer_id, method, path, status, code, subcode, fbtrace_id, \
         duration_ms, error) VALUES",
        12,
        "",
    );
    let mut values = Vec::new();
    for call in calls {
        values.push(ids::new_uuid().to_string().into());
        values.push(call.at.into());
        values.push(call.connection.into());
        values.push(call.customer.into());
        values.push(call.method.clone().into());
        values.push(call.path.clone().into());
        values.push(call.status.map(i64::from).into());
        values.push(call.code.into());
        values.push(call.subcode.into());
        values.push(call.fbtrace_id.clone().into());
        values.push(call.duration_ms.into());
        values.push(call.error.clone().into());
    }
    let mut tx = store.write().await?;
    INSERT.execute(&mut tx, values).await?;
    let since = calls.iter().map(|call| call.at).min();
    query(
        "UPDATE graph_calls SET customer_id = (SELECT c.customer_id FROM connections c WHERE c.id = connection_id) \
         WHERE at >= $1 AND connection_id IS NOT NULL AND customer_id IS NULL",
    )
    .bind(since)
    .execute(&mut tx)
    .await?;
    // Who was erased while these waited is not brought back, nor who is being erased beside this: that comes first then.
    let customers = query(
        "SELECT DISTINCT customer_id FROM graph_calls WHERE at >= $1 AND customer_id IS NOT NULL ORDER BY customer_id",
    )
    .bind(since)
    .all(&mut tx, |row| row.parse::<CustomerId>("customer_id"))
    .await?;
    for customer in customers {
        accounts::lock_customer(&mut tx, customer).await?;
    }
    query(
        "DELETE FROM graph_calls WHERE at >= $1 AND ((connection_id IS NOT NULL AND customer_id IS NULL) OR \
         (customer_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = graph_calls.customer_id)))",
    )
    .bind(since)
    .execute(&mut tx)
    .await?;
    tx.commit().await
}

fn call(row: &Row) -> Result<CallRecord> {
    Ok(CallRecord {
        at: row.time("at")?,
        connection: row.opt_parse("connection_id")?,
        customer: row.opt_parse("customer_id")?,
        method: row.text("method")?,
        path: row.text("path")?,
        status: row.opt_int("status")?.and_then(|status| u16::try_from(status).ok()),
        code: row.opt_int("code")?,
        subcode: row.opt_int("subcode")?,
        fbtrace_id: row.opt_text("fbtrace_id")?,
        duration_ms: row.int("duration_ms")?,
        error: row.opt_text("error")?,
    })
}

/// A connection's calls before this time, the last first.
///
/// # Errors
/// The database's.
pub async fn calls_of(
    db: &mut impl Reads,
    connection: ConnectionId,
    before: OffsetDateTime,
    limit: i64,
) -> Result<Vec<CallRecord>> {
    query("SELECT * FROM graph_calls WHERE connection_id = $1 AND at < $2 ORDER BY at DESC, id DESC LIMIT $3")
        .bind(connection)
        .bind(before)
        .bind(limit)
        .all(db, call)
        .await
}

/// A customer's calls before this one, also those of its signups, the last first, each with its ID: all, or those that
/// failed; without those that register numbers, of which the numbers tell more.
///
/// # Errors
/// The database's.
pub async fn calls_for(
    db: &mut impl Reads,
    customer: CustomerId,
    before: &Before,
    only_failed: bool,
    limit: i64,
) -> Result<Vec<(String, CallRecord)>> {
    // Each along an index of its own.
    let calls = match only_failed {
        false => query(
            "SELECT * FROM graph_calls WHERE customer_id = $1 AND (at, id) < ($2, $3) \
             ORDER BY at DESC, id DESC LIMIT $4",
        ),
        true => query(
            "SELECT * FROM graph_calls WHERE customer_id = $1 AND error IS NOT NULL AND (at, id) < ($2, $3) \
             AND path NOT LIKE '%/register' AND path NOT LIKE '%/deregister' ORDER BY at DESC, id DESC LIMIT $4",
        ),
    };
    calls
        .bind(customer)
        .bind(before.at)
        .bind(&before.id)
        .bind(limit)
        .all(db, |row| Ok((row.text("id")?, call(row)?)))
        .await
}

/// Forgets the calls that were made for a customer.
pub(super) async fn erase(tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
    query("DELETE FROM graph_calls WHERE customer_id = $1").bind(customer).execute(tx).await?;
    Ok(())
}

/// A customer's calls as they are kept, to be handed out; those after `last` by ID.
pub(super) async fn export(
    db: &mut impl Reads,
    customer: CustomerId,
    last: &str,
    limit: i64,
) -> Result<Vec<(String, serde_json::Value)>> {
    query("SELECT * FROM graph_calls WHERE customer_id = $1 AND id > $2 ORDER BY id LIMIT $3")
        .bind(customer)
        .bind(last)
        .bind(limit)
        .all(db, |row| Ok((row.text("id")?, row.to_json(&[])?)))
        .await
}

/// Removes what is too old, and what is too much, in small steps.
pub(super) async fn prune(store: &Store, now: OffsetDateTime) -> Result<()> {
    let most = query("SELECT at FROM graph_calls ORDER BY at DESC LIMIT 1 OFFSET $1").bind(MOST);
    let most = most.optional(&mut store.read().await?, |row| row.time("at")).await?;
    let before = most.map_or(now - KEPT, |at| at.max(now - KEPT));
    loop {
        let mut tx = store.write().await?;
        let gone = query(
            "DELETE FROM graph_calls WHERE id IN (SELECT id FROM graph_calls WHERE at < $1 ORDER BY at LIMIT $2)",
        )
        .bind(clock::to_ms(before))
        .bind(STEP)
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        if gone < STEP.unsigned_abs() {
            return Ok(());
        }
    }
}
