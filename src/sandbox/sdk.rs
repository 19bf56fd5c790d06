//! `/{locale}/sdk.js`: the JavaScript SDK, as far as Embedded Signup needs it.

use super::{Sandbox, statics::Files};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};

/// The script, with the sandbox's own origin in place.
pub(super) async fn serve(State(sandbox): State<Sandbox>) -> Response {
    let Some(file) = Files::get("sdk.js") else { return StatusCode::NOT_FOUND.into_response() };
    let script = String::from_utf8_lossy(&file.data).replace("__SANDBOX_ORIGIN__", &sandbox.origin());
    let headers = [
        (header::CONTENT_TYPE, "application/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        // The real one is loaded with crossorigin="anonymous".
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, script).into_response()
}
