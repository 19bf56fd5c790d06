//! The languages that templates can have.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/supported-languages>

/// Code and name of each.
pub(super) const ALL: &[(&str, &str)] = &[
    ("af", "Afrikaans"),
    ("sq", "Albanian"),
    ("ar", "Arabic"),
    ("ar_EG", "Arabic (Egypt)"),
    ("ar_AE", "Arabic (United Arab Emirates)"),
    ("ar_LB", "Arabic (Lebanon)"),
    ("ar_MA", "Arabic (Morocco)"),
    ("ar_QA", "Arabic (Qatar)"),
    ("az", "Azerbaijani"),
    ("be_BY", "Belarusian"),
    ("bn", "Bengali"),
    ("bn_IN", "Bengali (India)"),
    ("bg", "Bulgarian"),
    ("ca", "Catalan"),
    ("zh_CN", "Chinese (China)"),
    ("zh_HK", "Chinese (Hong Kong)"),
    ("zh_TW", "Chinese (Taiwan)"),
    ("hr", "Croatian"),
    ("cs", "Czech"),
    ("da", "Danish"),
    ("prs_AF", "Dari"),
    ("nl", "Dutch"),
    ("nl_BE", "Dutch (Belgium)"),
    ("en", "English"),
    ("en_GB", "English (United Kingdom)"),
    ("en_US", "English (United States)"),
    ("en_AE", "English (United Arab Emirates)"),
    ("en_AU", "English (Australia)"),
    ("en_CA", "English (Canada)"),
    ("en_GH", "English (Ghana)"),
    ("en_IE", "English (Ireland)"),
    ("en_IN", "English (India)"),
    ("en_JM", "English (Jamaica)"),
    ("en_MY", "English (Malaysia)"),
    ("en_NZ", "English (New Zealand)"),
    ("en_QA", "English (Qatar)"),
    ("en_SG", "English (Singapore)"),
    ("en_UG", "English (Uganda)"),
    ("en_ZA", "English (South Africa)"),
    ("et", "Estonian"),
    ("fil", "Filipino"),
    ("fi", "Finnish"),
    ("fr", "French"),
    ("fr_BE", "French (Belgium)"),
    ("fr_CA", "French (Canada)"),
    ("fr_CH", "French (Switzerland)"),
    ("fr_CI", "French (Ivory Coast)"),
    ("fr_MA", "French (Morocco)"),
    ("ka", "Georgian"),
    ("de", "German"),
    ("de_AT", "German (Austria)"),
    ("de_CH", "German (Switzerland)"),
    ("el", "Greek"),
    ("gu", "Gujarati"),
    ("ha", "Hausa"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("hu", "Hungarian"),
    ("id", "Indonesian"),
    ("ga", "Irish"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("kn", "Kannada"),
    ("kk", "Kazakh"),
    ("rw_RW", "Kinyarwanda"),
    ("ko", "Korean"),
    ("ky_KG", "Kyrgyz (Kyrgyzstan)"),
    ("lo", "Lao"),
    ("lv", "Latvian"),
    ("lt", "Lithuanian"),
    ("mk", "Macedonian"),
    ("ms", "Malay"),
    ("ml", "Malayalam"),
    ("mr", "Marathi"),
    ("nb", "Norwegian"),
    ("ps_AF", "Pashto"),
    ("fa", "Persian"),
    ("pl", "Polish"),
    ("pt_BR", "Portuguese (Brazil)"),
    ("pt_PT", "Portuguese (Portugal)"),
    ("pa", "Punjabi"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("sr", "Serbian"),
    ("si_LK", "Sinhala"),
    ("sk", "Slovak"),
    ("sl", "Slovenian"),
    ("es", "Spanish"),
    ("es_AR", "Spanish (Argentina)"),
    ("es_CL", "Spanish (Chile)"),
    ("es_CO", "Spanish (Colombia)"),
    ("es_CR", "Spanish (Costa Rica)"),
    ("es_DO", "Spanish (Dominican Republic)"),
    ("es_EC", "Spanish (Ecuador)"),
    ("es_HN", "Spanish (Honduras)"),
    ("es_MX", "Spanish (Mexico)"),
    ("es_PA", "Spanish (Panama)"),
    ("es_PE", "Spanish (Peru)"),
    ("es_ES", "Spanish (Spain)"),
    ("es_UY", "Spanish (Uruguay)"),
    ("sw", "Swahili"),
    ("sv", "Swedish"),
    ("ta", "Tamil"),
    ("te", "Telugu"),
    ("th", "Thai"),
    ("tr", "Turkish"),
    ("uk", "Ukrainian"),
    ("ur", "Urdu"),
    ("uz", "Uzbek"),
    ("vi", "Vietnamese"),
    ("zu", "Zulu"),
];

/// The name of a language; one that is not on the list is shown by its code.
pub(super) fn name(code: &str) -> &str {
    ALL.iter().find(|(known, _)| *known == code).map_or(code, |(_, name)| name)
}

/// Whether it is written from right to left.
pub(super) fn is_right_to_left(code: &str) -> bool {
    matches!(code.split('_').next().unwrap_or_default(), "ar" | "fa" | "he" | "ps" | "prs" | "ur")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_is_there_once_and_has_a_name() {
        for (at, (code, name)) in ALL.iter().enumerate() {
            assert!(!name.is_empty() && ALL[at + 1..].iter().all(|(other, _)| other != code), "{code}");
        }
        assert_eq!(name("en_US"), "English (United States)");
        assert_eq!(name("tlh"), "tlh");
        assert!(is_right_to_left("ar_EG") && is_right_to_left("he") && !is_right_to_left("de"));
    }
}
