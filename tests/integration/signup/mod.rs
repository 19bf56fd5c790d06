//! From the click to a connected account, through the API that the page's script calls.

mod choosing;
mod cuts;
mod graph_calls;
mod lost_halves;
mod oauth;
mod outcomes;
mod recovery;
mod success;
mod trouble;

use crate::support::*;
use serde_json::{Value, json};
