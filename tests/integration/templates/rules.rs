//! Meta's rules: at the fields before anything is sent, and the sandbox holds to the same.

use super::{written::form, *};

on_both_engines!(faults_stand_at_their_fields, metas_answer_stands_at_its_field, there_is_room_for_so_many);

async fn faults_stand_at_their_fields(db: Database) {
    let world = World::start(db).await;
    let (browser, list, _) = connected(&world).await;
    eventually("the first reading is over", || async { (states(&world).await == Some(0)).then_some(()) }).await;
    browser.get(&format!("{list}/new")).await;
    world.meta.forget_calls();
    let (long, long_footer) = ("a word ".repeat(200), "f".repeat(61));
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: &[Case<'_>] = &[
        (&[("name", "Order Ready!")], "name", "such as order_ready"),
        (&[("language", "xx")], "language", "Choose the language"),
        (&[("category", "")], "category", "what the message is for"),
        (&[("header_text", "*Bold* news")], "header_text", "emoji or formatting"),
        (&[("header_text", "{{1}} and {{2}}")], "header_text", "one variable"),
        (&[("body", "{{1}}, your order {{2}} waits for you at our shop.")], "body", "begin with a variable"),
        (&[("body", "At our shop your order waits for you, {{1}}")], "body", "end with a variable"),
        (&[("body", "Hello {{1}} {{2}}, your order waits at our shop.")], "body", "next to each other"),
        (&[("body", "Hello {{1}}, your order {{3}} waits for you at our shop.")], "body", "{{2}} is missing"),
        (
            &[("body", "Hello {{1}}, your order {{order}} waits for you at our shop.")],
            "body",
            "either numbers or names",
        ),
        (&[("body", "Hello {{First Name}}, your order waits for you at our shop.")], "body", "{{first_name}}"),
        (&[("body", "Hello {{1}, your order waits for you at our shop.")], "body", "braces"),
        (&[("body", "Hi {{1}} or {{2}} end")], "body", "too many variables"),
        (&[("body", &long)], "body", "characters too many"),
        (&[("footer", &long_footer)], "footer", "1 characters too many"),
        (&[("footer", "For {{1}}")], "footer", "can’t have variables"),
        (&[("sample_key", "body:2"), ("sample_value", "x")], "sample-body:1", "Write an example"),
    ];
    for (changes, field, text) in cases {
        let page = browser.post(&format!("{list}/new"), &form(changes)).await;
        assert_eq!(page.status, 422, "{changes:?}");
        let error = page.text.split(&format!("id=\"{field}-error\"")).nth(1);
        let said = match (error, *field) {
            (Some(error), _) => error.split("</p>").next().unwrap().to_owned(),
            (None, _) => panic!("{field} has no error: {}", page.words()),
        };
        assert!(said.contains(text), "{changes:?}: {said}");
    }
    let created = world.meta.calls().into_iter().filter(|call| call.method == Method::POST).count();
    assert_eq!(created, 0, "nothing was sent to Meta");
}

async fn metas_answer_stands_at_its_field(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    eventually("the first reading is over", || async { (states(&world).await == Some(0)).then_some(()) }).await;
    // Made at Meta, and not read here yet.
    control(&world, json!({"waba_id": waba, "make": 1, "told": false})).await;
    browser.get(&format!("{list}/new")).await;
    let taken = browser.post(&format!("{list}/new"), &form(&[("name", "order_confirmation_0001")])).await;
    assert_eq!(taken.status, 422);
    let error = taken.text.split("id=\"language-error\"").nth(1).expect("at the language").to_owned();
    assert!(error.contains("Meta has a template of this name in this language"), "{}", taken.words());
    assert!(taken.words().contains("2388024"), "the code stands in the details");
}

async fn there_is_room_for_so_many(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    control(&world, json!({"waba_id": waba, "make": 250})).await;
    read_all(&world, &browser, &list).await;
    browser.get(&format!("{list}/new")).await;
    let full = browser.post(&format!("{list}/new"), &form(&[])).await;
    assert!(full.status == 422 && full.words().contains("may have 250"), "{}", full.words());
    // Of a business that was verified since there may be more.
    control(&world, json!({"waba_id": waba, "verified": true})).await;
    let room = browser.post(&format!("{list}/new"), &form(&[])).await;
    assert_eq!(room.status, 303, "{}", room.words());
    // A hundred an hour: ninety-nine more are counted as made.
    let mut tx = world.portal.store.write().await.unwrap();
    for n in 0..99 {
        doorway::store::query(
            "INSERT INTO template_acts (id, waba_id, name, act, at) VALUES ($1, $2, 'x', 'created', $3)",
        )
        .bind(format!("act-{n}"))
        .bind(&waba)
        .bind(world.clock.now())
        .execute(&mut tx)
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    let other =
        form(&[("name", "order_late"), ("body", "Hello {{1}}, your order {{2}} comes a little later than we said.")]);
    let hasty = browser.post(&format!("{list}/new"), &other).await;
    assert!(hasty.status == 422 && hasty.words().contains("100 new templates an hour"), "{}", hasty.words());
    world.advance(3_601);
    assert_eq!(browser.post(&format!("{list}/new"), &other).await.status, 303);
}
