//! The last look: every known secret is searched in every encoding that may carry it.

use std::borrow::Cow;
use std::cmp::Ordering;

use zeroize::Zeroizing;

use crate::oauth::{Step, error_code, registry};
use crate::redact::encoding::Encoding;
use crate::redact::index::{Hit, Index, Spell, Windows};
use crate::redact::label::{self, Label, Piece, pieces};

/// Searches for secrets in every encoding. They are wiped when it is dropped.
#[derive(Default)]
pub(super) struct Sweeper {
    secrets: Vec<(Zeroizing<String>, Label)>,
    index: Index<Spelling>,
}

/// A secret by its place among all, and how it is spelled.
#[derive(Clone, Copy)]
struct Spelling {
    secret: u32,
    encoding: Encoding,
}

impl Sweeper {
    /// Takes in a new secret; what is too short or too common to be searched for is left out.
    pub(super) fn add(&mut self, value: &str, label: &Label) {
        if is_searchable(value) {
            self.insist(value, label);
        }
    }

    /// Takes in a secret that is searched for even where it is a plain word: its owner says so.
    pub(super) fn insist(&mut self, value: &str, label: &Label) {
        let Ok(secret) = u32::try_from(self.secrets.len()) else {
            return;
        };
        self.secrets
            .push((Zeroizing::new(value.to_owned()), label.clone()));
        for encoding in Encoding::of(value) {
            let start = start_of(value, encoding);
            let spelling = Spelling { secret, encoding };
            self.index.add(start.as_bytes(), spelling, &self.secrets);
        }
    }

    /// What is searched for.
    pub(super) fn secrets(&self) -> &[(Zeroizing<String>, Label)] {
        &self.secrets
    }

    /// How many spellings are searched for.
    pub(super) fn patterns(&self) -> usize {
        self.index.len()
    }

    /// Replaces what it finds in the literal parts of a text; `None` where there is nothing.
    pub(super) fn replace(&self, text: &str) -> Option<String> {
        if !label::may_hold(text) {
            self.hit(text.as_bytes(), 0)?;
        }
        let mut found = false;
        let mut out = Vec::new();
        for piece in pieces(text) {
            let Piece::Literal(literal) = piece else {
                out.push(piece);
                continue;
            };
            let mut at = 0;
            while let Some(hit) = self.hit(literal.as_bytes(), at) {
                found = true;
                out.extend(literal_of(&literal, at, hit.start));
                out.extend(self.label(hit.value).map(Piece::Label));
                at = hit.end;
            }
            out.extend(literal_of(&literal, at, literal.len()));
        }
        found.then(|| label::join(&out))
    }

    /// The label of a secret that stands in the bytes in any encoding.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<Label> {
        self.label(self.hit(bytes, 0)?.value)
    }

    fn hit(&self, text: &[u8], at: usize) -> Option<Hit<Spelling>> {
        self.index.find(text, at, &self.secrets)
    }

    fn label(&self, spelling: Spelling) -> Option<Label> {
        let (_, label) = self.secrets.get(spelling.secret as usize)?;
        Some(match spelling.encoding.suffix() {
            Some(suffix) => label.clone().with(suffix),
            None => label.clone(),
        })
    }
}

impl Spell<Spelling> for Vec<(Zeroizing<String>, Label)> {
    fn spelled(&self, spelling: Spelling) -> Cow<'_, [u8]> {
        let value = value_of(self, spelling);
        Cow::Owned(spelling.encoding.encode(value).into_bytes())
    }

    fn against(&self, spelling: Spelling, text: &[u8]) -> Result<usize, Ordering> {
        spelling.encoding.against(text, value_of(self, spelling))
    }
}

fn value_of(secrets: &[(Zeroizing<String>, Label)], spelling: Spelling) -> &str {
    let secret = secrets.get(spelling.secret as usize);
    secret.map_or("", |(value, _)| value.as_str())
}

/// Whether a secret may stand in one of many texts, in any encoding; where it does, this is true.
pub(super) fn may_stand_in(windows: &Windows, value: &str) -> bool {
    is_searchable(value)
        && Encoding::of(value).any(|encoding| {
            windows.may_hold(start_of(value, encoding).as_bytes())
                && windows.may_hold(encoding.encode(value).as_bytes())
        })
}

/// The first bytes of a secret in an encoding, as many as the index looks at, or more.
fn start_of(value: &str, encoding: Encoding) -> String {
    match encoding {
        Encoding::JwtPart(_) => encoding.encode(value),
        // Whatever the encoding, no byte becomes less than one.
        _ => encoding.encode(&value[..value.ceil_char_boundary(START)]),
    }
}

/// What lies between two hits; every pattern is whole characters, and so are its ends.
fn literal_of(text: &str, start: usize, end: usize) -> Option<Piece> {
    let between = text.get(start..end).filter(|text| !text.is_empty())?;
    Some(Piece::Literal(between.to_owned()))
}

/// Whether a value is searched for everywhere: not where it is short, a word of the protocol, or
/// a plain word, which anybody could make a server send to deface a recording; and not where it
/// reads as a label, as in what was redacted before, since labels are all over what is searched.
fn is_searchable(value: &str) -> bool {
    let plain_word = value.len() < 12 && value.chars().all(char::is_alphabetic);
    value.len() >= 6 && !plain_word && !is_common(value) && !label::may_hold(value)
}

/// Whether a value is a word of the protocol, or too short to be anything: it is replaced in its
/// own place only, or a server could set a cookie to it and deface every text that says it.
pub(super) fn is_common(value: &str) -> bool {
    value.len() < COMMON_MAX || is_protocol(value)
}

/// Whether a value is a word of the protocol.
pub(super) fn is_protocol(value: &str) -> bool {
    registry::is_known(value)
        || registry::is_header(value)
        || error_code::is_registered(value)
        || Step::from_word(value).is_some()
        || WORDS.contains(&value)
}

/// No one-time code and no PIN is shorter.
const COMMON_MAX: usize = 4;
/// How many bytes of a secret the index is given.
const START: usize = 8;

/// Values of the protocol that are no names in the registry.
const WORDS: &[&str] = &[
    "S256",
    "application/json",
    "application/x-www-form-urlencoded",
    "authorization_code",
    "client_credentials",
    "client_secret_basic",
    "client_secret_post",
    "code id_token",
    "form_post",
    "fragment",
    "gzip, deflate",
    "no-cache",
    "no-store",
    "offline_access",
    "openid",
    "openid email",
    "openid profile",
    "openid profile email",
    "private_key_jwt",
    "text/html",
    "text/plain",
];

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;

    use super::*;
    use crate::model::percent_encode;

    fn sweeper(value: &str) -> Sweeper {
        let mut sweeper = Sweeper::default();
        sweeper.add(value, &Label::new("code", 1));
        sweeper
    }

    #[test]
    fn a_secret_is_found_in_every_encoding() {
        let secret = "Hun/ter 2&\"é+Zq";
        let sweeper = sweeper(secret);
        let b64 = |prefix: &str| STANDARD_NO_PAD.encode(format!("{prefix}{secret}suffix"));
        for (name, text) in [
            ("raw", secret.to_owned()),
            ("percent", percent_encode(secret)),
            ("percent, lower", Encoding::PercentLower.encode(secret)),
            ("form", percent_encode(secret).replace("%20", "+")),
            ("percent twice", percent_encode(&percent_encode(secret))),
            ("JSON", serde_json::to_string(secret).expect("JSON")),
            ("base64", b64("")),
            ("base64 at 1", b64("x")),
            ("base64 at 2", b64("xy")),
            (
                "hex",
                secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
            ),
            (
                "percent, all",
                secret.bytes().map(|byte| format!("%{byte:02X}")).collect(),
            ),
            (
                "percent, all lower",
                secret.bytes().map(|byte| format!("%{byte:02x}")).collect(),
            ),
            (
                "JSON, all",
                secret
                    .encode_utf16()
                    .map(|unit| format!("\\u{unit:04x}"))
                    .collect(),
            ),
            ("HTML", secret.replace('&', "&amp;").replace('"', "&quot;")),
        ] {
            let swept = sweeper
                .replace(&format!("before {text} after"))
                .unwrap_or_else(|| panic!("{name}: not found"));
            assert!(swept.contains("REDACTED-code-1"), "{name}: {swept}");
            assert!(sweeper.find(text.as_bytes()).is_some(), "{name}");
            assert_eq!(sweeper.find(swept.as_bytes()), None, "{name}: {swept}");
        }
    }

    #[test]
    fn base64_is_found_in_both_of_its_alphabets() {
        let secret = "k>>>v???x~~~m>>>q";
        let sweeper = sweeper(secret);
        for before in ["", "x", "xy"] {
            let text = STANDARD_NO_PAD.encode(format!("{before}{secret}suffix"));
            assert!(text.contains(['+', '/']), "{text}");
            for text in [text.replace('+', "-").replace('/', "_"), text] {
                assert!(sweeper.find(text.as_bytes()).is_some(), "{text}");
            }
        }
    }

    #[test]
    fn words_of_the_protocol_are_never_searched_for() {
        for value in [
            "code",
            "Bearer",
            "authorization_code",
            "invalid_grant",
            "example",
            "x-request-id",
            "12345",
            "REDACTED-code-1",
        ] {
            assert_eq!(sweeper(value).find(value.as_bytes()), None, "{value}");
        }
    }
}
