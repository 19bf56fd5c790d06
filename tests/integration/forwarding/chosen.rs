//! Endpoints get what they chose, and nothing else.

use super::*;
use doorway::forwarding::Replay;

on_both_engines!(each_kind_in_a_change_goes_to_those_who_chose_it, accounts_and_numbers_decide_who_is_called);

/// Waits until each of these has been called so often, and a moment more.
async fn all_called(receivers: &[(&Receiver, usize)]) {
    for (receiver, n) in receivers {
        receiver.calls(*n).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    let calls: Vec<usize> = receivers.iter().map(|(receiver, _)| receiver.len()).collect();
    assert_eq!(calls, receivers.iter().map(|(_, n)| *n).collect::<Vec<_>>());
}

async fn each_kind_in_a_change_goes_to_those_who_chose_it(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let mut of = Vec::new();
    for (format, kind) in [
        (Format::Events, Kind::MessageReceived),
        (Format::Events, Kind::MessageStatus),
        (Format::MoDlr, Kind::MessageReceived),
        (Format::MoDlr, Kind::MessageStatus),
        (Format::Meta, Kind::MessageStatus),
        (Format::Events, Kind::AccountReviewed),
    ] {
        let receiver = Receiver::start().await;
        let endpoint = bakery.endpoint_for(&world, Some(receiver.url.clone()), format, Some(vec![kind])).await;
        of.push((receiver, endpoint));
    }
    let text = json!({"from": "4915110000001", "id": "wamid.in", "timestamp": "1750000000", "type": "text", "text": {"body": "hello"}});
    let status =
        json!({"id": "wamid.out", "status": "sent", "timestamp": "1750000000", "recipient_id": "4915110000002"});
    let both = json!({"messages": [text], "statuses": [status]});
    assert_eq!(post(&world.anonymous(), &change(&bakery.waba, &bakery.number, &both)).await, 200);
    let calls = |n: usize| of.iter().map(move |(receiver, _)| (receiver, n)).take(5).chain([(&of[5].0, 0)]);
    all_called(&calls(1).collect::<Vec<_>>()).await;
    let told = |at: usize| of[at].0.got().into_iter().map(|got| got.message).collect::<Vec<_>>();
    assert_eq!([told(0), told(1), told(2), told(3)], [["in"], ["out"], ["in"], ["out"]]);
    let whole = &of[4].0.got()[0].body;
    assert!(whole.contains("wamid.in") && whole.contains("wamid.out"), "Meta's format has the whole change: {whole}");
    let awaited = "SELECT count(*) AS n FROM awaited_receipts";
    assert_eq!(world.number(awaited, "n").await, Some(1), "by whoever wants statuses");
    // Sent again, to all who want it and to one.
    let event = deliveries(&world, of[0].1).await[0].event.unwrap();
    let forwarding = &world.portal.forwarding;
    let again = |replay| forwarding.replay(&world.portal.webhooks, &bakery.user, bakery.id, replay);
    again(Replay::Events(vec![event])).await.unwrap();
    all_called(&calls(2).collect::<Vec<_>>()).await;
    again(Replay::To { endpoint: of[1].1, events: vec![event] }).await.unwrap();
    again(Replay::To { endpoint: of[5].1, events: vec![event] }).await.unwrap();
    all_called(&[(&of[1].0, 3), (&of[5].0, 2)]).await;
    assert_eq!(told(1), ["out", "out", "out"]);
}

async fn accounts_and_numbers_decide_who_is_called(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let (_, signup) = world.connect(&bakery.browser, &[]).await;
    let second = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
    let first = (bakery.waba.clone(), bakery.number.clone());
    assert!(first.0 != second.0 && first.1 != second.1);
    let (by_first, by_second, by_account) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    for (receiver, waba, number) in
        [(&by_first, None, Some(&first.1)), (&by_second, None, Some(&second.1)), (&by_account, Some(&second.0), None)]
    {
        let new = NewEndpoint {
            customer: bakery.id,
            name: "Server".to_owned(),
            url: Some(receiver.url.clone()),
            format: Format::Meta,
            kinds: Some(vec![Kind::MessageReceived, Kind::AccountReviewed]),
            wabas: waba.map(|waba: &String| vec![waba.parse().unwrap()]),
            numbers: number.map(|number| vec![number.parse().unwrap()]),
            secret: None,
            verify_token: Some("word".into()),
        };
        world.portal.forwarding.create(&bakery.user, new).await.unwrap();
    }
    let meta = world.anonymous();
    assert_eq!(post(&meta, &message(&first.0, &first.1, "4915110000001", "first")).await, 200);
    assert_eq!(post(&meta, &message(&second.0, &second.1, "4915110000001", "second")).await, 200);
    all_called(&[(&by_first, 1), (&by_second, 1), (&by_account, 1)]).await;
    assert_eq!(messages(&by_first.got()), ["first"]);
    assert_eq!(messages(&by_second.got()), ["second"]);
    assert_eq!(messages(&by_account.got()), ["second"]);
    // What concerns no single number comes to whoever chose any, but not to whoever chose another account.
    let review = json!({"field": "account_review_update", "value": {"decision": "APPROVED"}});
    let review = json!({"object": "whatsapp_business_account", "entry": [{"id": first.0, "time": 1_750_000_000, "changes": [review]}]});
    assert_eq!(post(&meta, &review).await, 200);
    all_called(&[(&by_first, 2), (&by_second, 2), (&by_account, 1)]).await;
    assert!(by_second.got()[1].body.contains("account_review_update"));
}
