//! A test's whole world: database, sandbox, portal, one clock, and the people.

use super::{Browser, Database, Meta, Page, Portal, portal};
use doorway::{
    accounts::{Accounts, Role},
    base::clock::Clock,
    config::Config,
    store::query,
};
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

pub const PASSWORD: &str = "correct horse battery";

/// Everything that a test needs. The clock is the portal's and the sandbox's.
pub struct World {
    pub portal: Portal,
    pub meta: Meta,
    pub clock: Clock,
    /// Where it really listens, whatever its public URL is.
    pub listening: Url,
    /// Dropped last.
    _db: Database,
}

impl World {
    /// Everything configured.
    pub async fn start(db: Database) -> Self {
        Self::with(db, |_| {}).await
    }

    /// With another configuration.
    pub async fn with(db: Database, change: impl FnOnce(&mut Config)) -> Self {
        let clock = Clock::system();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = listener.local_addr().unwrap();
        let url: Url = format!("http://localhost:{}", listen.port()).parse().unwrap();
        let meta = Meta::start(&url, db.dir.path(), clock.clone()).await;
        let mut config = portal::configuration(&db, listen, &url, &meta);
        change(&mut config);
        let portal = Portal::serve(&config, db.store().await, clock.clone(), listener).await;
        Self { portal, meta, clock, listening: url, _db: db }
    }

    /// Without an Embedded Signup configuration: plain OAuth.
    pub async fn plain(db: Database) -> Self {
        Self::with(db, |config| config.meta.es_config_id = None).await
    }

    /// A browser in which nobody is signed in.
    pub fn anonymous(&self) -> Browser {
        Browser::new(&self.portal.url)
    }

    /// A member of this company, signed in.
    pub async fn customer(&self, company: &str) -> Browser {
        let email = create(&self.portal.accounts, Role::Customer, company).await;
        self.signed_in(&email).await
    }

    /// Somebody of the operator's staff, signed in.
    pub async fn staff(&self, role: Role) -> Browser {
        let email = create(&self.portal.accounts, role, "").await;
        self.signed_in(&email).await
    }

    pub async fn signed_in(&self, email: &str) -> Browser {
        let browser = self.anonymous();
        let page = browser.sign_in(email, PASSWORD).await;
        assert_eq!(page.status, 303, "{}", page.words());
        browser
    }

    /// A finished signup of this browser's customer: the connection's address, and what the sandbox answered.
    pub async fn connect(&self, browser: &Browser, scenarios: &[&str]) -> (String, Value) {
        let attempt = browser.begin().await;
        let signup = self.meta.signup(scenarios).await;
        attempt.bring_all(&signup).await;
        (attempt.connection().await, signup)
    }

    /// A column of the only row that the statement gives, as text; `None` where it is null.
    pub async fn column(&self, sql: &'static str, column: &'static str) -> Option<String> {
        let mut db = self.portal.store.read().await.unwrap();
        query(sql).one(&mut db, |row| row.opt_text(column)).await.unwrap()
    }

    /// A number of the only row that the statement gives.
    pub async fn number(&self, sql: &'static str, column: &'static str) -> Option<i64> {
        let mut db = self.portal.store.read().await.unwrap();
        query(sql).one(&mut db, |row| row.opt_int(column)).await.unwrap()
    }

    /// What the portal answers to a POST of which only the head comes: the body is announced, and never sent.
    pub async fn answers_head(&self, path: &str, headers: &[(&str, &str)]) -> u16 {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let port = self.listening.port().unwrap();
        let mut connection = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut head = format!("POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: 2000000\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        connection.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        let reading = connection.read_exact(&mut answer);
        tokio::time::timeout(std::time::Duration::from_secs(10), reading).await.expect("it is not waited for").unwrap();
        String::from_utf8_lossy(&answer[9..]).parse().unwrap()
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.advance(time::Duration::seconds(seconds));
    }
}

/// Creates a person of this company (of the staff for an empty one); their address.
pub async fn create(accounts: &Accounts, role: Role, company: &str) -> String {
    let who = if company.is_empty() { role.as_str().to_owned() } else { company.to_lowercase().replace(' ', "-") };
    let email = format!("{who}-{}@example.org", doorway::base::ids::new_uuid().simple());
    let company = (!company.is_empty()).then_some(company);
    accounts.create_user(&email.parse().unwrap(), "Maria Test", PASSWORD.into(), role, company).await.unwrap();
    email
}

/// The ID in an answer of the sandbox, such as `waba_ids`.
pub fn id(signup: &Value, list: &str, at: usize) -> String {
    signup[list][at].as_str().unwrap_or_else(|| panic!("no {list}[{at}] in {signup}")).to_owned()
}

/// The words that a page must have.
pub fn says(page: &Page, words: &[&str]) {
    let text = page.words();
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}
