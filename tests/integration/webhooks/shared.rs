//! Two processes on one PostgreSQL database take webhooks in side by side; one of them routes.

use super::*;
use std::time::Instant;

#[tokio::test]
async fn two_processes_take_in_and_one_routes() {
    on_postgres(|db| async move {
        let mut first = Process::start(db).await;
        let port = free_port();
        let mut settings = first.settings.clone();
        settings.insert("DOORWAY_LISTEN".to_owned(), format!("127.0.0.1:{port}"));
        let mut command = command();
        command.arg("serve").envs(&settings).stderr(std::process::Stdio::null());
        let mut second = command.spawn().unwrap();
        let other = Browser::new(&format!("http://localhost:{port}").parse().unwrap());
        eventually("the second", || async {
            let answer = other.try_send(other.request(Method::GET, "/readyz")).await;
            answer.ok().filter(|page| page.status == 200)
        })
        .await;
        let store = first.db.store().await;
        let browsers = [Browser::new(&first.url), other.clone()];
        let post_some = async |from: usize, browsers: &[Browser]| {
            let posts = (from..from + 40).map(|at| {
                let portal = browsers[at % browsers.len()].clone();
                async move { post(&portal, statuses("1", &[(&format!("wamid.{at}"), "sent")]).to_string()).await }
            });
            assert!(futures_util::future::join_all(posts).await.iter().all(|status| *status == 200));
        };
        post_some(0, &browsers).await;
        routed(&store).await;
        assert_eq!(number_in(&store, EVENTS).await, 40);
        assert_eq!(number_in(&store, "SELECT max(seq) AS n FROM intake").await, 40, "without gaps");
        // Whichever routes: when the first dies, the second does so soon.
        first.kill();
        let killed = Instant::now();
        post_some(40, std::slice::from_ref(&other)).await;
        routed(&store).await;
        assert!(killed.elapsed().as_secs() < 10, "{:?}", killed.elapsed());
        assert_eq!(number_in(&store, EVENTS).await, 80);
        assert_eq!(number_in(&store, DUPLICATES).await, 0);
        second.kill().unwrap();
        second.wait().unwrap();
        store.close().await;
    })
    .await;
}
