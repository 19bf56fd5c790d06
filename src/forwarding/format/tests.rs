//! What each format makes of each type of message, each status and each other change.

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
    fn fetch<'a>(&'a self, _: ConnectionId, id: &'a str) -> BoxFuture<'a, Fetched> {
        Box::pin(async move {
            match id {
                "1" => Fetched::File { mime_type: "image/jpeg".to_owned(), bytes: vec![0xff, 0xd8, 0xff] },
                _ => Fetched::Not(NotFetched::Gone),
            }
        })
    }
}

fn formats() -> Formats {
    Formats { clock: Clock::system(), files: Arc::new(OneFile) }
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
        attempts: 0,
        next_at: Some(now),
        created_at: now,
        done_at: None,
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
    for part in parts(format, &routed) {
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

/// Every type of message that Meta documents, its content, and that as *events* tells it.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages>
fn types() -> Vec<(&'static str, Value, Value)> {
    let same = |kind, content: Value| (kind, content.clone(), content);
    vec![
        same("text", json!({ "body": "Does it come in another color? snake_case_stays" })),
        (
            "image",
            json!({ "caption": "c", "mime_type": "image/jpeg", "sha256": "s=", "id": "1", "url": "https://x" }),
            json!({ "caption": "c", "mimeType": "image/jpeg", "sha256": "s=", "id": "1", "url": "https://x" }),
        ),
        (
            "audio",
            json!({ "mime_type": "audio/ogg; codecs=opus", "sha256": "s=", "id": "1", "voice": true }),
            json!({ "mimeType": "audio/ogg; codecs=opus", "sha256": "s=", "id": "1", "voice": true }),
        ),
        (
            "video",
            json!({ "mime_type": "video/mp4", "sha256": "s=", "id": "1" }),
            json!({ "mimeType": "video/mp4", "sha256": "s=", "id": "1" }),
        ),
        (
            "document",
            json!({ "filename": "bill.pdf", "mime_type": "application/pdf", "sha256": "s=", "id": "1" }),
            json!({ "filename": "bill.pdf", "mimeType": "application/pdf", "sha256": "s=", "id": "1" }),
        ),
        (
            "sticker",
            json!({ "mime_type": "image/webp", "sha256": "s=", "id": "1", "animated": true }),
            json!({ "mimeType": "image/webp", "sha256": "s=", "id": "1", "animated": true }),
        ),
        same(
            "location",
            json!({ "address": "101 Forest Ave", "latitude": 37.442_214_965_82, "longitude": -122.161, "name": "Philz" }),
        ),
        (
            "contacts",
            json!([{ "name": { "first_name": "Barbara", "formatted_name": "Barbara J." }, "phones": [{ "wa_id": "14125550829" }] }]),
            json!([{ "name": { "firstName": "Barbara", "formattedName": "Barbara J." }, "phones": [{ "waId": "14125550829" }] }]),
        ),
        same("button", json!({ "payload": "Unsubscribe", "text": "Unsubscribe" })),
        (
            "interactive",
            json!({ "type": "button_reply", "button_reply": { "id": "change-button", "title": "Change" } }),
            json!({ "type": "button_reply", "buttonReply": { "id": "change-button", "title": "Change" } }),
        ),
        (
            "interactive",
            json!({ "type": "list_reply", "list_reply": { "id": "priority_express", "title": "Express", "description": "2 days" } }),
            json!({ "type": "list_reply", "listReply": { "id": "priority_express", "title": "Express", "description": "2 days" } }),
        ),
        (
            "interactive",
            json!({ "type": "nfm_reply", "nfm_reply": { "name": "flow", "body": "Sent", "response_json": "{\"flow_token\": \"t\"}" } }),
            json!({ "type": "nfm_reply", "nfmReply": { "name": "flow", "body": "Sent", "responseJson": "{\"flow_token\": \"t\"}" } }),
        ),
        (
            "order",
            json!({ "catalog_id": "194", "text": "Love these!", "product_items": [{ "product_retailer_id": "di9", "item_price": 30.10 }] }),
            json!({ "catalogId": "194", "text": "Love these!", "productItems": [{ "productRetailerId": "di9", "itemPrice": 30.10 }] }),
        ),
        (
            "reaction",
            json!({ "message_id": "wamid.0", "emoji": "👍" }),
            json!({ "messageId": "wamid.0", "emoji": "👍" }),
        ),
        (
            "system",
            json!({ "body": "User changed", "wa_id": "12195555358", "type": "user_changed_number" }),
            json!({ "body": "User changed", "waId": "12195555358", "type": "user_changed_number" }),
        ),
        (
            "edit",
            json!({ "original_message_id": "wamid.0", "message": { "type": "text" } }),
            json!({ "originalMessageId": "wamid.0", "message": { "type": "text" } }),
        ),
        ("revoke", json!({ "original_message_id": "wamid.0" }), json!({ "originalMessageId": "wamid.0" })),
        same("unsupported", json!({ "type": "poll_creation" })),
        // What is not known is not touched.
        same("type_of_tomorrow", json!({ "some_key": { "start_time": 12 } })),
    ]
}

#[tokio::test]
async fn events_tell_every_type_of_message() {
    for (kind, content, told) in types() {
        let all = sent(Format::Events, &messages(&json!([message(kind, &content)]))).await;
        let expected = json!({ "type": "message.received", "timestamp": "2025-06-08T20:59:43Z", "data": {
            "id": "wamid.1", "from": "16505551234", "timestamp": "2025-06-08T20:59:43Z", "type": kind, kind: told,
            "context": { "from": "15550783881", "id": "wamid.0", "referredProduct": { "catalogId": "194" } },
            "referral": { "sourceUrl": "https://fb.me/x", "ctwaClid": "Aff" },
            "contact": { "name": "Sheena Nelson", "waId": "16505551234", "userId": "US.1349", "username": "@sheena",
                "identityKeyHash": "DF2lS5v2W6x=" },
            "phoneNumberId": "106540352242922", "displayPhoneNumber": "+1 555-078-3881", "wabaId": "102290129340398" } });
        assert_eq!(all, [expected], "{kind}");
    }
}

#[tokio::test]
async fn mo_dlr_tells_every_type_of_message() {
    for (kind, content, told) in types() {
        let all = sent(Format::MoDlr, &messages(&json!([message(kind, &content)]))).await;
        assert_eq!(all.len(), 1, "{kind}");
        let mut it = all[0].clone();
        let mut keys: Vec<_> = it.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["Destination", "content", "id", "source"]);
        assert_eq!(
            (&it["id"], &it["source"], &it["Destination"]),
            (&json!("wamid.1"), &json!("16505551234"), &json!("15550783881"))
        );
        let content = it["content"].take();
        assert_eq!((&content["type"], &content["timestamp"]), (&json!(kind), &json!("2025-06-08T20:59:43Z")));
        assert_eq!(content["context"]["referredProduct"]["catalogId"], "194");
        assert_eq!(content["referral"]["ctwaClid"], "Aff");
        assert_eq!(content["identity"]["identityKeyHash"], "DF2lS5v2W6x=");
        match kind {
            "text" => assert_eq!(content["text"], told["body"]),
            "image" | "audio" | "video" | "document" | "sticker" => {
                let file = &content[kind];
                assert_eq!((&file["encoding"], &file["data"]), (&json!("base64"), &json!("/9j/")));
                assert_eq!(file["mimeType"], "image/jpeg");
                let name = if kind == "document" { "bill.pdf".to_owned() } else { format!("{kind}-1.jpg") };
                assert_eq!((&file["fileName"], &file["url"]), (&json!(name), &Value::Null));
            }
            _ => assert_eq!(content[kind], told, "{kind}"),
        }
    }
}

#[tokio::test]
async fn a_file_that_is_not_to_be_had_is_told_and_loses_no_message() {
    let image = json!({ "caption": "c", "mime_type": "image/png", "id": "2" });
    let all = sent(Format::MoDlr, &messages(&json!([message("image", &image)]))).await;
    let file = &all[0]["content"]["image"];
    assert_eq!((&file["encoding"], &file["error"], &file["data"]), (&json!("none"), &json!("gone"), &Value::Null));
    assert_eq!((&file["id"], &file["caption"], &file["fileName"]), (&json!("2"), &json!("c"), &json!("image-2.png")));
    // One without an ID has no file to look for.
    let all = sent(Format::MoDlr, &messages(&json!([message("image", &json!({ "caption": "c" }))]))).await;
    assert_eq!(all[0]["content"]["image"], json!({ "caption": "c" }));
}

#[tokio::test]
async fn statuses_become_events_and_reports() {
    let told = json!({ "id": "wamid.9", "status": "sent", "timestamp": "1750030073000", "recipient_id": "16505551234",
        "biz_opaque_callback_data": "order-4711", "recipient_identity_key_hash": "h=",
        "conversation": { "id": "72b1", "expiration_timestamp": "1750116480", "origin": { "type": "marketing" } },
        "pricing": { "billable": true, "pricing_model": "PMP", "category": "marketing" },
        "errors": [{ "code": 131_049, "title": "t", "error_data": { "details": "d" } }] });
    let all = sent(Format::Events, &statuses(&json!([told]))).await;
    let expected = json!({ "type": "message.status", "timestamp": "2025-06-15T23:27:53Z", "data": {
        "id": "wamid.9", "recipientId": "16505551234", "status": "sent", "timestamp": "2025-06-15T23:27:53Z",
        "callbackData": "order-4711", "recipientIdentityKeyHash": "h=",
        "conversation": { "id": "72b1", "expirationTimestamp": "2025-06-16T23:28:00Z", "origin": { "type": "marketing" } },
        "pricing": { "billable": true, "pricingModel": "PMP", "category": "marketing" },
        "errors": [{ "code": 131_049, "title": "t", "errorData": { "details": "d" } }],
        "phoneNumberId": "106540352242922", "displayPhoneNumber": "15550783881", "wabaId": "102290129340398" } });
    assert_eq!(all, [expected]);
    for (status, report) in [
        ("sent", "sent"),
        ("delivered", "received"),
        ("read", "received"),
        ("played", "received"),
        ("failed", "rejected"),
    ] {
        let mut one = told.clone();
        one["status"] = status.into();
        let all = sent(Format::MoDlr, &statuses(&json!([one]))).await;
        assert_eq!(all, [json!({ "id": "wamid.9", "status": report, "reference": "order-4711" })]);
    }
    let bare = json!({ "id": "wamid.9", "status": "read", "timestamp": "1", "recipient_id": "1" });
    let all = sent(Format::MoDlr, &statuses(&json!([bare]))).await;
    assert_eq!(all, [json!({ "id": "wamid.9", "status": "received", "reference": null })]);
    // A status that MO/DLR has no word for is not told; events tells it.
    let odd = statuses(&json!([{ "id": "wamid.9", "status": "warned", "recipient_id": "1" }]));
    assert_eq!(sent(Format::MoDlr, &odd).await, [] as [Value; 0]);
    assert_eq!(sent(Format::Events, &odd).await[0]["data"]["status"], "warned");
}

#[tokio::test]
async fn an_expired_message_is_reported_as_such() {
    let body =
        statuses(&json!([{ "id": "wamid.9", "status": "sent", "recipient_id": "1", "biz_opaque_callback_data": "r" }]));
    let (routed, endpoint) = (routed(&body), endpoint(Format::MoDlr));
    let event = event(&routed);
    let sent = delivery(&endpoint, Some(event.id), Some(0), Cause::Event);
    let expired = delivery(&endpoint, Some(event.id), Some(0), Cause::Expired);
    let call = call(&formats(), &endpoint, &expired, Some((&event, &routed.change))).await.unwrap();
    let told: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(told, json!({ "id": "wamid.9", "status": "expired", "reference": "r" }));
    assert_ne!(id_of(&sent), id_of(&expired));
    assert_eq!(id_of(&sent), id_of(&delivery(&endpoint, Some(event.id), Some(0), Cause::Replay)));
}

#[tokio::test]
async fn a_person_without_number_is_known_by_user_id() {
    let value = json!({ "metadata": { "phone_number_id": "106540352242922" },
        "contacts": [{ "profile": { "name": "A" }, "wa_id": "1" }, { "profile": { "name": "Sheena" }, "wa_id": "", "user_id": "user.9" }],
        "messages": [{ "from": "", "from_user_id": "user.9", "id": "wamid.1", "timestamp": "1749416383", "type": "text", "text": { "body": "x" } }] });
    let body = wrap("messages", &value);
    let events = sent(Format::Events, &body).await;
    let data = &events[0]["data"];
    assert_eq!(
        (&data["from"], &data["fromUserId"], &data["contact"]["name"]),
        (&Value::Null, &json!("user.9"), &json!("Sheena"))
    );
    let mo = sent(Format::MoDlr, &body).await;
    assert_eq!((&mo[0]["source"], &mo[0]["Destination"]), (&json!("user.9"), &json!("106540352242922")));
    assert_eq!(mo[0]["content"]["identity"], json!({ "name": "Sheena", "userId": "user.9" }));
}

/// Other changes: field, value, kind and what *events* tells of it. From Meta's reference of webhooks.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference>
fn others() -> Vec<(&'static str, Value, Kind, Value)> {
    vec![
        (
            "phone_number_quality_update",
            json!({ "display_phone_number": "15550783881", "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED" }),
            Kind::NumberQualityChanged,
            json!({ "displayPhoneNumber": "15550783881", "event": "THROUGHPUT_UPGRADE", "currentLimit": "TIER_UNLIMITED" }),
        ),
        (
            "message_template_status_update",
            json!({ "event": "APPROVED", "message_template_id": 1_689_556_908_129_832_i64, "reason": null }),
            Kind::TemplateStatusChanged,
            json!({ "event": "APPROVED", "messageTemplateId": 1_689_556_908_129_832_i64, "reason": null }),
        ),
        (
            "template_category_update",
            json!({ "message_template_name": "w_t", "new_category": "UTILITY", "category_update_timestamp": 1_746_169_200 }),
            Kind::TemplateCategoryChanged,
            json!({ "messageTemplateName": "w_t", "newCategory": "UTILITY", "categoryUpdateTimestamp": "2025-05-02T07:00:00Z" }),
        ),
        (
            "account_update",
            json!({ "event": "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
                "auth_international_rate_eligibility": { "exception_countries": [{ "country_code": "ID", "start_time": 1_751_347_424 }] } }),
            Kind::AccountUpdated,
            json!({ "event": "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
                "authInternationalRateEligibility": { "exceptionCountries": [{ "countryCode": "ID", "startTime": "2025-07-01T05:23:44Z" }] } }),
        ),
        (
            "user_preferences",
            json!({ "metadata": { "phone_number_id": "1" }, "user_preferences": [{ "wa_id": "16505551234", "value": "resume", "timestamp": 1_731_705_721 }] }),
            Kind::PreferencesChanged,
            json!({ "userPreferences": [{ "waId": "16505551234", "value": "resume", "timestamp": "2024-11-15T21:22:01Z" }], "phoneNumberId": "1" }),
        ),
        (
            "smb_app_state_sync",
            json!({ "metadata": { "phone_number_id": "1" }, "state_sync": [{ "action": "add", "metadata": { "timestamp": "1739321024" } }] }),
            Kind::ContactsSynced,
            json!({ "stateSync": [{ "action": "add", "metadata": { "timestamp": "2025-02-12T00:43:44Z" } }], "phoneNumberId": "1" }),
        ),
        (
            "field_of_tomorrow",
            json!({ "some_key": [{ "start_time": 12 }] }),
            Kind::Other,
            json!({ "field": "field_of_tomorrow", "value": { "some_key": [{ "start_time": 12 }] } }),
        ),
        ("field_of_tomorrow", json!("odd"), Kind::Other, json!({ "field": "field_of_tomorrow", "value": "odd" })),
    ]
}

#[tokio::test]
async fn events_tell_everything_else() {
    for (field, value, kind, mut told) in others() {
        told["wabaId"] = "102290129340398".into();
        let body = wrap(field, &value);
        let expected = json!({ "type": kind.name(), "timestamp": "2025-02-12T00:43:44Z", "data": told });
        assert_eq!(sent(Format::Events, &body).await, [expected], "{field}");
        assert_eq!(sent(Format::MoDlr, &body).await, [] as [Value; 0], "{field}");
        assert_eq!(sent(Format::Meta, &body).await[0], serde_json::from_str::<Value>(&body).unwrap(), "{field}");
    }
}

#[tokio::test]
async fn each_message_and_status_goes_on_its_own_and_what_came_before_does_not_come_again() {
    let text = |id: &str, from: &str| json!({ "from": from, "id": id, "type": "text", "text": { "body": id } });
    let body = messages(&json!([text("a", "1"), text("b", "2"), text("c", "1")]));
    let mut change = routed(&body);
    change.stale = vec![1];
    let of = |format| parts(format, &change);
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
    let lanes: Vec<i64> = parts(Format::Events, &routed(&body)).iter().map(|part| part.lane).collect();
    assert!(lanes[0] != lanes[1] && lanes[0] == lanes[2]);
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
        assert_eq!(call(&formats(), &endpoint, &gone, None).await, Err(Uncallable::Gone));
    }
    let body = messages(&json!([message("text", &json!({ "body": "x" }))]));
    let (routed, endpoint) = (routed(&body), endpoint(Format::Events));
    let event = event(&routed);
    let odd = delivery(&endpoint, Some(event.id), Some(9), Cause::Event);
    assert_eq!(call(&formats(), &endpoint, &odd, Some((&event, &routed.change))).await, Err(Uncallable::Nothing));
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

#[tokio::test]
async fn what_was_sent_in_the_app_is_an_event_and_no_message_that_came_in() {
    let value = json!({ "metadata": { "phone_number_id": "106540352242922" },
        "contacts": [{ "profile": { "name": "A" }, "wa_id": "1" }, { "profile": { "name": "Sheena" }, "wa_id": "16505551234" }],
        "message_echoes": [{ "from": "15550783881", "to": "16505551234", "id": "wamid.5", "timestamp": "1739321024",
            "type": "text", "text": { "body": "Here it is" } }] });
    let body = wrap("smb_message_echoes", &value);
    let told = sent(Format::Events, &body).await;
    assert_eq!((&told[0]["type"], &told[0]["data"]["to"]), (&json!("message.echo"), &json!("16505551234")));
    assert_eq!(
        (&told[0]["data"]["text"]["body"], &told[0]["data"]["contact"]["name"]),
        (&json!("Here it is"), &json!("Sheena"))
    );
    assert_eq!(sent(Format::MoDlr, &body).await, [] as [Value; 0]);
}

/// Every body that stands under the fixtures: what Meta's pages show.
fn fixtures() -> Vec<(String, String)> {
    fn read(folder: &std::path::Path, into: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, into);
            } else if path.extension().is_some_and(|ending| ending == "json") && !path.ends_with("index.json") {
                into.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut all = Vec::new();
    read(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/webhooks"), &mut all);
    all
}

#[tokio::test]
async fn everything_that_meta_documents_goes_out_in_each_format() {
    let fixtures = fixtures();
    assert!(fixtures.len() > 80, "{}", fixtures.len());
    let (mut told, mut reported) = (0, 0);
    for (name, body) in &fixtures {
        for change in Change::all(body) {
            let kept = meta::body(&change);
            assert!(kept.contains(change.raw), "{name}: byte for byte");
            let again = Change::all(&kept);
            assert_eq!((again.len(), again[0].raw, &again[0].field), (1, change.raw, &change.field), "{name}");
            assert_eq!((&again[0].entry_id, again[0].time), (&change.entry_id, change.time), "{name}");
            let mut routed = routed(body);
            let it = Understood::of(&change);
            (routed.kind, routed.items, routed.change) = (it.kind, it.items, change);
            let event = event(&routed);
            for format in Format::ALL {
                let endpoint = endpoint(*format);
                let parts = parts(*format, &routed);
                assert!(!parts.is_empty() || *format == Format::MoDlr, "{name}");
                for part in parts {
                    let delivery = delivery(&endpoint, Some(event.id), part.item, Cause::Event);
                    let call = call(&formats(), &endpoint, &delivery, Some((&event, &routed.change))).await;
                    let call = call.unwrap_or_else(|why| panic!("{name} in {format:?}: {why}"));
                    let json: Value = serde_json::from_slice(&call.body).unwrap();
                    match format {
                        Format::Meta => assert_eq!(call.body, kept.as_bytes(), "{name}"),
                        Format::Events => {
                            assert!(Kind::named(json["type"].as_str().unwrap()).is_some(), "{name}");
                            assert!(json["timestamp"].as_str().unwrap().ends_with('Z'), "{name}");
                            told += 1;
                        }
                        Format::MoDlr => {
                            assert!(
                                json["id"].is_string() && (json["status"].is_string() || json["content"].is_object())
                            );
                            reported += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(told >= fixtures.len() && reported > 20, "{told} {reported}");
}
