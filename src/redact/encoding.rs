//! The encodings in which a secret may turn up in a text.

use std::fmt::Write as _;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::model::is_unreserved;
use crate::oauth::jwt;
use crate::redact::label::Suffix;

/// One way to spell a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As it is.
    Raw,
    /// In lower case, as hosts are.
    Lower,
    /// Percent-encoded, all but the unreserved characters of RFC 3986 section 2.3.
    Percent,
    /// The same with lower-case digits.
    PercentLower,
    /// The same with `+` for a space.
    Form,
    /// Every byte percent-encoded.
    PercentAll,
    /// The same with lower-case digits.
    PercentAllLower,
    /// Percent-encoded twice.
    PercentTwice,
    /// Inside a JSON string.
    Json,
    /// Inside a JSON string whose slashes are escaped.
    JsonSlash,
    /// Inside a JSON string, every character escaped.
    JsonUnicode,
    /// Inside an HTML page.
    Html,
    /// Hexadecimal digits.
    Hex,
    /// The same in upper case.
    HexUpper,
    /// The characters of base64 that depend on the secret alone, behind this many other bytes.
    Base64(u8),
    /// The same in the alphabet for URLs.
    Base64Url(u8),
    /// The claims or the signature of a JWT.
    JwtPart(u8),
}

impl Encoding {
    /// The encodings that spell the value in a way of their own.
    pub(super) fn of(value: &str) -> impl Iterator<Item = Self> + '_ {
        let reserved = value.bytes().any(|byte| !is_unreserved(byte));
        let escaped = value.chars().any(|c| c < ' ' || "\"\\".contains(c));
        let marked = value.contains(['&', '<', '"']);
        let is_jwt = jwt::parse(value).is_some();
        ALL.iter().copied().filter(move |encoding| match encoding {
            Self::Percent | Self::PercentLower | Self::Form | Self::PercentTwice => reserved,
            Self::Lower => {
                value.len() <= HOST_LABEL_MAX
                    && value.bytes().any(|byte| byte.is_ascii_uppercase())
                    && value
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            }
            Self::Json => escaped,
            Self::JsonSlash => value.contains('/'),
            Self::Html => marked,
            Self::Base64(shift) | Self::Base64Url(shift) => {
                base64_core(value.len(), *shift).len() >= BASE64_MIN
            }
            Self::JwtPart(part) => is_jwt && jwt_part(value, *part).len() >= JWT_PART_MIN,
            _ => true,
        })
    }

    /// What a label says of this spelling.
    pub(super) fn suffix(self) -> Option<Suffix> {
        match self {
            Self::Lower => Some(Suffix::Lower),
            Self::Raw | Self::Json | Self::JsonSlash | Self::JsonUnicode | Self::JwtPart(_) => None,
            Self::Percent
            | Self::PercentLower
            | Self::Form
            | Self::PercentAll
            | Self::PercentAllLower => Some(Suffix::Pct),
            Self::PercentTwice => Some(Suffix::Pct2),
            Self::Html => Some(Suffix::HtmlAmp),
            Self::Hex | Self::HexUpper => Some(Suffix::Hex),
            Self::Base64(_) | Self::Base64Url(_) => Some(Suffix::Base64),
        }
    }

    /// The value spelled so.
    pub(super) fn encode(self, value: &str) -> String {
        let mut out = String::with_capacity(value.len());
        match self {
            Self::Base64(shift) => base64(&STANDARD_NO_PAD, value, shift),
            Self::Base64Url(shift) => base64(&URL_SAFE_NO_PAD, value, shift),
            Self::JwtPart(part) => jwt_part(value, part).to_owned(),
            Self::Lower => value.to_ascii_lowercase(),
            _ => {
                value.chars().for_each(|c| self.character(c, &mut out));
                out
            }
        }
    }

    /// How long the spelled value is, where the text begins with it.
    pub(super) fn starts(self, text: &[u8], value: &str) -> Option<usize> {
        let whole = |spelled: &str| {
            text.starts_with(spelled.as_bytes())
                .then_some(spelled.len())
        };
        match self {
            Self::Raw => whole(value),
            Self::JwtPart(part) => whole(jwt_part(value, part)),
            Self::Lower | Self::Base64(_) | Self::Base64Url(_) => whole(&self.encode(value)),
            _ => {
                let mut spelled = String::new();
                value.chars().try_fold(0, |at, c| {
                    spelled.clear();
                    self.character(c, &mut spelled);
                    text[at..]
                        .starts_with(spelled.as_bytes())
                        .then_some(at + spelled.len())
                })
            }
        }
    }

    /// One character, in the encodings that spell each by itself.
    fn character(self, c: char, out: &mut String) {
        let mut utf8 = [0; 4];
        let bytes = c.encode_utf8(&mut utf8).bytes();
        match (self, c) {
            (Self::Form, ' ') => out.push('+'),
            (Self::Percent | Self::PercentLower | Self::Form | Self::PercentTwice, c)
                if c.is_ascii() && is_unreserved(c as u8) =>
            {
                out.push(c);
            }
            (Self::Percent | Self::Form | Self::PercentAll, _) => hex(bytes, "%", UPPER, out),
            (Self::PercentLower | Self::PercentAllLower, _) => hex(bytes, "%", LOWER, out),
            (Self::PercentTwice, _) => hex(bytes, "%25", UPPER, out),
            (Self::Hex, _) => hex(bytes, "", LOWER, out),
            (Self::HexUpper, _) => hex(bytes, "", UPPER, out),
            (Self::JsonUnicode, _) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            (Self::JsonSlash, '/') => out.push_str("\\/"),
            (Self::Json | Self::JsonSlash, _) => json_character(c, out),
            (Self::Html, '&') => out.push_str("&amp;"),
            (Self::Html, '<') => out.push_str("&lt;"),
            (Self::Html, '"') => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
}

fn hex(bytes: impl Iterator<Item = u8>, before: &str, digits: &[u8; 16], out: &mut String) {
    for byte in bytes {
        out.push_str(before);
        out.push(char::from(digits[usize::from(byte >> 4)]));
        out.push(char::from(digits[usize::from(byte & 15)]));
    }
}

fn json_character(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        c if c < ' ' => {
            // Writing to a string does not fail.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
        c => out.push(c),
    }
}

fn base64(engine: &impl base64::Engine, value: &str, shift: u8) -> String {
    let mut bytes = vec![0; usize::from(shift)];
    bytes.extend_from_slice(value.as_bytes());
    let text = engine.encode(&bytes);
    text.get(base64_core(value.len(), shift))
        .unwrap_or_default()
        .to_owned()
}

/// Where the characters stand that depend on a value of this length alone.
fn base64_core(length: usize, shift: u8) -> std::ops::Range<usize> {
    let shift = usize::from(shift);
    (8 * shift).div_ceil(6)..(shift + length) * 8 / 6
}

fn jwt_part(value: &str, part: u8) -> &str {
    value.split('.').nth(usize::from(part)).unwrap_or_default()
}

const ALL: &[Encoding] = &[
    Encoding::Raw,
    Encoding::Lower,
    Encoding::Percent,
    Encoding::PercentLower,
    Encoding::Form,
    Encoding::PercentAll,
    Encoding::PercentAllLower,
    Encoding::PercentTwice,
    Encoding::Json,
    Encoding::JsonSlash,
    Encoding::JsonUnicode,
    Encoding::Html,
    Encoding::Hex,
    Encoding::HexUpper,
    Encoding::Base64(0),
    Encoding::Base64(1),
    Encoding::Base64(2),
    Encoding::Base64Url(0),
    Encoding::Base64Url(1),
    Encoding::Base64Url(2),
    Encoding::JwtPart(1),
    Encoding::JwtPart(2),
];
const UPPER: &[u8; 16] = b"0123456789ABCDEF";
const LOWER: &[u8; 16] = b"0123456789abcdef";
/// Fewer characters of base64 stand in too many texts.
const BASE64_MIN: usize = 8;
const JWT_PART_MIN: usize = 16;
/// RFC 1035 section 2.3.4.
const HOST_LABEL_MAX: usize = 63;
