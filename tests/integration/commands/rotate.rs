//! `doorway rotate-keys`.

use super::*;
use doorway::base::sealed::KeyRing;

on_both_engines!(the_old_key_is_not_needed_afterwards);

async fn the_old_key_is_not_needed_afterwards(db: Database) {
    let mut process = Process::start(db).await;
    let browser = process.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let signup = process.meta.signup(&[]).await;
    attempt.bring_all(&signup).await;
    let connection = attempt.connection().await;
    // A token that stands in an attempt which is not over.
    let choosing = browser.begin().await;
    let several = process.meta.signup(&["several_wabas"]).await;
    choosing.bring_all(&several).await;
    choosing.ends("choose", "choosing").await;
    // An invite that is open.
    let made = browser.post("/invites", &[("email", "colleague@harbour.example")]).await;
    let invite = made.location().to_owned();
    let link = browser.get(&invite).await.attribute("data-copy").unwrap();
    process.terminate().await;

    let old = process.settings["DOORWAY_SECRET_KEY"].clone();
    process.set("SECRET_KEY", &KeyRing::generate());
    process.set("SECRET_KEYS_OLD", &format!(" {old} , {}", KeyRing::generate()));
    let doctor = process.run(&["doctor"], "").await;
    assert!(doctor.stdout.contains("warning  3 of 3 stored secrets are sealed with an old key"), "{}", doctor.stdout);
    let rotated = process.run(&["rotate-keys"], "").await;
    assert_eq!(rotated.status.code(), Some(0), "{}", rotated.stderr);
    assert!(rotated.stdout.starts_with("3 secrets sealed anew"), "{}", rotated.stdout);
    let again = process.run(&["rotate-keys"], "").await;
    assert!(again.stdout.starts_with("0 secrets sealed anew"), "{}", again.stdout);

    process.unset("SECRET_KEYS_OLD");
    let doctor = process.run(&["doctor"], "").await;
    assert!(doctor.stdout.contains("ok       all 3 stored secrets open with the current key"), "{}", doctor.stdout);
    process.launch().await;
    assert_eq!(browser.get(&invite).await.attribute("data-copy").unwrap(), link, "its secret still opens");
    let [_, second] = [0, 1].map(|at| id(&several, "waba_ids", at));
    browser.post(&format!("{}/choose", choosing.url), &[("waba", &second)]).await;
    choosing.is_done().await;
    browser.post(&format!("{connection}/disconnect"), &[]).await;
    eventually("the end of the connection", || async { (browser.get(&connection).await.status == 404).then_some(()) })
        .await;
    assert_eq!(process.meta.waba(&id(&signup, "waba_ids", 0)).await["subscribed"], false, "its token still opened");
    process.meta.control(Method::POST, "tokens/revoke", json!({})).await;
}
