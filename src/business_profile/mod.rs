//! How a business shows itself in WhatsApp: the profile of each number. It is read at Meta, edited here, and written only
//! after a look at what stands there now: it may have been changed on the phone meanwhile. One number's profile can become
//! that of others.

mod copies;
mod form;
mod glance;
mod history;
mod kept;
mod model;
mod pages;
mod picture;
mod queries;
mod refusal;
mod save_page;
mod service;

pub use copies::COPY_JOB;
pub use glance::ProfileGlance;
pub use model::{Change, Field, Profile, VERTICALS, vertical_name};
pub use pages::routes;
pub use service::BusinessProfiles;
