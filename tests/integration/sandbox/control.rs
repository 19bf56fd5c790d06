//! The control API's own rules, and that the state survives.

use super::*;

#[tokio::test]
async fn host_and_origin_are_checked() {
    let sandbox = Running::start().await;
    let state = |name: &'static str, value: &str| sandbox.request(Method::GET, "/_sandbox/state").header(name, value);
    assert_eq!(sandbox.send(state("origin", "https://evil.example")).await.status, 403);
    assert_eq!(sandbox.send(state("origin", "null")).await.status, 403);
    assert_eq!(sandbox.send(state("host", "evil.example")).await.status, 403);
    assert_eq!(sandbox.send(state("origin", &sandbox.origin)).await.status, 200);
    assert_eq!(sandbox.send(state("host", "localhost:1")).await.status, 200);
    assert_eq!(sandbox.page("/_sandbox/nowhere").await.status, 404);
    let arm = sandbox.request(Method::POST, "/arm").header("origin", "https://evil.example").form(&[("scenario", "")]);
    assert_eq!(sandbox.send(arm).await.status, 403);
    let home = sandbox.send(sandbox.request(Method::GET, "/").header("host", "evil.example")).await;
    assert!(!home.text.contains("Recent Graph calls"), "a rebound name sees no state");
}

#[tokio::test]
async fn a_token_that_is_set_is_needed_everywhere() {
    // Off loopback, and on loopback too: in a container the public URL says nothing of who can reach it.
    for (public_url, host) in
        [("https://sandbox.example", "sandbox.example"), ("http://localhost:8090", "localhost:8090")]
    {
        let dir = TempDir::new().unwrap();
        let with_token = Options { control_token: Some("control".into()), ..options(public_url, &dir, None) };
        let sandbox = Sandbox::open(with_token, Clock::system()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = sandbox.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let http = Outbound::new(Reach::Operator, Duration::from_secs(5));
        let call = |path: &str| {
            let request = http.request(Method::GET, format!("{origin}{path}").parse().unwrap()).unwrap();
            request.header("host", host)
        };
        assert_eq!(call("/_sandbox/state").send().await.unwrap().status(), 401);
        assert_eq!(call("/_sandbox/state").bearer_auth("wrong").send().await.unwrap().status(), 401);
        assert_eq!(call("/_sandbox/state").bearer_auth("control").send().await.unwrap().status(), 200);
        let home = doorway::base::http::read_capped(call("/").send().await.unwrap()).await.unwrap();
        assert!(!String::from_utf8(home).unwrap().contains("Recent Graph calls"));
    }
}

#[tokio::test]
async fn the_state_survives_and_the_seed_updates_the_app() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&[]).await;
    let pending = sandbox.signup(&[]).await;
    sandbox.control(Method::POST, "app", json!({"js_sdk_login": false})).await;
    let file = std::fs::read_to_string(sandbox.dir.path().join("sandbox.json")).unwrap();
    assert!(!file.contains(SECRET), "the app's secret comes with each start");

    let again = Running::start_in(sandbox.dir, true).await;
    let path = format!("/{}", text(&signup["waba_ids"][0]));
    assert_eq!(again.graph(Method::GET, &path, &token).await.status, 200);
    assert_eq!(again.exchange(&text(&pending["code"])).await.status, 200);
    let state = again.control(Method::GET, "state", json!({})).await;
    assert_eq!(state["app"]["js_sdk_login"], false);
    assert_eq!(state["app"]["subscription"]["callback_url"], again.receiver.url);
    again.control(Method::POST, "reset", json!({})).await;
    assert_eq!(again.graph(Method::GET, &path, &token).await.error().0, 190);
    assert_eq!(again.graph(Method::GET, &format!("/{BUSINESS}"), SYSTEM).await.status, 200);
}

#[tokio::test]
async fn a_foreign_state_file_is_not_overwritten() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("sandbox.json"), "{\"other\": 1}").unwrap();
    let error = Sandbox::open(options("http://127.0.0.1:1", &dir, None), Clock::system()).err().unwrap();
    assert!(error.to_string().contains("is not a sandbox's state"), "{error}");
    assert_eq!(std::fs::read_to_string(dir.path().join("sandbox.json")).unwrap(), "{\"other\": 1}");
}

#[tokio::test]
async fn wrong_requests_say_what_is_wrong() {
    let sandbox = Running::start().await;
    for (path, body) in [
        ("scenario", json!({"scenarios": ["nonsense"]})),
        ("faults", json!({"fault": "nonsense"})),
        ("signups", json!({"scenario": []})),
        ("signups", json!({"redirect_uri": "https://evil.example/"})),
        ("webhooks", json!({"kind": "partner_added"})),
        ("webhooks", json!({"kind": "partner_added", "waba_id": "1"})),
    ] {
        let answer = sandbox.send(sandbox.request(Method::POST, &format!("/_sandbox/{path}")).json(&body)).await;
        assert_eq!(answer.status, 400, "{path} {body}");
        assert!(answer.json()["error"].is_string());
    }
    let unknown = sandbox.request(Method::POST, "/_sandbox/phones").json(&json!({"phone_id": "1"}));
    assert_eq!(sandbox.send(unknown).await.status, 404);
}

#[tokio::test]
async fn the_recent_calls_are_told() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&[]).await;
    let waba = text(&signup["waba_ids"][0]);
    sandbox.graph(Method::GET, &format!("/{waba}"), &token).await;
    let calls = sandbox.control(Method::GET, "requests", json!({})).await["requests"].clone();
    assert_eq!(calls.as_array().unwrap().len(), 2);
    assert_eq!((&calls[0]["path"], &calls[0]["auth"]), (&json!("/v25.0/oauth/access_token"), &json!("none")));
    assert_eq!(
        (&calls[1]["auth"], &calls[1]["proof"], &calls[1]["status"]),
        (&json!("header"), &json!(true), &json!(200))
    );
    sandbox.control(Method::DELETE, "requests", json!({})).await;
    assert_eq!(sandbox.control(Method::GET, "requests", json!({})).await["requests"], json!([]));
}
