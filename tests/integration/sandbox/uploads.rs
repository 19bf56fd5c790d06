//! The Resumable Upload API: by hand, and as the portal's client goes about it.

use super::*;
use axum::body::Bytes;
use doorway::graph::{Access, Client, FileUpload};

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n and forty more bytes of what is no picture";

async fn start(sandbox: &Running, token: &str, query: &str) -> Answer {
    sandbox.graph(Method::POST, &format!("/{APP_ID}/uploads?{query}"), token).await
}

async fn session(sandbox: &Running, token: &str) -> String {
    let query = format!("file_name=logo.png&file_length={}&file_type=image/png", PICTURE.len());
    text(&start(sandbox, token, &query).await.json()["id"])
}

/// A call to a session with this `Authorization`.
async fn to(sandbox: &Running, id: &str, authorization: &str, part: Option<(usize, &[u8])>) -> Answer {
    let method = if part.is_some() { Method::POST } else { Method::GET };
    let token = authorization.split(' ').next_back().unwrap();
    let proof = hmac(SECRET, token.as_bytes());
    let request = sandbox.request(method, &format!("/v25.0/{id}&appsecret_proof={proof}"));
    let mut request = request.header("authorization", authorization);
    if let Some((offset, bytes)) = part {
        request = request.header("file_offset", offset).body(bytes.to_vec());
    }
    sandbox.send(request).await
}

#[tokio::test]
async fn a_file_goes_in_parts_and_a_session_says_how_far_it_is() {
    let sandbox = Running::start().await;
    let (token, _) = sandbox.token(&[]).await;
    let oauth = format!("OAuth {token}");
    let id = session(&sandbox, &token).await;
    assert!(id.starts_with("upload:") && id.contains("?sig="), "{id}");
    let first = to(&sandbox, &id, &oauth, Some((0, &PICTURE[..10]))).await.json();
    assert!(first.get("h").is_none(), "{first}");
    let far = to(&sandbox, &id, &oauth, None).await.json();
    assert_eq!(far["file_offset"], "10");
    // Not from elsewhere, and not more than was said.
    assert_eq!(to(&sandbox, &id, &oauth, Some((0, PICTURE))).await.error().0, 100);
    assert_eq!(to(&sandbox, &id, &oauth, Some((10, PICTURE))).await.error().0, 100);
    let handle = text(&to(&sandbox, &id, &oauth, Some((10, &PICTURE[10..]))).await.json()["h"]);
    // Name and type in base64.
    assert!(handle.starts_with("4:bG9nby5wbmc=:aW1hZ2UvcG5n:"), "{handle}");
}

#[tokio::test]
async fn what_meta_refuses_is_refused() {
    let sandbox = Running::start().await;
    let (token, _) = sandbox.token(&[]).await;
    for query in [
        "file_length=5&file_type=image/gif",
        "file_length=0&file_type=image/png",
        "file_length=x&file_type=image/png",
        "file_type=image/png",
        "file_length=5",
    ] {
        assert_eq!(start(&sandbox, &token, query).await.error().0, 100, "{query}");
    }
    let app = format!("{APP_ID}|{SECRET}");
    assert_eq!(start(&sandbox, &app, "file_length=5&file_type=image/png").await.error().0, 200);
    let id = session(&sandbox, &token).await;
    // The token's scheme is OAuth, and a session is its maker's.
    assert_eq!(to(&sandbox, &id, &format!("Bearer {token}"), Some((0, PICTURE))).await.error().0, 190);
    let (other, _) = sandbox.token(&[]).await;
    assert_eq!(to(&sandbox, &id, &format!("OAuth {other}"), Some((0, PICTURE))).await.error(), (100, Some(33)));
    let forged = id.replace("?sig=", "?sig=x");
    assert_eq!(to(&sandbox, &forged, &format!("OAuth {token}"), None).await.error(), (100, Some(33)));
}

fn client(sandbox: &Running) -> Client {
    Client::new(sandbox.http.clone(), sandbox.origin.parse().unwrap(), "v25.0".to_owned())
}

fn file() -> FileUpload {
    let bytes = Bytes::from(vec![7_u8; 300_000]);
    FileUpload { name: "logo.png".to_owned(), mime_type: "image/png".to_owned(), bytes }
}

#[tokio::test]
async fn an_upload_that_breaks_off_goes_on_where_it_stopped() {
    let sandbox = Running::start().await;
    let (token, _) = sandbox.token(&[]).await;
    let fault = json!({"fault": "graph_down", "times": 1, "path": "upload:"});
    sandbox.control(Method::POST, "faults", fault).await;
    let access = Access::new(token.into(), SECRET.into());
    let handle = client(&sandbox).upload(&access, Some(&APP_ID.parse().unwrap()), &file()).await.unwrap();
    assert!(handle.starts_with("4:"), "{handle}");
    let state: Value =
        serde_json::from_slice(&std::fs::read(sandbox.dir.path().join("sandbox.json")).unwrap()).unwrap();
    let upload = &state["uploads"][0];
    assert_eq!((&upload["offset"], &upload["handle"]), (&json!(300_000), &json!(handle)));
    let kept = std::fs::read(sandbox.dir.path().join(format!("media-{}", text(&upload["file"])))).unwrap();
    assert_eq!(kept, file().bytes);
    let seen = sandbox.control(Method::GET, "requests", json!({})).await;
    let methods: Vec<_> = seen["requests"].as_array().unwrap().iter().map(|call| text(&call["method"])).collect();
    // Began, broke off, asked, went on.
    assert_eq!(methods[methods.len() - 4..], ["POST", "POST", "GET", "POST"], "{seen}");
}

#[tokio::test]
async fn without_an_apps_id_it_is_the_tokens_own_app() {
    let sandbox = Running::start().await;
    let (token, _) = sandbox.token(&[]).await;
    let access = Access::new(token.into(), SECRET.into());
    assert!(client(&sandbox).upload(&access, None, &file()).await.is_ok());
    let odd = FileUpload { mime_type: "image/gif".to_owned(), ..file() };
    assert!(client(&sandbox).upload(&access, None, &odd).await.is_err());
}

#[tokio::test]
async fn where_a_role_on_the_app_is_asked_for_the_customers_token_is_refused() {
    let sandbox = Running::start().await;
    let (token, _) = sandbox.token(&[]).await;
    sandbox.control(Method::POST, "dashboard", json!({"uploads_need_role": true})).await;
    let query = "file_length=5&file_type=image/png";
    assert_eq!(start(&sandbox, &token, query).await.error().0, 200);
    assert_eq!(start(&sandbox, SYSTEM, query).await.status, 200);
}
