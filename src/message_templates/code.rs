//! One-time codes: what an authentication template has beside Meta's own text.

use super::components::member;
use serde_json::{Value, json};

/// What an authentication template has: its text is Meta's own.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/authentication-templates/authentication-templates>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    /// Whether it says that the code is for nobody else.
    pub warns: bool,
    /// After how many minutes the code ends; empty: it does not say so.
    pub minutes: String,
    /// An Android app that the code goes into by itself: its package and the hash of its signature. Both or none.
    pub package: String,
    pub hash: String,
    /// What stands on its buttons, where it was read: that which copies the code, and that of the app. Empty: Meta's
    /// own words.
    pub text: String,
    pub autofill: String,
}

/// Marks that end a sentence in the languages of Meta's list.
const SENTENCE_ENDS: [char; 14] = ['.', '!', '?', '。', '．', '！', '।', '۔', '։', '።', '။', '។', '｡', '༎'];

impl Code {
    /// What Meta takes.
    pub fn components(&self) -> Vec<Value> {
        let mut all = vec![json!({"type": "BODY", "add_security_recommendation": self.warns})];
        if let Ok(minutes) = self.minutes.trim().parse::<i64>() {
            all.push(json!({"type": "FOOTER", "code_expiration_minutes": minutes}));
        }
        let mut button = json!({"type": "OTP", "otp_type": "COPY_CODE"});
        if !self.package.trim().is_empty() {
            button = json!({"type": "OTP", "otp_type": "ONE_TAP", "supported_apps": [
                {"package_name": self.package.trim(), "signature_hash": self.hash.trim()}]});
            if !self.autofill.is_empty() {
                button["autofill_text"] = json!(self.autofill);
            }
        }
        if !self.text.is_empty() {
            button["text"] = json!(self.text);
        }
        all.push(json!({"type": "BUTTONS", "buttons": [button]}));
        all
    }

    /// Whether Meta's text has a second sentence, which is the warning. Where no mark tells where a sentence ends, it is
    /// taken to be there: it is not to get lost.
    pub fn seems_to_warn(text: &str) -> bool {
        match text.split_once(SENTENCE_ENDS) {
            Some((_, rest)) => rest.chars().any(char::is_alphabetic),
            None => true,
        }
    }

    /// The minutes that a footer tells of, in a number of its own or in Meta's text.
    pub fn minutes_of(footer: &Value) -> String {
        if let Some(minutes) = footer.get("code_expiration_minutes").and_then(Value::as_i64) {
            return minutes.to_string();
        }
        let text = member(footer, "text").trim_start_matches(|c: char| !c.is_ascii_digit());
        text.chars().take_while(char::is_ascii_digit).collect()
    }

    /// Whether a button does what a draft can't say: the code put in without a tap, several apps, none.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/authentication-templates/zero-tap-authentication-templates>
    pub fn is_lost(button: &Value) -> bool {
        let apps = button.get("supported_apps").and_then(Value::as_array).map_or(0, Vec::len);
        match member(button, "otp_type").to_uppercase().as_str() {
            "COPY_CODE" => false,
            "ONE_TAP" => apps > 1 || (apps == 0 && member(button, "package_name").is_empty()),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::draft::Draft, *};

    /// A code's template as Meta lists it.
    fn code_listed(button: Value) -> Vec<Value> {
        vec![
            json!({"type": "BODY", "text": "*{{1}}* is your verification code."}),
            json!({"type": "FOOTER", "text": "This code expires in 10 minutes."}),
            json!({"type": "BUTTONS", "buttons": [button]}),
        ]
    }

    #[test]
    fn what_a_code_would_lose_is_seen() {
        let app = json!({"package_name": "com.example.shop", "signature_hash": "K8a/AINcGX7"});
        let loses = |button: Value| Draft::loses("AUTHENTICATION", &code_listed(button));
        assert!(!loses(json!({"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"})));
        assert!(!loses(json!({"type": "OTP", "otp_type": "ONE_TAP", "supported_apps": [app]})));
        assert!(loses(json!({"type": "OTP", "otp_type": "ONE_TAP", "supported_apps": [app, app]})));
        assert!(loses(json!({"type": "OTP", "otp_type": "ZERO_TAP", "supported_apps": [app]})));
        assert!(loses(json!({"type": "OTP", "otp_type": "ONE_TAP"})), "it would become a button to copy");
        assert!(loses(json!({"type": "URL", "text": "Copy code", "url": "https://code.example/{{1}}"})));
        let mut untold = code_listed(json!({"type": "OTP", "otp_type": "COPY_CODE"}));
        untold[1] = json!({"type": "FOOTER", "text": "It ends soon."});
        assert!(Draft::loses("AUTHENTICATION", &untold), "after how many minutes?");
    }

    #[test]
    fn a_code_is_sent_back_with_its_own_words() {
        let button = json!({"type": "OTP", "otp_type": "ONE_TAP", "text": "Take the code", "autofill_text": "Fill in",
            "supported_apps": [{"package_name": "com.example.shop", "signature_hash": "K8a/AINcGX7"}]});
        let draft = Draft::of("sign_in", "AUTHENTICATION", "en_US", &code_listed(button.clone()));
        assert_eq!((draft.code.minutes.as_str(), draft.code.warns), ("10", false));
        assert_eq!(draft.components()[2]["buttons"][0], button);
    }

    #[test]
    fn the_warning_is_found_in_any_language() {
        let warns = |text: &str| {
            let all = [json!({"type": "BODY", "text": text})];
            Draft::of("x", "AUTHENTICATION", "x", &all).code.warns
        };
        for (first, second) in [
            ("*{{1}}* is your verification code.", " For your security, do not share this code."),
            ("Tu código de verificación es *{{1}}*.", " Por tu seguridad, no lo compartas."),
            ("您的验证码是 *{{1}}*。", "为了您的安全，请勿分享。"),
            ("確認コードは*{{1}}*です。", "共有しないでください。"),
            ("आपका कोड *{{1}}* है।", " इसे साझा न करें।"),
        ] {
            assert!(!warns(first), "{first}");
            assert!(warns(&format!("{first}{second}")), "{first}{second}");
        }
        assert!(warns("รหัสของคุณคือ *{{1}}* อย่าแชร์"), "no mark tells: it does not get lost");
        let told = json!({"type": "BODY", "text": "One. Two.", "add_security_recommendation": false});
        assert!(!Draft::of("x", "AUTHENTICATION", "en_US", &[told]).code.warns, "what Meta lists counts");
    }
}
