//! The words that may be kept of a text: of English, of protocols, and of the registry.
//!
//! A text that is made of these, and of a few digits, tells nobody's secret; whatever else there is
//! in it is replaced.

use std::net::IpAddr;

use crate::oauth::{error_code, registry};
use crate::redact::pattern::is_address;

/// Whether a run without blanks is made of known words and of few digits alone: `redirect_uri`,
/// `Mozilla/5.0`, `AADSTS50011`, `application/x-www-form-urlencoded`.
pub(super) fn is_plain(run: &str) -> bool {
    if registry::is_known(run) || error_code::is_registered(run) || is_time(run) {
        return true;
    }
    let mut single = 0;
    let mut digits = 0;
    for piece in run.split(|c: char| !c.is_alphanumeric()) {
        match piece.len() {
            0 => {}
            _ if !is_plain_piece(piece) => return false,
            1 if !piece.starts_with(|c: char| c.is_ascii_digit()) => single += 1,
            _ if is_with_digits(piece) => {}
            _ => digits += digits_of(piece),
        }
    }
    let marks = |c: char| c.is_ascii() || MARKS.contains(c) || c.is_alphanumeric();
    single <= SINGLE_MAX
        && run.chars().all(marks)
        && (digits <= DIGITS_MAX || is_version(run) || has_error_number(run))
}

/// Whether the run is a number as protocols have them: of seconds, of bytes, a point in time.
pub(super) fn is_number(run: &str) -> bool {
    let digits = run.strip_prefix(['-', '+']).unwrap_or(run);
    let whole = digits.split_once('.').map_or(digits, |(whole, _)| whole);
    (1..=NUMBER_MAX).contains(&whole.len())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Whether the run is the name of a host, no label of which is random or long, or an address of
/// this machine or a private network; with or without a port.
pub(super) fn is_host(run: &str) -> bool {
    let (host, port) = run.split_once(':').unwrap_or((run, ""));
    let host = host.strip_prefix("*.").unwrap_or(host);
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok() && !is_address(host);
    let last = host.rsplit_once('.').map_or("", |(_, last)| last);
    let is_name = !last.is_empty()
        && last.bytes().all(|byte| byte.is_ascii_lowercase())
        && is_word(last)
        && host.split('.').all(is_host_label);
    (is_here || is_name) && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a label of a host is one that people give: of letters, with few digits at the ends of
/// its parts.
pub(super) fn is_host_label(label: &str) -> bool {
    let (label, port) = label.split_once(':').unwrap_or((label, ""));
    let is_digit = |c: char| c.is_ascii_digit();
    let is_part = |part: &str| {
        let name = part.trim_matches(is_digit);
        part.len() <= SHORT || !name.contains(is_digit)
    };
    (1..=LABEL_MAX).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && digits_of(label) <= DIGITS_MAX
        && label.split('-').all(is_part)
        && port.chars().all(is_digit)
}

/// Whether it is one word, in whatever case.
pub(super) fn is_word(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    contains(ENGLISH, &lower) || contains(TECHNICAL, &lower)
}

fn is_plain_piece(piece: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    if piece.len() == 1 || piece.chars().all(is_digit) {
        return piece.is_ascii();
    }
    if piece.chars().all(|c| c.is_ascii_alphabetic()) {
        return is_word(piece) || is_camel(piece);
    }
    let lower = piece.to_ascii_lowercase();
    if is_with_digits(piece) || has_error_number(piece) {
        return true;
    }
    let (number, unit) = lower.split_at(lower.find(|c| !is_digit(c)).unwrap_or_default());
    if !number.is_empty() {
        return number.len() <= DIGITS_MAX && UNITS.contains(&unit);
    }
    let letters = lower.find(is_digit).unwrap_or(lower.len());
    let (word, number) = lower.split_at(letters);
    (word == "v" || word.len() > 2 && is_word(word))
        && number.len() <= DIGITS_MAX
        && number.chars().all(is_digit)
}

/// A word with a number behind it, of which people make passwords.
pub(super) fn is_word_and_number(run: &str) -> bool {
    let word = run.trim_end_matches(|c: char| c.is_ascii_digit());
    (LONG_WORD..run.len()).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !is_with_digits(run)
        && !has_error_number(run)
}

fn is_with_digits(piece: &str) -> bool {
    let lower = piece.to_ascii_lowercase();
    WITH_DIGITS.binary_search(&lower.as_str()).is_ok()
}

/// `clientId`, `XMLHttpRequest`: words of two letters or more, of which the first may be one.
fn is_camel(piece: &str) -> bool {
    let bytes = piece.as_bytes();
    let mut start = 0;
    let mut parts = 0;
    for at in 1..=bytes.len() {
        let ends = at == bytes.len()
            || bytes[at].is_ascii_uppercase()
                && (bytes[at - 1].is_ascii_lowercase()
                    || bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase));
        if ends {
            let part = &piece[start..at];
            if !(is_word(part) && part.len() > 1 || start == 0 && part.len() == 1) {
                return false;
            }
            start = at;
            parts += 1;
        }
    }
    parts > 1
}

fn digits_of(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// `2026-11-23`, `10:02:11Z`, or both.
pub(super) fn is_time(run: &str) -> bool {
    let (date, time) = match run.split_once('T') {
        Some((date, time)) => (Some(date), Some(time)),
        None if run.contains(':') => (None, Some(run)),
        None => (Some(run), None),
    };
    let numbers = |text: &str, separator: char, lengths: &[usize]| {
        let parts: Vec<&str> = text.split(separator).collect();
        parts.len() == lengths.len()
            && parts.iter().zip(lengths).all(|(part, length)| {
                part.len() == *length && part.bytes().all(|byte| byte.is_ascii_digit())
            })
    };
    let is_date = |date: &str| {
        numbers(date, '-', &[4, 2, 2]) || {
            // `23-Nov-2026`, as cookies have it.
            let without_month = date.replace(|c: char| c.is_ascii_alphabetic(), "");
            numbers(&without_month, '-', &[2, 0, 4]) && date.split('-').nth(1).is_some_and(is_word)
        }
    };
    let is_clock = |time: &str| {
        let time = time.strip_suffix('Z').unwrap_or(time);
        let time = time
            .split_once(['+', '.'])
            .map_or(time, |(time, rest)| if rest.len() <= 9 { time } else { "" });
        numbers(time, ':', &[2, 2, 2]) || numbers(time, ':', &[2, 2])
    };
    date.is_none_or(is_date) && time.is_none_or(is_clock)
}

/// `Chrome/120.0.6099.109`: the last numbers are a version, and no telephone's.
fn is_version(run: &str) -> bool {
    let number = run.rsplit(['/', ' ', '-', '_']).next().unwrap_or(run);
    let number = number.strip_prefix(['v', 'V']).unwrap_or(number);
    let groups: Vec<&str> = number.split('.').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    // `Chrome/120.0.0.0` is an address as well.
    let is_address = is_address(number)
        && (groups.iter().filter(|group| **group == "0").count() < 2 || run.starts_with(number));
    (2..=4).contains(&groups.len())
        && !is_address
        && groups.iter().all(|group| {
            (1..=5).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_digit())
        })
        && !matches!(lengths[..], [3, 3, 4] | [3, 4])
        && digits_of(run) == digits_of(number)
}

/// Vendors' numbers of errors: `AADSTS50011`, `E0000011`.
pub(super) fn has_error_number(run: &str) -> bool {
    let run = run.trim_end_matches([':', '.']);
    ERROR_NUMBERS.iter().any(|(prefix, most)| {
        run.strip_prefix(prefix).is_some_and(|number| {
            (3..=*most).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
        })
    })
}

/// Whether a sorted list of lines, with remarks before it, has this line.
fn contains(list: &str, line: &str) -> bool {
    let bytes = list.as_bytes();
    let (mut low, mut high) = (0, bytes.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = memchr::memrchr(b'\n', &bytes[..middle]).map_or(0, |at| at + 1);
        let end = memchr::memchr(b'\n', &bytes[middle..]).map_or(bytes.len(), |at| middle + at);
        match bytes[start..end].cmp(line.as_bytes()) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

const ENGLISH: &str = include_str!("english.txt");
const TECHNICAL: &str = include_str!("technical.txt");

/// Marks of typography that sentences have.
const MARKS: &str = "‘’“”…–—·•©®™«»¿¡";
/// More digits than this in a run are somebody's number.
const DIGITS_MAX: usize = 4;
/// More letters by themselves than this spell something.
const SINGLE_MAX: usize = 2;
/// Digits of the largest number that a protocol sends: milliseconds since 1970.
const NUMBER_MAX: usize = 13;
/// Letters of a word that is more than an abbreviation, which numbers follow: `RFC6749`.
const LONG_WORD: usize = 4;
const LABEL_MAX: usize = 30;
/// A part of a host's label that is not longer may have digits anywhere.
const SHORT: usize = 5;

const ERROR_NUMBERS: &[(&str, usize)] = &[
    ("AADB2C", 6),
    ("AADSTS", 7),
    ("E0000", 3),
    ("IDX", 5),
    ("MSIS", 4),
];

const UNITS: &[&str] = &[
    "bit", "d", "fa", "gb", "h", "k", "kb", "m", "mb", "min", "ms", "nd", "px", "rd", "s", "sec",
    "st", "th", "x", "xx", "z",
];

/// Sorted.
const WITH_DIGITS: &[&str] = &[
    "a128cbc",
    "a128gcm",
    "a128gcmkw",
    "a128kw",
    "a192cbc",
    "a192gcm",
    "a192gcmkw",
    "a192kw",
    "a256cbc",
    "a256gcm",
    "a256gcmkw",
    "a256kw",
    "auth0",
    "b3",
    "b64",
    "base64",
    "base64url",
    "c14n",
    "ed25519",
    "ed448",
    "es256",
    "es256k",
    "es384",
    "es512",
    "fido2",
    "h2",
    "h2c",
    "h3",
    "hs256",
    "hs384",
    "hs512",
    "http2",
    "http3",
    "i18n",
    "i686",
    "ipv4",
    "ipv6",
    "k8s",
    "l10n",
    "log4j",
    "md5",
    "mp4",
    "oauth2",
    "p12",
    "p256",
    "p384",
    "p521",
    "pbes2",
    "pbkdf2",
    "pkcs12",
    "pkcs8",
    "ps256",
    "ps384",
    "ps512",
    "rs1",
    "rs256",
    "rs384",
    "rs512",
    "rsa1",
    "s256",
    "s3",
    "saml1",
    "saml2",
    "secp256k1",
    "tlsv1",
    "utf16",
    "utf8",
    "vp8",
    "vp9",
    "web3",
    "webauthn4j",
    "win32",
    "win64",
    "woff2",
    "x11",
    "x25519",
    "x448",
    "x509",
    "x5c",
    "x5t",
    "x64",
    "x86",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_protocols_and_people_say_is_plain() {
        for run in [
            "redirect_uri",
            "Unable",
            "Mozilla/5.0",
            "Chrome/120.0.6099.109",
            "Chrome/120.0.0.0",
            "AppleWebKit/537.36",
            "python-requests/2.32.3",
            "AADSTS50011",
            "E0000011",
            "application/x-www-form-urlencoded",
            "urn:ietf:params:oauth:grant-type:device_code",
            "2026-11-23T10:02:11Z",
            "10:02:11",
            "max-age=3600",
            "client's",
            "clientId",
            "XMLHttpRequest",
            "RS256",
            "Ed25519",
            "de-DE",
            "/oauth2/v2.0/token",
            "x86_64",
            "invalid_grant",
        ] {
            assert!(is_plain(run), "{run}");
        }
    }

    #[test]
    fn a_password_that_people_make_is_told_from_numbers_of_things() {
        for (run, expected) in [
            ("hunter2", true),
            ("summer2024", true),
            ("RFC6749", false),
            ("AADSTS50011", false),
            ("oauth2", false),
            ("TLSv1", false),
            ("summer", false),
            ("2024", false),
            ("api-v2", false),
        ] {
            assert_eq!(is_word_and_number(run), expected, "{run}");
        }
    }

    #[test]
    fn what_may_be_somebodys_is_not() {
        for run in [
            "WDJB-MJHT",
            "482913",
            "hunter2xyzzy",
            "Zweig",
            "jane.doering",
            "%34%38%32%39",
            "&#52;&#56;&#50;",
            "343832393133",
            "555-014-2637",
            "555.014.2637",
            "/198.18.101.7",
            "198.18.0.0",
            "\\u0043\\u006e",
            "SGVsbG8",
            "aBcDeFgH",
            "a-b-c-d-e",
            "p4ssw0rd",
            "grüße",
            "6f0c1b0e-2d55-4a0a-9a55-2f9c0c6f2f10",
            "8kqf3mz",
        ] {
            assert!(!is_plain(run), "{run}");
        }
    }

    #[test]
    fn a_host_is_told_from_what_only_has_dots() {
        for (run, expected) in [
            ("idp.example.com", true),
            ("*.gstatic.com", true),
            ("idp.example.com:8443", true),
            ("jane.doering", false),
            ("localhost:49152", true),
            ("127.0.0.1:49152", true),
            ("8.8.8.8", false),
            ("cn7kq9zr2vxpl0amtb5ewyh3uj8sdfgh.example.com", false),
            ("482913.example.com", false),
            ("user@idp.example.com", false),
        ] {
            assert_eq!(is_host(run), expected, "{run}");
        }
    }

    #[test]
    fn the_lists_are_sorted_and_found_in() {
        for list in [ENGLISH, TECHNICAL] {
            let words: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
            assert!(words.is_sorted(), "a list is not sorted");
            for word in [words[0], words[words.len() / 3], words[words.len() - 1]] {
                assert!(contains(list, word), "{word}");
            }
            assert!(!contains(list, "zzzz") && !contains(list, "aaaaa"));
        }
        assert!(WITH_DIGITS.is_sorted());
    }
}
