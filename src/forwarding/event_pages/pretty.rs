//! JSON with line breaks and indents, and otherwise exactly as it came: numbers, escapes and the order of keys.

/// Lays a JSON text out; what is no JSON stays as it is.
pub(super) fn pretty(json: &str) -> String {
    if serde_json::from_str::<serde::de::IgnoredAny>(json).is_err() {
        return json.to_owned();
    }
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_text, mut is_escaped, mut is_open) = (0_usize, false, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    for letter in json.chars() {
        if in_text {
            out.push(letter);
            in_text = is_escaped || letter != '"';
            is_escaped = letter == '\\' && !is_escaped;
            continue;
        }
        if letter.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(letter, '}' | ']');
        if closes {
            depth = depth.saturating_sub(1);
        }
        // Empty objects and lists stay on their line.
        if is_open != closes && (is_open || closes) {
            line(&mut out, depth);
        }
        is_open = matches!(letter, '{' | '[');
        depth += usize::from(is_open);
        in_text = letter == '"';
        out.push(letter);
        match letter {
            ',' => line(&mut out, depth),
            ':' => out.push(' '),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_white_space_changes() {
        let json = r#"{"a":[1.0e2, {"b":"x , \" {é\\"},{}],"c" : [],"d":"\u00e9"}"#;
        let expected = "{\n  \"a\": [\n    1.0e2,\n    {\n      \"b\": \"x , \\\" {é\\\\\"\n    },\n    {}\n  ],\n  \"c\": [],\n  \"d\": \"\\u00e9\"\n}";
        assert_eq!(pretty(json), expected);
        assert_eq!(pretty(&pretty(json)), expected);
        assert_eq!(pretty("no  JSON"), "no  JSON");
    }
}
