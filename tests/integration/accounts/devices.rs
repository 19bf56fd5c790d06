//! Where one is signed in.

use super::*;
use http::Method;

on_both_engines!(every_device_is_listed_and_can_be_signed_out, nobody_ends_anothers_session, all_others_at_once);

const ANDROID: &str =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36";

/// Signs in on a device of this kind.
async fn sign_in_on(world: &World, email: &str, agent: &str) -> Browser {
    let browser = world.anonymous();
    browser.get("/signin").await;
    let csrf = browser.csrf();
    let form = [("csrf", csrf.as_str()), ("email", email), ("password", PASSWORD)];
    let page = browser.send(browser.own(browser.request(Method::POST, "/signin")).form(&form)).await;
    assert_eq!(page.status, 303);
    browser.send(browser.request(Method::GET, "/settings").header("user-agent", agent)).await;
    browser
}

/// The address that signs the device of this name out, as the page of another shows it.
fn end_of(page: &Page, device: &str) -> String {
    let item = page.text.split("<li data-status").find(|item| item.contains(device)).unwrap();
    item.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

async fn every_device_is_listed_and_can_be_signed_out(db: Database) {
    let world = World::start(db).await;
    let laptop = world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let phone = sign_in_on(&world, &email, ANDROID).await;
    let page = laptop.get("/settings").await;
    says(&page, &["Chrome on Android", "Unknown browser", "This device", "from 127.0.0.1", "Last active", "signed in"]);
    assert_eq!(page.text.matches("This device").count(), 1);
    world.advance(3_600);
    phone.send(phone.request(Method::GET, "/settings").header("user-agent", ANDROID)).await;
    world.advance(3_600);
    says(&laptop.get("/settings").await, &["Last active 1 hour ago · signed in 2 hours ago"]);
    let end = end_of(&laptop.get("/settings").await, "Chrome on Android");
    assert_eq!(laptop.post(&end, &[]).await.location(), "/settings");
    assert!(!phone.is_signed_in().await && laptop.is_signed_in().await);
    let page = laptop.get("/settings").await;
    assert!(!page.words().contains("Chrome on Android"));
    assert_eq!(laptop.post(&end, &[]).await.status, 404, "it is gone already");
    // One's own: that is signing out.
    let own = end_of(&page, "This device");
    assert_eq!(laptop.post(&own, &[]).await.location(), "/signin");
    assert!(!laptop.is_signed_in().await);
    assert_eq!(actions(&world).await.iter().filter(|action| *action == "user.session_ended").count(), 2);
}

async fn nobody_ends_anothers_session(db: Database) {
    let world = World::start(db).await;
    let (owner, other) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let end = end_of(&owner.get("/settings").await, "This device");
    assert_eq!(other.post(&end, &[]).await.status, 404);
    assert!(owner.is_signed_in().await);
}

async fn all_others_at_once(db: Database) {
    let world = World::start(db).await;
    let here = world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let others = [sign_in_on(&world, &email, ANDROID).await, sign_in_on(&world, &email, "").await];
    let stranger = world.customer("Corner Shop").await;
    here.get("/settings").await;
    assert_eq!(here.post("/settings/sessions/end-others", &[]).await.location(), "/settings");
    assert!(here.is_signed_in().await && stranger.is_signed_in().await);
    for other in &others {
        assert!(!other.is_signed_in().await);
    }
}
