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
        // A name that resolves nowhere (RFC 2606 section 2).
        if label.kind == HOST {
            return format!("host-{}.example", label.number);
        }
        if label.kind == name::ID_TOKEN || shape.is_some_and(|shape| shape.jwt_header.is_some()) {
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
            Some(Alphabet::Digits) => "0123456789",
            Some(Alphabet::Hex) => "0123456789abcdef",
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

    fn run(&self, label: &Label, length: usize, characters: &str) -> String {
        let characters: Vec<char> = characters.chars().collect();
        let mut out = String::with_capacity(length);
        let mut block = 0_u64;
        while out.len() < length {
            let mut hash = Sha256::new();
            hash.update(self.seed);
            hash.update(self.round.to_be_bytes());
            hash.update(block.to_be_bytes());
            hash.update(label.key());
            let wanted = length - out.len();
            out.extend(
                hash.finalize()
                    .iter()
                    .take(wanted)
                    .map(|byte| characters[usize::from(*byte) % characters.len()]),
            );
            block += 1;
        }
        out
    }
}

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
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
}
