//! No other site can make a browser do something here.

use super::*;
use http::Method;

on_both_engines!(forms_need_their_token, requests_of_other_sites_are_refused, scripts_need_their_token);

const FORMS: [(&str, &str); 7] = [
    ("/settings/account", "name"),
    ("/settings/password", "new"),
    ("/settings/sessions/end", "x"),
    ("/signout", "x"),
    ("/connect/oauth", "x"),
    ("/connections/CONNECTION/rename", "name"),
    ("/connections/CONNECTION/disconnect", "deregister"),
];

/// A customer with a connection, and the addresses of all forms.
async fn ready(world: &World) -> (Browser, Vec<(String, &'static str)>) {
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _) = world.connect(&browser, &[]).await;
    let forms = FORMS.iter().map(|(path, field)| (path.replace("/connections/CONNECTION", &connection), *field));
    (browser, forms.collect())
}

async fn nothing_happened(world: &World, browser: &Browser) {
    assert!(browser.is_signed_in().await);
    assert_eq!(world.column("SELECT state FROM connections", "state").await.as_deref(), Some("active"));
    assert_eq!(world.column("SELECT name FROM users", "name").await.as_deref(), Some("Maria Test"));
    assert_eq!(world.number("SELECT count(*) AS n FROM signup_attempts", "n").await, Some(1));
}

async fn forms_need_their_token(db: Database) {
    let world = World::start(db).await;
    let (browser, forms) = ready(&world).await;
    let other = world.customer("Corner Shop").await;
    let stolen = other.csrf();
    for (path, field) in &forms {
        let post = || browser.own(browser.request(Method::POST, path));
        let without = browser.send(post().form(&[(*field, "x")])).await;
        assert_eq!(without.status, 403, "{path}");
        for token in ["", "wrong", stolen.as_str()] {
            let refused = browser.send(post().form(&[("csrf", token), (*field, "x")])).await;
            assert_eq!(refused.status, 403, "{path} {token}");
            says(&refused, &["This form is out of date"]);
        }
        // A form of another kind is none.
        let json = browser.send(post().json(&json!({"csrf": browser.csrf(), *field: "x"}))).await;
        assert_eq!(json.status, 400, "{path}");
    }
    let nobody = world.anonymous();
    nobody.get("/signin").await;
    let form = [("email", "a@example.org"), ("password", "x"), ("csrf", "wrong")];
    let refused = nobody.send(nobody.own(nobody.request(Method::POST, "/signin")).form(&form)).await;
    assert_eq!(refused.status, 403, "nor can somebody be signed in as somebody else");
    let owner = world.column("SELECT name FROM users WHERE email LIKE 'harbour%'", "name").await;
    assert_eq!(owner.as_deref(), Some("Maria Test"));
    assert!(browser.is_signed_in().await);
    assert_eq!(world.column("SELECT state FROM connections", "state").await.as_deref(), Some("active"));
}

async fn requests_of_other_sites_are_refused(db: Database) {
    let world = World::start(db).await;
    let (browser, forms) = ready(&world).await;
    let csrf = browser.csrf();
    let own = browser.url.origin().ascii_serialization();
    for (path, field) in &forms {
        let send = |headers: &'static [(&'static str, &'static str)]| {
            let mut request = browser.request(Method::POST, path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            browser.send(request.form(&[("csrf", csrf.as_str()), (*field, "x")]))
        };
        assert_eq!(send(&[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]).await.status, 403);
        assert_eq!(send(&[("sec-fetch-site", "same-site"), ("origin", "http://x.localhost")]).await.status, 403);
        // An older browser, without Sec-Fetch-Site.
        assert_eq!(send(&[("origin", "https://evil.example")]).await.status, 403, "{path}");
        assert_eq!(send(&[("origin", "null")]).await.status, 403, "{path}");
    }
    nothing_happened(&world, &browser).await;
    // The same from its own site is what it should be.
    let request = browser.request(Method::POST, "/settings/account").header("origin", own);
    let form = [("csrf", csrf.as_str()), ("name", "Maria Lopes")];
    assert_eq!(browser.send(request.form(&form)).await.location(), "/settings");
}

async fn scripts_need_their_token(db: Database) {
    let world = World::start(db).await;
    let (browser, _) = ready(&world).await;
    let attempt = world.column("SELECT id FROM signup_attempts", "id").await.unwrap();
    let url = format!("/connect/attempts/{attempt}");
    for path in ["/connect/attempts".to_owned(), format!("{url}/event"), format!("{url}/code"), format!("{url}/closed")]
    {
        let body = json!({"code": "AQx"});
        let post = || browser.own(browser.request(Method::POST, &path)).json(&body);
        assert_eq!(browser.send(post()).await.status, 403, "{path}");
        let wrong = browser.send(post().header("x-csrf-token", "wrong")).await;
        assert_eq!(wrong.status, 403, "{path}");
        assert!(wrong.json()["error"]["request_id"].is_string());
        let request = browser.request(Method::POST, &path).header("origin", "https://evil.example").json(&body);
        let foreign = browser.send(request.header("x-csrf-token", browser.csrf())).await;
        assert_eq!(foreign.status, 403, "{path}");
    }
    nothing_happened(&world, &browser).await;
}
