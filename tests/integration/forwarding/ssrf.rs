//! Customers name addresses; none of them may lead inside.

use super::*;
use doorway::forwarding::ForwardingError;

on_both_engines!(an_endpoint_inside_is_refused_when_it_is_made, a_name_that_leads_inside_is_refused_when_it_is_called);

fn strict(config: &mut doorway::config::Config) {
    config.allow_private_endpoints = false;
}

async fn an_endpoint_inside_is_refused_when_it_is_made(db: Database) {
    let world = World::with(db, strict).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    for bad in [
        "http://example.org/hook",
        "ftp://example.org/hook",
        "file:///etc/passwd",
        "https://name:password@example.org/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://10.1.2.3:8443/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://168.63.129.16/",
        "https://[fd00:ec2::254]/",
        "https://0.0.0.0/",
    ] {
        let url: Url = bad.parse().unwrap();
        let refused = world.portal.forwarding.check_url(&url);
        assert!(matches!(refused, Err(ForwardingError::Url(_))), "{bad}");
    }
    for good in ["https://example.org/hook?token=1", "https://example.org:8443/", "https://93.184.216.34/"] {
        world.portal.forwarding.check_url(&good.parse().unwrap()).unwrap();
    }
    let new = world.portal.forwarding.endpoints(bakery.id).await.unwrap();
    assert!(new.is_empty());
}

async fn a_name_that_leads_inside_is_refused_when_it_is_called(db: Database) {
    let world = World::with(db, strict).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::start().await;
    // A name is looked up when it is called, each time: what it led to when the endpoint was made does not count.
    let port = receiver.url.port().unwrap();
    let named: Url = format!("https://localhost:{port}/hook").parse().unwrap();
    let endpoint = bakery.endpoint(&world, &named, Format::Meta).await;
    // One that was made before addresses inside were refused.
    let literal = bakery.endpoint(&world, &"https://example.org/".parse().unwrap(), Format::Meta).await;
    let mut tx = world.portal.store.write().await.unwrap();
    query("UPDATE endpoints SET url = $1 WHERE id = $2")
        .bind(receiver.url.to_string())
        .bind(literal)
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    bakery.hears(&world, "4915110000001", "a").await;
    for id in [endpoint, literal] {
        let attempt = eventually("an attempt", || async {
            world.portal.forwarding.attempts_of(id, 1).await.unwrap().into_iter().next()
        })
        .await;
        assert_eq!((attempt.status, attempt.error.as_deref()), (None, Some("refused_address")));
    }
    assert_eq!(receiver.len(), 0);
}
