//! `doorway demo` and `doorway sandbox`, and the help.

use super::*;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use url::Url;

/// Killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(arguments: &[&str]) -> (Running, Vec<String>) {
    let mut command = command();
    let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let last = line.contains("End with") || line.contains("state in");
        lines.push(line);
        if last {
            break;
        }
    }
    (Running(child), lines)
}

fn ends_in_time(mut running: Running) {
    let began = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().unwrap().success());
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn the_demo_says_where_it_is_and_goes_on_after_a_restart() {
    let dir = tempfile::TempDir::new().unwrap();
    let (portal, sandbox) = (free_port(), free_port());
    let (portal_addr, sandbox_addr) = (format!("127.0.0.1:{portal}"), format!("127.0.0.1:{sandbox}"));
    let data_dir = dir.path().to_str().unwrap();
    let record = dir.path().join("record.jsonl");
    let flags = ["demo", "--portal-addr", &portal_addr, "--sandbox-addr", &sandbox_addr, "--data-dir", data_dir];
    let flags = [&flags[..], &["--record", record.to_str().unwrap()]].concat();
    let began = Instant::now();
    let (demo, lines) = start(&flags);
    let text = lines.join("\n");
    println!("the demo was ready after {:?} (debug build)", began.elapsed());
    let url: Url = format!("http://localhost:{portal}").parse().unwrap();
    assert!(text.contains(&format!("Portal   {url}")) && text.contains(&format!("http://127.0.0.1:{sandbox}/")));
    let customer = Browser::new(&url);
    for who in ["admin", "support", "customer"] {
        let email = format!("{who}@demo.localhost");
        assert!(text.contains(&email), "{text}");
        let browser = if who == "customer" { customer.clone() } else { Browser::new(&url) };
        assert_eq!(browser.sign_in(&email, "doorway-demo").await.status, 303);
    }
    let control = format!("http://127.0.0.1:{sandbox}/_sandbox/signups");
    let http = Browser::new(&url);
    let signup = http.send(http.request(Method::POST, &control).json(&json!({}))).await.json();
    let attempt = customer.begin().await;
    attempt.bring_all(&signup).await;
    let connection = attempt.connection().await;
    let page = customer.get(&connection).await;
    says(&page, &["Trial with the sandbox"]);
    ends_in_time(demo);
    let recorded = std::fs::read_to_string(&record).unwrap();
    assert!(recorded.lines().count() >= 6 && !recorded.contains(signup["code"].as_str().unwrap()));

    let (demo, _) = start(&flags);
    assert_eq!(customer.get(&connection).await.status, 200, "signed in, and connected");
    ends_in_time(demo);
}

#[test]
fn the_demo_listens_on_loopback_only() {
    for flag in ["--portal-addr", "--sandbox-addr"] {
        let output = command().args(["demo", flag, "0.0.0.0:0"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8(output.stderr).unwrap().contains("demo mode listens on loopback only"));
    }
}

#[tokio::test]
async fn the_sandbox_runs_alone() {
    let addr = format!("127.0.0.1:{}", free_port());
    let (sandbox, lines) = start(&["sandbox", "--addr", &addr, "--app-id", "42", "--app-secret", "s3cret"]);
    assert!(lines.join("\n").contains("App ID 42") && !lines.join("\n").contains("s3cret"));
    let url: Url = format!("http://{addr}").parse().unwrap();
    let browser = Browser::new(&url);
    let app = browser.send(browser.request(Method::GET, "/v25.0/42").bearer_auth("42|s3cret")).await;
    assert_eq!(app.status, 200, "{}", app.text);
    ends_in_time(sandbox);
    let off = command().args(["sandbox", "--addr", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(off.status.code(), Some(1));
    assert!(String::from_utf8(off.stderr).unwrap().contains("--control-token"));
}

#[test]
fn every_command_has_help() {
    let help = |arguments: &[&str]| {
        let output = command().args(arguments).arg("--help").output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let all = help(&[]);
    for name in ["demo", "serve", "sandbox", "user", "migrate", "doctor", "rotate-keys"] {
        assert!(all.contains(name));
        assert!(help(&[name]).len() > 150, "{name}");
    }
    let serve = help(&["serve"]);
    for name in ["LISTEN", "PUBLIC_URL", "DATABASE_URL", "SECRET_KEY", "SECRET_KEYS_OLD", "META_APP_ID"] {
        assert!(serve.contains(&format!("DOORWAY_{name}")), "{name}");
    }
    assert!(help(&["user", "create"]).contains("--company"));
    assert_eq!(command().arg("nonsense").output().unwrap().status.code(), Some(2));
}
