//! What a customer does with a connection.

mod disconnect;
mod glance;
mod interrupted;
mod permissions;
mod reconnect;
mod rename;

use crate::support::*;
use serde_json::json;
