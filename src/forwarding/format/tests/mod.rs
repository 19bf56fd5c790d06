//! What each format makes of what Meta sends.

mod changes;
mod files;
mod messages;

use super::*;
use crate::{
    base::ids::{ConnectionId, CustomerId, EndpointId},
    forwarding::{DeliveryState, EndpointState},
    webhooks::{EventId, Kind, Owner, Place, Route, Understood},
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

/// Hands out one file, and nothing for any other ID.
struct OneFile;

impl Files for OneFile {
    fn fetch<'a>(&'a self, _: ConnectionId, id: &'a str, _: &'a mut Room) -> BoxFuture<'a, Fetched> {
        Box::pin(async move {
            match id {
                "1" => Fetched::File { mime_type: "image/jpeg".to_owned(), bytes: vec![0xff, 0xd8, 0xff] },
                _ => Fetched::Not(NotFetched::Gone),
            }
        })
    }
}

fn formats() -> Formats {
    Formats { clock: Clock::system(), files: Arc::new(OneFile), memory: Memory::default() }
}

fn endpoint(format: Format) -> Endpoint {
    let now = Clock::system().now();
    Endpoint {
        id: EndpointId::new(),
        customer: CustomerId::new(),
        name: "Shop".to_owned(),
        url: None,
        format,
        kinds: None,
        wabas: None,
        numbers: None,
        secret: standard_webhooks::new_secret(),
        old_secret: None,
        verify_token: None,
        state: EndpointState::Active,
        state_reason: None,
        state_since: now,
        failing_since: None,
        created_at: now,
    }
}

fn delivery(endpoint: &Endpoint, event: Option<EventId>, item: Option<usize>, cause: Cause) -> Delivery {
    let now = Clock::system().now();
    Delivery {
        endpoint: endpoint.id,
        number: 7,
        event,
        item,
        cause,
        state: DeliveryState::Pending,
        lane: 0,
        more_lanes: Vec::new(),
        attempts: 0,
        next_at: Some(now),
        created_at: now,
        done_at: None,
        report: None,
    }
}

fn wrap(field: &str, value: &Value) -> String {
    let change = json!({ "value": value, "field": field });
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "102290129340398", "time": 1_739_321_024, "changes": [change] }] })
        .to_string()
}

fn routed(body: &str) -> RoutedChange<'_> {
    let change = Change::all(body).remove(0);
    let it = Understood::of(&change);
    let owner = Some(Owner { customer: CustomerId::new(), connection: ConnectionId::new() });
    let place = Place { waba: it.address.waba, phone_number: it.address.phone_number, owner };
    RoutedChange {
        sender: None,
        id: EventId::new(3, 0),
        received_at: Clock::system().now(),
        route: Arc::new(Route { id: 1, place }),
        kind: it.kind,
        detail: it.detail,
        change,
        items: it.items,
        stale: Vec::new(),
    }
}

fn event(routed: &RoutedChange<'_>) -> Event {
    Event {
        id: routed.id,
        received_at: routed.received_at,
        route: (*routed.route).clone(),
        kind: routed.kind,
        detail: routed.detail.clone(),
        stale: routed.stale.clone(),
    }
}

/// The bodies that an endpoint of this format gets for a body of Meta's; each signed as it must be.
async fn sent(format: Format, body: &str) -> Vec<Value> {
    let (routed, endpoint) = (routed(body), endpoint(format));
    let event = event(&routed);
    let mut all = Vec::new();
    for part in parts(format, &routed, None) {
        let delivery = delivery(&endpoint, Some(event.id), part.item, Cause::Event);
        let call = call(&formats(), &endpoint, &delivery, Some((&event, &routed.change))).await.unwrap();
        let header =
            |name: &str| call.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        assert_eq!(check(&endpoint, header, &call.body, Clock::system().now()), Ok(()));
        assert_eq!((header(SEQUENCE), header(CAUSE)), (Some("7"), Some("event")));
        all.push(serde_json::from_slice(&call.body).unwrap());
    }
    all
}

fn messages(list: &Value) -> String {
    let value = json!({ "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "+1 555-078-3881", "phone_number_id": "106540352242922" },
        "contacts": [{ "profile": { "name": "Sheena Nelson", "username": "@sheena" }, "wa_id": "16505551234",
            "user_id": "US.1349", "identity_key_hash": "DF2lS5v2W6x=" }],
        "messages": list });
    wrap("messages", &value)
}

fn message(kind: &str, content: &Value) -> Value {
    let mut it = json!({ "from": "16505551234", "id": "wamid.1", "timestamp": "1749416383", "type": kind,
        "context": { "from": "15550783881", "id": "wamid.0", "referred_product": { "catalog_id": "194" } },
        "referral": { "source_url": "https://fb.me/x", "ctwa_clid": "Aff" } });
    it[kind] = content.clone();
    it
}

fn statuses(list: &Value) -> String {
    let value = json!({ "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550783881", "phone_number_id": "106540352242922" }, "statuses": list });
    wrap("messages", &value)
}

#[tokio::test]
async fn each_message_and_status_goes_on_its_own_and_what_came_before_does_not_come_again() {
    let text = |id: &str, from: &str| json!({ "from": from, "id": id, "type": "text", "text": { "body": id } });
    let body = messages(&json!([text("a", "1"), text("b", "2"), text("c", "1")]));
    let mut change = routed(&body);
    change.stale = vec![1];
    let of = |format| parts(format, &change, None);
    for format in [Format::Events, Format::MoDlr] {
        let all = of(format);
        assert_eq!(all.iter().map(|part| part.item).collect::<Vec<_>>(), [Some(0), Some(2)]);
        assert!(all[0].lane != 0 && all[0].lane == all[1].lane);
    }
    assert_eq!(of(Format::Meta).iter().map(|part| part.item).collect::<Vec<_>>(), [None]);
    let told = sent(Format::Events, &body).await;
    assert_eq!(
        told.iter().map(|one| one["data"]["text"]["body"].as_str().unwrap()).collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
    let lanes: Vec<i64> = parts(Format::Events, &routed(&body), None).iter().map(|part| part.lane).collect();
    assert!(lanes[0] != lanes[1] && lanes[0] == lanes[2]);
    // The whole change is in order with both conversations.
    let whole = parts(Format::Meta, &routed(&body), None).remove(0);
    let both: BTreeSet<i64> = whole.more_lanes.iter().copied().chain([whole.lane]).collect();
    assert_eq!(both, lanes.into_iter().collect());
}

#[tokio::test]
async fn a_test_is_a_message_in_each_format_and_nothing_is_sent_of_what_is_gone() {
    for format in Format::ALL {
        let mut endpoint = endpoint(*format);
        endpoint.numbers = Some(vec!["4711".parse().unwrap()]);
        let test = delivery(&endpoint, None, None, Cause::Test);
        let made = call(&formats(), &endpoint, &test, None).await.unwrap();
        let text = String::from_utf8(made.body).unwrap();
        assert!(text.contains("This is a test") && text.contains("wamid.TEST"), "{text}");
        assert_eq!(text.contains("4711"), *format != Format::MoDlr);
        assert!(made.headers.contains(&(CAUSE, "test".to_owned())));
        let gone = delivery(&endpoint, Some(EventId(1)), None, Cause::Event);
        assert_eq!(call(&formats(), &endpoint, &gone, None).await.unwrap_err(), Uncallable::Gone);
    }
    let body = messages(&json!([message("text", &json!({ "body": "x" }))]));
    let (routed, endpoint) = (routed(&body), endpoint(Format::Events));
    let event = event(&routed);
    let odd = delivery(&endpoint, Some(event.id), Some(9), Cause::Event);
    let made = call(&formats(), &endpoint, &odd, Some((&event, &routed.change))).await;
    assert_eq!(made.unwrap_err(), Uncallable::Nothing);
}

#[tokio::test]
async fn while_a_secret_is_rotated_receivers_with_either_believe_the_call() {
    for format in Format::ALL {
        let mut now = endpoint(*format);
        let before = now.clone();
        let clock = Clock::system();
        now.secret = standard_webhooks::new_secret();
        now.old_secret = Some((before.secret.clone(), clock.now() + time::Duration::hours(24)));
        let after = Endpoint { old_secret: None, ..now.clone() };
        let test = delivery(&now, None, None, Cause::Test);
        let believed = |call: &Call, by: &Endpoint| {
            let header =
                |name: &str| call.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
            check(by, header, &call.body, clock.now()).is_ok()
        };
        let made = call(&formats(), &now, &test, None).await.unwrap();
        assert!(believed(&made, &before), "a receiver that knows the old secret alone");
        // Meta's header has room for one: the new secret's signature stands beside it.
        assert_eq!(believed(&made, &after), *format != Format::Meta);
        let next = made.headers.iter().find(|(name, _)| *name == meta::NEXT_HEADER);
        assert_eq!(
            next.is_some_and(|(_, given)| meta::verify(&now.secret, given, &made.body)),
            *format == Format::Meta
        );
        // Once the time is over only the new one signs.
        let over = Endpoint { old_secret: Some((before.secret.clone(), clock.now())), ..now.clone() };
        let made = call(&formats(), &over, &test, None).await.unwrap();
        assert!(believed(&made, &after) && !believed(&made, &before));
    }
}

#[test]
fn samples_are_whole_and_pretty_json_stays_the_same_json() {
    let examples = samples::examples();
    assert!(examples.len() >= 6);
    for example in &examples {
        for (format, text) in &example.sent {
            let told = text.as_ref().map(|text| serde_json::from_str::<Value>(text).unwrap());
            assert!(told.is_some() || *format == Format::MoDlr, "{}", example.title);
        }
    }
    let json = r#"{"a":[],"b":{},"c":[1,{"d":"x{\"},:[\\"}],"e":null}"#;
    let pretty = samples::pretty(json);
    assert_eq!(serde_json::from_str::<Value>(&pretty).unwrap(), serde_json::from_str::<Value>(json).unwrap());
    assert_eq!(pretty.lines().count(), 11);
}
