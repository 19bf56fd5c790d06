use super::*;

fn understood(body: &str) -> Vec<Understood> {
    Change::all(body).iter().map(Understood::of).collect()
}

fn messages(value: &str) -> Understood {
    understood(&format!(r#"{{"entry":[{{"id":"1","changes":[{{"field":"messages","value":{value}}}]}}]}}"#)).remove(0)
}

#[test]
fn a_person_has_one_word_within_a_change() {
    let both = messages(
        r#"{"contacts":[{"wa_id":"16505551234","user_id":"US.1"}],
            "messages":[{"id":"a","from":"16505551234","from_user_id":"US.1","type":"text"},
                        {"id":"b","from":"16505551234","type":"text"},
                        {"id":"c","from":"16505551234","group_id":"G","type":"text"}],
            "statuses":[{"id":"d","status":"read","recipient_id":"","recipient_user_id":"US.1"}]}"#,
    );
    let words: Vec<&str> = both.items.iter().map(|item| item.conversation.as_str()).collect();
    assert_eq!(words, ["16505551234", "16505551234", "G", "16505551234"]);
    assert_eq!((both.kind, both.detail.as_str()), (Kind::MessageReceived, "text"));
    let hidden = messages(r#"{"contacts":[{"user_id":"US.2"}],"messages":[{"id":"a","from":"","type":"text"}]}"#);
    assert_eq!(hidden.items[0].conversation, "US.2");
}

#[test]
fn a_conversation_has_one_word_across_changes() {
    let of = |value: &str| messages(value).items.remove(0).conversation;
    let sent = of(r#"{"contacts":[{"wa_id":"16505551234","user_id":"US.1"}],
            "statuses":[{"id":"w","status":"sent","recipient_id":"16505551234","recipient_user_id":"US.1"}]}"#);
    let failed = of(r#"{"statuses":[{"id":"w","status":"failed","recipient_id":"16505551234"}]}"#);
    assert_eq!((sent.as_str(), failed.as_str()), ("16505551234", "16505551234"), "they are begun in order");
    let hidden = |status: &str, contacts: &str| {
        let status = format!(r#"{{"id":"w","status":"{status}","recipient_id":"","recipient_user_id":"US.2"}}"#);
        of(&format!(r#"{{"contacts":{contacts},"statuses":[{status}]}}"#))
    };
    assert_eq!(hidden("sent", r#"[{"wa_id":"","user_id":"US.2"}]"#), hidden("failed", "[]"));
}

#[test]
fn what_is_not_the_same_is_not_taken_for_a_duplicate() {
    let names = |value: &str| {
        messages(value)
            .items
            .into_iter()
            .map(|item| (item.message, item.bit))
            .collect::<std::collections::BTreeSet<_>>()
    };
    let group = r#"{"statuses":[
        {"id":"w","status":"read","recipient_type":"group","recipient_id":"G","recipient_participant_id":"1"},
        {"id":"w","status":"read","recipient_type":"group","recipient_id":"G","recipient_participant_id":"2"}]}"#;
    assert_eq!(names(group).len(), 2, "each of a group reads for themselves");
    let payment = r#"{"statuses":[
        {"id":"w","type":"payment","status":"captured","payment":{"refunds":[]}},
        {"id":"w","type":"payment","status":"captured","payment":{"refunds":[{"id":"r"}]}}]}"#;
    assert_eq!(names(payment).len(), 2, "a refund is news");
    let unknown = r#"{"statuses":[{"id":"w","status":"warning"},{"id":"w","status":"held"}]}"#;
    assert_eq!(names(unknown).len(), 2);
    let nameless = r#"{"messages":[{"text":{"body":"one"}},{"text":{"body":"two"}}]}"#;
    assert_eq!(names(nameless).len(), 2);
    let same = r#"{"statuses":[{"id":"w","status":"sent"},{"id":"w","status":"sent","recipient_id":"1"}]}"#;
    assert_eq!(names(same).len(), 1);
    let whole = r#"{"messages":[{"id":"w","type":"unsupported"},{"id":"w","type":"text"}]}"#;
    assert_eq!(names(whole).len(), 2, "what could not be shown came whole");
}

#[test]
fn odd_types_count_as_missing() {
    let odd = messages(
        r#"{"metadata":7,"contacts":{"a":1},"messages":[7,null,{"id":{"x":[]},"from":12,"type":["text"]},"m"],
            "statuses":"none","messages2":[]}"#,
    );
    assert_eq!((odd.kind, odd.items.len()), (Kind::MessageReceived, 4));
    assert_eq!(odd.items[2].conversation, "12");
    assert_eq!(odd.address.phone_number, None);
    for value in ["null", "[]", "7", "\"x\"", "{}", r#"{"messages":{}}"#, r#"{"event":"x"}"#] {
        assert_eq!(messages(value).kind, Kind::Other, "{value}");
    }
    let twice = messages(r#"{"statuses":[{"id":"a","id":"b","status":"sent"}]}"#);
    assert_eq!(twice.items[0].message, "out b", "of a key that comes twice the last counts");
}

#[test]
fn half_a_character_hides_nothing() {
    let body = r#"{"entry":[{"id":"1","changes":[{"field":"messages","value":{"contacts":[{"profile":{"name":"Ana \ud83d"},"wa_id":"1"}],
        "messages":[{"id":"a\udc00","from":"1","type":"text","text":{"body":"\\ud83d \ud83d\ude00"}}]}}]}]}"#;
    let change = &Change::all(body)[0];
    let understood = Understood::of(change);
    assert_eq!((understood.kind, understood.items.len()), (Kind::MessageReceived, 1));
    assert_eq!(understood.items[0].message, "in a\u{fffd}");
    let json = change.json();
    assert_eq!(json["contacts"][0]["profile"]["name"], "Ana \u{fffd}");
    assert_eq!(json["messages"][0]["text"]["body"], "\\ud83d \u{1f600}");
}

/// Small, and the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }
}

/// Bytes of real webhooks cut out, doubled, swapped and replaced: whatever comes of it, it is read as far as it goes.
#[test]
fn whatever_the_json_says_nothing_panics() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/webhooks");
    let mut dice = Dice(7);
    let mut seen = 0;
    for folder in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(folder).unwrap() {
            let whole = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for _ in 0..60 {
                let mut bytes = whole.clone().into_bytes();
                for _ in 0..=dice.below(4) {
                    let (at, length) = (dice.below(bytes.len()), dice.below(12));
                    let end = (at + length).min(bytes.len());
                    let with: &[u8] =
                        [&b""[..], b"{", b"]", b"\"", b"null", b",", b"\\u0000", b"1e999", b"[[[[", b"\\ud83d"]
                            [dice.below(10)];
                    bytes.splice(at..end, with.iter().copied());
                }
                let body = String::from_utf8_lossy(&bytes);
                for change in Change::all(&body) {
                    let understood = Understood::of(&change);
                    assert!(understood.detail.chars().count() <= LONGEST_DETAIL + 1);
                    seen += understood.items.len();
                }
            }
        }
    }
    assert!(seen > 200, "most of what is left can be read: {seen}");
}
