//! The queue, on its own: no portal, no sandbox.

mod transactions;
mod worker;

use crate::support::*;
