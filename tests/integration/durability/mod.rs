//! The real binary: killed, told to end, started again.

mod kill;
mod random_kills;
mod shutdown;

use crate::support::*;
use http::Method;
use serde_json::{Value, json};
