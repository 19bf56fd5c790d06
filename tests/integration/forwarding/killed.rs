//! SIGKILL under load, again and again: each webhook that was answered 200 reaches its endpoint.

use super::*;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

on_both_engines!(what_was_answered_reaches_its_endpoint);

/// How many senders there are, and how often the process is killed.
const SENDERS: usize = 8;
const KILLS: usize = 4;

async fn what_was_answered_reaches_its_endpoint(db: Database) {
    let mut process = Process::new(db).await;
    process.set("ALLOW_PRIVATE_ENDPOINTS", "true");
    process.set("LOG", "info,doorway::forwarding::dispatcher::writer=debug");
    process.launch().await;
    let browser = process.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let signup = process.meta.signup(&[]).await;
    attempt.bring_all(&signup).await;
    attempt.is_done().await;
    let (waba, number) = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
    // Some calls fail, and some are slow, so that the process is killed at every stage.
    let receiver = Receiver::answering(|got| match got.number % 7 {
        3 if got.attempt == 1 => Answer::Status(500),
        5 => Answer::After(Duration::from_millis(60), 200),
        _ => Answer::Status(200),
    })
    .await;
    let endpoint = make_endpoint(&process, &receiver.url).await;

    let (answered, stop) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(AtomicBool::new(false)));
    let mut senders = Vec::new();
    for sender in 0..SENDERS {
        let (portal, answered, stop) = (Browser::new(&process.url), answered.clone(), stop.clone());
        let (waba, number) = (waba.clone(), number.clone());
        senders.push(tokio::spawn(async move {
            for at in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let message_id = format!("{sender}.{at:05}");
                let body = message(&waba, &number, &format!("49151100000{:02}", sender * 10 + at % 10), &message_id);
                // Meta comes again with what was not answered; so does this one, a few times.
                for _ in 0..3 {
                    if post(&portal, &body).await == 200 {
                        answered.lock().unwrap().insert(message_id);
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                tokio::time::sleep(Duration::from_millis(8)).await;
            }
        }));
    }
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(rand::random_range(300..1_500))).await;
        process.kill();
        process.launch().await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await.unwrap();
    }
    process.kill();
    process.launch().await;

    let answered = answered.lock().unwrap().clone();
    let ok = |got: &Got| !(got.number % 7 == 3 && got.attempt == 1);
    eventually("all reach the receiver", || async {
        let reached: BTreeSet<String> =
            receiver.got().iter().filter(|got| ok(got)).map(|got| got.message.clone()).collect();
        answered.is_subset(&reached).then_some(())
    })
    .await;
    let store = process.db.store().await;
    eventually("all are kept as delivered", || async {
        let mut db = store.read().await.unwrap();
        let left = query("SELECT count(*) AS n FROM deliveries WHERE state <> 'delivered'");
        (left.one(&mut db, |row| row.int("n")).await.unwrap() == 0).then_some(())
    })
    .await;
    let mut db = store.read().await.unwrap();
    let numbers = query("SELECT number FROM deliveries WHERE endpoint_id = $1 ORDER BY number")
        .bind(endpoint)
        .all(&mut db, |row| row.int("number"))
        .await
        .unwrap();
    assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>(), "no number is missing");
    // Planned once each, however often it was killed.
    let mut by_number: HashMap<i64, BTreeSet<String>> = HashMap::new();
    let mut by_message: HashMap<String, BTreeSet<i64>> = HashMap::new();
    for got in receiver.got() {
        by_number.entry(got.number).or_default().insert(got.message.clone());
        by_message.entry(got.message).or_default().insert(got.number);
    }
    assert!(by_number.values().all(|messages| messages.len() == 1) && by_message.values().all(|n| n.len() == 1));
    println!(
        "{} webhooks answered, {} deliveries, {} calls, killed {} times",
        answered.len(),
        numbers.len(),
        receiver.len(),
        KILLS + 1
    );
    println!("outcomes were written in transactions of {}", written(&process.log()));
    drop(db);
    store.close().await;
    assert!(answered.len() > 50, "there was load: {}", answered.len());
}

/// How long the transactions took that wrote outcomes, by the log.
fn written(log: &str) -> String {
    let took = log.lines().filter(|line| line.contains("outcomes written")).filter_map(|line| {
        let text = line.split("took=").nth(1)?.trim();
        let ms = |unit: &str| text.strip_suffix(unit)?.parse::<f64>().ok();
        ms("µs").map(|us| us / 1_000.0).or_else(|| ms("ms")).or_else(|| ms("s").map(|s| s * 1_000.0))
    });
    let mut took: Vec<f64> = took.collect();
    assert!(!took.is_empty(), "the log tells of none");
    took.sort_by(f64::total_cmp);
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
    format!("{:.1} ms (median), {:.1} ms (99 of 100), {} of them", at(0.5), at(0.99), took.len())
}

/// An endpoint, made beside the process as a member would make it.
pub(super) async fn make_endpoint(process: &Process, url: &Url) -> EndpointId {
    use doorway::{base::clock::Clock, base::sealed::KeyRing, forwarding::Forwarding, jobs::Queue};
    let store = process.db.store().await;
    let mut db = store.read().await.unwrap();
    let email = query("SELECT email FROM users WHERE customer_id IS NOT NULL");
    let email = email.one(&mut db, |row| row.text("email")).await.unwrap();
    drop(db);
    let accounts = doorway::accounts::Accounts::new(store.clone(), Clock::system()).unwrap();
    let user = accounts.user_by_email(&email.parse().unwrap()).await.unwrap().unwrap();
    let keys = KeyRing::new(&process.settings["DOORWAY_SECRET_KEY"], []).unwrap();
    let clock = Clock::system();
    let forwarding = Forwarding::new(store.clone(), clock.clone(), keys, Queue::new(clock), true);
    let new = NewEndpoint {
        customer: user.customer_id.unwrap(),
        name: "Server".to_owned(),
        url: Some(url.clone()),
        format: Format::Meta,
        kinds: Some(vec![Kind::MessageReceived]),
        wabas: None,
        numbers: None,
        secret: None,
        verify_token: Some("word".into()),
    };
    let id = forwarding.create(&user, new).await.unwrap();
    store.close().await;
    id
}
