//! Whether a new password will do: long enough, and nothing that guessers try first. Judged by zxcvbn,
//! which knows the common ones, keyboard rows, dates, and what is told of the person.

use super::{
    AccountError,
    model::{EmailAddress, MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS},
};
use secrecy::{ExposeSecret, SecretString};
use zxcvbn::{Score, feedback::Warning, zxcvbn};

/// What is known of the person: the first that somebody would try.
#[derive(Clone, Debug, Default)]
pub struct About(Vec<String>);

impl About {
    /// A person with this address and name.
    #[must_use]
    pub fn person(email: &EmailAddress, name: &str) -> Self {
        Self::default().and(email.as_str()).and(name)
    }

    /// And this: their company, the operator.
    #[must_use]
    pub fn and(mut self, text: &str) -> Self {
        let text = text.to_lowercase();
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2).collect();
        if words.len() > 1 {
            self.0.push(words.concat());
        }
        self.0.extend(words.into_iter().map(str::to_owned));
        self.0.push(text);
        self
    }
}

/// Whether a new password will do.
///
/// # Errors
/// [`AccountError::WeakPassword`] with what is wrong with it, for its field.
pub async fn check(password: &SecretString, about: About) -> Result<(), AccountError> {
    let password = password.clone();
    // Up to some milliseconds of work.
    let fault = tokio::task::spawn_blocking(move || fault(password.expose_secret(), &about))
        .await
        .map_err(|error| AccountError::Hash(error.to_string()))?;
    fault.map_or(Ok(()), |text| Err(AccountError::WeakPassword(text)))
}

fn fault(password: &str, about: &About) -> Option<&'static str> {
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Some("The password is too short: at least 12 characters.");
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Some("The password is too long: at most 1,000 bytes.");
    }
    let inputs: Vec<&str> = about.0.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    if is_names_alone(password, &inputs) {
        return Some(
            "This has names in it that others know of you, and little else. Take three or more unrelated words.",
        );
    }
    let judged = zxcvbn(password, &inputs);
    // Three of four: more than a hundred million guesses.
    if judged.score() >= Score::Three {
        return None;
    }
    Some(match judged.feedback().and_then(zxcvbn::feedback::Feedback::warning) {
        Some(
            Warning::ThisIsATop10Password
            | Warning::ThisIsATop100Password
            | Warning::ThisIsACommonPassword
            | Warning::ThisIsSimilarToACommonlyUsedPassword,
        ) => "Many people use this password or one like it, so it is tried first. Take three or more unrelated words.",
        Some(Warning::StraightRowsOfKeysAreEasyToGuess | Warning::ShortKeyboardPatternsAreEasyToGuess) => {
            "Keys in a row are easy to guess. Take three or more unrelated words."
        }
        Some(Warning::RepeatsLikeAaaAreEasyToGuess | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess) => {
            "Repeating something makes it hardly harder to guess. Take three or more unrelated words."
        }
        Some(Warning::SequencesLikeAbcAreEasyToGuess) => {
            "Letters or digits in their order are easy to guess. Take three or more unrelated words."
        }
        Some(Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess) => {
            "Dates and years are easy to guess. Take three or more unrelated words."
        }
        _ => "This password is easy to guess. Take three or more unrelated words.",
    })
}

/// Whether little is left without what others know. (To zxcvbn three such words in a row are many guesses.)
fn is_names_alone(password: &str, inputs: &[&str]) -> bool {
    let whole = password.to_lowercase();
    let mut inputs = inputs.to_vec();
    inputs.sort_by_key(|text| std::cmp::Reverse(text.len()));
    let rest = inputs.iter().fold(whole.clone(), |rest, text| rest.replace(text, " "));
    rest != whole && rest.chars().filter(|c| c.is_alphabetic()).count() < 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        About::person(&"nina@harbour.example".parse().unwrap(), "Nina Okafor")
            .and("Harbour Bakery")
            .and("Acme Messaging")
    }

    #[test]
    fn what_guessers_try_first_is_refused() {
        for (password, says) in [
            ("elevenchars", "at least 12 characters"),
            ("password1234", "Many people use this"),
            ("P@ssw0rd1234", "Many people use this"),
            ("qwertyuiop12", "easy to guess"),
            ("123456789012", "in their order"),
            ("aaaaaaaaaaaaaaa", "Repeating"),
            ("harbourbakery", "others know of you"),
            ("HarbourBakery1", "others know of you"),
            ("Acmemessaging2026", "others know of you"),
            ("okafor-okafor", "others know of you"),
            ("nina harbour bakery", "others know of you"),
        ] {
            let found = fault(password, &about());
            let found = found.unwrap_or_else(|| panic!("{password} is let through"));
            assert!(says == "easy to guess" || found.contains(says), "{password}: {found}");
        }
        assert!(fault(&"x y".repeat(400), &about()).unwrap().contains("too long"));
    }

    #[test]
    fn words_in_a_row_are_fine() {
        for password in
            ["correct horse battery", "doorway-demo", "a long enough password", "кот сидит на крыше", "vT9#kq!mZ2&x"]
        {
            assert_eq!(fault(password, &about()), None, "{password}");
        }
    }
}
