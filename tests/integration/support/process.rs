//! The real binary as a process of its own: started, killed, started again.

use super::{Browser, Database, Meta, eventually, meta, world};
use doorway::{
    accounts::{Accounts, Role},
    base::clock::Clock,
    base::sealed::KeyRing,
};
use http::Method;
use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
};
use url::Url;

/// The binary, with nothing in its environment.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorway"));
    command.env_clear();
    command
}

/// A port that nobody listens on just now.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What a command came to.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

/// `doorway serve` with its sandbox, its settings and its log. Killed when dropped.
pub struct Process {
    pub url: Url,
    pub meta: Meta,
    pub settings: BTreeMap<String, String>,
    pub log: PathBuf,
    pub db: Database,
    child: Option<Child>,
}

impl Process {
    /// Not started yet.
    pub async fn new(db: Database) -> Self {
        let port = free_port();
        let url: Url = format!("http://localhost:{port}").parse().unwrap();
        let meta = Meta::start(&url, db.dir.path(), Clock::system()).await;
        let settings = [
            ("LISTEN", format!("127.0.0.1:{port}")),
            ("PUBLIC_URL", url.origin().ascii_serialization()),
            ("DATABASE_URL", db.url.clone()),
            ("SECRET_KEY", KeyRing::generate()),
            ("META_GRAPH_URL", meta.url.to_string()),
            ("META_DIALOG_URL", meta.url.to_string()),
            ("META_SDK_URL", meta.url.join("/en_US/sdk.js").unwrap().to_string()),
            ("META_APP_ID", meta::APP_ID.to_owned()),
            ("META_APP_SECRET", meta::APP_SECRET.to_owned()),
            ("META_ES_CONFIG_ID", meta::CONFIG_ID.to_owned()),
            ("META_VERIFY_TOKEN", meta::VERIFY_TOKEN.to_owned()),
            ("META_SYSTEM_TOKEN", meta::SYSTEM_TOKEN.to_owned()),
            ("LOG", "debug".to_owned()),
        ];
        let settings = settings.into_iter().map(|(name, value)| (format!("DOORWAY_{name}"), value)).collect();
        let log = db.dir.path().join("log");
        Self { url, meta, settings, log, db, child: None }
    }

    /// Started and ready.
    pub async fn start(db: Database) -> Self {
        let mut process = Self::new(db).await;
        process.launch().await;
        process
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.insert(format!("DOORWAY_{name}"), value.to_owned());
    }

    pub fn unset(&mut self, name: &str) {
        self.settings.remove(&format!("DOORWAY_{name}"));
    }

    /// A person of this company, signed in. Made in the database itself, beside the process.
    pub async fn customer(&self, company: &str) -> Browser {
        self.person(Role::Customer, company).await
    }

    /// Somebody of the operator's staff, signed in.
    pub async fn staff(&self, role: Role) -> Browser {
        self.person(role, "").await
    }

    async fn person(&self, role: Role, company: &str) -> Browser {
        let store = self.db.store().await;
        let accounts = Accounts::new(store.clone(), Clock::system()).unwrap();
        let email = world::create(&accounts, role, company).await;
        store.close().await;
        let browser = Browser::new(&self.url);
        assert_eq!(browser.sign_in(&email, world::PASSWORD).await.status, 303);
        browser
    }

    /// Starts `doorway serve`, and waits until it is ready.
    pub async fn launch(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut command = command();
        command.arg("serve").envs(&self.settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        eventually("readiness", || async {
            let browser = Browser::new(&self.url);
            let answer = browser.try_send(browser.request(Method::GET, "/readyz")).await;
            answer.ok().filter(|page| page.status == 200)
        })
        .await;
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; how it ended.
    pub async fn terminate(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap()
    }

    /// Another command with the same settings.
    pub async fn run(&self, arguments: &[&str], input: &str) -> Finished {
        let mut command = command();
        command.args(arguments).envs(&self.settings).env_remove("DOORWAY_LOG");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let input = input.to_owned();
        tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            // It may end without having read anything.
            let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
            let output = child.wait_with_output().unwrap();
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            Finished { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
        })
        .await
        .unwrap()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let from = log.char_indices().rev().nth(6_000).map_or(0, |(at, _)| at);
            eprintln!("the end of the portal's log:\n{}", &log[from..]);
        }
    }
}
