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

/// JSON that every parser takes: escapes of half a surrogate pair, which JSON's grammar allows (RFC 8259, section
/// 8.2) and `serde_json` refuses, are those of U+FFFD. All else stays byte for byte.
#[must_use]
pub fn with_whole_surrogates(json: &str) -> String {
    /// The code unit of an escape that begins there.
    fn unit(json: &[u8], at: usize) -> Option<u16> {
        let digits = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }
    let bytes = json.as_bytes();
    let (mut out, mut copied, mut at) = (String::with_capacity(json.len()), 0, 0);
    while let Some(next) = bytes[at..].iter().position(|byte| *byte == b'\\') {
        at += next;
        match unit(bytes, at) {
            Some(0xd800..0xdc00) if matches!(unit(bytes, at + 6), Some(0xdc00..0xe000)) => at += 12,
            Some(0xd800..0xe000) => {
                out.push_str(&json[copied..at]);
                out.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            Some(_) => at += 6,
            // Also a backslash that is escaped itself: what follows it is no escape.
            None => at = json.ceil_char_boundary(at + 2),
        }
    }
    out.push_str(&json[copied..]);
    out
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
    fn half_a_pair_becomes_the_replacement_character() {
        for (json, mended) in [
            (r#"{"a":"Ana \ud83d"}"#, r#"{"a":"Ana \ufffd"}"#),
            (r#""\udE00 \uD83D\uDE00 \uD83D\ud83d\ude00""#, r#""\ufffd \uD83D\uDE00 \ufffd\ud83d\ude00""#),
            (r#""\\ud83d \\\ud83d \n\ud83d\n""#, r#""\\ud83d \\\ufffd \n\ufffd\n""#),
            (r#""\u0041 plain é\é""#, r#""\u0041 plain é\é""#),
        ] {
            assert_eq!(with_whole_surrogates(json), mended);
        }
        let read = |json: &str| serde_json::from_str::<String>(json);
        let half = r#""x\ud83d\u0041""#;
        assert!(read(half).is_err());
        assert_eq!(read(&with_whole_surrogates(half)).unwrap(), "x\u{fffd}A");
        for cut in ["\\", "\"\\", "\\u", "\\ud8", "\\ud83d", "\\ud83d\\", "\\ud83d\\u12", "\\é", ""] {
            assert_eq!(with_whole_surrogates(cut).is_empty(), cut.is_empty());
        }
    }

    #[test]
    fn shortening_keeps_characters_whole() {
        assert_eq!(shorten("żółw", 4), "żółw");
        assert_eq!(shorten("żółwie", 4), "żółw…");
        assert_eq!((within_bytes("żółw", 3), within_bytes("żółw", 90)), ("ż", "żółw"));
        assert_eq!(without_nul("a\0b"), "a\u{fffd}b");
        assert!(constant_time_eq("abc", "abc") && !constant_time_eq("abc", "abd") && !constant_time_eq("abc", "ab"));
    }
}
