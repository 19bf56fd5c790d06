//! The one form in which phone numbers are known.

use std::borrow::Cow;

/// A phone number, or a WhatsApp ID that is one, in the one form in which we know it: digits with country code, as
/// E.164 has it. `None` where it can be none (empty, letters, fewer than 5 or more than 15 digits).
///
/// Meta's IDs differ from E.164 in three countries, and Cloud API changes the prefix itself in two of them
/// (developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers):
/// - Brazil: mobile numbers got a ninth digit, a 9 in front, in 2012 to 2016 (ANATEL); WhatsApp IDs of older accounts
///   lack it. What begins with 6 to 9 is a mobile number, what begins with 2 to 5 a fixed line, which stays.
/// - Mexico: the 1 after the country code went in 2019 (IFT); WhatsApp IDs still have it.
/// - Argentina: mobile numbers have a 9 after the country code from abroad; it is left out at times. The ten digits
///   after it are unique also among fixed lines.
///
/// A limit: in Côte d'Ivoire numbers got two more digits in front in 2021 (ARTCI), by their operator; WhatsApp IDs of
/// older accounts may still have the 8 digits of before. Which two belong to them no number tells by itself, and two
/// numbers of now may end in the same 8 digits, so that both forms stay as they are: the same person may be known twice
/// there.
#[must_use]
pub fn normal_phone(text: &str) -> Option<String> {
    let text = without_trunk_zero(text.trim());
    if text.chars().any(|c| !c.is_ascii_digit() && !matches!(c, '+' | ' ' | '-' | '(' | ')' | '.' | '/')) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if !(5..=15).contains(&digits.len()) {
        return None;
    }
    let rest = |prefix: &str, length: usize| digits.strip_prefix(prefix).filter(|rest| rest.len() == length);
    Some(if let Some(national) = rest("55", 10) {
        let (area, number) = national.split_at(2);
        if number.starts_with(['6', '7', '8', '9']) { format!("55{area}9{number}") } else { digits }
    } else if let Some(national) = rest("521", 10) {
        format!("52{national}")
    } else if let Some(national) = rest("54", 10).filter(|national| !national.starts_with('9')) {
        format!("549{national}")
    } else {
        digits
    })
}

/// A number without the zero that letterheads put in brackets after the country code, as in `+44 (0)20 7946 0958`: it is
/// dialled within the country only. It stays where no code stands before it, and in Italy, where it is always dialled.
#[must_use]
pub fn without_trunk_zero(text: &str) -> Cow<'_, str> {
    let Some((before, rest)) = text.split_once("(0)") else { return Cow::Borrowed(text) };
    let code: String = before.chars().filter(char::is_ascii_digit).collect();
    match code.trim_start_matches("00") {
        "" | "39" => Cow::Borrowed(text),
        _ => Cow::Owned(format!("{before} {rest}")),
    }
}

/// A number in E.164, `+442079460958`, from however it is written with its country code, with the plus sign or without
/// (Meta's pages show both). `None` where it is no number that we know.
#[must_use]
pub fn e164(text: &str) -> Option<String> {
    parsed(text).map(|number| number.format().mode(phonenumber::Mode::E164).to_string())
}

/// A number as people of its own country write it, `020 7946 0958`.
#[must_use]
pub fn national(text: &str) -> Option<String> {
    parsed(text).map(|number| number.format().mode(phonenumber::Mode::National).to_string())
}

/// The code of a number's country and its digits, that code in front.
#[must_use]
pub fn with_country(text: &str) -> Option<(String, String)> {
    let number = parsed(text)?;
    let digits = number.format().mode(phonenumber::Mode::E164).to_string();
    Some((number.country().code().to_string(), digits.trim_start_matches('+').to_owned()))
}

fn parsed(text: &str) -> Option<phonenumber::PhoneNumber> {
    let text = without_trunk_zero(text.trim());
    if text.chars().any(|c| !c.is_ascii_digit() && !matches!(c, '+' | ' ' | '-' | '(' | ')' | '.' | '/' | '\u{a0}')) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if !(7..=15).contains(&digits.len()) {
        return None;
    }
    phonenumber::parse(None, format!("+{digits}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form_and_are_shown_in_another() {
        for text in ["+44 20 7946 0958", "442079460958", "+44 (20) 7946-0958", "+44 (0)20 7946 0958"] {
            assert_eq!(e164(text).as_deref(), Some("+442079460958"), "{text}");
        }
        assert_eq!(national("+442079460958").as_deref(), Some("020 7946 0958"));
        assert_eq!(national("15550783881").as_deref(), Some("(555) 078-3881"), "Meta's test numbers too");
        assert_eq!(with_country("+39 06 1234 5678").unwrap(), ("39".to_owned(), "390612345678".to_owned()));
        assert_eq!(e164("+39 (0)6 1234 5678").as_deref(), Some("+390612345678"), "always dialled");
        for none in ["", "12345", "US.13491208655302741918", "+999 123 456 789"] {
            assert_eq!(e164(none), None, "{none}");
        }
    }

    #[test]
    fn one_person_has_one_number() {
        let same: [&[&str]; 5] = [
            &["5511987654321", "551187654321", "+55 11 98765-4321", "+55 (11) 8765-4321"],
            &["525512345678", "5215512345678", "+52 1 55 1234 5678"],
            &["5491123456789", "541123456789", "+54 9 11 2345 6789"],
            &["16505551234", "+1 (650) 555-1234"],
            &["4915112345678", "+49 (0) 151 1234 5678", "+49(0)15112345678"],
        ];
        for forms in same {
            for form in forms {
                assert_eq!(normal_phone(form).as_deref(), Some(forms[0]), "{form}");
            }
        }
        assert_eq!(normal_phone("(0)20 7946 0958").as_deref(), Some("02079460958"), "no country code before it");
        assert_eq!(normal_phone("22507123456").as_deref(), Some("22507123456"), "as it was before 2021");
        assert_eq!(normal_phone("551132654321").as_deref(), Some("551132654321"), "a fixed line in Brazil");
        for none in ["", "US.13491208655302741918", "user.93737", "1234", "1234567890123456", "15550001111@g.us"] {
            assert_eq!(normal_phone(none), None, "{none}");
        }
    }
}
