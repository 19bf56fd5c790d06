//! What all pages share: the shell around them, errors, sessions, CSRF tokens, the content security
//! policy and static files. It knows no feature; features build on it.

pub mod assets;
mod badge;
pub mod csp;
pub mod csrf;
pub mod download;
pub mod error;
pub mod form;
mod inflow;
mod moment;
pub mod multipart;
pub mod page;
pub mod routes;
pub mod session;
pub mod when;

pub use badge::Badge;
pub use error::{Error, Result};
pub use form::{Form, NoFields};
pub use inflow::{Inflow, NotTaken};
pub use moment::{Before, Moment};
pub use multipart::{MultipartForm, SentFile};
pub use page::{Chrome, ClientAddress, Site, Viewer};
pub use routes::{Access, Route, Routes, is_script};
