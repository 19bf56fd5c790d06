//! Every type of message, and every status.

use super::*;

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
