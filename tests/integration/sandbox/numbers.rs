//! `/{phone}`, register and deregister.

use super::*;

async fn register(sandbox: &Running, phone: &str, token: &str, pin: &str) -> Answer {
    let body = json!({"messaging_product": "whatsapp", "pin": pin});
    sandbox.send(sandbox.signed(Method::POST, &format!("/{phone}/register"), token).json(&body)).await
}

async fn number(sandbox: &Running, scenarios: &[&str]) -> (String, String) {
    let (token, signup) = sandbox.token(scenarios).await;
    (token, text(&signup["phone_number_ids"][0]))
}

const ALL: &str = "id,display_phone_number,verified_name,quality_rating,code_verification_status,name_status,status,\
                   platform_type,throughput,is_on_biz_app,whatsapp_business_manager_messaging_limit,health_status,\
                   account_mode,certificate,webhook_configuration,is_official_business_account,last_onboarded_time,\
                   is_pin_enabled,search_visibility,new_name_status,host_platform,country_code,country_dial_code";

#[tokio::test]
async fn every_documented_field_is_there_before_and_after_registration() {
    let sandbox = Running::start().await;
    let (token, phone) = number(&sandbox, &[]).await;
    let path = format!("/{phone}?fields={ALL}");
    let before = sandbox.graph(Method::GET, &path, &token).await.json();
    assert_eq!((&before["status"], &before["platform_type"]), (&json!("PENDING"), &json!("NOT_APPLICABLE")));
    assert_eq!(before["code_verification_status"], "VERIFIED");
    assert_eq!(before["health_status"]["can_send_message"], "BLOCKED");
    assert_eq!(before["webhook_configuration"]["application"], sandbox.receiver.url);
    for field in ALL.split(',') {
        assert!(before.get(field).is_some(), "{field}");
    }
    assert_eq!(register(&sandbox, &phone, &token, "123456").await.json(), json!({"success": true}));
    let after = sandbox.graph(Method::GET, &path, &token).await.json();
    assert_eq!((&after["status"], &after["platform_type"]), (&json!("CONNECTED"), &json!("CLOUD_API")));
    assert_eq!(after["health_status"]["can_send_message"], "AVAILABLE");
    assert_eq!(after["is_pin_enabled"], true);
    let default = sandbox.graph(Method::GET, &format!("/{phone}"), &token).await.json();
    assert!(default.get("verified_name").is_some() && default.get("health_status").is_none());
}

#[tokio::test]
async fn the_pin_is_checked_and_can_be_changed() {
    let sandbox = Running::start().await;
    let (token, phone) = number(&sandbox, &[]).await;
    for bad in ["12345", "1234567", "12345a"] {
        assert_eq!(register(&sandbox, &phone, &token, bad).await.error().0, 100, "{bad}");
    }
    assert_eq!(register(&sandbox, &phone, &token, "123456").await.status, 200);
    assert_eq!(register(&sandbox, &phone, &token, "654321").await.error().0, 133_005);
    let change = sandbox.signed(Method::POST, &format!("/{phone}"), &token).json(&json!({"pin": "654321"}));
    assert_eq!(sandbox.send(change).await.status, 200);
    assert_eq!(register(&sandbox, &phone, &token, "654321").await.status, 200);
    let nothing = sandbox.signed(Method::POST, &format!("/{phone}"), &token).json(&json!({}));
    assert_eq!(sandbox.send(nothing).await.error().0, 100);
}

#[tokio::test]
async fn unverified_numbers_and_unready_names_are_not_registered() {
    let sandbox = Running::start().await;
    let (token, phone) = number(&sandbox, &["unverified_number"]).await;
    assert_eq!(register(&sandbox, &phone, &token, "123456").await.error().0, 133_006);
    sandbox.control(Method::POST, "phones", json!({"phone_id": phone, "verified": true})).await;
    assert_eq!(register(&sandbox, &phone, &token, "123456").await.status, 200);

    let (token, phone) = number(&sandbox, &["display_name_pending"]).await;
    let read = sandbox.graph(Method::GET, &format!("/{phone}?fields=name_status,certificate"), &token).await.json();
    assert_eq!(read["name_status"], "PENDING_REVIEW");
    assert!(read.get("certificate").is_none());
    assert_eq!(register(&sandbox, &phone, &token, "123456").await.error(), (100, Some(2_388_001)));
    let ready = json!({"phone_id": phone, "name_status": "AVAILABLE_WITHOUT_REVIEW"});
    sandbox.control(Method::POST, "phones", ready).await;
    assert_eq!(register(&sandbox, &phone, &token, "123456").await.status, 200);
}

#[tokio::test]
async fn coexistence_numbers_are_connected_and_never_registered() {
    let sandbox = Running::start().await;
    let (token, phone) = number(&sandbox, &["coexistence"]).await;
    let read = sandbox.graph(Method::GET, &format!("/{phone}?fields=status,is_on_biz_app"), &token).await.json();
    assert_eq!((&read["status"], &read["is_on_biz_app"]), (&json!("CONNECTED"), &json!(true)));
    assert_eq!(register(&sandbox, &phone, &token, "123456").await.error().0, 100);
    assert_eq!(sandbox.graph(Method::POST, &format!("/{phone}/deregister"), &token).await.error().0, 100);
}

#[tokio::test]
async fn ten_tries_in_72_hours() {
    let sandbox = Running::start().await;
    let (token, phone) = number(&sandbox, &["unverified_number"]).await;
    for _ in 0..10 {
        assert_eq!(register(&sandbox, &phone, &token, "123456").await.error().0, 133_006);
    }
    assert_eq!(register(&sandbox, &phone, &token, "123456").await.error().0, 133_016);
    sandbox.clock.advance(time::Duration::hours(71));
    assert_eq!(register(&sandbox, &phone, &token, "123456").await.error().0, 133_016);
    sandbox.clock.advance(time::Duration::hours(2));
    assert_eq!(register(&sandbox, &phone, &token, "123456").await.error().0, 133_006);
}

#[tokio::test]
async fn deregistering_needs_a_registered_number() {
    let sandbox = Running::start().await;
    let (token, phone) = number(&sandbox, &[]).await;
    let path = format!("/{phone}/deregister");
    assert_eq!(sandbox.graph(Method::POST, &path, &token).await.error().0, 133_010);
    assert_eq!(register(&sandbox, &phone, &token, "123456").await.status, 200);
    assert_eq!(sandbox.graph(Method::POST, &path, &token).await.json(), json!({"success": true}));
    let read = sandbox.graph(Method::GET, &format!("/{phone}?fields=status"), &token).await.json();
    assert_eq!(read["status"], "PENDING");
}

#[tokio::test]
async fn a_number_can_have_a_callback_of_its_own() {
    let sandbox = Running::start().await;
    let (token, phone) = number(&sandbox, &[]).await;
    let set = |uri: &str| {
        let body = json!({"webhook_configuration": {"override_callback_uri": uri, "verify_token": VERIFY}});
        sandbox.signed(Method::POST, &format!("/{phone}"), &token).json(&body)
    };
    let path = format!("/{phone}?fields=webhook_configuration");
    assert_eq!(sandbox.send(set(&sandbox.receiver.url)).await.status, 200);
    let read = sandbox.graph(Method::GET, &path, &token).await.json();
    assert_eq!(read["webhook_configuration"]["phone_number"], sandbox.receiver.url);
    assert_eq!(sandbox.send(set("http://127.0.0.1:1/none")).await.error().0, 2200);
    assert_eq!(sandbox.send(set("")).await.status, 200);
    let read = sandbox.graph(Method::GET, &path, &token).await.json();
    assert!(read["webhook_configuration"].get("phone_number").is_none());
}
