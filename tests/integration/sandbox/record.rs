//! What `--record` writes.

use super::*;

#[tokio::test]
async fn every_exchange_is_written_and_no_secret() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&[]).await;
    let phone = text(&signup["phone_number_ids"][0]);
    let waba = text(&signup["waba_ids"][0]);
    sandbox.inspect(&token).await;
    let body = json!({"messaging_product": "whatsapp", "pin": "918273"});
    sandbox.send(sandbox.signed(Method::POST, &format!("/{phone}/register"), &token).json(&body)).await;
    let override_ = json!({"override_callback_uri": sandbox.receiver.url, "verify_token": VERIFY});
    sandbox.send(sandbox.signed(Method::POST, &format!("/{waba}/subscribed_apps"), &token).json(&override_)).await;
    let listed = format!("/v25.0/{waba}/phone_numbers?limit=1&access_token={token}");
    sandbox.page(&listed).await;
    let written = std::fs::read_to_string(&sandbox.record).unwrap();
    for secret in [&token, SECRET, &text(&signup["code"]), "918273", &hmac(SECRET, token.as_bytes()), VERIFY] {
        assert!(!written.contains(secret), "{secret}");
    }
    let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0]["path"], "/v25.0/oauth/access_token");
    assert_eq!(lines[0]["request"]["client_id"], APP_ID);
    assert_eq!(lines[0]["request"]["code"].as_str().unwrap().len(), text(&signup["code"]).len());
    let masked = text(&lines[0]["response"]["access_token"]);
    assert!(masked.starts_with("EAA") && masked.len() == token.len());
    assert_eq!(lines[1]["request"], Value::Null);
    assert_eq!(lines[2]["request"], json!({"messaging_product": "whatsapp", "pin": "000000"}));
    assert_eq!(lines[2]["status"], 200);
    assert!(text(&lines[4]["query"]).contains("access_token=EAAx"));
}
