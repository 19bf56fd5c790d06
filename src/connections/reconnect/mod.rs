//! Single-use links that lead a member of a customer to connect the same connection again. Opening one uses nothing up
//! (mail scanners open links); the signup that replaces the token does. Whoever follows it must sign in: the link
//! opens nothing by itself.

mod link;
mod mail;
mod pages;
pub(super) mod queries;
mod service;

pub use link::{LinkLine, LinkStanding, ReconnectLink};
pub use mail::LINK_MAIL_JOB;
pub use pages::routes;
pub use service::ReconnectLinks;
