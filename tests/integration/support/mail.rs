//! A mail server.

use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufStream},
    net::TcpListener,
};
use url::Url;

/// A mail server that takes everything: its address, and what it got, as it came over the wire.
pub async fn mail_server() -> (Url, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap()).parse().unwrap();
    let mails = Arc::new(Mutex::new(Vec::new()));
    let kept = mails.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let kept = kept.clone();
            tokio::spawn(async move {
                let mut stream = BufStream::new(stream);
                let (mut line, mut data) = (String::new(), None::<String>);
                stream.write_all(b"220 ready\r\n").await.unwrap();
                stream.flush().await.unwrap();
                while stream.read_line(&mut line).await.is_ok_and(|n| n > 0) {
                    let answer = match (&mut data, line.trim_end()) {
                        (Some(mail), ".") => {
                            kept.lock().unwrap().push(std::mem::take(mail));
                            data = None;
                            "250 taken"
                        }
                        (Some(mail), text) => {
                            mail.push_str(text);
                            mail.push('\n');
                            ""
                        }
                        (None, "DATA") => {
                            data = Some(String::new());
                            "354 go on"
                        }
                        (None, _) => "250 well",
                    };
                    if !answer.is_empty() {
                        stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
                        stream.flush().await.unwrap();
                    }
                    line.clear();
                }
            });
        }
    });
    (url, mails)
}

/// Has mails sent there.
pub fn mails_to(config: &mut doorway::config::Config, smtp: &Url) {
    config.smtp_url = Some(smtp.as_str().trim_end_matches('/').into());
    config.mail_from = Some("Portal <portal@operator.example>".to_owned());
}
