//! Values that stand in for labels: in the declared shape, and the same for the same seed.

use sha2::{Digest as _, Sha256};

use crate::oauth::name;
use crate::redact::{Alphabet, Declaration, HOST, Label};

/// Makes values from a seed.
pub(super) struct Mint {
    seed: [u8; 32],
    round: u64,
}

impl Mint {
    /// A mint that makes the same values for the same seed.
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { seed, round: 0 }
    }

    /// A value for a label; nothing of it comes from the secret but the shape.
    pub(super) fn value(&mut self, label: &Label, shape: Option<&Declaration>) -> String {
        self.round += 1;
        let r#type = shape.and_then(|shape| shape.r#type.as_deref());
        if let Some(value) = self.of_type(label, r#type) {
            return value;
        }
        // A name that resolves nowhere (RFC 2606 section 2).
        if label.kind == HOST {
            return format!("host-{}.example", label.number);
        }
        if shape.is_some_and(|shape| shape.jwt_header.is_some()) {
            return format!(
                "{}.{}.{}",
                self.run(label, 36, ALNUM),
                self.run(label, 100, ALNUM),
                self.run(label, 86, ALNUM)
            );
        }
        let prefix = shape
            .and_then(|shape| shape.prefix.as_deref())
            .unwrap_or_default();
        let length = shape
            .and_then(|shape| shape.length)
            .map_or(DEFAULT_LENGTH, |length| length as usize);
        let characters = match shape.and_then(|shape| shape.alphabet) {
            Some(Alphabet::Digits) => DIGITS,
            Some(Alphabet::Hex) => HEX,
            Some(Alphabet::LowerAlnum) => "abcdefghijklmnopqrstuvwxyz0123456789",
            Some(Alphabet::Base64Url) => {
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            }
            Some(Alphabet::Base64) => {
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
            }
            Some(Alphabet::Unreserved) => {
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
            }
            _ => ALNUM,
        };
        let rest = length.saturating_sub(prefix.chars().count()).max(1);
        format!("{prefix}{}", self.run(label, rest, characters))
    }

    /// Letters and digits, as many as that.
    pub(super) fn letters(&mut self, label: &Label, length: usize) -> String {
        self.round += 1;
        self.run(label, length, ALNUM)
    }

    /// A value that is of its type, and evidently nobody's: domains of RFC 2606, telephone numbers
    /// that are never given out.
    fn of_type(&self, label: &Label, r#type: Option<&str>) -> Option<String> {
        let number = label.number;
        let run = |length, characters| self.run(label, length, characters);
        let value = match (r#type, label.kind.as_str()) {
            (Some("email"), _) => format!("user-{number}@mail.example"),
            (Some("number"), _) => format!("1{}", run(9, DIGITS)),
            (Some("url"), kind) => format!("https://www.example/{kind}-{number}"),
            (Some("uuid"), _) => {
                let hex = run(30, HEX);
                format!(
                    "{}-{}-4{}-8{}-{}",
                    &hex[..8],
                    &hex[8..12],
                    &hex[12..15],
                    &hex[15..18],
                    &hex[18..]
                )
            }
            (_, name::USER_CODE) => format!("{}-{}", run(4, CONSONANTS), run(4, CONSONANTS)),
            (Some(_), "address") => format!("192.0.2.{}", number % 256),
            (Some(_), "birthdate") => "1990-01-01".to_owned(),
            (Some(_), "phone_number") => format!("+1555010{:04}", number % 10_000),
            (Some(_), kind) if kind.ends_with("name") || kind == "login" => {
                format!("user-{number}")
            }
            _ => return None,
        };
        Some(value)
    }

    fn run(&self, label: &Label, length: usize, characters: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(self.round.to_be_bytes());
        hash.update(label.key());
        let seed = hash
            .finalize()
            .iter()
            .take(8)
            .fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        let mut bytes = vec![0; length];
        fastrand::Rng::with_seed(seed).fill(&mut bytes);
        let characters = characters.as_bytes();
        for byte in &mut bytes {
            *byte = characters[(usize::from(*byte) * characters.len()) >> 8];
        }
        // The characters are all of ASCII.
        String::from_utf8(bytes).unwrap_or_default()
    }
}

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";
/// Of which no word is made (RFC 8628 section 6.1).
const CONSONANTS: &str = "BCDFGHJKLMNPQRSTVWXZ";
const DEFAULT_LENGTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_declared_shape_and_follows_the_seed() {
        let shape = Declaration {
            length: Some(40),
            alphabet: Some(Alphabet::Hex),
            prefix: Some("gho_".to_owned()),
            ..Declaration::default()
        };
        let label = Label::new("access_token", 1);
        let value = Mint::new([7; 32]).value(&label, Some(&shape));
        assert_eq!(value.len(), 40);
        assert!(
            value
                .strip_prefix("gho_")
                .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_hexdigit())),
            "{value}"
        );
        assert_eq!(value, Mint::new([7; 32]).value(&label, Some(&shape)));
        assert_ne!(value, Mint::new([8; 32]).value(&label, Some(&shape)));
    }

    #[test]
    fn a_value_of_a_type_is_of_that_type_and_nobodys() {
        for (kind, r#type, expected) in [
            ("email", Some("email"), "user-2@mail.example"),
            ("picture", Some("url"), "https://www.example/picture-2"),
            ("given_name", Some("text"), "user-2"),
            ("preferred_username", Some("email"), "user-2@mail.example"),
            ("birthdate", Some("text"), "1990-01-01"),
            ("phone_number", Some("text"), "+15550100002"),
            ("address", Some("text"), "192.0.2.2"),
        ] {
            let shape = Declaration {
                r#type: r#type.map(str::to_owned),
                ..Declaration::default()
            };
            let value = Mint::new([7; 32]).value(&Label::new(kind, 2), Some(&shape));
            assert_eq!(value, expected, "{kind}");
        }
        let made = |kind: &str, r#type: &str| {
            let shape = Declaration {
                r#type: Some(r#type.to_owned()),
                ..Declaration::default()
            };
            Mint::new([7; 32]).value(&Label::new(kind, 1), Some(&shape))
        };
        let uuid = made("sub", "uuid");
        let lengths: Vec<_> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
        let number = made("sub", "number");
        assert!(number.bytes().all(|byte| byte.is_ascii_digit()), "{number}");
        let code = Mint::new([7; 32]).value(&Label::new("user_code", 1), None);
        assert_eq!((code.len(), code.find('-')), (9, Some(4)), "{code}");
    }
}
