//! `/oauth/access_token` and `/debug_token`.

use super::*;

async fn token_call(sandbox: &Running, form: &[(&str, &str)]) -> Answer {
    sandbox.send(sandbox.request(Method::POST, "/v25.0/oauth/access_token").form(form)).await
}

#[tokio::test]
async fn a_code_becomes_a_token_once() {
    let sandbox = Running::start().await;
    let signup = sandbox.signup(&[]).await;
    let code = text(&signup["code"]);
    let answer = sandbox.exchange(&code).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(text(&answer.json()["access_token"]).starts_with("EAA"));
    assert_eq!(answer.json()["expires_in"], 60 * 86_400);
    let again = sandbox.exchange(&code).await;
    assert_eq!((again.status.as_u16(), again.error()), (400, (100, Some(36009))));
}

#[tokio::test]
async fn codes_live_30_seconds() {
    let sandbox = Running::start().await;
    let (early, late) = (sandbox.signup(&[]).await, sandbox.signup(&[]).await);
    sandbox.clock.advance(time::Duration::seconds(25));
    assert_eq!(sandbox.exchange(&text(&early["code"])).await.status, 200);
    sandbox.clock.advance(time::Duration::seconds(5));
    let answer = sandbox.exchange(&text(&late["code"])).await;
    assert_eq!(answer.error(), (100, Some(36007)));
    assert!(answer.text.contains("This authorization code has expired."));
}

#[tokio::test]
async fn codes_of_the_dialog_need_their_redirect_uri_and_those_of_the_sdk_none() {
    let sandbox = Running::start().await;
    let secret = [("client_id", APP_ID), ("client_secret", SECRET)];
    let sdk = text(&sandbox.signup(&[]).await["code"]);
    let wrong = [&secret[..], &[("code", &sdk), ("redirect_uri", REDIRECT)]].concat();
    assert_eq!(token_call(&sandbox, &wrong).await.error(), (100, Some(36008)));
    let empty = [&secret[..], &[("code", &sdk), ("redirect_uri", "")]].concat();
    assert_eq!(token_call(&sandbox, &empty).await.status, 200);

    let made = sandbox.control(Method::POST, "signups", json!({"redirect_uri": REDIRECT, "plain": true})).await;
    let code = text(&made["code"]);
    assert_eq!(sandbox.exchange(&code).await.error(), (100, Some(36008)));
    let right = [&secret[..], &[("code", &code), ("redirect_uri", REDIRECT)]].concat();
    assert_eq!(token_call(&sandbox, &right).await.status, 200);
}

#[tokio::test]
async fn the_client_must_be_the_app() {
    let sandbox = Running::start().await;
    let code = text(&sandbox.signup(&[]).await["code"]);
    for (form, expected) in [
        (vec![("client_secret", SECRET), ("code", &code)], 101),
        (vec![("client_id", "1"), ("client_secret", SECRET), ("code", &code)], 101),
        (vec![("client_id", APP_ID), ("code", &code)], 1),
        (vec![("client_id", APP_ID), ("client_secret", "wrong"), ("code", &code)], 1),
        (vec![("client_id", APP_ID), ("client_secret", SECRET)], 100),
        (vec![("client_id", APP_ID), ("client_secret", SECRET), ("code", "AQnone")], 100),
        (vec![("client_id", APP_ID), ("client_secret", SECRET), ("grant_type", "password")], 1),
    ] {
        assert_eq!(token_call(&sandbox, &form).await.error().0, expected, "{form:?}");
    }
    let get = format!("/oauth/access_token?client_id={APP_ID}&client_secret={SECRET}&code={code}");
    assert_eq!(sandbox.page(&get).await.status, 200, "unversioned, by GET");
}

#[tokio::test]
async fn tokens_can_be_renewed_while_they_are_valid() {
    let sandbox = Running::start().await;
    let (token, _) = sandbox.token(&["token_expiring_soon"]).await;
    let before = sandbox.inspect(&token).await;
    let renew = [("client_id", APP_ID), ("client_secret", SECRET), ("grant_type", "fb_exchange_token")];
    let form = [&renew[..], &[("fb_exchange_token", token.as_str())]].concat();
    let answer = token_call(&sandbox, &form).await;
    let newer = text(&answer.json()["access_token"]);
    assert_ne!(newer, token);
    let after = sandbox.inspect(&newer).await;
    assert!(after["expires_at"].as_i64().unwrap() - before["expires_at"].as_i64().unwrap() > 50 * 86_400);
    assert_eq!(before["scopes"], after["scopes"]);
    sandbox.clock.advance(time::Duration::days(4));
    assert_eq!(token_call(&sandbox, &form).await.error(), (190, Some(463)));
    assert_eq!(sandbox.inspect(&token).await["is_valid"], false);
}

#[tokio::test]
async fn client_credentials_give_the_apps_own_token() {
    let sandbox = Running::start().await;
    let form = [("client_id", APP_ID), ("client_secret", SECRET), ("grant_type", "client_credentials")];
    let token = text(&token_call(&sandbox, &form).await.json()["access_token"]);
    assert_eq!(sandbox.graph(Method::GET, &format!("/{APP_ID}"), &token).await.status, 200);
}

#[tokio::test]
async fn debug_token_tells_what_a_token_may() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&[]).await;
    let data = sandbox.inspect(&token).await;
    assert_eq!(data["is_valid"], true);
    assert_eq!(data["app_id"], APP_ID);
    assert_eq!(data["application"], "Doorway Demo");
    assert_eq!(data["type"], "SYSTEM_USER");
    assert!(data["data_access_expires_at"].as_i64() > data["expires_at"].as_i64());
    assert!(data["issued_at"].as_i64() < data["expires_at"].as_i64());
    for scope in ["whatsapp_business_management", "whatsapp_business_messaging"] {
        assert!(data["scopes"].as_array().unwrap().contains(&json!(scope)));
        let granular = data["granular_scopes"].as_array().unwrap();
        let entry = granular.iter().find(|entry| entry["scope"] == scope).unwrap();
        assert_eq!(entry["target_ids"], signup["waba_ids"]);
    }
    let by_system = sandbox.graph(Method::GET, &format!("/debug_token?input_token={token}"), SYSTEM).await;
    assert_eq!(by_system.json()["data"]["is_valid"], true);
    let by_itself = sandbox.graph(Method::GET, &format!("/debug_token?input_token={token}"), &token).await;
    assert_eq!(by_itself.error().0, 100);
    let unknown = sandbox.inspect("EAAnobodyknowsthistokenatall").await;
    assert_eq!((unknown["is_valid"].clone(), unknown["error"]["code"].clone()), (json!(false), json!(190)));
    let forged = sandbox.graph(Method::GET, "/debug_token?input_token=x", &format!("{APP_ID}|wrong")).await;
    // The proof of a forged app token is right for itself; its secret is not.
    assert_eq!(forged.error().0, 190);
    let missing = sandbox.graph(Method::GET, "/debug_token", SYSTEM).await;
    assert_eq!(missing.error().0, 100);
}
