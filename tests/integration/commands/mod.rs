//! The command line: what it says, and how it ends.

mod demo;
mod doctor;
mod rotate;
mod serve;
mod users;

use crate::support::*;
use http::Method;
use serde_json::json;
