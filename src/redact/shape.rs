//! What may be said of a secret's shape, where that leaves enough of it unknown.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::{is_unreserved, words};
use crate::oauth::jwt;
use crate::redact::ledger::Shape;
use crate::redact::pattern::{PREFIXES, is_email, is_uuid};
use crate::redact::profile::Unredacted;

/// What may be said of a secret: its shape, where that leaves at least 96 bits unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// How many characters it has.
    pub length: Option<u32>,
    /// The smallest class of characters that holds it.
    pub alphabet: Option<Alphabet>,
    /// The vendor's public prefix.
    pub prefix: Option<String>,
    /// The type of a personal value or pseudonym: `uuid`, `number`, `email`, …
    pub r#type: Option<String>,
    /// The header of a JWT, as JSON.
    pub jwt_header: Option<String>,
    /// The claims of a JWT, as JSON; times are offsets from the recording's clock.
    pub jwt_claims: Option<String>,
    /// The secret itself, where nothing is hidden.
    pub value: Option<Unredacted>,
}

words! {
    /// The smallest class of characters that holds a secret.
    Alphabet {
        /// `0-9`
        Digits = "digits",
        /// `0-9 a-f`
        Hex = "hex",
        /// `0-9 a-z`
        LowerAlnum = "lower-alnum",
        /// `0-9 A-Z a-z`
        Alnum = "alnum",
        /// `0-9 A-Z a-z - _`
        Base64Url = "base64url",
        /// `0-9 A-Z a-z + / =`
        Base64 = "base64",
        /// The unreserved characters of RFC 3986: `0-9 A-Z a-z - . _ ~`
        Unreserved = "unreserved",
        /// Visible ASCII.
        Visible = "visible",
        /// Anything else.
        Any = "any",
    }
}

/// What may be declared: a shape that leaves at least 96 bits unknown, or a type.
pub(super) fn declare(value: &str, shape: Shape) -> Option<Declaration> {
    match shape {
        Shape::Hidden => None,
        Shape::Typed => Some(Declaration {
            r#type: Some(type_of(value).to_owned()),
            ..Declaration::default()
        }),
        Shape::Declared => declare_shape(value),
    }
}

/// The shape of a value, where that leaves enough unknown.
pub(super) fn declare_shape(value: &str) -> Option<Declaration> {
    let prefix = PREFIXES
        .iter()
        .find(|prefix| value.starts_with(**prefix) && value.len() > prefix.len());
    let alphabet = match alphabet_of(value) {
        // 16, 32 or 64 random bytes in base64url have neither `-` nor `_` now and then.
        Alphabet::Alnum if [22, 43, 86].contains(&count(value)) => Alphabet::Base64Url,
        alphabet => alphabet,
    };
    let unknown = count(value) - prefix.map_or(0, |prefix| count(prefix));
    let unknown_bits = f64::from(unknown) * (bits_of(alphabet) - 0.23);
    if unknown_bits < 96.0 && jwt::parse(value).is_none() {
        return None;
    }
    Some(Declaration {
        length: Some(count(value)),
        alphabet: Some(alphabet),
        prefix: prefix.map(|prefix| (*prefix).to_owned()),
        ..Declaration::default()
    })
}

/// How many characters a text has.
pub(super) fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

type Class = fn(char) -> bool;

fn alphabet_of(value: &str) -> Alphabet {
    let all = |class: Class| value.chars().all(class);
    let classes: [(Alphabet, Class); 8] = [
        (Alphabet::Digits, |c| c.is_ascii_digit()),
        (Alphabet::Hex, |c| {
            c.is_ascii_digit() || ('a'..='f').contains(&c)
        }),
        (Alphabet::LowerAlnum, |c| {
            c.is_ascii_digit() || c.is_ascii_lowercase()
        }),
        (Alphabet::Alnum, |c| c.is_ascii_alphanumeric()),
        (Alphabet::Base64Url, |c| {
            c.is_ascii_alphanumeric() || c == '-' || c == '_'
        }),
        (Alphabet::Base64, |c| {
            c.is_ascii_alphanumeric() || "+/=".contains(c)
        }),
        (Alphabet::Unreserved, |c| {
            u8::try_from(c).is_ok_and(is_unreserved)
        }),
        (Alphabet::Visible, |c| c.is_ascii_graphic()),
    ];
    classes
        .iter()
        .find(|(_, class)| all(*class))
        .map_or(Alphabet::Any, |(alphabet, _)| *alphabet)
}

fn bits_of(alphabet: Alphabet) -> f64 {
    let size: f64 = match alphabet {
        Alphabet::Digits => 10.0,
        Alphabet::Hex => 16.0,
        Alphabet::LowerAlnum => 36.0,
        Alphabet::Alnum => 62.0,
        Alphabet::Base64Url => 64.0,
        Alphabet::Base64 => 65.0,
        Alphabet::Unreserved => 66.0,
        _ => 94.0,
    };
    size.log2()
}

fn type_of(value: &str) -> &'static str {
    if is_uuid(value) {
        "uuid"
    } else if is_email(value) {
        "email"
    } else if value.chars().all(|c| c.is_ascii_digit()) {
        "number"
    } else if value.contains("://") {
        "url"
    } else {
        "text"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_declared_only_where_96_bits_stay_unknown() {
        for (value, expected) in [
            (
                "0123456789abcdef0123456789abcdef",
                Some((32, Alphabet::Hex)),
            ),
            ("0123456789abcdef", None),
            (
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                Some((43, Alphabet::Base64Url)),
            ),
            ("hunter2", None),
            (
                "gho_16C7e42F292c6912E7710c838347Ae178B4a",
                Some((40, Alphabet::Base64Url)),
            ),
        ] {
            let declared = declare(value, Shape::Declared);
            let shape = declared.map(|shape| {
                (
                    shape.length.unwrap_or_default(),
                    shape.alphabet.unwrap_or(Alphabet::Any),
                )
            });
            assert_eq!(shape, expected, "{value}");
        }
    }
}
