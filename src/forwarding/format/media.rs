//! Files that belong to messages: Meta hands them out to whoever has the business token, for a few days.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/media/media-api>

use super::room::Room;
use crate::base::ids::ConnectionId;
use futures_util::future::BoxFuture;

/// Where files come from.
pub trait Files: Send + Sync {
    /// Gets the file of this ID with the connection's token, once there is room for it. Bounded in size, and in time
    /// but for the time that it waits for room.
    fn fetch<'a>(&'a self, connection: ConnectionId, id: &'a str, room: &'a mut Room) -> BoxFuture<'a, Fetched>;
}

/// What was got of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It itself.
    File {
        /// Its MIME type, by Meta's word.
        mime_type: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// It could not be got.
    Not(NotFetched),
}

/// Why a file can't be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFetched {
    /// Meta does not have it (any more), or not for this connection.
    Gone,
    /// It is larger than what is put into a call.
    TooLarge,
    /// The connection has no token that works.
    NoAccess,
    /// Meta did not answer, or not well.
    Unavailable,
}

impl NotFetched {
    /// A word for machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::TooLarge => "too_large",
            Self::NoAccess => "no_access",
            Self::Unavailable => "unavailable",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Gone => "Meta does not hand out this file (any more).",
            Self::TooLarge => "The file is too large for a call. Fetch it from Meta by its ID.",
            Self::NoAccess => {
                "The access to Meta is not valid. Connect again, then fetch the file from Meta by its ID."
            }
            Self::Unavailable => "Meta did not hand out the file in time. Fetch it from Meta by its ID.",
        }
    }
}

/// A file's name where the sender gave it none: its kind and ID with the usual ending.
pub(super) fn name(kind: &str, id: &str, mime_type: &str) -> String {
    let bare = mime_type.split(';').next().unwrap_or_default().trim();
    let ending = match bare {
        "audio/ogg" => "ogg",
        "audio/mpeg" => "mp3",
        "audio/mp4" => "m4a",
        "audio/aac" => "aac",
        "audio/amr" => "amr",
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/webp" => "webp",
        "video/mp4" => "mp4",
        "video/3gpp" => "3gp",
        "application/pdf" => "pdf",
        "text/plain" => "txt",
        _ => "bin",
    };
    format!("{kind}-{id}.{ending}")
}
