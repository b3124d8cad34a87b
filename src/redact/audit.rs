//! The audit that needs no ledger: what in a text still looks like a secret.

use crate::oauth::credentials::decode_basic;
use crate::oauth::registry::{self, Class, Place};
use crate::oauth::{jwt, placeholder};
use crate::redact::label::{Piece, pieces};
use crate::redact::pattern;
use crate::redact::vocabulary::{has_error_number, is_plain};

/// A place in a text that looks like a secret; the value itself is never part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditHit {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What it looks like.
    pub kind: String,
}

/// Searches any text, be it a cassette, a HAR file or a log: tokens with a signature, vendors'
/// tokens, private keys, credentials behind their scheme, and values of parameters that the
/// registry calls secret.
pub fn audit(text: &str) -> Vec<AuditHit> {
    let mut hits = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut found = audit_line(line);
        found.sort_by_key(|(at, _)| *at);
        let mut columns = Columns::of(line);
        hits.extend(found.into_iter().map(|(at, kind)| AuditHit {
            line: number,
            column: columns.at(at),
            kind: kind.to_owned(),
        }));
    }
    hits
}

/// The columns of a line, for places one behind the other; a file may be one line with as many
/// hits as it has words.
pub(crate) struct Columns<'a> {
    line: &'a str,
    at: usize,
    before: usize,
}

impl<'a> Columns<'a> {
    /// The columns of this line.
    pub(crate) fn of(line: &'a str) -> Self {
        let (at, before) = (0, 0);
        Self { line, at, before }
    }

    /// The column of a byte, counted from 1.
    pub(crate) fn at(&mut self, at: usize) -> usize {
        if at < self.at {
            *self = Self::of(self.line);
        }
        self.before += self.line[self.at..at].chars().count();
        self.at = at;
        self.before + 1
    }
}

fn audit_line(line: &str) -> Vec<(usize, &'static str)> {
    let mut hits = Vec::new();
    if let Some(at) = line
        .find("-----BEGIN ")
        .filter(|_| line.contains("PRIVATE KEY-----"))
    {
        hits.push((at, "private key"));
    }
    hits.extend(userinfo(line).map(|at| (at, "password in a URL")));
    let (mut previous, mut end) = ("", 0);
    for (at, word) in words(line) {
        let clean = word.trim_end_matches(['.', ':']);
        let found = if jwt::parse(clean).is_some() {
            Some("signed JWT")
        } else if pattern::has_vendor_prefix(clean) {
            Some("vendor token")
        } else if is_scheme(previous) && is_credential(clean) && !is_labelled(clean) {
            Some("credentials behind an authorization scheme")
        } else if (is_announced(previous, clean) && !opens(line, end, at))
            || is_headed(previous, line.get(end..at), clean)
        {
            Some("value of a secret parameter")
        } else {
            None
        };
        hits.extend(found.map(|kind| (at, kind)));
        previous = clean;
        end = at + word.len();
    }
    hits
}

/// The runs of a line between white space, quotes, separators and escapes of them.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let separator = |c: char| c.is_whitespace() || "\"'`,;()<>{}[]|=&?:\\".contains(c);
    let mut at = 0;
    line.split_inclusive(separator).filter_map(move |piece| {
        let start = at;
        at += piece.len();
        let word = piece.strip_suffix(separator).unwrap_or(piece);
        (!word.is_empty()).then_some((start, word))
    })
}

/// Whether the name before is that of an object, as `request` is in HAR files on one line.
fn opens(line: &str, end: usize, at: usize) -> bool {
    line.get(end..at)
        .is_some_and(|between| between.contains('{'))
}

fn is_scheme(word: &str) -> bool {
    ["basic", "bearer", "dpop"].contains(&word.to_ascii_lowercase().as_str())
}

/// Whether the word is Basic credentials whose password is a label, and whose user is no secret.
pub(super) fn is_labelled(word: &str) -> bool {
    let decoded = decode_basic(word);
    let halves = decoded.as_deref().and_then(|halves| halves.split_once(':'));
    halves.is_some_and(|(user, password)| {
        matches!(*pieces(password), [Piece::Label(_)]) && audit_line(user).is_empty()
    })
}

/// Whether the word before says that this one is secret: `password hunter2`.
pub(super) fn is_announced(previous: &str, word: &str) -> bool {
    is_secret_name(previous) && is_credential(word)
}

/// Whether the name before, in whatever case, is set apart from this word, as in `Password: hunter2`;
/// in a sentence such names are words.
fn is_headed(previous: &str, between: Option<&str>, word: &str) -> bool {
    between.is_some_and(|between| between.contains([':', '=']) && !between.contains('{'))
        && is_secret_name(&previous.to_ascii_lowercase())
        && is_credential(word)
        && !is_plain(word)
}

fn is_secret_name(word: &str) -> bool {
    let places = [
        Place::TokenRequest,
        Place::TokenResponse,
        Place::AuthorizationResponse,
    ];
    let is_secret = |place: &Place| {
        matches!(
            registry::class(*place, word),
            Some(Class::LowEntropy | Class::Secret)
        )
    };
    places.iter().any(is_secret)
}

/// Where the passwords stand of URLs that have one (RFC 3986 section 3.2.1).
fn userinfo(line: &str) -> impl Iterator<Item = usize> {
    line.match_indices("://").filter_map(|(at, mark)| {
        let at = at + mark.len();
        let authority = line[at..].split(['/', '?', '#', ' ', '"', '\'']).next()?;
        let (userinfo, _) = authority.rsplit_once('@')?;
        let (user, password) = userinfo.split_once(':')?;
        is_credential(password).then_some(at + user.len() + 1)
    })
}

/// Long enough, and no label, placeholder, type name or plain word of a sentence.
fn is_credential(word: &str) -> bool {
    let labelled = pieces(word)
        .iter()
        .any(|piece| matches!(piece, Piece::Label(_)));
    let masked = word.chars().all(|c| "*x.X…-".contains(c));
    let plain = word
        .chars()
        .all(|c| c.is_ascii_lowercase() || c == '_' || c == '-');
    word.len() >= CREDENTIAL_MIN
        && !labelled
        && !masked
        && !plain
        && !registry::is_known(word)
        && !placeholder::is_placeholder_word(word)
        && !has_error_number(word)
}

/// What is shorter is too often something else.
const CREDENTIAL_MIN: usize = 6;

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_pointed_at_and_not_shown() {
        for (text, expected) in [
            (
                "Authorization: Bearer SlAV32hkKG8xyz",
                Some((1, 23, "credentials behind an authorization scheme")),
            ),
            (
                "\n  \"code\": \"SplxlOBeZQQYbYS6\"",
                Some((2, 12, "value of a secret parameter")),
            ),
            (
                "https://x.example/cb?code=SplxlOBeZQQYbYS6&x=1",
                Some((1, 27, "value of a secret parameter")),
            ),
            (
                "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
                Some((1, 1, "signed JWT")),
            ),
            (
                "-----BEGIN EC PRIVATE KEY-----",
                Some((1, 1, "private key")),
            ),
            (
                "token gho_16C7e42F292c6912E7710c838347Ae178B4a",
                Some((1, 7, "vendor token")),
            ),
            (
                "password=hunter2SuperSecret99",
                Some((1, 10, "value of a secret parameter")),
            ),
            (
                "curl https://me:hunter22@idp.example/token",
                Some((1, 17, "password in a URL")),
            ),
            (
                "é https://idp.example/ https://me:hunter22@idp.example/token",
                Some((1, 35, "password in a URL")),
            ),
            ("https://idp.example/a:b@c", None),
            ("- code: REDACTED-code-1", None),
            ("Authorization: Basic REDACTED-basic-1", None),
            ("client_secret: \"\"", None),
            ("token_type=Bearer", None),
            ("{\"request\":{\"postData\":\"x\"}}", None),
            (
                "{\"request\":\"SplxlOBeZQQYbYS6\"}",
                Some((1, 13, "value of a secret parameter")),
            ),
            ("code: {length: 24, alphabet: lower-alnum}", None),
            ("the code expired yesterday", None),
        ] {
            let hit = audit(text).first().cloned();
            let hit = hit
                .as_ref()
                .map(|hit| (hit.line, hit.column, hit.kind.as_str()));
            assert_eq!(hit, expected, "{text}");
        }
    }

    #[test]
    fn a_name_announces_a_secret_in_any_case_and_a_key_of_aws_itself() {
        for (line, is_found) in [
            ("Password: hunter2x9", true),
            ("CLIENT_SECRET=hunter2x9", true),
            ("Password: REDACTED-password-1", false),
            ("Password reset", false),
            ("Authorization Code Expired", false),
            ("Password Reset Required", false),
            ("Error Code: Unauthorized", false),
            ("\"Client_Secret\": \"hunter2x9\"", true),
            ("AKIAIOSFODNN7EXAMPLE", true),
            ("AKIAIOSFODNN7EXAMPL", false),
            ("AKIAiosfodnn7example", false),
        ] {
            assert_eq!(!audit(line).is_empty(), is_found, "{line}");
        }
    }

    #[test]
    fn basic_credentials_are_none_where_a_label_is_the_password() {
        for (halves, is_found) in [
            ("web:REDACTED-client_secret-1", false),
            ("web:REDACTED-client_secret-1xy", true),
            ("REDACTED-client_id-1:Zx8Qw3Er5Ty7", true),
            (
                "ghp_16C7e42F292c6912E7710c838347Ae178B4a:REDACTED-password-1",
                true,
            ),
        ] {
            let line = format!("Authorization: Basic {}", STANDARD.encode(halves));
            assert_eq!(!audit(&line).is_empty(), is_found, "{halves}");
        }
    }
}
