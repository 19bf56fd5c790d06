//! Whether a connection works, in one badge: what is worst about it.

use super::{model::ConnectionState, own_app::Unheard, pages::NumberCard, service::Overview};
use crate::{
    phone_numbers::{Number, Quality, Registration},
    web::Badge,
};

/// What is worst about a connection to which there is access.
pub(super) struct Worst {
    pub badge: Badge,
    /// About what that is, where it is not about the whole; may be empty.
    pub about: String,
}

/// What is the matter with a number: how bad (the smaller, the worse), and in a word.
fn of_number(number: &Number) -> Option<(u8, Badge)> {
    let state = || NumberCard::new(number).state;
    let blocked = number.health.as_ref().is_some_and(|health| health.can_send == "BLOCKED");
    match number.registration() {
        Registration::Blocked => Some((1, state())),
        Registration::NameDeclined => Some((2, state())),
        Registration::Unverified | Registration::NotRegistered | Registration::Unclear => Some((3, state())),
        Registration::NamePending => Some((4, state())),
        Registration::Ready | Registration::Coexistence if blocked => {
            Some((2, Badge::new("problem", "No messages can be sent")))
        }
        Registration::Ready | Registration::Coexistence => {
            (number.quality() == Quality::Low).then(|| (5, Badge::new("attention", Quality::Low.phrase())))
        }
    }
}

/// What is worst about a connection; `None` where all is well, or where there is no access, which says it all.
pub(super) fn worst(overview: &Overview, unheard: Option<Unheard>) -> Option<Worst> {
    if overview.connection.state != ConnectionState::Active {
        return None;
    }
    let whole = |badge| Some(Worst { badge, about: String::new() });
    match unheard {
        Some(Unheard::NoSecret) => return whole(Badge::new("problem", "Nothing comes in")),
        Some(Unheard::NoCallback) => return whole(Badge::new("attention", "Nothing comes in yet")),
        None => {}
    }
    let deaf = |is_closed: bool| {
        overview.wabas.iter().find(|(waba, _)| match is_closed {
            true => waba.closed_at.is_some(),
            false => waba.subscribed_at.is_none(),
        })
    };
    if let Some((waba, _)) = deaf(true) {
        return Some(Worst { badge: Badge::new("problem", "Closed to us"), about: waba.name.clone() });
    }
    if deaf(false).is_some() {
        return whole(Badge::new("attention", "Messages not switched on"));
    }
    let all: Vec<&Number> = overview.wabas.iter().flat_map(|(_, numbers)| numbers).collect();
    let mut unwell: Vec<(u8, Badge, &Number)> =
        all.iter().filter_map(|number| of_number(number).map(|(rank, badge)| (rank, badge, *number))).collect();
    unwell.sort_by_key(|(rank, ..)| *rank);
    let others = unwell.len().saturating_sub(1);
    let (_, badge, number) = unwell.into_iter().next()?;
    let about = match (all.len(), others) {
        (1, _) => String::new(),
        (_, 0) => number.international(),
        (_, others) => format!("{}, and {others} more", number.international()),
    };
    Some(Worst { badge, about })
}
