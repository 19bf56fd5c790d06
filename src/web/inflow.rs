//! Bodies that machines send, and anybody on the internet may: they are read within a time, and all that are being
//! read hold no more memory than there is room for. Who must be refused by the headers is refused before.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// What a body may hold without asking for room, and by which it asks for more, in bytes. Nearly all bodies are
/// smaller, and cost nothing more than before.
const STEP: usize = 64 << 10;
/// How long the sender of a body has.
const TIME: Duration = Duration::from_secs(15);

/// The room for bodies of one kind, in the whole process.
pub struct Inflow {
    most: usize,
    /// In steps.
    room: Semaphore,
    time: Duration,
}

/// A body, and the room that it takes until this is dropped.
pub struct Taken {
    /// It.
    pub body: Bytes,
    _room: Option<SemaphorePermit<'static>>,
}

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It is larger than any may be.
    #[error("the body is too large")]
    TooLarge,
    /// Too many large ones come at once: the sender should come again.
    #[error("too many bodies are being read")]
    Full,
    /// It did not come in time.
    #[error("the body did not come in time")]
    Slow,
    /// The connection broke, or what came was no body.
    #[error("the body could not be read")]
    Broken,
}

impl IntoResponse for NotTaken {
    fn into_response(self) -> Response {
        let status = match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        };
        status.into_response()
    }
}

impl Inflow {
    /// Bodies of at most this many bytes; `room` is for what is beyond the first 64 KiB of each.
    #[must_use]
    pub const fn new(most: usize, room: usize) -> Self {
        Self { most, room: Semaphore::const_new(room / STEP), time: TIME }
    }

    /// Reads a body to its end.
    ///
    /// # Errors
    /// See [`NotTaken`].
    pub async fn take(&'static self, headers: &HeaderMap, body: Body) -> Result<Taken, NotTaken> {
        let announced = headers.get(header::CONTENT_LENGTH).and_then(|text| text.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes > self.most as u64) {
            return Err(NotTaken::TooLarge);
        }
        tokio::time::timeout(self.time, self.read(body)).await.unwrap_or(Err(NotTaken::Slow))
    }

    /// Room is taken for what has come, not for what was announced: announcing costs nothing.
    async fn read(&'static self, body: Body) -> Result<Taken, NotTaken> {
        let mut pieces = body.into_data_stream();
        let mut room: Option<SemaphorePermit<'static>> = None;
        let mut first = Bytes::new();
        let mut all: Vec<u8> = Vec::new();
        let mut read = 0;
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| NotTaken::Broken)?;
            read += piece.len();
            if read > self.most {
                return Err(NotTaken::TooLarge);
            }
            let wanted = read.saturating_sub(1) / STEP;
            let held = room.as_ref().map_or(0, SemaphorePermit::num_permits);
            if wanted > held {
                let more = u32::try_from(wanted - held).unwrap_or(u32::MAX);
                let more = self.room.try_acquire_many(more).map_err(|_| NotTaken::Full)?;
                match &mut room {
                    Some(room) => room.merge(more),
                    None => room = Some(more),
                }
            }
            // Most bodies come in one piece, which is not copied.
            if read == piece.len() {
                first = piece;
                continue;
            }
            if all.is_empty() {
                all.extend_from_slice(&first);
                first = Bytes::new();
            }
            all.extend_from_slice(&piece);
        }
        let body = if all.is_empty() { first } else { all.into() };
        Ok(Taken { body, _room: room })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::convert::Infallible;

    fn inflow(most: usize, room: usize, time: Duration) -> &'static Inflow {
        Box::leak(Box::new(Inflow { time, ..Inflow::new(most, room) }))
    }

    fn pieces(sizes: &[usize]) -> Body {
        let pieces = sizes.iter().map(|size| Ok::<_, Infallible>(Bytes::from(vec![b'x'; *size])));
        Body::from_stream(stream::iter(pieces.collect::<Vec<_>>()))
    }

    #[tokio::test]
    async fn a_body_is_whole_however_it_comes() {
        let inflow = inflow(4 * STEP, 4 * STEP, TIME);
        for sizes in [&[][..], &[0], &[7], &[0, 7, 0, 9], &[STEP, STEP + 1, 3]] {
            let taken = inflow.take(&HeaderMap::new(), pieces(sizes)).await.ok().unwrap();
            assert_eq!(taken.body.len(), sizes.iter().sum::<usize>(), "{sizes:?}");
        }
        assert_eq!(inflow.room.available_permits(), 4, "room is given back");
    }

    #[tokio::test]
    async fn large_ones_share_the_room_and_small_ones_need_none() {
        let inflow = inflow(4 * STEP, 3 * STEP, TIME);
        let none = HeaderMap::new();
        let held = inflow.take(&none, pieces(&[2 * STEP, STEP])).await.ok().unwrap();
        assert_eq!(inflow.room.available_permits(), 1);
        assert_eq!(inflow.take(&none, pieces(&[3 * STEP])).await.err(), Some(NotTaken::Full));
        assert_eq!(inflow.room.available_permits(), 1, "what was refused holds nothing");
        let _second = inflow.take(&none, pieces(&[2 * STEP])).await.ok().unwrap();
        assert!(inflow.take(&none, pieces(&[STEP])).await.is_ok(), "a small one needs no room");
        drop(held);
        assert!(inflow.take(&none, pieces(&[3 * STEP])).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_too_large_or_too_slow_is_refused() {
        let inflow = inflow(STEP, STEP, Duration::from_millis(50));
        let mut headers = HeaderMap::new();
        assert_eq!(inflow.take(&headers, pieces(&[STEP, 1])).await.err(), Some(NotTaken::TooLarge));
        headers.insert(header::CONTENT_LENGTH, (STEP + 1).into());
        let unread = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        assert_eq!(inflow.take(&headers, unread).await.err(), Some(NotTaken::TooLarge), "without reading it");
        let begun = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]).chain(stream::pending());
        let slow = inflow.take(&HeaderMap::new(), Body::from_stream(begun)).await;
        assert_eq!(slow.err(), Some(NotTaken::Slow));
    }
}
