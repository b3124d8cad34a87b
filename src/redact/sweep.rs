//! The last look: every known secret is searched in every encoding that may carry it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::model::percent_encode;
use crate::oauth::{Step, error_code, registry};
use crate::redact::index::{Index, WINDOW};
use crate::redact::label::{self, Label, Piece, Suffix, pieces};

/// Searches for secrets in every encoding.
#[derive(Default)]
pub(super) struct Sweeper {
    index: Index<Label>,
}

impl Sweeper {
    /// Takes in new secrets; what is too short or too common to be searched for is left out.
    pub(super) fn add<'a>(&mut self, secrets: impl IntoIterator<Item = (&'a str, &'a Label)>) {
        for (value, label) in secrets {
            if !is_searchable(value) {
                continue;
            }
            for (pattern, suffix) in encodings(value) {
                let label = match suffix {
                    Some(suffix) => label.clone().with(suffix),
                    None => label.clone(),
                };
                self.index.add(pattern, label);
            }
        }
    }

    /// Replaces what it finds in the literal parts of a text; `None` where there is nothing.
    pub(super) fn replace(&self, text: &str) -> Option<String> {
        let mut found = false;
        let mut out = Vec::new();
        for piece in pieces(text) {
            let Piece::Literal(literal) = piece else {
                out.push(piece);
                continue;
            };
            let mut at = 0;
            while let Some(hit) = self.index.find(literal.as_bytes(), at) {
                found = true;
                out.extend(literal_of(&literal, at, hit.start));
                out.push(Piece::Label(hit.value.clone()));
                at = hit.end;
            }
            out.extend(literal_of(&literal, at, literal.len()));
        }
        found.then(|| label::join(&out))
    }

    /// The label of a secret that stands in the bytes in any encoding.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<&Label> {
        self.index.find(bytes, 0).map(|hit| hit.value)
    }
}

/// What lies between two hits; every pattern is whole characters, and so are its ends.
fn literal_of(text: &str, start: usize, end: usize) -> Option<Piece> {
    let between = text.get(start..end).filter(|text| !text.is_empty())?;
    Some(Piece::Literal(between.to_owned()))
}

/// Whether a value is searched for everywhere: not where it is short, a word of the protocol, or
/// a plain word, which anybody could make a server send to deface a recording.
fn is_searchable(value: &str) -> bool {
    let plain_word = value.len() < 12 && value.chars().all(char::is_alphabetic);
    let protocol = registry::is_known(value)
        || registry::header_class(value).is_some()
        || error_code::is_registered(value)
        || Step::from_word(value).is_some()
        || WORDS.contains(&value);
    value.len() >= 6 && !plain_word && !protocol
}

/// The value in each encoding that may carry it, with the suffix that says so.
fn encodings(value: &str) -> Vec<(Vec<u8>, Option<Suffix>)> {
    let upper = percent_encode(value);
    let all: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = upper.replace("%20", "+");
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut forms = vec![(value.to_owned(), None)];
    for encoded in [
        upper.clone(),
        lower_escapes(&upper),
        form,
        all.to_ascii_lowercase(),
        all,
    ] {
        forms.push((encoded, Some(Suffix::Pct)));
    }
    forms.push((percent_encode(&upper), Some(Suffix::Pct2)));
    forms.push((json.trim_matches('"').to_owned(), None));
    forms.push((json.trim_matches('"').replace('/', "\\/"), None));
    forms.push((
        value
            .chars()
            .map(|c| format!("\\u{:04x}", u32::from(c)))
            .collect(),
        None,
    ));
    forms.push((
        value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;"),
        Some(Suffix::HtmlAmp),
    ));
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.push((hex.to_ascii_uppercase(), Some(Suffix::Hex)));
    forms.push((hex, Some(Suffix::Hex)));
    forms.extend(
        base64_cores(value)
            .into_iter()
            .map(|core| (core, Some(Suffix::Base64))),
    );
    forms.extend(parts_of_jwt(value).map(|part| (part.to_owned(), None)));
    let mut out: Vec<(Vec<u8>, Option<Suffix>)> = Vec::new();
    for (form, suffix) in forms {
        if form.len() >= WINDOW && !out.iter().any(|(known, _)| known == form.as_bytes()) {
            out.push((form.into_bytes(), suffix));
        }
    }
    out
}

/// The characters of the base64 text that depend on the value alone, at the three alignments.
fn base64_cores(value: &str) -> Vec<String> {
    let mut cores = Vec::new();
    for shift in 0..3_usize {
        let mut bytes = vec![0; shift];
        bytes.extend_from_slice(value.as_bytes());
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&bytes);
            let front = (8 * shift).div_ceil(6);
            let stable = bytes.len() * 8 / 6;
            let core = text.get(front..stable).unwrap_or_default();
            if core.len() >= 8 {
                cores.push(core.to_owned());
            }
        }
    }
    cores
}

fn parts_of_jwt(value: &str) -> impl Iterator<Item = &str> {
    let jwt = crate::oauth::jwt::parse(value).is_some();
    value
        .split('.')
        .skip(1)
        .filter(move |part| jwt && part.len() >= 16)
}

fn lower_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut escape = 0;
    for c in text.chars() {
        out.push(if escape > 0 {
            c.to_ascii_lowercase()
        } else {
            c
        });
        escape = if c == '%' {
            2
        } else {
            usize::saturating_sub(escape, 1)
        };
    }
    out
}

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
    use super::*;

    fn sweeper(value: &str) -> Sweeper {
        let mut sweeper = Sweeper::default();
        sweeper.add([(value, &Label::new("code", 1))]);
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
            ("percent, lower", lower_escapes(&percent_encode(secret))),
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
    fn words_of_the_protocol_are_never_searched_for() {
        for value in [
            "code",
            "Bearer",
            "authorization_code",
            "invalid_grant",
            "example",
            "x-request-id",
            "12345",
        ] {
            assert_eq!(sweeper(value).find(value.as_bytes()), None, "{value}");
        }
    }
}
