//! SIGKILL at any moment, again and again.

use super::*;
use std::time::Duration;

on_both_engines!(every_attempt_ends_well_or_says_what_to_do);

/// Goes through a signup whatever happens to the portal meanwhile.
async fn sign_up(browser: Browser, meta: Meta) -> (Attempt, Value) {
    let attempt = browser.begin().await;
    let signup = meta.signup(&[]).await;
    attempt.event(&signup).await;
    attempt.code(&signup).await;
    (attempt, signup)
}

async fn every_attempt_ends_well_or_says_what_to_do(db: Database) {
    // After a crash a lease must run out on PostgreSQL, where other processes may be at work: fewer rounds,
    // more at once.
    let (rounds, at_once) = if db.is_sqlite() { (10, 1) } else { (2, 5) };
    let mut process = Process::start(db).await;
    let (mut done, mut lost) = (0, 0);
    for round in 0..rounds {
        let mut under_way = Vec::new();
        for at in 0..at_once {
            let browser = process.customer(&format!("Company {round}.{at}")).await;
            under_way.push(tokio::spawn(sign_up(browser, process.meta.clone())));
        }
        tokio::time::sleep(Duration::from_millis(rand::random_range(20..600))).await;
        process.kill();
        process.launch().await;
        for task in under_way {
            let (attempt, signup) = task.await.unwrap();
            let page = attempt.settled().await;
            match page.attempt() {
                (state, _) if state == "done" => {
                    let waba = process.meta.waba(&id(&signup, "waba_ids", 0)).await;
                    assert_eq!(waba["subscribed"], true);
                    done += 1;
                }
                (state, reason) => {
                    let told = ["code_used", "code_expired"].contains(&reason.as_str());
                    assert!(state == "failed" && told, "{state} {reason}: {}", page.words());
                    says(&page, &["Try again"]);
                    lost += 1;
                }
            }
        }
    }
    assert_eq!(done + lost, rounds * at_once);
    let store = process.db.store().await;
    let mut db = store.read().await.unwrap();
    let sql = "SELECT count(*) AS n FROM connections WHERE token_sealed IS NOT NULL";
    let kept = doorway::store::query(sql).one(&mut db, |row| row.int("n")).await.unwrap();
    assert_eq!(kept, done, "a connection for each that ended well, and none besides");
    drop(db);
    store.close().await;
    println!("killed at random: {done} done, {lost} told to try again");
}
