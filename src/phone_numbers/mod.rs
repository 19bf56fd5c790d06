//! Business phone numbers: what Meta said of each, and how that reads to a person.

mod model;
mod queries;
mod service;
mod told;

pub use model::{Limit, Number, Obstacle, Quality, Registration, international};
pub use service::{export, list, replace, set_health, waba_of, wabas_of_number, written_so};
pub use told::{limit_told, name_reviewed, throughput_told};
