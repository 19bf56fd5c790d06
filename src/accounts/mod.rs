//! People and companies: who may sign in, as what, and for whom.
//!
//! A *customer* is a company of the operator's; its *members* see what is the company's and nothing
//! else. *Support* and *admin* are the operator's staff.

pub mod audit;
mod audit_log;
pub mod audit_words;
mod authenticate;
mod codes;
mod customer_list;
mod customer_queries;
mod customers;
mod details;
mod details_form;
mod devices;
mod erase;
mod export;
mod first_run;
mod invites;
mod known_browser;
pub mod limits;
mod member_queries;
mod model;
mod pages;
mod password;
mod people;
mod people_queries;
mod places;
mod presence;
mod queries;
mod service;
mod settings_page;
mod setup_page;
mod shut_out;
mod signin_page;
mod strength;
mod two_step;
mod viewer;

use crate::{sealed_column, store::SealedColumn};

pub use audit_log::{Actor, Cursor, Filter, LogLine};
pub use customer_list::{
    ConnectionStanding, CustomerCursor, CustomerFilter, CustomerPage, CustomerSort, CustomersWanted, Listed, PageAt,
};
pub use customers::{
    MAX_CUSTOMER_NAME_CHARS, check_customer_name, customer_state, lock_customer, set_connection_standing,
};
pub use details::BusinessDetails;
pub use details_form::{DetailsField, DetailsForm};
pub use devices::Device;
pub use erase::RemoveError;
pub use first_run::{FirstRun, FirstRunError, gate};
pub use invites::{Company, Invite, InviteError, InviteLine, Invites, MailState, NewInvite, SEND_MAIL_JOB, Standing};
pub use known_browser::KnownBrowsers;
pub use limits::Limits;
pub use member_queries::MemberLine;
pub use model::{Customer, CustomerState, EmailAddress, Role, User};
pub use pages::{Pages, routes};
pub use password::Passwords;
pub use people::{PeopleError, Person};
pub use presence::Presence;
pub use service::{AccountError, Accounts};
pub use strength::About;
pub use two_step::{RECOVERY_CODES, TwoStep, TwoStepError};
pub use viewer::{Admin, Member, SignedIn, Staff, load_viewer};

/// What of this feature is sealed at rest.
pub const SEALED: &[SealedColumn] = &[
    sealed_column!("users", "totp_sealed"),
    sealed_column!("users", "totp_pending_sealed"),
    sealed_column!("invites", "token_sealed"),
    sealed_column!("setup_codes", "code_sealed"),
];
