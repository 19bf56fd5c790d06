//! What staff oversee: people, the audit log, the funnel, what needs attention.

mod append_only;
mod attention;
mod audit;
mod audit_pages;
mod funnel;
mod people;
mod timeline;

use crate::support::*;
use doorway::{accounts::Role, store::query};
use std::time::{Duration, Instant};

/// Runs a statement of the test's own.
async fn run(world: &World, sql: &'static str) {
    let mut tx = world.portal.store.write().await.unwrap();
    query(sql).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// What a page may take in a debug build on a machine that does much else beside it; going through all rows takes
/// longer.
const AT_ONCE: Duration = Duration::from_millis(800);

/// The shortest of three: what is measured is the work, not what else the machine does.
async fn shortest<F: Future>(work: impl Fn() -> F) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let began = Instant::now();
        work().await;
        best = best.min(began.elapsed());
    }
    best
}

/// The addresses of a page's links that begin so.
fn links(page: &Page, start: &str) -> Vec<String> {
    let quoted = page.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    quoted.filter(|href| href.starts_with(start)).map(|href| href.replace("&#38;", "&").replace("&amp;", "&")).collect()
}
