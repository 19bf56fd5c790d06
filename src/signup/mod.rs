//! Embedded Signup and the plain OAuth flow: from *Continue with Facebook* to a saved connection.
//!
//! An *attempt* is a persisted state machine. The browser brings two halves, the code and the message
//! event, in either order, and either may never come; the event is only a hint, what the token can see
//! is the truth. Every step is kept before the next begins, each can be repeated, and a job carries the
//! attempt on after a crash or a closed browser.

mod api;
mod arrivals;
mod attempt;
mod attempt_page;
mod attempt_view;
mod changes;
mod connect_page;
mod decisions;
mod erase;
mod failure;
mod figures;
mod funnel;
mod funnel_queries;
mod hint;
mod inspect;
mod model;
mod moments;
mod oauth_page;
mod prove;
mod queries;
mod reconnect;
mod reconnect_page;
mod saved_steps;
mod service;
mod staff_line;
mod steps;
mod waiting;
mod words;

pub use attempt::{Attempt, Placing, Reconnect};
pub use failure::{Failure, Reason};
pub use funnel::{Day, End, EndKind, Ended, Funnel, FunnelAttempt, Which};
pub use hint::{Hint, HintEvent};
pub use model::{Flow, Step};
pub use moments::{Stuck, StuckAttempt};
pub use service::{PartnerEvent, Signup};
pub use staff_line::StaffLine;
pub use steps::ADVANCE_JOB;

use crate::{sealed_column, store::SealedColumn, web::Routes};

/// What of this feature is sealed at rest.
pub const SEALED: &[SealedColumn] =
    &[sealed_column!("signup_attempts", "code_sealed"), sealed_column!("signup_attempts", "token_sealed")];

/// The pages of this feature.
pub fn page_routes(signup: Signup) -> Routes {
    connect_page::routes(signup.clone())
        .merge(attempt_page::routes(signup.clone()))
        .merge(reconnect_page::routes(signup.clone()))
        .merge(oauth_page::routes(signup))
}

/// What scripts call.
pub fn api_routes(signup: Signup) -> Routes {
    api::routes(signup)
}
