//! Business phone numbers: what Meta said of each, and how that reads to a person.

mod add_page;
mod chart;
mod deregister;
mod file;
mod file_queries;
mod model;
mod moments;
mod name_page;
mod number_page;
mod numbers;
mod pages;
mod pin_page;
mod pins;
mod poll;
mod queries;
mod readings;
mod register;
mod register_page;
mod release;
mod service;
mod staff_view;
mod sync;
mod sync_queries;
mod sync_view;
mod task;
mod told;
mod tries;
mod verify_page;
mod words;

use crate::jobs::{self, Handlers};

pub use model::{Limit, Number, Obstacle, Quality, Registration, international};
pub use numbers::PhoneNumbers;
pub use pages::{NumberPages, routes};
pub use pins::SEALED;
pub use poll::{POLL_JOB, SUBJECT as POLL_SUBJECT, read_soon};
pub use readings::{Matter, stands_since};
pub use release::{Release, begin_release, end_release};
pub use service::{
    customers_of, export, is_written_so, list, replace, set_health, waba_of, wabas_of_number, written_so,
};
pub use staff_view::{NodeView, NumberView};
pub use sync::{SYNC_JOB, begin as begin_sync, contacts_told, history_told};
pub use task::TASK_JOB;
pub use told::{limit_told, name_reviewed, throughput_told};

/// What is done in the background, by the kind of the job.
#[must_use]
pub fn handlers(numbers: &PhoneNumbers) -> Handlers {
    let (work, sync, poll) = (numbers.clone(), numbers.clone(), numbers.clone());
    Handlers::from([
        (
            TASK_JOB,
            jobs::handler(move |id| {
                let numbers = work.clone();
                async move { numbers.work(&id).await }
            }),
        ),
        (
            SYNC_JOB,
            jobs::handler(move |id| {
                let numbers = sync.clone();
                async move { numbers.sync(&id.parse()?).await }
            }),
        ),
        (
            POLL_JOB,
            jobs::handler(move |_| {
                let numbers = poll.clone();
                async move { numbers.poll().await }
            }),
        ),
    ])
}
