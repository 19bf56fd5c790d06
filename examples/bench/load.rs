//! The load: signed status webhooks, all different but for some that come twice, over connections that stay open.

use super::{Outcome, data::Owners, server::SECRET};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// How many connections there are.
pub const CONNECTIONS: u64 = 64;
/// One request in so many comes twice.
const TWICE: u64 = 50;

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answered {
    /// How many requests were answered 200.
    pub requests: u64,
    /// How many were not.
    pub refused: u64,
    /// How many requests came twice.
    pub twice: u64,
    pub elapsed: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// Requests for a while: as fast as they are answered, or so many a second.
pub async fn run(
    port: u16,
    owners: &Owners,
    from: u64,
    updates: u64,
    time: Duration,
    rate: Option<u64>,
) -> Outcome<Answered> {
    let next = Arc::new(AtomicU64::new(from));
    let key = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key length will do");
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for at in 0..CONNECTIONS {
        let (next, key, owners) = (next.clone(), key.clone(), owners.clone());
        let pace = rate.map(|rate| Duration::from_secs_f64(CONNECTIONS as f64 / rate as f64));
        tasks.push(tokio::spawn(async move {
            let mut one = Connection::open(port, key, owners, updates).await?;
            let mut turn = pace.map(|pace| begin + pace.mul_f64(at as f64 / CONNECTIONS as f64));
            while begin.elapsed() < time {
                let mut started = Instant::now();
                if let (Some(turn), Some(pace)) = (turn.as_mut(), pace) {
                    if *turn > started {
                        tokio::time::sleep_until((*turn).into()).await;
                        started = Instant::now();
                    } else {
                        // It should have been sent while the one before was not answered.
                        started = *turn;
                    }
                    *turn += pace;
                }
                let number = next.fetch_add(1, Ordering::Relaxed);
                one.ask(number, started).await?;
            }
            Ok::<_, std::io::Error>(one)
        }));
    }
    let (mut answered, mut micros) = (Answered::default(), Vec::new());
    for task in tasks {
        let one = task.await??;
        micros.extend(one.micros);
        answered.refused += one.refused;
        answered.twice += one.twice;
    }
    answered.elapsed = begin.elapsed().as_secs_f64();
    answered.requests = micros.len() as u64;
    micros.sort_unstable();
    let at =
        |part: f64| micros.get(((micros.len() as f64 - 1.0) * part) as usize).map_or(0.0, |us| f64::from(*us) / 1e3);
    (answered.p50_ms, answered.p99_ms, answered.max_ms) = (at(0.5), at(0.99), at(1.0));
    Ok(answered)
}

struct Connection {
    stream: TcpStream,
    key: Hmac<Sha256>,
    owners: Owners,
    updates: u64,
    body: String,
    request: Vec<u8>,
    answer: Vec<u8>,
    micros: Vec<u32>,
    refused: u64,
    twice: u64,
}

impl Connection {
    async fn open(port: u16, key: Hmac<Sha256>, owners: Owners, updates: u64) -> std::io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let (body, request, answer) = (String::new(), Vec::new(), vec![0; 4096]);
        Ok(Self { stream, key, owners, updates, body, request, answer, micros: Vec::new(), refused: 0, twice: 0 })
    }

    /// One request and its answer.
    async fn ask(&mut self, number: u64, started: Instant) -> std::io::Result<()> {
        // Those that come twice say what the one before them said, which by then was sent on another connection.
        let again = number % TWICE == TWICE - 1;
        self.twice += u64::from(again);
        self.write(if again { number - 1 } else { number });
        self.stream.write_all(&self.request).await?;
        let mut read = 0;
        let is_ok = loop {
            let n = self.stream.read(&mut self.answer[read..]).await?;
            if n == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            read += n;
            // Answers have no body.
            if self.answer[..read].ends_with(b"\r\n\r\n") {
                break self.answer.starts_with(b"HTTP/1.1 200");
            }
        };
        if is_ok {
            self.micros.push(u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX));
        } else {
            self.refused += 1;
        }
        Ok(())
    }

    /// A message's statuses come one after the other: sent, delivered, read. The shape is that of Meta's page
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status>.
    fn write(&mut self, number: u64) {
        self.body.clear();
        self.body.push_str("{\"object\":\"whatsapp_business_account\",\"entry\":[");
        for at in 0..self.updates {
            let update = number * self.updates + at;
            let (waba, phone) = self.owners.of(update);
            // The second and third status of a message come 3,000 updates after the one before.
            let (block, within) = (update / 9_000, update % 9_000);
            let (status, message) =
                (["sent", "delivered", "read"][(within / 3_000) as usize], block * 3_000 + within % 3_000);
            let comma = if at == 0 { "" } else { "," };
            write!(
                self.body,
                "{comma}{{\"id\":\"{waba}\",\"changes\":[{{\"value\":{{\"messaging_product\":\"whatsapp\",\"metadata\":\
                 {{\"display_phone_number\":\"15550783881\",\"phone_number_id\":\"{phone}\"}},\"statuses\":[{{\"id\":\
                 \"wamid.HBgLMTY0NjcwNDM1OTUVAgARGBI{message:024X}\",\"status\":\"{status}\",\"timestamp\":\"1750263773\",\
                 \"recipient_id\":\"1646{:07}\",\"conversation\":{{\"id\":\"b1a0d2a2c4a5e1b2c3d4e5f6a7b8c9d0\",\
                 \"expiration_timestamp\":\"1750350180\",\"origin\":{{\"type\":\"marketing\"}}}},\"pricing\":{{\"billable\":\
                 true,\"pricing_model\":\"PMP\",\"type\":\"regular\",\"category\":\"marketing\"}}}}]}},\"field\":\"messages\"}}]}}",
                message % 10_000_000
            )
            .expect("a String takes everything");
        }
        self.body.push_str("]}");
        let signature = self.key.clone().chain_update(&self.body).finalize().into_bytes();
        self.request.clear();
        self.request.extend_from_slice(b"POST /webhooks/whatsapp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nx-hub-signature-256: sha256=");
        self.request.extend_from_slice(hex::encode(signature).as_bytes());
        self.request.extend_from_slice(format!("\r\ncontent-length: {}\r\n\r\n", self.body.len()).as_bytes());
        self.request.extend_from_slice(self.body.as_bytes());
    }
}
