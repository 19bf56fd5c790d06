//! What is stored about a company and its people, to be handed out. Never a password, a second step, or the secret
//! part of a link.

use super::Accounts;
use crate::{
    base::{clock, ids::CustomerId},
    store::{Reads, Result, query},
    web::download::{DownloadError, JsonFile},
};
use serde_json::{Map, Value};

/// How many entries of the log are read at once.
const AT_ONCE: i64 = 500;

impl Accounts {
    /// Writes what is kept here about a company: itself, members, sessions, invites, log.
    ///
    /// # Errors
    /// The database's, and where nobody reads it any more.
    pub async fn export(&self, id: CustomerId, file: &mut JsonFile) -> std::result::Result<(), DownloadError> {
        let mut db = self.store.read().await?;
        let customer = query(
            "SELECT id, name, created_at, suspended_at, deleting_at, details, connection_state FROM customers \
             WHERE id = $1",
        )
        .bind(id)
        .one(&mut db, |row| row.to_json(&["details"]))
        .await?;
        let members = query(
            "SELECT id, email, name, role, created_at, seen_at, totp_since, removed_at FROM users \
             WHERE customer_id = $1 ORDER BY created_at, id",
        )
        .bind(id)
        .all(&mut db, |row| row.to_json(&[]))
        .await?;
        let invites = query(
            "SELECT * FROM invites WHERE customer_id = $1 OR user_id IN \
             (SELECT id FROM users WHERE customer_id = $1) ORDER BY created_at, id",
        )
        .bind(id)
        .all(&mut db, |row| row.to_json(&[]))
        .await?;
        let origins = query(
            "SELECT user_id, address FROM origins WHERE user_id IN (SELECT id FROM users WHERE customer_id = $1) \
             ORDER BY user_id, address",
        )
        .bind(id)
        .all(&mut db, |row| row.to_json(&[]))
        .await?;
        let sessions = sessions(&mut db, id).await?;
        drop(db);
        file.value("customer", &customer).await?;
        file.list("members", &members).await?;
        file.list("sessions", &sessions).await?;
        file.list("invites", &invites).await?;
        file.list("network_addresses", &origins).await?;
        self.export_log(id, file).await
    }

    /// The log: from where the operator's own people came is theirs, and not told.
    async fn export_log(&self, id: CustomerId, file: &mut JsonFile) -> std::result::Result<(), DownloadError> {
        file.begin_list("audit_log");
        let mut last = (i64::MIN, String::new());
        loop {
            let entries = query(
                "SELECT l.id, l.at, l.actor_user_id, l.action, l.subject, l.detail, o.address \
                 FROM audit_log l LEFT JOIN origins o ON o.id = l.origin_id \
                 AND o.user_id IN (SELECT id FROM users WHERE customer_id = $1) \
                 WHERE l.customer_id = $1 AND (l.at, l.id) > ($2, $3) ORDER BY l.at, l.id LIMIT $4",
            )
            .bind(id)
            .bind(last.0)
            .bind(&last.1)
            .bind(AT_ONCE)
            .all(&mut self.store.read().await?, |row| Ok((row.to_json(&[])?, (row.int("at")?, row.text("id")?))))
            .await?;
            for (entry, _) in &entries {
                file.item(entry).await?;
            }
            match entries.into_iter().last() {
                Some((_, at)) => last = at,
                None => break,
            }
        }
        file.end_list();
        Ok(())
    }
}

async fn sessions(db: &mut impl Reads, id: CustomerId) -> Result<Vec<Value>> {
    query(
        "SELECT user_id, data, expires_at FROM sessions \
         WHERE user_id IN (SELECT id FROM users WHERE customer_id = $1) ORDER BY expires_at, id",
    )
    .bind(id)
    .all(db, |row| {
        let mut told = row.to_json(&[])?;
        let data: Map<String, Value> = row.json("data")?;
        if let Value::Object(told) = &mut told {
            // The rest keeps it safe.
            told.remove("data");
            let visit = |name: &str| data.get("visit").and_then(|visit| visit.get(name));
            let time = |name: &str| visit(name).and_then(Value::as_i64).map(|ms| clock::rfc3339(clock::from_ms(ms)));
            told.insert("device".to_owned(), visit("what").cloned().unwrap_or_default());
            told.insert("address".to_owned(), visit("address").cloned().unwrap_or_default());
            told.insert("since".to_owned(), time("since").into());
            told.insert("seen".to_owned(), time("seen").into());
        }
        Ok(told)
    })
    .await
}
