//! Webhooks to the app's callback.

use super::*;

fn body(hook: &Hook) -> Value {
    assert_eq!(hook.signature, format!("sha256={}", hmac(SECRET, &hook.body)), "signed on the raw bytes");
    serde_json::from_slice(&hook.body).unwrap()
}

#[tokio::test]
async fn finishing_tells_the_provider() {
    let sandbox = Running::start().await;
    let signup = sandbox.signup(&["event_lost", "code_lost"]).await;
    let hook = body(&sandbox.receiver.wait(1).await[0]);
    assert_eq!(hook["object"], "whatsapp_business_account");
    assert_eq!(hook["entry"][0]["id"], BUSINESS);
    let change = &hook["entry"][0]["changes"][0];
    assert_eq!(change["field"], "account_update");
    let info = json!({"waba_id": signup["waba_ids"][0], "owner_business_id": signup["business_id"]});
    assert_eq!(change["value"], json!({"event": "PARTNER_ADDED", "waba_info": info}));
    sandbox.signup(&["permissions_declined"]).await;
    sandbox.signup(&["cancel:PERMISSIONS"]).await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(sandbox.receiver.hooks.lock().unwrap().len(), 1, "neither declined nor cancelled ones");
}

#[tokio::test]
async fn a_refused_webhook_is_sent_again() {
    let sandbox = Running::start().await;
    *sandbox.receiver.refuse.lock().unwrap() = 1;
    sandbox.signup(&[]).await;
    sandbox.receiver.wait(1).await;
    for _ in 0..40 {
        if sandbox.control(Method::GET, "state", json!({})).await["webhooks_waiting"] == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("a delivered webhook still waits");
}

#[tokio::test]
async fn a_restart_takes_up_what_was_not_sent() {
    let dir = TempDir::new().unwrap();
    let receiver = Receiver::start().await;
    let first = Running::start_in(dir, true).await;
    // Its own receiver never takes anything: the process "dies" with the webhook unsent.
    *first.receiver.refuse.lock().unwrap() = u32::MAX;
    first.signup(&[]).await;
    let path = first.dir.path().join("sandbox.json");
    let waiting: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(waiting["outbox"].as_array().unwrap().len(), 1);
    let copy = TempDir::new().unwrap();
    std::fs::copy(&path, copy.path().join("sandbox.json")).unwrap();
    let second = Sandbox::open(options("http://127.0.0.1:1", &copy, Some(&receiver.url)), Clock::system()).unwrap();
    drop(second.router());
    receiver.wait(1).await;
}

#[tokio::test]
async fn only_subscribed_fields_are_sent_and_others_on_request() {
    let sandbox = Running::start().await;
    let signup = sandbox.signup(&[]).await;
    sandbox.receiver.wait(1).await;
    let waba = signup["waba_ids"][0].clone();
    let sent = sandbox.control(Method::POST, "webhooks", json!({"kind": "partner_removed", "waba_id": waba})).await;
    assert_eq!(sent["sent"], true);
    assert_eq!(body(&sandbox.receiver.wait(2).await[1])["entry"][0]["changes"][0]["value"]["event"], "PARTNER_REMOVED");
    let raw = |field: &str| {
        json!({"raw": {"object": "whatsapp_business_account", "entry": [
        {"id": waba, "time": 1, "changes": [{"field": field, "value": {"x": "é"}}]}]}})
    };
    assert_eq!(sandbox.control(Method::POST, "webhooks", raw("flows")).await["sent"], false);
    assert_eq!(sandbox.control(Method::POST, "webhooks", raw("messages")).await["sent"], true);
    assert_eq!(body(&sandbox.receiver.wait(3).await[2])["entry"][0]["id"], waba);
}

#[tokio::test]
async fn messages_go_to_the_accounts_own_callback() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&[]).await;
    sandbox.receiver.wait(1).await;
    let own = Receiver::start().await;
    let waba = text(&signup["waba_ids"][0]);
    let override_ = json!({"override_callback_uri": own.url, "verify_token": VERIFY});
    let call = sandbox.signed(Method::POST, &format!("/{waba}/subscribed_apps"), &token).json(&override_);
    assert_eq!(sandbox.send(call).await.status, 200);
    let raw = json!({"raw": {"object": "whatsapp_business_account", "entry": [
        {"id": waba, "time": 1, "changes": [{"field": "messages", "value": {}}]}]}});
    sandbox.control(Method::POST, "webhooks", raw).await;
    own.wait(1).await;
    assert_eq!(sandbox.receiver.hooks.lock().unwrap().len(), 1);
}
