//! One-time codes that people type: fifteen letters and digits in three groups, 75 random bits. None of them
//! looks like another (no I, L, O, U), and what is mistaken for one is read as it.

use sha2::{Digest, Sha256};

/// Crockford's base 32. <https://www.crockford.com/base32.html>
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A new code, as it is shown: `7K3PX-9QM2W-A5TZC`.
#[must_use]
pub fn generate() -> String {
    let random: [u8; 15] = rand::random();
    let all: Vec<u8> = random.iter().map(|byte| ALPHABET[usize::from(byte % 32)]).collect();
    let groups: Vec<&str> = all.chunks(5).map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    groups.join("-")
}

/// A code as it is compared, however it was typed.
#[must_use]
pub fn normal(typed: &str) -> String {
    let letters = typed.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_uppercase());
    letters
        .map(|c| match c {
            'I' | 'L' => '1',
            'O' => '0',
            other => other,
        })
        .collect()
}

/// What is kept of a code: with 75 random bits no slow hash is needed.
#[must_use]
pub fn hash(owner: &str, typed: &str) -> String {
    hex::encode(Sha256::new().chain_update(owner).chain_update(":").chain_update(normal(typed)).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_bear_how_people_type() {
        let code = generate();
        assert_eq!((code.len(), code.matches('-').count()), (17, 2));
        assert_ne!(code, generate());
        assert_eq!(normal(&format!(" {} ", code.to_lowercase().replace('-', " "))), normal(&code));
        assert_eq!(normal("oOiIlL"), "001111");
        assert_eq!(hash("a", &code), hash("a", &code.to_lowercase()));
        assert_ne!(hash("a", &code), hash("b", &code));
    }
}
