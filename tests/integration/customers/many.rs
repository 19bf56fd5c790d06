//! A hundred thousand customers, each with a member: no page and no search takes longer than 50 ms on SQLite.

use super::*;
use doorway::base::ids;
use std::time::{Duration, Instant};

const CUSTOMERS: i64 = 100_000;
/// Rows of one statement.
const AT_ONCE: i64 = 1_000;
const LIMIT: Duration = Duration::from_millis(50);

const FIRST: [&str; 10] = ["Harbour", "Corner", "Green", "Blue", "North", "Źródło", "Old", "New", "River", "Hill"];
const SECOND: [&str; 9] = ["Bakery", "Shop", "Foods", "Motors", "Clinic", "Studio", "Garden", "Press", "Travel"];

/// Many rows as one JSON text, which both engines can take apart: a statement has one shape for any number.
async fn seed(world: &World) {
    let store = &world.portal.store;
    let is_sqlite = store.is_sqlite();
    let mut tx = store.write().await.unwrap();
    for start in (0..CUSTOMERS).step_by(AT_ONCE as usize) {
        let row = |number: i64| {
            let name = format!("{} {} {number}", FIRST[number as usize % 10], SECOND[number as usize / 10 % 9]);
            let key = name.to_lowercase();
            let email = format!("member{number}@company{number}.example.org");
            let search = format!("{key}\nMaria Nowak {number}\n{email}").to_lowercase();
            json!([
                ids::new_uuid().to_string(),
                name,
                key,
                search,
                1_700_000_000_000i64 + number * 60_000,
                ids::new_uuid().to_string(),
                email,
                format!("Maria Nowak {number}"),
                number
            ])
        };
        let rows = Value::from((start..start + AT_ONCE).map(row).collect::<Vec<_>>()).to_string();
        let sql = if is_sqlite {
            [
                "INSERT INTO customers (id, name, name_key, search_key, created_at, suspended_at, connection_state) \
              SELECT value->>0, value->>1, value->>2, value->>3, value->>4, \
              CASE WHEN value->>8 = 7 THEN 1 END, CASE WHEN value->>8 % 2 = 0 THEN 'active' ELSE 'none' END \
              FROM json_each($1)",
                "INSERT INTO users (id, email, name, password_hash, role, customer_id, created_at) \
              SELECT value->>5, value->>6, value->>7, '!', 'customer', value->>0, value->>4 FROM json_each($1)",
            ]
        } else {
            [
                "INSERT INTO customers (id, name, name_key, search_key, created_at, suspended_at, connection_state) \
              SELECT value->>0, value->>1, value->>2, value->>3, CAST(value->>4 AS BIGINT), \
              CASE WHEN value->>8 = '7' THEN 1 END, \
              CASE WHEN CAST(value->>8 AS BIGINT) % 2 = 0 THEN 'active' ELSE 'none' END \
              FROM json_array_elements(CAST($1 AS JSON))",
                "INSERT INTO users (id, email, name, password_hash, role, customer_id, created_at) \
              SELECT value->>5, value->>6, value->>7, '!', 'customer', value->>0, CAST(value->>4 AS BIGINT) \
              FROM json_array_elements(CAST($1 AS JSON))",
            ]
        };
        for sql in sql {
            query(sql).bind(&rows).execute(&mut tx).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
}

/// The page, and the best of several times: by the clock, or, where the machine is busy with other things, by what
/// this process itself worked for it (the browser of the test included).
async fn timed(staff: &Browser, path: &str) -> (Page, Duration) {
    let mut best = Duration::MAX;
    let mut page = None;
    for _ in 0..12 {
        let (began, worked) = (Instant::now(), work());
        page = Some(staff.get(path).await);
        let worked = work().zip(worked).map_or(Duration::MAX, |(after, before)| after.saturating_sub(before));
        best = best.min(began.elapsed()).min(worked);
        if best < LIMIT / 2 {
            break;
        }
    }
    (page.unwrap(), best)
}

/// How long all threads of this process have run until now, where the system tells.
fn work() -> Option<Duration> {
    let mut all = 0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        // A thread may end meanwhile.
        let Ok(text) = std::fs::read_to_string(task.ok()?.path().join("schedstat")) else { continue };
        all += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(all))
}

/// The address that a link of the page leads to.
fn link(page: &Page, rel: &str) -> Option<String> {
    let tag = page.tag_with(&format!("rel=\"{rel}\""))?;
    let (_, rest) = tag.split_once("href=\"")?;
    Some(rest.split_once('"')?.0.replace("&#38;", "&").replace("&amp;", "&"))
}

fn rows(page: &Page) -> usize {
    page.text.matches("<th role=\"rowheader\"").count()
}

on_both_engines!(every_page_and_every_search_is_quick);

async fn every_page_and_every_search_is_quick(db: Database) {
    let is_sqlite = db.is_sqlite();
    let world = World::start(db).await;
    let staff = world.staff(Role::Support).await;
    seed(&world).await;
    let list = "/backoffice/customers";
    // How many rows the page has, or `None` where that is not the point.
    let cases: [(&str, Option<usize>); 18] = [
        ("", Some(50)),
        ("sort=name", Some(50)),
        ("q=harbour", Some(50)),
        ("q=harbour&sort=name", Some(50)),
        // The oldest of all: a search walks past every other.
        ("q=harbour+bakery+0", Some(1)),
        ("q=member99999%40", Some(1)),
        ("q=member0%40company0.", Some(1)),
        ("q=nowak+4711", Some(11)),
        ("q=NOWAK+99998", Some(1)),
        ("q=%C5%B9R%C3%93D%C5%81O", Some(50)),
        ("q=nobody+has+this", Some(0)),
        ("q=nobody+has+this&sort=name", Some(0)),
        ("q=%25", Some(0)),
        ("filter=suspended", Some(1)),
        ("filter=suspended&q=harbour", Some(0)),
        ("filter=needs_reconnect&sort=name", Some(0)),
        ("filter=unconnected&q=bakery", Some(50)),
        ("filter=active&q=member", Some(50)),
    ];
    let mut slow = Vec::new();
    let mut note = |what: String, took: Duration| {
        println!("{took:>12?} {what}");
        if took > LIMIT {
            slow.push((what, took));
        }
    };
    for (query, count) in cases {
        let (page, took) = timed(&staff, &format!("{list}?{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        if let Some(count) = count {
            assert_eq!(rows(&page), count, "{query}: {}", page.words());
        }
        note(format!("?{query}"), took);
    }
    // Deep in the middle, and at the very end, both ways.
    for sort in ["newest", "name"] {
        let key = |key: &str| format!("{list}?sort={sort}&after={}.{key}", ids::new_uuid());
        let deep = if sort == "name" { key("north+foods+5") } else { key("1703000000000") };
        let (page, took) = timed(&staff, &deep).await;
        assert_eq!(rows(&page), 50);
        note(format!("deep by {sort}"), took);
        let (page, took) = timed(&staff, &link(&page, "prev").unwrap()).await;
        assert_eq!(rows(&page), 50);
        note(format!("before that by {sort}"), took);
        let last = if sort == "name" { "\u{10fffd}".to_owned() } else { "0".to_owned() };
        let last: String = url::form_urlencoded::byte_serialize(last.as_bytes()).collect();
        let (page, took) = timed(&staff, &format!("{list}?sort={sort}&before={}.{last}", ids::new_uuid())).await;
        assert_eq!(rows(&page), 50);
        assert!(link(&page, "prev").is_some());
        note(format!("the end by {sort}"), took);
    }
    let (support, took) = timed(&staff, "/support?q=nobody+has+this").await;
    says(&support, &["No customer fits"]);
    note("support's search".to_owned(), took);
    says(&staff.get(list).await, &["100,000 customers"]);
    if is_sqlite {
        assert!(slow.is_empty(), "slower than {LIMIT:?}: {slow:?}");
    }
}
