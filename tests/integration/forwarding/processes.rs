//! Two processes at one PostgreSQL database: one of them makes the calls, and the other takes over.

use super::{killed::make_endpoint, *};
use std::{
    process::{Child, Stdio},
    time::{Duration, Instant},
};

mod one_process_makes_the_calls_and_the_other_takes_over {
    /// An SQLite database belongs to one process.
    #[tokio::test]
    async fn postgres() {
        crate::support::on_postgres(super::one_process_makes_the_calls_and_the_other_takes_over).await;
    }
}

/// Another `doorway serve` with the same settings. Killed when dropped.
struct Second {
    url: Url,
    child: Child,
}

impl Second {
    async fn launch(first: &Process) -> Self {
        let port = free_port();
        let mut command = command();
        command.arg("serve").envs(&first.settings).env("DOORWAY_LISTEN", format!("127.0.0.1:{port}"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let second = Self { url: format!("http://localhost:{port}").parse().unwrap(), child };
        eventually("the second is ready", || async {
            let browser = Browser::new(&second.url);
            let answer = browser.try_send(browser.request(Method::GET, "/readyz")).await;
            answer.ok().filter(|page| page.status == 200)
        })
        .await;
        second
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn one_process_makes_the_calls_and_the_other_takes_over(db: Database) {
    let mut first = Process::new(db).await;
    first.set("ALLOW_PRIVATE_ENDPOINTS", "true");
    first.launch().await;
    let browser = first.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let signup = first.meta.signup(&[]).await;
    attempt.bring_all(&signup).await;
    attempt.is_done().await;
    let (waba, number) = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
    let receiver = Receiver::answering(|_| Answer::After(Duration::from_millis(20), 200)).await;
    make_endpoint(&first, &receiver.url).await;
    let store = first.db.store().await;
    let caller = async || {
        let sql = query("SELECT owner FROM leases WHERE name = 'forwarding'");
        sql.optional(&mut store.read().await.unwrap(), |row| row.text("owner")).await.unwrap()
    };
    let one = eventually("somebody calls", || async { caller().await }).await;
    let second = Second::launch(&first).await;
    // Longer than a lease holds without a sign of life; each of them takes in half.
    let began = Instant::now();
    let mut sent = 0;
    while began.elapsed() < Duration::from_secs(7) {
        let at = if sent % 2 == 0 { &first.url } else { &second.url };
        let body = message(&waba, &number, &format!("491511000000{}", sent % 5), &format!("{sent:04}"));
        assert_eq!(post(&Browser::new(at), &body).await, 200);
        sent += 1;
        assert_eq!(caller().await.as_ref(), Some(&one), "the one that calls goes on calling");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    receiver.calls(sent).await;
    let left = async || {
        let sql = query("SELECT count(*) AS n FROM deliveries WHERE state <> 'delivered'");
        sql.one(&mut store.read().await.unwrap(), |row| row.int("n")).await.unwrap()
    };
    eventually("all are kept as delivered", || async { (left().await == 0).then_some(()) }).await;
    assert_eq!(receiver.len(), sent, "each is called once");
    assert!(first.terminate().await.success());
    let gone = Instant::now();
    let body = message(&waba, &number, "4915110000001", "after");
    assert_eq!(post(&Browser::new(&second.url), &body).await, 200);
    receiver.calls(sent + 1).await;
    let took = gone.elapsed();
    assert!(took < Duration::from_secs(5), "what was given up is taken at once, not when it has run out: {took:?}");
    let other = caller().await;
    assert!(other.is_some() && other != Some(one));
    eventually("it is kept as delivered", || async { (left().await == 0).then_some(()) }).await;
    assert_eq!(receiver.len(), sent + 1);
    store.close().await;
}
