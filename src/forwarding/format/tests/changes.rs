//! Every other change, and all that Meta documents.

use super::*;

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
                let parts = parts(*format, &routed, None);
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
