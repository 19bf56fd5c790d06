//! Types and pure rules.

use crate::base::ids::{CustomerId, UserId};
use std::{fmt, str::FromStr};
use time::OffsetDateTime;

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything, also the set-up.
    Admin,
    /// Helps customers; sees all of them.
    Support,
    /// A member of one customer.
    Customer,
}

impl Role {
    /// The word for it in the database and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Support => "support",
            Self::Customer => "customer",
        }
    }

    /// The word for it on pages.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::Support => "Support",
            Self::Customer => "Member",
        }
    }

    /// Whether it is the operator's staff.
    #[must_use]
    pub fn is_staff(self) -> bool {
        !matches!(self, Self::Customer)
    }
}

impl FromStr for Role {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "admin" => Ok(Self::Admin),
            "support" => Ok(Self::Support),
            "customer" => Ok(Self::Customer),
            _ => Err("a role is admin, support or customer"),
        }
    }
}

/// A company.
#[derive(Clone, Debug)]
pub struct Customer {
    /// Its ID here.
    pub id: CustomerId,
    /// Its name.
    pub name: String,
    /// Since when it is here.
    pub created_at: OffsetDateTime,
    /// Whether its people may use the portal.
    pub state: CustomerState,
}

/// Whether a company's people may use the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomerState {
    /// They may.
    Active,
    /// They may not, until the operator says so; what is connected stays.
    Suspended,
    /// They may not: all that is kept of the company is being deleted.
    Deleting,
}

impl CustomerState {
    /// What the two times in the row say.
    #[must_use]
    pub fn of(suspended_at: Option<OffsetDateTime>, deleting_at: Option<OffsetDateTime>) -> Self {
        match (suspended_at, deleting_at) {
            (_, Some(_)) => Self::Deleting,
            (Some(_), None) => Self::Suspended,
            (None, None) => Self::Active,
        }
    }
}

/// A person.
#[derive(Clone, Debug)]
pub struct User {
    /// Their ID.
    pub id: UserId,
    /// Their address, with which they sign in.
    pub email: EmailAddress,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whose member they are; `None` for staff.
    pub customer_id: Option<CustomerId>,
    /// That customer's name.
    pub customer_name: Option<String>,
    /// How that customer stands.
    pub customer_state: Option<CustomerState>,
    /// Since when they sign in with an authenticator app too; `None`: with the password alone.
    pub two_step_since: Option<OffsetDateTime>,
}

impl User {
    /// Whether the operator has shut out this person's company.
    #[must_use]
    pub fn is_shut_out(&self) -> bool {
        self.customer_state.is_some_and(|state| state != CustomerState::Active)
    }
}

/// An e-mail address, in lower case: two spellings are one person.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the @: a name to begin with.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EmailAddress {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let s = s.trim().to_lowercase();
        let plausible = s.len() <= 254
            && !s.contains(|c: char| c.is_whitespace() || c.is_control())
            && s.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !domain.starts_with('.')
            });
        if plausible { Ok(Self(s)) } else { Err("This is not an e-mail address.") }
    }
}

/// The shortest password.
pub const MIN_PASSWORD_CHARS: usize = 12;
/// The longest, in bytes: hashing is not for sale.
pub const MAX_PASSWORD_BYTES: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_one_in_any_spelling() {
        let address: EmailAddress = " Maria@Example.ORG ".parse().unwrap();
        assert_eq!(address.as_str(), "maria@example.org");
        assert_eq!(address.local_part(), "maria");
        for bad in ["", "maria", "@x", "maria@", "a b@x", "a@b@c"] {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad}");
        }
    }
}
