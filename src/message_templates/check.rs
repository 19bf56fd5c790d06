//! Meta's rules for templates, looked at before anything is sent: each fault at its field.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-review>
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/error-codes>

use super::{
    button::{Button, ButtonKind},
    draft::{Draft, Header},
    languages,
    variables::{self, Piece},
};
use url::Url;

/// What is wrong with a field, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The field's name; `form` for none.
    pub field: String,
    pub text: String,
}

/// The faults of a draft.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(pub Vec<Fault>);

impl Faults {
    pub fn add(&mut self, field: impl Into<String>, text: impl Into<String>) {
        let (field, text) = (field.into(), text.into());
        // One at a time of each field: the first says what to do.
        if self.of(&field).is_none() {
            self.0.push(Fault { field, text });
        }
    }

    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|fault| fault.field == field).map(|fault| fault.text.as_str())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The longest name, header, body, footer, button, address, number and code.
pub(super) const NAME: usize = 512;
pub(super) const HEADER: usize = 60;
pub(super) const BODY: usize = 1_024;
pub(super) const FOOTER: usize = 60;
pub(super) const BUTTON: usize = 25;
pub(super) const ADDRESS: usize = 2_000;
pub(super) const NUMBER: usize = 20;
pub(super) const CODE: usize = 15;
/// The longest name of an app's package.
const PACKAGE: usize = 224;
/// How many buttons there may be.
pub(super) const BUTTONS: usize = 10;
/// How many words at least stand beside each variable: below that Meta says that there are too many (2388293). Meta does
/// not say where the line is, and we do not know: two words for each is our guess, so Meta may refuse what passes here,
/// and its answer is then shown at the text.
const WORDS_EACH: usize = 2;

/// Looks at a draft by the rules that need nothing but itself.
pub(super) fn check(draft: &Draft) -> Faults {
    let mut faults = Faults::default();
    name(draft, &mut faults);
    if !["MARKETING", "UTILITY", "AUTHENTICATION"].contains(&draft.category.as_str()) {
        faults.add("category", "Choose what the message is for.");
    }
    if !languages::ALL.iter().any(|(code, _)| *code == draft.language) {
        faults.add("language", "Choose the language in which the template is written.");
    }
    if draft.is_authentication() {
        code(draft, &mut faults);
        return faults;
    }
    header(draft, &mut faults);
    body(draft, &mut faults);
    footer(draft, &mut faults);
    buttons(&draft.buttons, &mut faults);
    for key in draft.variables() {
        let sample = draft.sample(&key);
        if sample.trim().is_empty() {
            faults.add(format!("sample-{key}"), "Write an example, as a customer would read it. Meta looks at it.");
        } else if sample.contains("{{") {
            faults.add(format!("sample-{key}"), "Write the example itself, without braces.");
        }
    }
    faults
}

fn name(draft: &Draft, faults: &mut Faults) {
    let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if draft.name.is_empty() {
        faults.add("name", "Give it a name, such as order_confirmation.");
    } else if !draft.name.chars().all(right) {
        faults.add("name", format!("Only small letters, digits and underscores, such as {}.", proposed(&draft.name)));
    } else if draft.name.len() > NAME {
        faults.add("name", too_long(draft.name.len(), NAME));
    }
}

/// A name that Meta takes, made of what was typed.
pub(super) fn proposed(typed: &str) -> String {
    let mut name = String::new();
    for c in typed.trim().to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ if name.ends_with('_') || name.is_empty() => {}
            _ => name.push('_'),
        }
    }
    let name = name.trim_end_matches('_');
    if name.is_empty() { "order_confirmation".to_owned() } else { name.chars().take(NAME).collect() }
}

fn too_long(has: usize, most: usize) -> String {
    format!("{} characters too many: {most} is the most.", has - most)
}

fn length(faults: &mut Faults, field: &str, text: &str, most: usize) {
    let has = text.trim().chars().count();
    if has > most {
        faults.add(field, too_long(has, most));
    }
}

/// Variables that are written wrongly, have gaps, or mix numbers and names.
fn naming(faults: &mut Faults, field: &str, text: &str, named: bool) {
    for piece in variables::pieces(text) {
        let name = match piece {
            Piece::Text(_) => continue,
            Piece::Broken(_) => {
                return faults.add(field, "A variable has two braces on each side: {{1}}. One of them is missing.");
            }
            Piece::Variable(name) => name,
        };
        if !named {
            continue;
        }
        if variables::is_number(name) {
            return faults.add(
                field,
                format!("Use either numbers or names for variables, not both: {{{{{name}}}}} is a number."),
            );
        }
        let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || !name.chars().all(right) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            let better = proposed(name);
            return faults.add(
                field,
                format!("A variable’s name has small letters, digits and underscores alone, such as {{{{{better}}}}}."),
            );
        }
    }
    if named {
        return;
    }
    for (at, name) in (1_u32..).zip(variables::distinct(text)) {
        if name.parse::<u32>() != Ok(at) {
            return faults.add(
                field,
                format!("Number the variables 1, 2, 3 without gaps: {{{{{at}}}}} is missing before {{{{{name}}}}}."),
            );
        }
    }
}

fn header(draft: &Draft, faults: &mut Faults) {
    let text = draft.header_text.trim();
    match draft.header {
        Header::Text => {
            let named = draft.parameter_format() == "NAMED";
            if text.is_empty() {
                faults.add("header_text", "Write the line, or choose “Nothing” above.");
            }
            length(faults, "header_text", text, HEADER);
            naming(faults, "header_text", text, named);
            if variables::distinct(text).len() > 1 {
                faults.add("header_text", "The header may have one variable. Move the others to the text.");
            }
            if text.contains(['\n', '\r']) {
                faults.add("header_text", "The header is one line.");
            }
            if text.contains(['*', '~', '`']) || text.chars().any(is_emoji) {
                faults.add("header_text", "The header can’t have emoji or formatting (*, ~, `). Take them out.");
            }
        }
        media if media.is_media() && draft.handle.is_empty() => {
            faults.add("file", "Choose a sample file. Meta looks at it; when you send, you choose another one.");
        }
        _ => {}
    }
}

fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0xFE0F)
}

fn body(draft: &Draft, faults: &mut Faults) {
    let text = draft.body.trim();
    if text.is_empty() {
        return faults.add("body", "Write the message.");
    }
    length(faults, "body", text, BODY);
    naming(faults, "body", text, draft.parameter_format() == "NAMED");
    let pieces = variables::pieces(text);
    let is_variable = |piece: Option<&Piece<'_>>| matches!(piece, Some(Piece::Variable(_)));
    if is_variable(pieces.first()) {
        faults.add("body", "The message can’t begin with a variable. Write a word before it, such as “Hello”.");
    }
    if is_variable(pieces.last()) {
        faults.add(
            "body",
            "The message can’t end with a variable. Write something after it; a full stop alone may be too little.",
        );
    }
    let touches = |pair: &[Piece<'_>]| is_variable(pair.first()) && is_variable(pair.get(1));
    let blank = |piece: &Piece<'_>| matches!(piece, Piece::Text(text) if text.trim().is_empty());
    let apart: Vec<Piece<'_>> = pieces.iter().copied().filter(|piece| !blank(piece)).collect();
    if apart.windows(2).any(touches) {
        faults.add("body", "Two variables stand next to each other. Write words between them.");
    }
    let count = pieces.iter().filter(|piece| is_variable(Some(piece))).count();
    let words = pieces.iter().filter_map(|piece| match piece {
        Piece::Text(text) => Some(words(text)),
        _ => None,
    });
    let words: usize = words.sum();
    if count * WORDS_EACH > words {
        faults.add(
            "body",
            format!(
                "There are too many variables for so short a text: {count} beside {words} {}. Write more, or use fewer.",
                if words == 1 { "word" } else { "words" }
            ),
        );
    }
    if text.contains("\n\n\n\n") || text.contains("    ") || text.contains('\t') {
        faults.add("body", "Take out tabs, and rows of blanks or empty lines.");
    }
}

/// Words of a text: of scripts that write none apart, so many as half their letters.
fn words(text: &str) -> usize {
    let is_wide =
        |c: &char| matches!(u32::from(*c), 0x0E00..=0x0EFF | 0x3040..=0x30FF | 0x4E00..=0x9FFF | 0xAC00..=0xD7AF);
    let wide = text.chars().filter(is_wide).count();
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count().max(wide / 2)
}

fn footer(draft: &Draft, faults: &mut Faults) {
    let text = draft.footer.trim();
    length(faults, "footer", text, FOOTER);
    if text.contains("{{") || text.contains("}}") {
        faults.add("footer", "The footer can’t have variables. Move it to the message.");
    }
    if text.contains('\n') {
        faults.add("footer", "The footer is one line.");
    }
}

fn buttons(all: &[Button], faults: &mut Faults) {
    if all.len() > BUTTONS {
        faults.add("buttons", format!("A template has {BUTTONS} buttons at most."));
    }
    for kind in ButtonKind::ALL {
        if all.iter().filter(|button| button.kind == kind).count() > kind.most() {
            let most = match kind.most() {
                1 => "one button".to_owned(),
                many => format!("{many} buttons"),
            };
            faults.add("buttons", format!("Only {most} of the kind “{}” can be there.", kind.words()));
        }
    }
    let is_reply = |button: &Button| button.kind == ButtonKind::QuickReply;
    if all.windows(2).filter(|pair| is_reply(&pair[0]) != is_reply(&pair[1])).count() > 1 {
        faults.add("buttons", "Put the quick replies together: all first, or all last.");
    }
    for (at, button) in all.iter().enumerate() {
        one_button(at, button, all, faults);
    }
}

fn one_button(at: usize, button: &Button, all: &[Button], faults: &mut Faults) {
    let (text_field, value_field) = (format!("button-{at}-text"), format!("button-{at}-value"));
    let (text, value) = (button.text.trim(), button.value.trim());
    if button.kind != ButtonKind::CopyCode {
        if text.is_empty() {
            faults.add(&text_field, "Write what stands on the button.");
        }
        length(faults, &text_field, text, BUTTON);
        if text.contains("{{") {
            faults.add(&text_field, "A button’s words can’t have variables.");
        }
        if !text.is_empty() && all[..at].iter().any(|other| other.text.trim() == text) {
            faults.add(&text_field, "Another button says the same.");
        }
    }
    match button.kind {
        ButtonKind::QuickReply => {}
        ButtonKind::CopyCode => {
            if value.is_empty() {
                faults.add(&value_field, "Write an example of the code.");
            }
            length(faults, &value_field, value, CODE);
        }
        ButtonKind::Phone => {
            let digits = value.chars().filter(char::is_ascii_digit).count();
            let odd = value.chars().any(|c| !(c.is_ascii_digit() || " +-()".contains(c)));
            if digits < 5 || odd || !value.starts_with('+') {
                faults.add(&value_field, "Write the number with its country code, such as +49 30 901820.");
            }
            length(faults, &value_field, value, NUMBER);
        }
        ButtonKind::Url => address(at, button, faults),
    }
}

fn address(at: usize, button: &Button, faults: &mut Faults) {
    let (field, value) = (format!("button-{at}-value"), button.value.trim());
    let variables = variables::pieces(value);
    let fixed = value.strip_suffix("{{1}}").unwrap_or(value);
    let is_web = Url::parse(fixed).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    if !is_web {
        faults.add(&field, "Write the whole address, such as https://shop.example/orders.");
    } else if fixed.contains("{{") || variables.iter().any(|piece| matches!(piece, Piece::Broken(_))) {
        faults.add(&field, "An address may have one variable, {{1}}, at its very end.");
    }
    length(faults, &field, value, ADDRESS);
    if value.ends_with("{{1}}") && button.sample.trim().is_empty() {
        faults.add(format!("button-{at}-sample"), "Write an example of what stands for {{1}}.");
    }
}

fn code(draft: &Draft, faults: &mut Faults) {
    let minutes = draft.code.minutes.trim();
    if !minutes.is_empty() && !minutes.parse::<u32>().is_ok_and(|minutes| (1..=90).contains(&minutes)) {
        faults.add("minutes", "Write a number of minutes from 1 to 90, or leave it empty.");
    }
    let (package, hash) = (draft.code.package.trim(), draft.code.hash.trim());
    if package.is_empty() != hash.is_empty() {
        let field = if package.is_empty() { "package" } else { "hash" };
        faults.add(field, "The app needs both: its package name and its signature hash. Or leave both empty.");
    }
    if !package.is_empty() && !is_package(package) {
        faults.add("package", "Write the app’s package name as Android knows it, such as com.example.shop.");
    } else if package.len() > PACKAGE {
        faults.add("package", too_long(package.len(), PACKAGE));
    }
    let right = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    if !hash.is_empty() && (hash.len() != 11 || !hash.chars().all(right)) {
        faults.add(
            "hash",
            "A signature hash has 11 characters: letters, digits, +, / and =. Copy it from your app’s developer.",
        );
    }
}

/// Two parts or more, parted by dots, each beginning with a letter.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/authentication-templates/autofill-button-authentication-templates>
fn is_package(name: &str) -> bool {
    let right = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_part = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.chars().all(right);
    name.contains('.') && name.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message_templates::code::Code;

    #[test]
    fn an_apps_names_are_as_meta_takes_them() {
        let faults = |package: &str, hash: &str| {
            let code = Code { package: package.to_owned(), hash: hash.to_owned(), ..Code::default() };
            let draft = Draft { name: "sign_in".to_owned(), language: "en_US".to_owned(), code, ..Draft::default() };
            let found = check(&Draft { category: "AUTHENTICATION".to_owned(), ..draft });
            found.0.into_iter().map(|fault| fault.field).collect::<Vec<_>>()
        };
        let hash = "K8a/AINcGX7";
        let longest = format!("a.{}", "b".repeat(PACKAGE - 2));
        for right in ["com.example.shop", "a.B_2", &longest] {
            assert!(faults(right, hash).is_empty(), "{right}");
        }
        let long = format!("{longest}b");
        let wide = format!("a.{}", "ü".repeat(PACKAGE));
        for wrong in ["shop", "com.2shop", "com..shop", ".com", "com.shop.", "com.my-shop", "com._shop", &long, &wide] {
            assert_eq!(faults(wrong, hash), ["package"], "{wrong}");
        }
        for wrong in ["K8a/AINcGX", "K8a/AINcGX77", "K8a AINcGX7", "K8a-AINcGX7"] {
            assert_eq!(faults("com.example.shop", wrong), ["hash"], "{wrong}");
        }
    }
}
