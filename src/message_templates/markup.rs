//! Text as the phone shows it: *bold*, _italic_, ~struck~, ```code```, line breaks, and variables filled in.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>

use super::variables::{Piece, pieces};
use std::fmt::Write as _;

/// How much of a text is shown, in characters; Meta takes 1,024.
const MOST: usize = 4_096;

/// HTML of a text; `fill` gives what stands for a variable, and whether that is a sample.
/// What people wrote is escaped; the tags are ours.
pub(super) fn html(text: &str, fill: impl Fn(&str) -> Option<String>) -> String {
    // No message is so long: looking for the ends of marks takes time by the square of the length.
    let text = text.char_indices().nth(MOST).map_or(text, |(end, _)| &text[..end]);
    let mut marked = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => marked.push_str(text),
            Piece::Broken(text) => marked.push_str(text),
            // Private-use characters stand for the tags, so that formatting goes across variables.
            Piece::Variable(name) => match fill(name).filter(|sample| !sample.trim().is_empty()) {
                Some(sample) => {
                    let sample = crate::base::text::shorten(&sample, MOST / 4);
                    let _ = write!(marked, "\u{e000}{}\u{e001}", plain(&sample));
                }
                None => {
                    let _ = write!(marked, "\u{e000}{{{{{name}}}}}\u{e001}");
                }
            },
        }
    }
    let escaped = escape(&marked);
    let formatted = format_code(&escaped);
    formatted.replace('\u{e000}', "<span class=\"sample\">").replace('\u{e001}', "</span>").replace('\n', "<br>")
}

/// A sample can't format, nor end the place where it stands.
fn plain(sample: &str) -> String {
    sample.chars().filter(|c| !matches!(c, '\u{e000}' | '\u{e001}' | '*' | '_' | '~' | '`')).collect()
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Code first: nothing in it is formatted further.
fn format_code(text: &str) -> String {
    let mut parts = text.split("```");
    let mut out = inline(parts.next().unwrap_or_default());
    let rest: Vec<&str> = parts.collect();
    let mut at = 0;
    while at < rest.len() {
        if at + 1 < rest.len() && !rest[at].is_empty() {
            let _ = write!(out, "<code>{}</code>{}", rest[at], inline(rest[at + 1]));
            at += 2;
        } else {
            let _ = write!(out, "```{}", inline(rest[at]));
            at += 1;
        }
    }
    out
}

const MARKS: [(char, &str); 3] = [('*', "strong"), ('_', "em"), ('~', "s")];

/// A mark opens at a word's beginning and closes at a word's end, on one line.
fn inline(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let tag = MARKS.iter().find(|(mark, _)| *mark == chars[at]);
        let closing = tag.and_then(|(mark, _)| closing(&chars, at, *mark));
        match (tag, closing) {
            (Some((_, tag)), Some(end)) => {
                let inner: String = chars[at + 1..end].iter().collect();
                let _ = write!(out, "<{tag}>{}</{tag}>", inline(&inner));
                at = end + 1;
            }
            _ => {
                out.push(chars[at]);
                at += 1;
            }
        }
    }
    out
}

fn closing(chars: &[char], open: usize, mark: char) -> Option<usize> {
    let is_word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
    let before = open.checked_sub(1).and_then(|at| chars.get(at));
    let first = chars.get(open + 1)?;
    if is_word(before) || first.is_whitespace() || *first == mark {
        return None;
    }
    let line = chars[open + 1..].iter().position(|c| *c == '\n').map_or(chars.len(), |end| open + 1 + end);
    (open + 2..line).find(|&at| chars[at] == mark && !chars[at - 1].is_whitespace() && !is_word(chars.get(at + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        html(text, |_| None)
    }

    #[test]
    fn marks_format_words() {
        assert_eq!(
            shown("*bold* _it_ ~no~ ```a*b*```"),
            "<strong>bold</strong> <em>it</em> <s>no</s> <code>a*b*</code>"
        );
        assert_eq!(shown("*_both_*"), "<strong><em>both</em></strong>");
        assert_eq!(shown("snake_case_name 2 * 3 * 4"), "snake_case_name 2 * 3 * 4");
        assert_eq!(shown("*over\nlines*"), "*over<br>lines*");
        assert_eq!(shown("```open"), "```open");
    }

    #[test]
    fn a_text_of_megabytes_takes_no_time() {
        let began = std::time::Instant::now();
        let long = html(&"*a ".repeat(1_000_000), |_| Some("x".repeat(1_000_000)));
        assert!(long.len() < 10 * MOST);
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    }

    #[test]
    fn what_people_write_is_text() {
        assert_eq!(shown("<b onclick='x'>&"), "&lt;b onclick=&#39;x&#39;&gt;&amp;");
        let filled = html("Hi {{1}}!", |_| Some("<i>*P*</i>".to_owned()));
        assert_eq!(filled, "Hi <span class=\"sample\">&lt;i&gt;P&lt;/i&gt;</span>!");
        assert_eq!(shown("*Hi {{name}}*"), "<strong>Hi <span class=\"sample\">{{name}}</span></strong>");
    }
}
