//! Nobody sees another's data, and one WABA belongs to one customer.

mod one_owner;
mod routes;
mod walk;

use crate::support::*;
use serde_json::json;
