//! The operator's work with customers: finding, suspending, handing out, deleting.

mod delete;
mod export;
mod list;
mod many;
mod suspend;

use crate::support::*;
use doorway::{accounts::Role, store::query};
use serde_json::{Value, json};

/// The page of the customer of this name.
async fn page_of(world: &World, name: &'static str) -> String {
    let mut db = world.portal.store.read().await.unwrap();
    let id = query("SELECT id FROM customers WHERE name = $1").bind(name).one(&mut db, |row| row.text("id")).await;
    format!("/backoffice/customers/{}", id.unwrap())
}

/// The ID in the page's address.
fn id_in(page: &str) -> &str {
    page.rsplit('/').next().unwrap()
}

/// How often something was done to the customer, by the log.
async fn noted(world: &World, customer: &str, action: &str) -> i64 {
    let mut db = world.portal.store.read().await.unwrap();
    query("SELECT count(*) AS n FROM audit_log WHERE customer_id = $1 AND action = $2")
        .bind(customer)
        .bind(action)
        .one(&mut db, |row| row.int("n"))
        .await
        .unwrap()
}

/// Every value of every table, as text, with the table's name.
async fn everything(world: &World) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (table, sql) in TABLES {
        let mut db = world.portal.store.read().await.unwrap();
        let rows = query(sql).all(&mut db, doorway::store::Row::values).await.unwrap();
        let text =
            |row: Vec<(String, Value)>| row.into_iter().map(|(_, value)| format!("{value}\n")).collect::<String>();
        all.extend(rows.into_iter().map(|row| ((*table).to_owned(), text(row))));
    }
    all
}

/// Everything that was taken in has become events.
async fn processed(world: &World) {
    eventually("the webhooks to be read", || async {
        let open = "SELECT (SELECT value FROM counters WHERE name = 'intake') \
                    - (SELECT value FROM counters WHERE name = 'routed') AS n";
        (world.number(open, "n").await == Some(0)).then_some(())
    })
    .await;
}

macro_rules! tables {
    ($($name:literal)*) => { &[$(($name, concat!("SELECT * FROM ", $name))),*] };
}

/// Every table there is; the test below knows when one is missing.
const TABLES: &[(&str, &str)] = tables! {
    "customers" "users" "sessions" "jobs" "connections" "wabas" "phone_numbers" "signup_attempts" "partner_events"
    "intake" "events" "event_routes" "event_marks" "young_marks" "event_minutes" "counters" "leases" "endpoints" "deliveries"
    "delivery_attempts" "delivery_minutes" "awaited_receipts" "received_calls" "contacts" "contact_identities" "contact_windows"
    "message_templates" "template_syncs" "template_acts" "template_decisions" "account_notices" "audit_log" "recovery_codes" "guesses" "invites"
    "origins" "meta_settings" "meta_checks" "go_live_ticks" "setup_codes" "asset_holders" "graph_calls" "permission_checks"
    "reconnect_links" "own_apps" "business_profiles" "profile_changes" "profile_pictures" "profile_copies"
    "number_files" "number_pins" "number_tries" "number_readings" "number_syncs"
};

#[tokio::test]
async fn the_list_of_tables_is_whole() {
    on_sqlite(async |db: Database| {
        let store = db.store().await;
        let mut read = store.read().await.unwrap();
        let all = query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
            .all(&mut read, |row| row.text("name"))
            .await
            .unwrap();
        for name in all.iter().filter(|name| *name != "_sqlx_migrations") {
            assert!(TABLES.iter().any(|(table, _)| table == name), "{name} is not scanned");
        }
    })
    .await;
}
