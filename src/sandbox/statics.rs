//! Stylesheet and scripts of the sandbox's pages, part of the binary.

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "static/sandbox/"]
pub(super) struct Files;

/// `GET /static/{file}`.
pub(super) async fn serve(Path(file): Path<String>) -> Response {
    match Files::get(&file) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(found) => {
            let kind = found.metadata.mimetype().to_owned();
            let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache".to_owned())];
            (headers, found.data).into_response()
        }
    }
}

/// `GET /favicon.ico`: there is none, and Graph should not be asked for it.
pub(super) async fn no_icon() -> StatusCode {
    StatusCode::NO_CONTENT
}
