//! What a secret or personal value looks like where no name announces it.

use crate::model::{Url, percent_decode};
use crate::oauth::jwt;
use crate::redact::vocabulary::is_time;

/// What a piece of free text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// An e-mail address.
    Email,
    /// An IP address that is not this machine's.
    Address,
    /// A JWT, a vendor's token, or a run too random to be a word.
    Token,
}

/// What a word looks like, if it looks like anything that must not be kept.
pub(super) fn looks(word: &str) -> Option<Looks> {
    if is_email(word) {
        return Some(Looks::Email);
    }
    if is_address(word) {
        return Some(Looks::Address);
    }
    (jwt::parse(word).is_some() || has_vendor_prefix(word) || is_random(word))
        .then_some(Looks::Token)
}

/// Whether a segment of a path must not be shown as it is.
pub(crate) fn is_suspicious(segment: &str) -> bool {
    looks(&percent_decode(segment)).is_some()
}

/// A request as a person may read it: its method and URL, without its query and what of its path is
/// secret, or looks like it.
pub(crate) fn shown(method: &str, url: &Url, is_secret: impl Fn(&str) -> bool) -> String {
    let is_hidden = |segment: &str| is_suspicious(segment) || is_secret(segment);
    let segment = |segment| if is_hidden(segment) { "…" } else { segment };
    let path: Vec<_> = url.path.split('/').map(segment).collect();
    let url = Url {
        path: path.join("/"),
        ..url.clone()
    };
    format!("{method} {}", url.endpoint())
}

/// Whether the value is one e-mail address.
pub(super) fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.split_once('@') else {
        return false;
    };
    let word = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    !local.is_empty() && local.chars().all(word) && domain.contains('.') && domain.chars().all(word)
}

/// Whether the value is a UUID, in braces or not.
pub(super) fn is_uuid(value: &str) -> bool {
    let bare = value
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(value);
    let groups: Vec<&str> = bare.split('-').collect();
    let lengths = [8, 4, 4, 4, 12];
    groups.len() == 5
        && groups.iter().zip(lengths).all(|(group, length)| {
            group.len() == length && group.chars().all(|c| c.is_ascii_hexdigit())
        })
}

/// Whether the run is one of `[A-Za-z0-9_+=-]`, 20 or more, with letters, digits and an entropy
/// that words do not reach (3.5 bits a character, 3.0 for hex).
pub(super) fn is_random(run: &str) -> bool {
    let in_class = |c: char| c.is_ascii_alphanumeric() || "_+=-".contains(c);
    if run.len() < 20 || is_uuid(run) || !run.chars().all(in_class) {
        return false;
    }
    let digits = run.chars().filter(char::is_ascii_digit).count();
    let letters = run.chars().filter(char::is_ascii_alphabetic).count();
    let hex = run.chars().all(|c| c.is_ascii_hexdigit());
    let limit = if hex { 3.0 } else { 3.5 };
    digits >= 2 && (letters >= 2 || digits >= 20) && entropy(run) > limit
}

/// A run that begins as a vendor's tokens do, and goes on long enough to be one.
pub(super) fn has_vendor_prefix(word: &str) -> bool {
    let long = |rest: &str| rest.len() >= LONG && !rest.contains(' ');
    word.len() > LONG
        && (PREFIXES
            .iter()
            .any(|prefix| word.strip_prefix(prefix).is_some_and(long))
            || is_aws_key(word)
            || MARKS.iter().any(|mark| mark.is_in(word)))
}

/// Whether the word is the identifier of a key of AWS, which is said beside its secret.
fn is_aws_key(word: &str) -> bool {
    let is_key = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit();
    let rest = word
        .strip_prefix("AKIA")
        .or_else(|| word.strip_prefix("ASIA"));
    rest.is_some_and(|rest| rest.len() == 16 && rest.bytes().all(is_key))
}

/// What vendors put inside of a secret, behind so many characters.
struct Mark {
    start: &'static str,
    inside: &'static str,
    behind: &'static [usize],
}

impl Mark {
    fn is_in(&self, word: &str) -> bool {
        let is_at = |at: &usize| {
            word.get(*at..)
                .is_some_and(|rest| rest.starts_with(self.inside))
        };
        word.starts_with(self.start)
            && self.behind.iter().any(is_at)
            && word.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

/// Whether the word is an IP address that is not this machine's, nor of a private network or of
/// examples.
pub(super) fn is_address(word: &str) -> bool {
    if !word.contains(['.', ':']) {
        return false;
    }
    let bare = word.trim_matches(['[', ']']);
    bare.parse::<std::net::IpAddr>()
        .is_ok_and(|address| match address {
            std::net::IpAddr::V4(v4) => {
                !(v4.is_loopback()
                    || v4.is_unspecified()
                    || v4.is_private()
                    || v4.is_link_local()
                    || v4.is_documentation())
            }
            // RFC 3849: documentation. What is local may hold the number of a network card.
            std::net::IpAddr::V6(v6) => {
                !(v6.is_loopback() || v6.is_unspecified() || v6.segments()[..2] == [0x2001, 0xdb8])
            }
        })
}

/// How long the telephone number is that the text begins with: 7 to 15 digits (E.164) in groups, or
/// behind a `+`. What is one run of digits is told by its length, and a date or a clock is none.
pub(super) fn phone(text: &str) -> Option<usize> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+(".contains(c)) {
        return None;
    }
    let end = text
        .bytes()
        .take(PHONE_MAX)
        .position(|byte| !byte.is_ascii_digit() && !b" ()-./+".contains(&byte))
        .unwrap_or_else(|| text.len().min(PHONE_MAX));
    let run = text[..end].trim_end_matches(|c: char| !c.is_ascii_digit());
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let in_groups = run.contains([' ', '(', '-']) || run.starts_with('+');
    let goes_on = text[run.len()..].starts_with(|c: char| c.is_alphanumeric() || c == ':');
    let is_date = run.split(' ').any(|part| is_time(part) && part.len() > 4);
    ((7..=15).contains(&digits) && in_groups && !is_date && !goes_on).then_some(run.len())
}

fn entropy(run: &str) -> f64 {
    let mut counts = [0_u32; 256];
    run.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    #[expect(clippy::cast_precision_loss, reason = "a run is shorter than 2^52")]
    let total = run.len() as f64;
    let bits = |count: &u32| {
        let share = f64::from(*count) / total;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(bits).sum()
}

/// Characters of the longest telephone number, with all that people put between its digits.
const PHONE_MAX: usize = 64;

/// How many characters behind a vendor's prefix make it a token.
const LONG: usize = 16;

/// The client secrets of Entra, and the access tokens of Salesforce.
const MARKS: &[Mark] = &[
    Mark {
        start: "",
        inside: "8Q~",
        behind: &[3],
    },
    Mark {
        start: "00D",
        inside: "!",
        behind: &[15, 18],
    },
];

/// Public prefixes of vendors' tokens; the rest of the value is the secret.
pub(super) const PREFIXES: &[&str] = &[
    "github_pat_",
    "gloas-",
    "glpat-",
    "glrt-",
    "GOCSPX-",
    "gho_",
    "ghp_",
    "ghr_",
    "ghs_",
    "ghu_",
    "ory_ac_",
    "ory_at_",
    "ory_rt_",
    "rk_live_",
    "sk_live_",
    "sk_test_",
    "shpat_",
    "shpca_",
    "shppa_",
    "shpss_",
    "shpua_",
    "whsec_",
    "xapp-",
    "xoxa-",
    "xoxb-",
    "xoxe-",
    "xoxp-",
    "xoxr-",
    "xoxe.xoxb-",
    "xoxe.xoxp-",
    "ya29.",
    "5Aep",
    "A21AA",
    "AB11",
    "EwA",
    "EwB",
    "0.A",
    "1.A",
    "M.C",
    "sl.B",
    "sl.u.",
    "AIza",
    "EAA",
    "1//0",
    "4/0",
    "ntn_",
    "pat-na1-",
    "pat-eu1-",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telephone_number_is_told_from_dates_and_versions() {
        for (text, expected) in [
            ("+1 555 014 2637 called", Some("+1 555 014 2637")),
            ("(555) 014-2637.", Some("(555) 014-2637")),
            ("+15550142637", Some("+15550142637")),
            (
                "555-014-2637 ------------------------------------------------------------------",
                Some("555-014-2637"),
            ),
            ("555-014-2637", Some("555-014-2637")),
            ("2026-11-23 10:02:11", None),
            ("2026-11-23", None),
            ("3600 seconds", None),
            ("120.0.6099.109", None),
            ("12 of 40", None),
        ] {
            let found = phone(text).map(|end| &text[..end]);
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_request_is_shown_without_what_may_be_secret_in_it() {
        for (url, expected) in [
            (
                "https://as.example/token?code=1",
                "GET https://as.example/token",
            ),
            (
                "https://a:b@as.example:8443/#x",
                "GET https://as.example:8443/",
            ),
            (
                "https://as.example/u/sunshine/x",
                "GET https://as.example/u/…/x",
            ),
            (
                "https://as.example/reset/dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                "GET https://as.example/reset/…",
            ),
            (
                "https://as.example/jane%40corp.example",
                "GET https://as.example/…",
            ),
        ] {
            let url = Url::parse(url).expect(url);
            assert_eq!(
                shown("GET", &url, |segment| segment == "sunshine"),
                expected
            );
        }
    }

    #[test]
    fn tokens_and_people_are_told_from_words() {
        for (word, expected) in [
            ("jane@corp.example", Some(Looks::Email)),
            ("8.8.8.8", Some(Looks::Address)),
            ("127.0.0.1", None),
            ("192.0.2.7", None),
            ("2001:4860:4860::8888", Some(Looks::Address)),
            (
                "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
                Some(Looks::Token),
            ),
            (
                "gho_16C7e42F292c6912E7710c838347Ae178B4a",
                Some(Looks::Token),
            ),
            (
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                Some(Looks::Token),
            ),
            (
                "aBc8Q~dEfGhIjKlMnOpQrStUvWxYzAbCdEfGhIjK",
                Some(Looks::Token),
            ),
            ("00DaBcDeFgHiJkLmNo!AQEAQ.bCdEfGhIj", Some(Looks::Token)),
            ("sl.u.AbCdEfGhIj.KlMnOpQrSt", Some(Looks::Token)),
            ("00Done!", None),
            ("6f0c1b0e-2d55-4a0a-9a55-2f9c0c6f2f10", None),
            ("authorization_code", None),
            ("urn:ietf:params:oauth:grant-type:device_code", None),
            ("AADSTS900144", None),
            ("token_endpoint_auth_methods_supported", None),
            ("username", None),
        ] {
            assert_eq!(looks(word), expected, "{word}");
        }
    }
}
