//! Each scenario, through the control API: what the browser would be told, and what Graph says after.

use super::*;

const STEPS: [&str; 6] = [
    "BUSINESS_ACCOUNT_SELECTION",
    "WABA_PHONE_PROFILE_PICKER",
    "WHATSAPP_BUSINESS_PROFILE_SETUP",
    "PHONE_NUMBER_SETUP",
    "PHONE_NUMBER_VERIFICATION",
    "PERMISSIONS",
];

fn scopes(data: &Value) -> Vec<&str> {
    data["scopes"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect()
}

#[tokio::test]
async fn abandoned_signups_leave_nothing_behind() {
    let sandbox = Running::start().await;
    for step in STEPS {
        for how in ["cancel", "close"] {
            let signup = sandbox.signup(&[&format!("{how}:{step}")]).await;
            assert_eq!(signup["event"]["event"], "CANCEL");
            assert_eq!(signup["event"]["data"], json!({ "current_step": step }));
            assert!(signup["code"].is_null());
        }
    }
    let reported = sandbox.signup(&["error_reported"]).await["event"].clone();
    assert_eq!(reported["event"], "CANCEL");
    for name in ["error_message", "error_id", "session_id", "timestamp"] {
        assert!(reported["data"][name].is_string(), "{reported}");
    }
    assert_eq!(sandbox.signup(&["error_event"]).await["event"]["event"], "ERROR");
    for silent in ["cant_onboard", "invalid_scopes"] {
        let signup = sandbox.signup(&[silent]).await;
        assert!(signup["event"].is_null() && signup["code"].is_null(), "{silent}");
    }
    let state = sandbox.control(Method::GET, "state", json!({})).await;
    assert_eq!((&state["wabas"], &state["businesses"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn the_finishing_events_are_as_documented() {
    let sandbox = Running::start().await;
    let full = sandbox.signup(&[]).await;
    let data = json!({
        "phone_number_id": full["phone_number_ids"][0], "waba_id": full["waba_ids"][0], "business_id": full["business_id"],
    });
    assert_eq!(full["event"], json!({"type": "WA_EMBEDDED_SIGNUP", "event": "FINISH", "data": data, "version": 3}));
    let none = sandbox.signup(&["no_number"]).await;
    assert_eq!(none["event"]["event"], "FINISH_ONLY_WABA");
    assert!(none["event"]["data"].get("phone_number_id").is_none());
    assert_eq!(none["phone_number_ids"], json!([]));
    let coexistence = sandbox.signup(&["coexistence"]).await;
    assert_eq!(coexistence["event"]["event"], "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING");
    assert_eq!(coexistence["event"]["data"], json!({"waba_id": coexistence["waba_ids"][0]}));
    let feature = json!({"featureType": "whatsapp_business_app_onboarding"});
    let asked = sandbox.control(Method::POST, "signups", feature).await;
    assert_eq!(asked["event"]["event"], "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING");
    let feature = sandbox.control(Method::POST, "signups", json!({"featureType": "only_waba_sharing"})).await;
    assert_eq!(feature["event"]["event"], "FINISH_ONLY_WABA");
}

#[tokio::test]
async fn either_half_may_be_lost() {
    let sandbox = Running::start().await;
    let signup = sandbox.signup(&["event_lost"]).await;
    assert!(signup["event"].is_null());
    assert_eq!(sandbox.exchange(&text(&signup["code"])).await.status, 200);
    let signup = sandbox.signup(&["code_lost"]).await;
    assert!(signup["code"].is_null());
    assert_eq!(signup["event"]["event"], "FINISH");
}

#[tokio::test]
async fn several_accounts_and_numbers() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&["several_wabas"]).await;
    let wabas = signup["waba_ids"].as_array().unwrap();
    let mut counts = Vec::new();
    for waba in wabas {
        let path = format!("/{}/phone_numbers", text(waba));
        counts.push(sandbox.graph(Method::GET, &path, &token).await.json()["data"].as_array().unwrap().len());
    }
    counts.sort_unstable();
    assert_eq!(counts, [1, 1, 2]);
    assert_eq!(sandbox.inspect(&token).await["granular_scopes"][1]["target_ids"], signup["waba_ids"]);
    let (_, signup) = sandbox.token(&["several_numbers"]).await;
    assert_eq!(signup["waba_ids"].as_array().unwrap().len(), 1);
    assert_eq!(signup["phone_number_ids"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn dropped_permissions() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&["permissions_declined"]).await;
    let data = sandbox.inspect(&token).await;
    assert_eq!((scopes(&data), &data["granular_scopes"]), (vec!["public_profile"], &json!([])));
    let waba = text(&signup["waba_ids"][0]);
    assert!(sandbox.graph(Method::GET, &format!("/{waba}"), &token).await.error().0 != 0);

    let (token, signup) = sandbox.token(&["stale_grant"]).await;
    let data = sandbox.inspect(&token).await;
    assert_eq!(scopes(&data), ["business_management", "public_profile"]);
    let granular = json!([{"scope": "business_management", "target_ids": [signup["business_id"]]}]);
    assert_eq!(data["granular_scopes"], granular);
    let answer = sandbox.graph(Method::GET, &format!("/{}", text(&signup["waba_ids"][0])), &token).await;
    assert_eq!((answer.status.as_u16(), answer.error().0), (403, 200));

    let (token, signup) = sandbox.token(&["granular_without_targets"]).await;
    let data = sandbox.inspect(&token).await;
    let whatsapp = data["granular_scopes"].as_array().unwrap();
    assert!(
        whatsapp.iter().filter(|entry| entry["scope"] != "business_management").all(|e| e.get("target_ids").is_none())
    );
    let waba = text(&signup["waba_ids"][0]);
    assert_eq!(sandbox.graph(Method::GET, &format!("/{waba}/phone_numbers"), &token).await.status, 200);
}

#[tokio::test]
async fn short_lives() {
    let sandbox = Running::start().await;
    for name in ["code_expired", "code_expired_now"] {
        let signup = sandbox.signup(&[name]).await;
        assert_eq!(sandbox.exchange(&text(&signup["code"])).await.error(), (100, Some(36007)), "{name}");
    }
    let (token, _) = sandbox.token(&["token_expiring_soon"]).await;
    let data = sandbox.inspect(&token).await;
    assert_eq!(data["expires_at"].as_i64().unwrap() - data["issued_at"].as_i64().unwrap(), 3 * 86_400);
    let (token, signup) = sandbox.token(&["token_revoked"]).await;
    assert_eq!(sandbox.inspect(&token).await["is_valid"], false);
    let waba = text(&signup["waba_ids"][0]);
    assert_eq!(sandbox.graph(Method::GET, &format!("/{waba}"), &token).await.error(), (190, Some(460)));
}

#[tokio::test]
async fn graph_faults_befall_the_calls_they_are_meant_for() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&[]).await;
    let waba = text(&signup["waba_ids"][0]);
    let subscribed = format!("/{waba}/subscribed_apps");
    let fault = json!({"fault": "graph_500", "times": 2, "path": "subscribed_apps"});
    sandbox.control(Method::POST, "faults", fault).await;
    assert_eq!(sandbox.graph(Method::GET, &format!("/{waba}"), &token).await.status, 200);
    for _ in 0..2 {
        let answer = sandbox.graph(Method::POST, &subscribed, &token).await;
        assert_eq!((answer.status.as_u16(), answer.error().0), (500, 2));
    }
    assert_eq!(sandbox.graph(Method::GET, &subscribed, &token).await.json(), json!({"data": []}), "without effect");

    sandbox.control(Method::POST, "faults", json!({"fault": "graph_rate_limited", "times": 1})).await;
    assert_eq!(sandbox.graph(Method::GET, &format!("/{waba}"), &token).await.error().0, 80_008);
    sandbox.control(Method::POST, "faults", json!({"fault": "graph_rate_limited", "times": 1})).await;
    assert_eq!(sandbox.exchange("AQ").await.error().0, 4);

    sandbox.control(Method::POST, "faults", json!({"fault": "graph_down"})).await;
    for _ in 0..2 {
        let sent = sandbox.signed(Method::GET, &format!("/{waba}"), &token).send().await;
        let broken = match sent {
            Err(_) => true,
            Ok(response) => doorway::base::http::read_capped(response).await.is_err(),
        };
        assert!(broken, "the connection is closed until the fault is taken back");
    }
    sandbox.control(Method::DELETE, "faults", json!({})).await;
    assert_eq!(sandbox.graph(Method::GET, &format!("/{waba}"), &token).await.status, 200);
}

#[tokio::test]
async fn a_slow_graph_acts_at_once_and_answers_late() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&["graph_slow_2s"]).await;
    let path = format!("/{}/subscribed_apps", text(&signup["waba_ids"][0]));
    sandbox.control(Method::DELETE, "faults", json!({})).await;
    sandbox.control(Method::POST, "faults", json!({"fault": "graph_slow_40s", "times": 1})).await;
    let call = sandbox.signed(Method::POST, &path, &token).timeout(Duration::from_millis(500));
    assert!(call.send().await.is_err_and(|error| error.is_timeout()));
    let listed = sandbox.graph(Method::GET, &path, &token).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "whoever gave up waiting was subscribed all the same");
    sandbox.control(Method::POST, "faults", json!({"fault": "graph_slow_2s", "times": 1})).await;
    let begun = std::time::Instant::now();
    assert_eq!(sandbox.graph(Method::GET, &path, &token).await.status, 200);
    assert!(begun.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn scenarios_combine() {
    let sandbox = Running::start().await;
    let (token, signup) = sandbox.token(&["event_lost", "several_wabas", "token_expiring_soon"]).await;
    assert!(signup["event"].is_null());
    assert_eq!(signup["waba_ids"].as_array().unwrap().len(), 3);
    let data = sandbox.inspect(&token).await;
    assert_eq!(data["expires_at"].as_i64().unwrap() - data["issued_at"].as_i64().unwrap(), 3 * 86_400);
}
