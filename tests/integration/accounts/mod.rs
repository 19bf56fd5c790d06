//! Signing in and out, sessions, and the protection of forms.

mod csrf;
mod forgot;
mod headers;
mod invites;
mod sessions;
mod signin;

use crate::support::*;
use serde_json::json;
