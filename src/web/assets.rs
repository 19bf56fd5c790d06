//! Static files, built into the binary.

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::sync::Arc;

#[derive(RustEmbed)]
#[folder = "static"]
struct Files;

/// The sandbox serves its own files.
fn is_ours(name: &str) -> bool {
    !name.starts_with("sandbox/") && !name.contains("..")
}

/// A path that changes whenever any file does, so that browsers may keep what they have for ever.
#[must_use]
pub fn base_path() -> String {
    let mut hash = Sha256::new();
    for name in Files::iter().filter(|name| is_ours(name)) {
        if let Some(file) = Files::get(&name) {
            hash.update(name.as_bytes());
            hash.update(file.metadata.sha256_hash());
        }
    }
    format!("/static/{}", hex::encode(&hash.finalize()[..6]))
}

/// Serves the files below [`base_path`].
pub fn routes(base: &str) -> Router {
    let version: Arc<str> = base.trim_start_matches("/static/").into();
    Router::new().route("/static/{version}/{*path}", get(serve)).with_state(version)
}

async fn serve(State(current): State<Arc<str>>, Path((version, path)): Path<(String, String)>) -> Response {
    let Some(file) = is_ours(&path).then(|| Files::get(&path)).flatten() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // A page from before an update asks for a version that is gone: it gets today's file, uncached.
    let fresh = *version == *current && !cfg!(debug_assertions);
    let cache = if fresh { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("mjs" | "js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        _ => file.metadata.mimetype(),
    };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], file.data).into_response()
}
