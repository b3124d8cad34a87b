//! The encodings in which a secret may turn up in a text.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::ops::ControlFlow;

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
        self.in_parts(value, |part| {
            out.push_str(part);
            ControlFlow::<()>::Continue(())
        });
        out
    }

    /// How long the spelled value is, where the text begins with it; else how it compares with the
    /// text.
    pub(super) fn against(self, text: &[u8], value: &str) -> Result<usize, Ordering> {
        let mut at = 0;
        let differs = self.in_parts(value, |part| {
            let rest = &text[at..];
            if !rest.starts_with(part.as_bytes()) {
                return ControlFlow::Break(part.as_bytes().cmp(rest));
            }
            at += part.len();
            ControlFlow::Continue(())
        });
        differs.map_or(Ok(at), Err)
    }

    /// Spells the value in parts, as far as each is asked for.
    fn in_parts<B>(self, value: &str, mut each: impl FnMut(&str) -> ControlFlow<B>) -> Option<B> {
        let flow = match self {
            Self::Raw => each(value),
            Self::Lower => each(&value.to_ascii_lowercase()),
            Self::Base64(shift) => base64(&STANDARD_NO_PAD, value, shift, each),
            Self::Base64Url(shift) => base64(&URL_SAFE_NO_PAD, value, shift, each),
            Self::JwtPart(part) => each(jwt_part(value, part)),
            _ => {
                let mut spelled = String::new();
                value.chars().try_for_each(|c| {
                    spelled.clear();
                    self.character(c, &mut spelled);
                    each(&spelled)
                })
            }
        };
        flow.break_value()
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
                    out.push_str("\\u");
                    hex(unit.to_be_bytes().into_iter(), "", LOWER, out);
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

/// The characters that depend on the value alone, a block of bytes at a time.
fn base64<B>(
    engine: &impl base64::Engine,
    value: &str,
    shift: u8,
    mut each: impl FnMut(&str) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let (mut bytes, mut text) = ([0; BLOCK], [0; BLOCK * 4 / 3]);
    let mut rest = value.as_bytes();
    let mut filled = usize::from(shift);
    let mut begin = base64_core(value.len(), shift).start;
    while !rest.is_empty() {
        let (block, behind) = rest.split_at(rest.len().min(BLOCK - filled));
        let end = filled + block.len();
        bytes[filled..end].copy_from_slice(block);
        // A block has room for its own text.
        let _ = engine.encode_slice(&bytes[..end], &mut text);
        let whole = text.get(begin..end * 8 / 6).unwrap_or_default();
        each(std::str::from_utf8(whole).unwrap_or_default())?;
        (rest, filled, begin) = (behind, 0, 0);
    }
    ControlFlow::Continue(())
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
/// Whole groups of three bytes, each of which is four characters.
const BLOCK: usize = 48;
/// Fewer characters of base64 stand in too many texts.
const BASE64_MIN: usize = 8;
const JWT_PART_MIN: usize = 16;
/// RFC 1035 section 2.3.4.
const HOST_LABEL_MAX: usize = 63;
