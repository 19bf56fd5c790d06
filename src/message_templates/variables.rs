//! Variables in a text: `{{1}}`, `{{first_name}}`.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview>

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// What stands between the braces, without blanks around it.
    Variable(&'a str),
    /// Braces that lack their other half, to the end.
    Broken(&'a str),
}

/// The pieces in order.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut all = Vec::new();
    let mut rest = text;
    loop {
        let (before, after) = match rest.split_once("{{") {
            None => {
                if let Some(at) = rest.find("}}") {
                    all.push(Piece::Broken(&rest[at..]));
                    return all;
                }
                if !rest.is_empty() {
                    all.push(Piece::Text(rest));
                }
                return all;
            }
            Some(parts) => parts,
        };
        if !before.is_empty() {
            let piece = if before.contains("}}") { Piece::Broken(before) } else { Piece::Text(before) };
            all.push(piece);
        }
        match after.split_once("}}") {
            Some((name, tail)) if !name.contains("{{") => {
                all.push(Piece::Variable(name.trim()));
                rest = tail;
            }
            _ => {
                all.push(Piece::Broken(after));
                return all;
            }
        }
    }
}

/// The names, each once; numbers in their order, names as they come.
pub(super) fn distinct(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for piece in pieces(text) {
        if let Piece::Variable(name) = piece
            && seen.insert(name)
        {
            names.push(name);
        }
    }
    if names.iter().all(|name| name.parse::<u32>().is_ok()) {
        names.sort_by_key(|name| name.parse::<u32>().unwrap_or(u32::MAX));
    }
    names
}

/// Whether it is a number, as positional variables have.
pub(super) fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_falls_into_pieces() {
        assert_eq!(
            pieces("Hi {{ 1 }}, it is {{2}}."),
            [Piece::Text("Hi "), Piece::Variable("1"), Piece::Text(", it is "), Piece::Variable("2"), Piece::Text(".")]
        );
        assert_eq!(pieces("a {{1"), [Piece::Text("a "), Piece::Broken("1")]);
        assert_eq!(pieces("a 1}} b"), [Piece::Broken("}} b")]);
        assert_eq!(distinct("{{2}} {{1}} {{2}} {{10}}"), ["1", "2", "10"]);
        assert_eq!(distinct("{{b}} {{a}}"), ["b", "a"]);
    }
}
