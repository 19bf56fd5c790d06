//! Business phone numbers: what Meta said of each, and how that reads to a person.

mod model;
mod queries;

pub use model::{Limit, Number, Quality, Registration, international};
pub use queries::{list, list_for_wabas, replace, set_health};
