//! Random values that look like Meta's: IDs of digits, tokens, codes, trace IDs.

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// An ID of 15 or 16 digits.
pub(super) fn object() -> String {
    rand::random_range(100_000_000_000_000_u64..4_000_000_000_000_000).to_string()
}

/// An access token: `EAA` and 180 letters and digits.
pub(super) fn access_token() -> String {
    format!("EAA{}", alphanumeric(180))
}

/// A code of the dialog or the SDK.
pub(super) fn code() -> String {
    format!("AQ{}", alphanumeric(210))
}

/// A trace ID, as in `fbtrace_id`.
pub(super) fn trace() -> String {
    format!("A{}", alphanumeric(22))
}

/// Random letters and digits.
pub(super) fn alphanumeric(length: usize) -> String {
    (0..length).map(|_| char::from(ALPHANUMERIC[rand::random_range(0..ALPHANUMERIC.len())])).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn look_like_metas() {
        for _ in 0..50 {
            let id = super::object();
            assert!((15..=16).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit()), "{id}");
        }
        assert!(super::access_token().starts_with("EAA"));
        assert_ne!(super::code(), super::code());
    }
}
