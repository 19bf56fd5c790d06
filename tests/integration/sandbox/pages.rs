//! The SDK, the home page and the static files.

use super::*;

#[tokio::test]
async fn the_sdk_is_there_in_any_locale() {
    let sandbox = Running::start().await;
    for locale in ["en_US", "pl_PL"] {
        let answer = sandbox.page(&format!("/{locale}/sdk.js")).await;
        assert_eq!(answer.status, 200);
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with("application/javascript"));
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        assert!(answer.text.contains(&format!("'{}'", sandbox.origin)) && answer.text.contains("fbAsyncInit"));
    }
}

#[tokio::test]
async fn the_home_page_shows_the_state_and_arms() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&[]).await;
    let home = sandbox.page("/").await;
    assert_eq!(home.status, 200);
    assert!(home.text.contains(&text(&signup["waba_ids"][0])) && home.text.contains("/v25.0/oauth/access_token"));
    assert!(!home.text.contains(&token) && !home.text.contains(SECRET));
    let arm = sandbox.request(Method::POST, "/arm").form(&[("scenario", "event_lost")]);
    assert_eq!(sandbox.send(arm).await.status, 303);
    assert!(sandbox.page("/").await.text.contains("event_lost (1 more)"));
    let all_well = sandbox.request(Method::POST, "/arm").form(&[("scenario", "")]);
    sandbox.send(all_well).await;
    assert!(sandbox.control(Method::GET, "state", json!({})).await["armed"].is_null());
}

#[tokio::test]
async fn static_files_are_served_and_nothing_else() {
    let sandbox = Running::start().await;
    assert_eq!(sandbox.page("/static/sandbox.css").await.headers["content-type"], "text/css");
    assert_eq!(sandbox.page("/static/popup.js").await.status, 200);
    assert_eq!(sandbox.page("/static/..%2F..%2FCargo.toml").await.status, 404);
    assert_eq!(sandbox.page("/favicon.ico").await.status, 204);
    assert_eq!(sandbox.page("/v25.0/me").await.error().0, 104);
}
