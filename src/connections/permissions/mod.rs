//! Permissions kept fresh: looked at when somebody asks, once a day, and when a webhook or a refused call raises
//! doubts. Only an answer about authorisation makes a connection one that must be connected again.

pub(super) mod check;
mod look;
pub(super) mod pages;
pub(super) mod queries;
mod schedule;
mod standing;
pub(super) mod words;

pub use check::{Cause, Check, Looked};
pub use pages::{PermissionPages, routes};
pub use schedule::{RECHECK_JOB, RENEW_JOB};
pub use standing::{AccountStanding, Answer, Change, Refusal, Standing, Verdict};
