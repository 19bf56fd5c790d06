//! A customer's server: it answers Meta's handshake as it is told, and keeps what comes.

use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    response::{IntoResponse, Response},
    routing,
};
use http::{HeaderMap, StatusCode};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

/// What it does with the handshake.
#[derive(Clone, Copy, Debug)]
pub enum Handshake {
    /// What every WhatsApp library does.
    Answered,
    /// It knows another word.
    OtherWord,
    /// It answers 200 whatever comes.
    Blind,
    Status(u16),
}

#[derive(Clone)]
pub struct Server {
    /// Its address, with a query of its own.
    pub url: String,
    pub handshakes: Arc<Mutex<Vec<HashMap<String, String>>>>,
    pub calls: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    does: Handshake,
}

/// The word that it knows.
pub const WORD: &str = "the word of my server";

impl Server {
    pub async fn start(does: Handshake) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in?shop=7", listener.local_addr().unwrap());
        let server = Self { url, handshakes: Arc::default(), calls: Arc::default(), does };
        let router = Router::new().route("/in", routing::get(handshake).post(call)).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        server
    }
}

async fn handshake(State(server): State<Server>, Query(query): Query<HashMap<String, String>>) -> Response {
    server.handshakes.lock().unwrap().push(query.clone());
    let knows = query.get("hub.verify_token").is_some_and(|word| word == WORD);
    match server.does {
        Handshake::Answered if knows && query["hub.mode"] == "subscribe" => {
            query["hub.challenge"].clone().into_response()
        }
        Handshake::Answered | Handshake::OtherWord => StatusCode::FORBIDDEN.into_response(),
        Handshake::Blind => "OK".into_response(),
        Handshake::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
    }
}

async fn call(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> StatusCode {
    server.calls.lock().unwrap().push((headers, body));
    StatusCode::OK
}
