//! Small rules about text that several features share.

use subtle::ConstantTimeEq;

/// Whether two texts are equal, in time that does not depend on where they differ.
#[must_use]
pub fn constant_time_eq(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// The text cut to at most so many characters, with an ellipsis where something was cut.
#[must_use]
pub fn shorten(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The beginning of a text that takes at most so many bytes, cut between characters.
#[must_use]
pub fn within_bytes(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// A text fit for every database we use: PostgreSQL refuses NUL in text.
#[must_use]
pub fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Whether this is a version of the Graph API, such as `v25.0`.
#[must_use]
pub fn is_graph_version(text: &str) -> bool {
    text.strip_prefix('v')
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(major, minor)| major.parse::<u16>().is_ok() && minor.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortening_keeps_characters_whole() {
        assert_eq!(shorten("żółw", 4), "żółw");
        assert_eq!(shorten("żółwie", 4), "żółw…");
        assert_eq!((within_bytes("żółw", 3), within_bytes("żółw", 90)), ("ż", "żółw"));
        assert_eq!(without_nul("a\0b"), "a\u{fffd}b");
        assert!(constant_time_eq("abc", "abc") && !constant_time_eq("abc", "abd") && !constant_time_eq("abc", "ab"));
    }
}
