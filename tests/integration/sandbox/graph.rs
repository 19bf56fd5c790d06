//! Accounts, subscriptions, businesses and the app; tokens, fields, paging.

use super::*;

#[tokio::test]
async fn an_account_answers_its_fields() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&[]).await;
    let waba = text(&signup["waba_ids"][0]);
    let plain = sandbox.graph(Method::GET, &format!("/{waba}"), &token).await.json();
    assert_eq!(plain["id"], waba);
    assert_eq!(plain["name"], "Sandbox Shop 1");
    assert!(plain.get("health_status").is_none());
    let path = format!("/{waba}?fields=health_status,owner_business_info{{id}}");
    let asked = sandbox.graph(Method::GET, &path, &token).await.json();
    assert_eq!(asked["owner_business_info"], json!({"id": signup["business_id"]}));
    assert_eq!(asked["health_status"]["entities"].as_array().unwrap().len(), 3);
    assert!(asked.get("name").is_none());
    let unknown = sandbox.graph(Method::GET, &format!("/{waba}?fields=colour"), &token).await;
    assert_eq!(unknown.error().0, 100);
    assert!(unknown.text.contains("nonexisting field (colour)"));
    let syntax = sandbox.graph(Method::GET, &format!("/{waba}?fields=id,%7B"), &token).await;
    assert_eq!(syntax.error().0, 2500);
}

#[tokio::test]
async fn numbers_come_by_pages() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&["several_numbers"]).await;
    let waba = text(&signup["waba_ids"][0]);
    let mut path = format!("/{waba}/phone_numbers?limit=2&fields=id,display_phone_number,status");
    let first = sandbox.graph(Method::GET, &path, &token).await.json();
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    assert_eq!(first["data"][0]["status"], "PENDING");
    let next: url::Url = text(&first["paging"]["next"]).parse().unwrap();
    assert_eq!(next.origin().ascii_serialization(), sandbox.origin);
    assert!(!next.as_str().contains("EAA"), "a token in the header stays out of the link");
    path = format!("/{waba}/phone_numbers?{}", next.query().unwrap());
    let second = sandbox.graph(Method::GET, &path, &token).await.json();
    let mut seen: Vec<Value> = [&first, &second]
        .iter()
        .flat_map(|page| page["data"].as_array().unwrap().iter().map(|phone| phone["id"].clone()))
        .collect();
    assert!(second["paging"].get("next").is_none());
    seen.sort_by_key(ToString::to_string);
    let mut expected = signup["phone_number_ids"].as_array().unwrap().clone();
    expected.sort_by_key(ToString::to_string);
    assert_eq!(seen, expected);
    for bad in ["after=nonsense", "limit=0", "limit=x"] {
        let answer = sandbox.graph(Method::GET, &format!("/{waba}/phone_numbers?{bad}"), &token).await;
        assert_eq!(answer.error().0, 100, "{bad}");
    }
    let default = sandbox.graph(Method::GET, &format!("/{waba}/phone_numbers"), &token).await.json();
    assert_eq!(default["data"][0]["platform_type"], "NOT_APPLICABLE");
}

#[tokio::test]
async fn foreign_tokens_and_ids_are_refused() {
    let sandbox = Running::start().await;
    let (token, _) = sandbox.token(&[]).await;
    let (other, signup) = sandbox.token(&[]).await;
    let waba = text(&signup["waba_ids"][0]);
    let phone = text(&signup["phone_number_ids"][0]);
    let business = text(&signup["business_id"]);
    for path in [format!("/{waba}"), format!("/{waba}/phone_numbers"), format!("/{phone}"), format!("/{business}")] {
        assert_eq!(sandbox.graph(Method::GET, &path, &other).await.status, 200, "{path}");
        let refused = sandbox.graph(Method::GET, &path, &token).await;
        assert_eq!(refused.error(), (100, Some(33)), "{path}");
        assert!(refused.text.contains("Unsupported get request. Object with ID"));
    }
    let post = sandbox.graph(Method::POST, &format!("/{waba}/subscribed_apps"), &token).await;
    assert!(post.text.contains("Unsupported post request."));
    assert_eq!(sandbox.graph(Method::GET, "/999999999999999", &token).await.error(), (100, Some(33)));
    assert_eq!(sandbox.graph(Method::GET, &format!("/{waba}/nowhere"), &other).await.error().0, 2500);
    assert_eq!(sandbox.graph(Method::GET, "/a/b/c", &other).await.error().0, 2500);
}

#[tokio::test]
async fn tokens_and_proofs_are_checked() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&[]).await;
    let path = format!("/v25.0/{}", text(&signup["waba_ids"][0]));
    let none = sandbox.page(&path).await;
    assert_eq!((none.status.as_u16(), none.error().0), (401, 104));
    let bare = sandbox.send(sandbox.request(Method::GET, &path).bearer_auth(&token)).await;
    assert_eq!(bare.error(), (100, None));
    assert!(bare.text.contains("API calls from the server require an appsecret_proof argument"));
    let wrong = sandbox.request(Method::GET, &format!("{path}?appsecret_proof=00")).bearer_auth(&token);
    assert!(sandbox.send(wrong).await.text.contains("Invalid appsecret_proof"));
    let proof = hmac(SECRET, token.as_bytes());
    let parameter = format!("{path}?access_token={token}&appsecret_proof={proof}");
    assert_eq!(sandbox.page(&parameter).await.status, 200);
    for (bad, message) in [("nonsense", "Cannot parse"), ("EAAnobodyknowsthistokenatall", "could not be decrypted")] {
        let answer = sandbox.graph(Method::GET, &path.replace("/v25.0", ""), bad).await;
        assert_eq!((answer.status.as_u16(), answer.error().0), (401, 190));
        assert!(answer.text.contains(message));
        assert!(answer.headers["www-authenticate"].to_str().unwrap().contains("invalid_token"));
    }
    sandbox.control(Method::POST, "app", json!({"require_app_secret": false})).await;
    assert_eq!(sandbox.send(sandbox.request(Method::GET, &path).bearer_auth(&token)).await.status, 200);
}

#[tokio::test]
async fn revoked_and_expired_tokens_say_so() {
    let sandbox = Running::start().await;
    let (revoked, signup) = sandbox.token(&[]).await;
    let (expired, other) = sandbox.token(&[]).await;
    let (one, two) = (text(&signup["waba_ids"][0]), text(&other["waba_ids"][0]));
    sandbox.control(Method::POST, "tokens/revoke", json!({"waba_id": one})).await;
    assert_eq!(sandbox.graph(Method::GET, &format!("/{one}"), &revoked).await.error(), (190, Some(460)));
    assert_eq!(sandbox.graph(Method::GET, &format!("/{two}"), &expired).await.status, 200);
    sandbox.control(Method::POST, "tokens/expire", json!({"waba_id": two})).await;
    assert_eq!(sandbox.graph(Method::GET, &format!("/{two}"), &expired).await.error(), (190, Some(463)));
    let data = sandbox.inspect(&expired).await;
    assert_eq!((&data["is_valid"], &data["error"]["subcode"]), (&json!(false), &json!(463)));
}

#[tokio::test]
async fn webhooks_of_an_account_are_subscribed_and_overridden() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&[]).await;
    let path = format!("/{}/subscribed_apps", text(&signup["waba_ids"][0]));
    assert_eq!(sandbox.graph(Method::GET, &path, &token).await.json(), json!({"data": []}));
    assert_eq!(sandbox.graph(Method::POST, &path, &token).await.json(), json!({"success": true}));
    let listed = sandbox.graph(Method::GET, &path, &token).await.json();
    assert_eq!(listed["data"][0]["whatsapp_business_api_data"]["id"], APP_ID);

    let uri = sandbox.receiver.url.clone();
    let with = |verify: &str| json!({"override_callback_uri": uri, "verify_token": verify});
    let refused = sandbox.send(sandbox.signed(Method::POST, &path, &token).json(&with("wrong"))).await;
    assert_eq!(refused.error().0, 2200);
    let taken = sandbox.send(sandbox.signed(Method::POST, &path, &token).json(&with(VERIFY))).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    let listed = sandbox.graph(Method::GET, &path, &token).await.json();
    assert_eq!(listed["data"][0]["override_callback_uri"], uri);
    assert_eq!(sandbox.graph(Method::POST, &path, &token).await.status, 200);
    let listed = sandbox.graph(Method::GET, &path, &token).await.json();
    assert!(listed["data"][0].get("override_callback_uri").is_none(), "a plain subscription drops the override");
    assert_eq!(sandbox.graph(Method::DELETE, &path, &token).await.status, 200);
    assert_eq!(sandbox.graph(Method::GET, &path, &token).await.json(), json!({"data": []}));
}

#[tokio::test]
async fn an_override_needs_a_default_callback() {
    let sandbox = Running::without_webhook().await;
    let (token, signup) = sandbox.token(&[]).await;
    let path = format!("/{}/subscribed_apps", text(&signup["waba_ids"][0]));
    let body = json!({"override_callback_uri": sandbox.receiver.url, "verify_token": VERIFY});
    let refused = sandbox.send(sandbox.signed(Method::POST, &path, &token).json(&body)).await;
    assert_eq!(refused.error().0, 100);
    assert!(refused.text.contains("Before override the current callback uri"), "{}", refused.text);
}

#[tokio::test]
async fn the_apps_subscription_is_set_by_handshake() {
    let sandbox = Running::without_webhook().await;
    let app = format!("{APP_ID}|{SECRET}");
    let path = format!("/{APP_ID}/subscriptions");
    assert_eq!(sandbox.graph(Method::GET, &path, &app).await.json(), json!({"data": []}));
    let uri = sandbox.receiver.url.clone();
    let form = |verify: &'static str, fields: &'static str| {
        vec![
            ("object", "whatsapp_business_account".to_owned()),
            ("callback_url", uri.clone()),
            ("verify_token", verify.to_owned()),
            ("fields", fields.to_owned()),
        ]
    };
    let post = async |form: Vec<(&str, String)>, token: &str| {
        sandbox.send(sandbox.signed(Method::POST, &path, token).form(&form)).await
    };
    assert_eq!(post(form("wrong", "messages"), &app).await.error().0, 2200);
    assert_eq!(post(form(VERIFY, "messages,nonsense"), &app).await.error().0, 100);
    assert_eq!(post(form(VERIFY, "messages"), SYSTEM).await.error().0, 15);
    let other_object = vec![("object", "page".to_owned())];
    assert_eq!(post(other_object, &app).await.error().0, 100);
    assert_eq!(post(form(VERIFY, "messages,account_update"), &app).await.status, 200);
    let listed = sandbox.graph(Method::GET, &path, &app).await.json();
    assert_eq!(listed["data"][0]["callback_url"], uri);
    assert_eq!(listed["data"][0]["active"], true);
    assert_eq!(listed["data"][0]["fields"][1], json!({"name": "account_update", "version": "v25.0"}));
    let some = format!("{path}?object=whatsapp_business_account&fields=messages");
    assert_eq!(sandbox.graph(Method::DELETE, &some, &app).await.status, 200);
    let listed = sandbox.graph(Method::GET, &path, &app).await.json();
    assert_eq!(listed["data"][0]["fields"].as_array().unwrap().len(), 1);
    assert_eq!(sandbox.graph(Method::DELETE, &path, &app).await.status, 200);
    assert_eq!(sandbox.graph(Method::GET, &path, &app).await.json(), json!({"data": []}));
    let read = sandbox.graph(Method::GET, &format!("/{APP_ID}?fields=id,name"), &app).await.json();
    assert_eq!(read, json!({"id": APP_ID, "name": "Doorway Demo"}));
}

#[tokio::test]
async fn the_operator_sees_the_shared_accounts_of_all_customers() {
    let sandbox = Running::start().await;
    let (token, one) = sandbox.token(&[]).await;
    let (_, two) = sandbox.token(&[]).await;
    sandbox.signup(&["permissions_declined"]).await;
    let path = format!("/{BUSINESS}/client_whatsapp_business_accounts");
    let listed = sandbox.graph(Method::GET, &format!("{path}?fields=id,name"), SYSTEM).await.json();
    let ids: Vec<_> = listed["data"].as_array().unwrap().iter().map(|waba| waba["id"].clone()).collect();
    assert_eq!(ids, [one["waba_ids"][0].clone(), two["waba_ids"][0].clone()]);
    assert_eq!(sandbox.graph(Method::GET, &path, &token).await.error(), (100, Some(33)));
    let owned = format!("/{}/owned_whatsapp_business_accounts", text(&one["business_id"]));
    let listed = sandbox.graph(Method::GET, &owned, &token).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    let business = sandbox.graph(Method::GET, &format!("/{}", text(&one["business_id"])), &token).await.json();
    assert_eq!(business["name"], "Sandbox Shop 1");
}

#[tokio::test]
async fn a_lost_signup_is_recovered_with_the_system_token() {
    let sandbox = Running::start().await;
    let signup = sandbox.signup(&[]).await;
    let path = format!("/{}/system_user_access_tokens", text(&signup["business_id"]));
    let form = [("appsecret_proof", hmac(SECRET, SYSTEM.as_bytes())), ("fetch_only", "true".to_owned())];
    let call = || sandbox.request(Method::POST, &format!("/v25.0{path}")).bearer_auth(SYSTEM).form(&form);
    let token = text(&sandbox.send(call()).await.json()["access_token"]);
    let waba = text(&signup["waba_ids"][0]);
    assert_eq!(sandbox.graph(Method::GET, &format!("/{waba}/phone_numbers"), &token).await.status, 200);
    assert_eq!(text(&sandbox.send(call()).await.json()["access_token"]), token, "the same one is fetched");
    assert_eq!(sandbox.graph(Method::POST, &path, &token).await.error().0, 200);
    let foreign = format!("/{}/system_user_access_tokens", "123456789012345");
    assert_eq!(sandbox.graph(Method::POST, &foreign, SYSTEM).await.error(), (100, Some(33)));
}
