//! Several accounts are shared: the customer chooses.

use super::*;

on_both_engines!(
    several_can_be_connected_at_once,
    what_is_connected_already_is_marked,
    what_another_company_holds_can_not_be_taken,
    only_what_was_proven_can_be_chosen,
);

async fn at_the_choice(world: &World, browser: &Browser, scenarios: &[&str]) -> (Attempt, Value) {
    let attempt = browser.begin().await;
    let signup = world.meta.signup(scenarios).await;
    attempt.bring_all(&signup).await;
    attempt.ends("choose", "choosing").await;
    (attempt, signup)
}

fn boxes(page: &Page) -> usize {
    page.text.matches("name=\"waba\"").count()
}

async fn choose(browser: &Browser, attempt: &Attempt, wabas: &[&str]) -> Page {
    let fields: Vec<_> = wabas.iter().map(|waba| ("waba", *waba)).collect();
    browser.post(&format!("{}/choose", attempt.url), &fields).await
}

async fn several_can_be_connected_at_once(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (attempt, signup) = at_the_choice(&world, &browser, &["several_wabas"]).await;
    let page = attempt.page().await;
    assert_eq!(boxes(&page), 3);
    let [first, second, third] = [0, 1, 2].map(|at| id(&signup, "waba_ids", at));
    let ticked = |waba: &str| page.tag_with(&format!("id=\"waba-{waba}\"")).unwrap().contains(" checked");
    assert_eq!([ticked(&first), ticked(&second), ticked(&third)], [true, false, false], "the event's is preselected");
    for phone in signup["phone_number_ids"].as_array().unwrap() {
        let phone = world.meta.phone(phone.as_str().unwrap()).await;
        says(&page, &[phone["verified_name"].as_str().unwrap(), "Quality"]);
    }
    let none = choose(&browser, &attempt, &[]).await;
    assert_eq!(none.status, 422);
    says(&none, &["Choose at least one account."]);
    assert_eq!(choose(&browser, &attempt, &[&first, &third]).await.location(), attempt.url);
    attempt.connection().await;
    let subscribed = async |waba: &str| world.meta.waba(waba).await["subscribed"] == json!(true);
    assert!(subscribed(&first).await && subscribed(&third).await && !subscribed(&second).await);
    // The other tab comes late, and finds it chosen.
    assert_eq!(choose(&browser, &attempt, &[&second]).await.location(), attempt.url);
    attempt.is_done().await;
    assert_eq!(world.number("SELECT count(*) AS n FROM wabas", "n").await, Some(2));
}

async fn what_is_connected_already_is_marked(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (attempt, signup) = at_the_choice(&world, &browser, &["several_wabas"]).await;
    let [first, second] = [0, 1].map(|at| id(&signup, "waba_ids", at));
    choose(&browser, &attempt, &[&first]).await;
    let connection = attempt.connection().await;
    let attempt = browser.begin().await;
    let again = world.meta.signup_of(json!({"waba_id": second})).await;
    attempt.bring_all(&again).await;
    let page = attempt.ends("choose", "choosing").await;
    assert_eq!(page.text.matches("Already connected").count(), 1);
    choose(&browser, &attempt, &[&first, &second]).await;
    assert_eq!(attempt.connection().await, connection, "of one business, so it goes with the connection there is");
    assert_eq!(world.number("SELECT count(*) AS n FROM wabas", "n").await, Some(2));
}

async fn what_another_company_holds_can_not_be_taken(db: Database) {
    let world = World::start(db).await;
    let (holder, other) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let (attempt, signup) = at_the_choice(&world, &holder, &["several_wabas"]).await;
    let [first, second] = [0, 1].map(|at| id(&signup, "waba_ids", at));
    choose(&holder, &attempt, &[&first]).await;
    attempt.is_done().await;
    let attempt = other.begin().await;
    let again = world.meta.signup_of(json!({"waba_id": first})).await;
    attempt.bring_all(&again).await;
    let page = attempt.ends("choose", "choosing").await;
    says(&page, &["Connected by another company"]);
    let tag = page.tag_with(&format!("id=\"waba-{first}\"")).unwrap();
    assert!(tag.contains(" disabled") && !tag.contains(" checked"), "{tag}");
    // Sent all the same: nothing at all is taken.
    choose(&other, &attempt, &[&first, &second]).await;
    attempt.ends("failed", "claimed").await;
    assert_eq!(world.number("SELECT count(*) AS n FROM wabas", "n").await, Some(1));
    assert_eq!(world.meta.waba(&second).await["subscribed"], false);
}

async fn only_what_was_proven_can_be_chosen(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let foreign = world.meta.signup(&[]).await;
    let (attempt, _) = at_the_choice(&world, &browser, &["several_wabas"]).await;
    let refused = choose(&browser, &attempt, &[&id(&foreign, "waba_ids", 0)]).await;
    assert_eq!(refused.status, 400);
    attempt.ends("choose", "choosing").await;
    // Nor does a hint prove anything: the token does not open the account that it names.
    let attempt = browser.begin().await;
    let mut signup = world.meta.signup(&["granular_without_targets"]).await;
    signup["event"]["data"]["waba_id"] = foreign["waba_ids"][0].clone();
    attempt.bring_all(&signup).await;
    let page = attempt.ends("failed", "access_not_proven").await;
    says(&page, &["We can’t open that account"]);
}
