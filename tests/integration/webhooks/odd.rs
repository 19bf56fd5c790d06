//! What fails in our own code for one change harms no other, and never holds up the line.

use super::*;
use doorway::{
    base::{
        clock::Clock,
        http::{Outbound, Reach},
        ids::{ConnectionId, CustomerId},
    },
    graph::{Client, LiveSetup, Setup},
    store::{Result, StoreError, WriteTx},
    webhooks::{Address, Consequences, OwnApp, OwnApps, OwnNews, Owner, Place, RoutedChange, Webhooks},
};
use futures_util::future::BoxFuture;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

on_both_engines!(one_odd_change_harms_no_other, a_busy_database_is_waited_for, what_came_early_is_acted_on_once);

/// Notes what follows in `counters`, a row for each change; fails for some.
#[derive(Default)]
struct Notes {
    owner: Option<Owner>,
    busy: AtomicUsize,
}

impl Consequences for Notes {
    fn place<'a>(&'a self, tx: &'a mut WriteTx, address: &'a Address) -> BoxFuture<'a, Result<Place>> {
        Box::pin(async move {
            // Whoever has a row of that name is connected.
            let waba = address.waba.clone();
            let name = waba.as_ref().map(ToString::to_string);
            let there =
                query("SELECT held_until AS n FROM leases WHERE name = $1").bind(name).optional(tx, |row| row.int("n"));
            let owner = there.await?.and(self.owner);
            Ok(Place { waba, phone_number: address.phone_number.clone(), owner })
        })
    }

    fn may_have<'a>(
        &'a self,
        _: &'a mut WriteTx,
        _: &'a Address,
        place: &'a Place,
        _: time::OffsetDateTime,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async { Ok(place.owner.is_some()) })
    }

    fn follow<'a>(&'a self, tx: &'a mut WriteTx, changes: &'a [RoutedChange<'a>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for change in changes {
                let name = format!("{} {}", change.customer().is_some(), change.id);
                query("INSERT INTO counters (name, value) VALUES ($1, 1)").bind(name).execute(tx).await?;
                if change.change.raw.contains("a poisonous value") {
                    return Err(StoreError::Value("poison".to_owned()));
                }
                if change.change.raw.contains("a poisonous statement") {
                    // On PostgreSQL this spoils the whole transaction.
                    query("INSERT INTO counters (name, value) VALUES ('intake', 1)").execute(tx).await?;
                }
                assert!(!change.change.raw.contains("a bug"), "a bug");
                let left = self.busy.load(Ordering::SeqCst);
                if left > 0 {
                    self.busy.store(left - 1, Ordering::SeqCst);
                    return Err(StoreError::Sql(sqlx::Error::PoolTimedOut));
                }
            }
            Ok(())
        })
    }

    fn left_out<'a>(&'a self, _: &'a mut WriteTx, _: Owner) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn committed(&self) {}
}

/// Nobody has an app of their own.
struct NoOwnApps;

impl OwnApps for NoOwnApps {
    fn by_key<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<OwnApp>>> {
        Box::pin(async { Ok(None) })
    }

    fn note<'a>(&'a self, _: &'a OwnApp, _: OwnNews) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

fn webhooks(store: &Store, notes: Arc<Notes>) -> Webhooks {
    let url: url::Url = "http://localhost:1/".parse().unwrap();
    let outbound = Outbound::new(Reach::Operator, Duration::from_secs(1));
    let setup = Setup {
        graph: Client::new(outbound, url.clone(), "v25.0".to_owned()),
        app: None,
        old_app_secret: None,
        es_config_id: None,
        verify_token: None,
        system_token: None,
        business_id: None,
        dialog_url: url.clone(),
        sdk_url: url.clone(),
        redirect_uri: url.clone(),
        webhook_url: url,
    };
    Webhooks::new(store.clone(), Clock::system(), LiveSetup::new(setup), notes, Arc::new(NoOwnApps))
}

const FOLLOWED: &str = "SELECT count(*) AS n FROM counters WHERE name LIKE 'false %'";

async fn one_odd_change_harms_no_other(db: Database) {
    let store = db.store().await;
    let webhooks = webhooks(&store, Arc::default());
    let good = |at: usize| change_of("1", "automatic_events", json!({"good": at}));
    let mut bodies: Vec<Value> = (0..5).map(good).collect();
    for odd in ["a poisonous value", "a poisonous statement", "a bug"] {
        let mut body = good(100 + odd.len());
        let changes = body["entry"][0]["changes"].as_array_mut().unwrap();
        changes.push(json!({"field": "automatic_events", "value": {"odd": odd}}));
        changes.push(json!({"field": "automatic_events", "value": {"beside": odd.len()}}));
        bodies.push(body);
    }
    bodies.extend((5..10).map(good));
    // All are there before the router begins: they are one batch.
    for body in &bodies {
        webhooks.keep(body.to_string()).await.unwrap();
    }
    let stop = CancellationToken::new();
    let routing = tokio::spawn(webhooks.clone().make_events(stop.clone()));
    routed(&store).await;
    assert_eq!(number_in(&store, EVENTS).await, 10 + 9);
    assert_eq!(number_in(&store, FOLLOWED).await, 10 + 6, "what stands beside it follows");
    assert_eq!(number_in(&store, "SELECT count(*) AS n FROM events WHERE problem IS NOT NULL").await, 3);
    let counted = "SELECT CAST(sum(n) AS BIGINT) AS n FROM event_minutes WHERE kind = 'problem'";
    assert_eq!(number_in(&store, counted).await, 3);
    let total = "SELECT CAST(sum(n) AS BIGINT) AS n FROM event_minutes WHERE kind <> 'problem'";
    assert_eq!(number_in(&store, total).await, 19, "what was tried again is counted once");
    stop.cancel();
    routing.await.unwrap();
    store.close().await;
}

async fn a_busy_database_is_waited_for(db: Database) {
    let store = db.store().await;
    let notes = Arc::new(Notes { busy: AtomicUsize::new(3), ..Notes::default() });
    let webhooks = webhooks(&store, notes.clone());
    let stop = CancellationToken::new();
    let routing = tokio::spawn(webhooks.clone().make_events(stop.clone()));
    for at in 0..3 {
        webhooks.keep(change_of("1", "automatic_events", json!({"at": at})).to_string()).await.unwrap();
    }
    routed(&store).await;
    assert_eq!(notes.busy.load(Ordering::SeqCst), 0);
    assert_eq!(number_in(&store, FOLLOWED).await, 3);
    assert_eq!(number_in(&store, "SELECT count(*) AS n FROM events WHERE problem IS NOT NULL").await, 0);
    stop.cancel();
    routing.await.unwrap();
    store.close().await;
}

async fn what_came_early_is_acted_on_once(db: Database) {
    let store = db.store().await;
    let owner = Owner { customer: CustomerId::new(), connection: ConnectionId::new() };
    let webhooks = webhooks(&store, Arc::new(Notes { owner: Some(owner), ..Notes::default() }));
    let keep = async |at: usize, odd: &str| {
        let value = json!({"at": at, "odd": odd});
        webhooks.keep(change_of("7", "automatic_events", value).to_string()).await.unwrap();
    };
    for at in 0..250 {
        keep(at, "").await;
    }
    let stop = CancellationToken::new();
    let routing = tokio::spawn(webhooks.clone().make_events(stop.clone()));
    routed(&store).await;
    let late = "SELECT count(*) AS n FROM counters WHERE name LIKE 'true %'";
    assert_eq!((number_in(&store, FOLLOWED).await, number_in(&store, late).await), (250, 0));
    let mut tx = store.write().await.unwrap();
    query("INSERT INTO leases (name, owner, held_until) VALUES ('7', '', 0)").execute(&mut tx).await.unwrap();
    doorway::store::counters::ROUTING.advance(&mut tx, 1).await.unwrap();
    tx.commit().await.unwrap();
    // A row for each: had one been acted on twice, its second row would not go in, and it would name its problem.
    eventually("the past", || async { (number_in(&store, late).await == 250).then_some(()) }).await;
    let behind = "SELECT count(*) AS n FROM event_routes WHERE backlog_until IS NOT NULL";
    eventually("its end", || async { (number_in(&store, behind).await == 0).then_some(()) }).await;
    keep(250, "").await;
    routed(&store).await;
    assert_eq!((number_in(&store, FOLLOWED).await, number_in(&store, late).await), (250, 251));
    assert_eq!(number_in(&store, "SELECT count(*) AS n FROM events WHERE problem IS NOT NULL").await, 0);
    assert_eq!(number_in(&store, "SELECT count(*) AS n FROM event_routes").await, 1, "the same route");
    stop.cancel();
    routing.await.unwrap();
    store.close().await;
}
