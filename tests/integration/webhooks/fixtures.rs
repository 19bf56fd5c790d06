//! Every example payload of Meta's webhook reference, and what came with newer versions: taken, routed to whose it
//! is, understood, and kept byte for byte. `index.json` names the page of each.

use super::*;
use doorway::{store::query, webhooks::Change};
use serde::Deserialize;
use std::path::{Path, PathBuf};

on_both_engines!(every_example_reaches_its_customer_untouched, odd_values_stop_nothing);

/// The IDs with which the examples are written.
const WABA: &str = "102290129340398";
const NUMBER: &str = "106540352242922";
const WRITTEN: &str = "15550783881";
const WRITTEN_APART: &str = "+1 555-078-3881";

#[derive(Deserialize)]
struct Example {
    file: PathBuf,
    page: String,
    kind: String,
    detail: String,
    /// `number`: names the number's ID; `written`: only the number as it is written; `waba`: the account alone;
    /// `nobody`: neither.
    of: String,
    items: usize,
}

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/webhooks")
}

fn examples() -> Vec<Example> {
    serde_json::from_str(&std::fs::read_to_string(dir().join("index.json")).unwrap()).unwrap()
}

/// A customer with an account and a number of their own.
pub(super) struct Theirs {
    pub customer: String,
    pub connection: String,
    pub waba: String,
    pub number: String,
    /// In digits.
    pub written: String,
}

pub(super) async fn connected(world: &World, company: &str) -> Theirs {
    let browser = world.customer(company).await;
    let (_, signup) = world.connect(&browser, &[]).await;
    let (waba, number) = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
    let mut db = world.portal.store.read().await.unwrap();
    let (customer, connection, written) = query(
        "SELECT w.customer_id, w.connection_id, p.display_phone_number FROM wabas w \
         JOIN phone_numbers p ON p.waba_id = w.waba_id WHERE w.waba_id = $1",
    )
    .bind(&waba)
    .one(&mut db, |row| Ok((row.text("customer_id")?, row.text("connection_id")?, row.text("display_phone_number")?)))
    .await
    .unwrap();
    let written = written.chars().filter(char::is_ascii_digit).collect();
    Theirs { customer, connection, waba, number, written }
}

impl Theirs {
    /// An example with this customer's IDs.
    fn own(&self, text: &str) -> String {
        let apart = format!("+{} {}", &self.written[..1], &self.written[1..]);
        text.replace(WABA, &self.waba)
            .replace(NUMBER, &self.number)
            .replace(WRITTEN_APART, &apart)
            .replace(WRITTEN, &self.written)
    }
}

struct Got {
    kind: String,
    detail: String,
    customer: Option<String>,
    connection: Option<String>,
    waba: String,
    number: String,
    body: String,
    place: usize,
}

async fn events(world: &World) -> Vec<Got> {
    let mut db = world.portal.store.read().await.unwrap();
    query(
        "SELECT e.id, e.kind, e.detail, r.customer_id, r.connection_id, r.waba_id, r.phone_number_id, i.body \
         FROM events e JOIN event_routes r ON r.id = e.route_id JOIN intake i ON i.seq = e.id / 1048576 ORDER BY e.id",
    )
    .all(&mut db, |row| {
        Ok(Got {
            kind: row.text("kind")?,
            detail: row.text("detail")?,
            customer: row.opt_text("customer_id")?,
            connection: row.opt_text("connection_id")?,
            waba: row.text("waba_id")?,
            number: row.text("phone_number_id")?,
            body: row.text("body")?,
            place: usize::try_from(row.int("id")? % 1_048_576).unwrap(),
        })
    })
    .await
    .unwrap()
}

/// The only change of a body, as it stands there, found without the code under test.
fn only_change(body: &str) -> String {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        entry: [Entry<'a>; 1],
    }
    #[derive(Deserialize)]
    struct Entry<'a> {
        #[serde(borrow)]
        changes: [&'a serde_json::value::RawValue; 1],
    }
    serde_json::from_str::<Body>(body).unwrap().entry[0].changes[0].get().to_owned()
}

async fn every_example_reaches_its_customer_untouched(db: Database) {
    let world = World::start(db).await;
    let meta = world.anonymous();
    let examples = examples();
    let mut files = 0;
    for folder in std::fs::read_dir(dir()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        files += std::fs::read_dir(folder).unwrap().count();
    }
    assert_eq!(files, examples.len(), "every file is in the index");
    assert!(files > 150 && examples.iter().all(|example| example.page.starts_with("documentation/")));
    let both = [connected(&world, "Acme").await, connected(&world, "Globex").await];
    for theirs in &both {
        let before = {
            all_read(&world).await;
            events(&world).await.len()
        };
        let mut bodies = Vec::new();
        for example in &examples {
            let body = theirs.own(&std::fs::read_to_string(dir().join(&example.file)).unwrap());
            // What is nobody's is the same for both: once is news, twice is a duplicate.
            bodies.push(body.clone());
            assert_eq!(post(&meta, body).await, 200, "{}", example.file.display());
        }
        all_read(&world).await;
        // Meta itself tells of the signups, whenever it gets to it.
        let of_signup = |one: &Got| one.body.starts_with(r#"{"entry":[{"changes""#);
        let mut got = events(&world).await.into_iter().skip(before).filter(|one| !of_signup(one));
        for (example, body) in examples.iter().zip(&bodies) {
            if example.of == "nobody" && before > examples.len() {
                continue;
            }
            let file = example.file.display();
            let event = got.next().unwrap_or_else(|| panic!("{file}: no event"));
            assert_eq!(&event.body, body, "{file}");
            assert_eq!(
                (event.kind.as_str(), event.detail.as_str()),
                (example.kind.as_str(), example.detail.as_str()),
                "{file}"
            );
            let change = Change::all(&event.body).into_iter().find(|one| one.place as usize == event.place).unwrap();
            assert_eq!(change.raw, only_change(body), "{file}: byte for byte");
            assert_eq!(doorway::webhooks::Understood::of(&change).items.len(), example.items, "{file}");
            if example.of == "nobody" {
                assert_eq!((event.customer, event.connection), (None, None), "{file}");
                continue;
            }
            assert_eq!(event.customer.as_deref(), Some(theirs.customer.as_str()), "{file}");
            assert_eq!(event.connection.as_deref(), Some(theirs.connection.as_str()), "{file}");
            assert_eq!(event.waba, theirs.waba, "{file}");
            let number = if example.of == "waba" { "" } else { theirs.number.as_str() };
            assert_eq!(event.number, number, "{file}");
        }
        assert_eq!(got.count(), 0, "and nothing else, of nobody else");
    }
    // What they tell of people stays with whom it was told to.
    for theirs in &both {
        let mut db = world.portal.store.read().await.unwrap();
        let people = query("SELECT count(*) AS n FROM contacts WHERE customer_id = $1").bind(&theirs.customer);
        assert!(people.one(&mut db, |row| row.int("n")).await.unwrap() >= 2);
    }
}

/// Every value of every example replaced by something odd, in turn.
fn oddities(value: &Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in inner {
        at.push(key);
        found.push(at.clone());
        oddities(value, at, found);
        at.pop();
    }
}

async fn odd_values_stop_nothing(db: Database) {
    let world = World::start(db).await;
    let meta = world.anonymous();
    let theirs = connected(&world, "Acme").await;
    let long = "x".repeat(3_000);
    let odd = [
        json!(null),
        json!([]),
        json!({}),
        json!(-1),
        json!(1e300),
        json!(true),
        json!(""),
        json!("\u{0}"),
        json!("99999999999999999999"),
        json!(u64::MAX),
        json!(long),
        json!([[{"id": {}}]]),
        json!({"id": [1]}),
        json!("ACCOUNT_DELETED\u{0}"),
        json!("-9223372036854775808"),
    ];
    let mut changes = Vec::new();
    for (which, example) in examples().iter().enumerate() {
        let body: Value =
            serde_json::from_str(&theirs.own(&std::fs::read_to_string(dir().join(&example.file)).unwrap())).unwrap();
        let change = &body["entry"][0]["changes"][0];
        let mut places = Vec::new();
        oddities(&change["value"], &mut Vec::new(), &mut places);
        for (index, place) in places.iter().enumerate().filter(|(_, place)| place[0] != "metadata") {
            let pointer = format!("/value/{}", place.join("/"));
            let mut changed = change.clone();
            *changed.pointer_mut(&pointer).unwrap() = odd[(which + index) % odd.len()].clone();
            changes.push(changed);
        }
    }
    let changed = changes.len();
    assert!(changed > 1_500, "{changed}");
    for (at, some) in changes.chunks(200).enumerate() {
        let body = json!({"object": "whatsapp_business_account", "entry": [
            {"id": theirs.waba, "time": 1_767_225_600 + at, "changes": some}]});
        assert_eq!(post(&meta, body.to_string()).await, 200);
    }
    all_read(&world).await;
    let lost =
        "SELECT count(*) AS n FROM events e JOIN event_routes r ON r.id = e.route_id WHERE r.customer_id IS NOT NULL";
    assert!(world.number(lost, "n").await.unwrap() > 500);
}
