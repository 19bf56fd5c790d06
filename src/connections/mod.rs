//! What a customer has connected: a grant of their business to us (one business token) and the WABAs
//! that it opens; or an app of the customer's own with its token. One WABA belongs to one customer, by the primary key of `wabas`.

mod access_check;
mod attention;
mod attention_queries;
mod by_customer;
mod call_record;
mod customer_queries;
mod erase;
mod found;
mod glance;
mod grant;
mod holders;
mod jobs;
mod lines;
mod model;
mod moments;
mod news;
mod notice_queries;
mod notice_words;
mod notices;
mod own_app;
mod own_app_add;
mod own_app_pages;
mod own_app_proof;
mod own_app_queries;
mod own_app_view;
mod pages;
mod permissions;
mod queries;
mod reconnect;
mod renewal_queries;
mod service;
mod todos;

use crate::{sealed_column, store::SealedColumn};

pub use attention::{Attention, Trouble};
pub use call_record::{calls_for, calls_of, keep_calls};
pub use found::{Found, FoundWhat};
pub use grant::Grant;
pub use holders::was_anothers;
pub use jobs::DISCONNECT_JOB;
pub use lines::ConnectionLines;
pub use model::{Connection, ConnectionState, Notice, Owner, WabaRecord};
pub use news::News;
pub use notices::{ACCESS_JOB, Told};
pub use own_app::OwnApp;
pub use own_app_pages::{OwnAppPages, routes as own_app_routes};
pub use pages::routes;
pub use permissions::{
    AccountStanding, Answer, Cause, Change, Check, Looked, PermissionPages, RECHECK_JOB, RENEW_JOB, Refusal, Standing,
    Verdict,
};
pub use reconnect::{LINK_MAIL_JOB, LinkLine, LinkStanding, ReconnectLink, ReconnectLinks};
pub use service::{Connections, Overview, SaveError, TOKEN_COLUMN, TOKEN_TABLE, TokenError, owner};

/// What of this feature is sealed at rest.
pub const SEALED: &[SealedColumn] = &[
    sealed_column!("connections", "token_sealed"),
    sealed_column!("reconnect_links", "token_sealed"),
    sealed_column!("own_apps", "verify_token_sealed"),
    sealed_column!("own_apps", "app_secret_sealed"),
    sealed_column!("own_apps", "old_secret_sealed"),
];

/// The pages of permissions and of links to connect again.
pub fn permission_routes(pages: PermissionPages) -> crate::web::Routes {
    permissions::routes(pages.clone()).merge(reconnect::routes(pages))
}
