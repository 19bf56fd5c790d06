//! How a customer stands, in words.

use crate::{
    accounts::{ConnectionStanding, CustomerFilter, CustomerState},
    web::Badge,
};

/// What is to be said of a customer's state; nothing where all is as it should be.
pub(super) fn state(state: CustomerState) -> Option<Badge> {
    match state {
        CustomerState::Active => None,
        CustomerState::Suspended => Some(Badge::new("attention", "Suspended")),
        CustomerState::Deleting => Some(Badge::new("waiting", "Being deleted")),
    }
}

/// How its connections stand.
pub(super) fn connections(standing: ConnectionStanding) -> Badge {
    match standing {
        ConnectionStanding::Active => Badge::new("good", "Connected"),
        ConnectionStanding::NeedsReconnect => Badge::new("problem", "Access ended"),
        ConnectionStanding::None => Badge::new("neutral", "Not connected"),
    }
}

/// What a filter is called.
pub(super) fn filter(filter: CustomerFilter) -> &'static str {
    match filter {
        CustomerFilter::All => "All",
        CustomerFilter::Active => "Active",
        CustomerFilter::Suspended => "Suspended",
        CustomerFilter::Unconnected => "Without a connection",
        CustomerFilter::NeedsReconnect => "Must connect again",
    }
}

/// How many a filter lets through: `12,345 customers`.
pub(super) fn count(filter: CustomerFilter, total: i64) -> String {
    let noun = if total == 1 { "customer" } else { "customers" };
    let which = match filter {
        CustomerFilter::All => "",
        CustomerFilter::Active => ", active",
        CustomerFilter::Suspended => ", suspended",
        CustomerFilter::Unconnected => " without a connection",
        CustomerFilter::NeedsReconnect => " who must connect again",
    };
    format!("{} {noun}{which}", grouped(total))
}

/// A number with a comma between thousands.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_well() {
        assert_eq!(count(CustomerFilter::All, 1), "1 customer");
        assert_eq!(count(CustomerFilter::All, 100_000), "100,000 customers");
        assert_eq!(count(CustomerFilter::NeedsReconnect, 1_234_567), "1,234,567 customers who must connect again");
        assert_eq!(grouped(999), "999");
    }
}
