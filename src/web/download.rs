//! A JSON file for downloading, written piece by piece: what is told of a customer may be more than fits in memory.

use super::Error;
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use std::future::Future;
use tokio::sync::mpsc;

/// How many pieces wait for the reader at most.
const AHEAD: usize = 8;
/// A piece is sent when it has grown to so many bytes.
const PIECE: usize = 32 * 1024;

/// Why a file was not written to its end.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// Nobody reads it any more.
    #[error("nobody reads it any more")]
    Gone,
    /// What was to be written could not be had.
    #[error(transparent)]
    Source(Box<dyn std::error::Error + Send + Sync>),
}

impl From<crate::store::StoreError> for DownloadError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Source(Box::new(error))
    }
}

/// Writes one JSON object: values and lists under their names.
pub struct JsonFile {
    out: mpsc::Sender<std::io::Result<Bytes>>,
    piece: String,
    /// Whether something stands before in the object, and in the open list.
    first: (bool, bool),
}

impl JsonFile {
    /// A value.
    ///
    /// # Errors
    /// [`DownloadError::Gone`]; so for all below.
    pub async fn value(&mut self, name: &str, value: &Value) -> Result<(), DownloadError> {
        self.name(name);
        self.piece.push_str(&value.to_string());
        self.send(PIECE).await
    }

    /// Begins a list, which [`JsonFile::item`] fills and [`JsonFile::end_list`] ends.
    pub fn begin_list(&mut self, name: &str) {
        self.name(name);
        self.piece.push('[');
        self.first.1 = true;
    }

    /// An item of the list that was begun.
    ///
    /// # Errors
    /// See [`JsonFile::value`].
    pub async fn item(&mut self, item: &Value) -> Result<(), DownloadError> {
        self.piece.push_str(if self.first.1 { "\n    " } else { ",\n    " });
        self.first.1 = false;
        self.piece.push_str(&item.to_string());
        self.send(PIECE).await
    }

    /// Ends the list that was begun.
    pub fn end_list(&mut self) {
        self.piece.push_str(if self.first.1 { "]" } else { "\n  ]" });
    }

    /// A whole list.
    ///
    /// # Errors
    /// See [`JsonFile::value`].
    pub async fn list(&mut self, name: &str, items: &[Value]) -> Result<(), DownloadError> {
        self.begin_list(name);
        for item in items {
            self.item(item).await?;
        }
        self.end_list();
        Ok(())
    }

    fn name(&mut self, name: &str) {
        self.piece.push_str(if self.first.0 { "{\n  " } else { ",\n  " });
        self.first.0 = false;
        self.piece.push_str(&Value::from(name).to_string());
        self.piece.push_str(": ");
    }

    async fn send(&mut self, at_least: usize) -> Result<(), DownloadError> {
        if self.piece.len() < at_least {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        self.out.send(Ok(piece)).await.map_err(|_| DownloadError::Gone)
    }

    async fn finish(mut self) -> Result<(), DownloadError> {
        self.piece.push_str("\n}\n");
        self.send(0).await
    }
}

/// Answers with a file of this name, which `write` fills. Where that fails, the download breaks off, so that half
/// a file is not taken for a whole one.
pub fn json_file<Fut>(name: &str, write: impl FnOnce(JsonFile) -> Fut) -> Result<Response, Error>
where
    Fut: Future<Output = Result<JsonFile, DownloadError>> + Send + 'static,
{
    let (out, mut pieces) = mpsc::channel(AHEAD);
    let failed = out.clone();
    let writing = write(JsonFile { out, piece: String::new(), first: (true, true) });
    tokio::spawn(async move {
        let written = match writing.await {
            Ok(file) => file.finish().await,
            Err(error) => Err(error),
        };
        if let Err(DownloadError::Source(error)) = written {
            tracing::error!(%error, "a download broke off");
            // Nobody there to be told is no further fault.
            let _ = failed.send(Err(std::io::Error::other("the file is not complete"))).await;
        }
    });
    let stream = futures_util::stream::poll_fn(move |context| pieces.poll_recv(context));
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).map_err(Error::internal)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8")),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}
