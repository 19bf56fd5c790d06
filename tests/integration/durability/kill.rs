//! SIGKILL while a Graph call hangs: each call of a signup in turn, before it had an effect and after.

use super::*;

on_both_engines!(killed_before_the_call_had_an_effect, killed_after_the_call_had_an_effect);

/// Where an attempt stands when the process is killed.
struct Hanging {
    attempt: Attempt,
    signup: Value,
    at: &'static str,
}

/// The path of this call; IDs where it has any, so that it concerns this attempt alone.
fn path_of(call: &str, signup: &Value) -> String {
    let waba = id(signup, "waba_ids", 0);
    match call {
        "phone_numbers" | "subscribed_apps" => format!("{waba}/{call}"),
        "health" => id(signup, "phone_number_ids", 0),
        other => other.to_owned(),
    }
}

/// One attempt for each call, all of them hanging there: those that come far first, so that no attempt
/// hangs where another was to.
async fn hanging(process: &Process, hang: impl AsyncFn(Method, &str)) -> Vec<Hanging> {
    let mut all = Vec::new();
    for at in ["health", "subscribed_apps", "phone_numbers", "debug_token", "access_token"] {
        let browser = process.customer(&format!("Company {at}")).await;
        let attempt = browser.begin().await;
        let signup = process.meta.signup(&[]).await;
        let path = path_of(at, &signup);
        let method = if matches!(at, "subscribed_apps" | "access_token") { Method::POST } else { Method::GET };
        process.meta.forget_calls();
        hang(method, &path).await;
        attempt.code(&signup).await;
        attempt.event(&signup).await;
        process.meta.called(&path).await;
        // The reading of a number's health goes beside another call.
        assert_eq!(attempt.page().await.attempt().0, "working", "{at}");
        all.push(Hanging { attempt, signup, at });
    }
    all
}

async fn is_connected(process: &Process, hanging: &Hanging) {
    hanging.attempt.connection().await;
    let waba = process.meta.waba(&id(&hanging.signup, "waba_ids", 0)).await;
    assert_eq!(waba["subscribed"], true, "{}", hanging.at);
}

async fn killed_before_the_call_had_an_effect(db: Database) {
    let mut process = Process::start(db).await;
    let meta = process.meta.clone();
    let all = hanging(&process, async |method, path| meta.hold(method, path)).await;
    process.kill();
    process.meta.abandon();
    process.launch().await;
    for one in &all {
        is_connected(&process, one).await;
    }
}

async fn killed_after_the_call_had_an_effect(db: Database) {
    let mut process = Process::start(db).await;
    let meta = process.meta.clone();
    let all = hanging(&process, async |_, path| meta.fault("graph_slow_40s", Some(1), Some(path)).await).await;
    process.kill();
    process.meta.mend().await;
    process.launch().await;
    for one in all.iter().filter(|one| one.at != "access_token") {
        is_connected(&process, one).await;
    }
    // The code is used up and its token was lost with the process: the customer is told, and tries again.
    let lost = all.iter().find(|one| one.at == "access_token").unwrap();
    let page = lost.attempt.settled().await;
    let (state, reason) = page.attempt();
    assert_eq!(state, "failed");
    assert!(["code_used", "code_expired"].contains(&reason.as_str()), "{reason}");
    says(&page, &["Try again", "Continue with Facebook"]);
    let again = process.customer("Company access_token").await;
    let attempt = again.begin().await;
    let signup = process.meta.signup_of(json!({"waba_id": lost.signup["waba_ids"][0]})).await;
    attempt.bring_all(&signup).await;
    attempt.is_done().await;
}
