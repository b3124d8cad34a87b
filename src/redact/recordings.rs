//! The audit of recordings that other tools made: of random runs and of what tells who somebody is.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::redact::audit::{AuditHit, Columns, audit, is_labelled};
use crate::redact::label::{Piece, pieces};
use crate::redact::pattern::{self, Looks};

/// Searches a recording of any tool; it has values that no name announces, and people in it.
pub fn audit_recording(text: &str) -> Vec<AuditHit> {
    let mut hits = audit(text);
    let mut seen: BTreeSet<_> = hits.iter().map(|hit| (hit.line, hit.column)).collect();
    for (number, line) in (1..).zip(text.lines()) {
        let mut found = audit_line(line);
        found.sort_by_key(|(at, _)| *at);
        let mut columns = Columns::of(line);
        for (at, kind) in found {
            let column = columns.at(at);
            if seen.insert((number, column)) {
                hits.push(AuditHit {
                    line: number,
                    column,
                    kind: kind.to_owned(),
                });
            }
        }
    }
    hits.sort_by_key(|hit| (hit.line, hit.column));
    hits
}

/// Whether a text is a recording of HTTP: a HAR file, unless this program made it, or what another
/// recorder wrote.
pub fn is_recording(text: &str) -> bool {
    let has = |keys: &&[&str]| keys.iter().all(|key| text.contains(key));
    RECORDINGS.iter().any(has) && !is_ours(text)
}

/// What stands in the recordings of each tool.
const RECORDINGS: &[&[&str]] = &[
    &["\"log\"", "\"entries\"", "\"request\""],
    &["http_interactions", "request"],
    &["interactions:", "request:", "response:"],
    &["\"interactions\"", "\"request\"", "\"response\""],
    &["\"pairs\"", "\"request\"", "\"response\""],
    &["\"Entries\"", "\"RequestUri\""],
    &["\"scope\"", "\"rawHeaders\""],
    &["when:", "then:", "path:", "status:"],
    &["request:", "response:", "url:", "status:"],
];

/// A HAR file that was scrubbed keeps identifiers of clients and of requests, which are random. What
/// a recorded body says of itself makes no such file.
fn is_ours(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Har {
        log: Log,
    }
    #[derive(Deserialize)]
    struct Log {
        creator: Creator,
    }
    #[derive(Deserialize)]
    struct Creator {
        name: String,
    }
    serde_json::from_str::<Har>(text).is_ok_and(|har| har.log.creator.name == "authtape")
}

fn audit_line(line: &str) -> Vec<(usize, &'static str)> {
    let mut hits: Vec<_> = tokens(line)
        .filter(|(at, token)| !is_hash_of_polly(&line[..*at], token))
        .filter_map(|(at, token)| Some((at, kind_of(token, &line[at..])?)))
        .collect();
    hits.extend(homes(line).map(|at| (at, "home directory")));
    hits
}

/// Whether it is the hash by which Polly finds a request.
fn is_hash_of_polly(before: &str, token: &str) -> bool {
    let before = before.trim_end_matches([' ', ':', '"']);
    before.ends_with("\"_id") && token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit())
}

fn kind_of(token: &str, rest: &str) -> Option<&'static str> {
    let clean = token.trim_end_matches(['.', ':', '\\']);
    let is_label = |piece: &Piece| matches!(piece, Piece::Label(_));
    if pieces(clean).iter().any(is_label) || is_labelled(clean) {
        return None;
    }
    if clean.starts_with('+') && pattern::phone(rest).is_some() {
        return Some("telephone number");
    }
    match pattern::looks(clean)? {
        Looks::Email => Some("e-mail address"),
        Looks::Address => Some("IP address"),
        Looks::Token => Some("random run"),
    }
}

/// The runs of a line between white space, quotes and the marks of JSON, forms and URLs.
fn tokens(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let separator = |c: char| c.is_whitespace() || "\"'`,;()<>{}[]|=&?/".contains(c);
    let mut at = 0;
    line.split_inclusive(separator).filter_map(move |piece| {
        let start = at;
        at += piece.len();
        let token = piece.strip_suffix(separator).unwrap_or(piece);
        (!token.is_empty()).then_some((start, token))
    })
}

/// Where somebody's home directories are named; a path behind a host is none.
fn homes(line: &str) -> impl Iterator<Item = usize> {
    let named = HOMES.iter().flat_map(|parent| line.match_indices(parent));
    named.filter_map(|(at, parent)| {
        let is_root = !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.');
        let rest = &line[at + parent.len()..];
        let name = rest
            .split(|c: char| !(c.is_alphanumeric() || "._-".contains(c)))
            .next()?;
        let goes_on = rest[name.len()..].starts_with(['/', '\\']);
        (is_root && goes_on && !name.is_empty() && !NOBODY.contains(&name)).then_some(at)
    })
}

const HOMES: &[&str] = &["/home/", "/Users/", "\\Users\\", "\\\\Users\\\\"];
/// Names of machines and of examples.
const NOBODY: &[&str] = &[
    "node", "root", "runner", "user", "username", "vscode", "Public", "Shared",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_random_runs_are_pointed_at_and_the_rest_is_not() {
        for (line, expected) in [
            ("email: jane@corp.example", Some((8, "e-mail address"))),
            (
                "\"to\": \"Jane <jane.doe@corp.example>\"",
                Some((14, "e-mail address")),
            ),
            ("email: REDACTED-email-1", None),
            ("git@: user@localhost", None),
            ("ip: 8.8.8.8", Some((5, "IP address"))),
            ("url: https://8.8.8.8/x", Some((14, "IP address"))),
            ("ip: 192.0.2.7, 198.51.100.1, 203.0.113.9", None),
            (
                "ip: 10.0.0.1, 172.16.0.1, 192.168.1.1, 169.254.1.1, 127.0.0.1",
                None,
            ),
            ("ip: \"2a00:1450:4001:81b::200e\"", Some((6, "IP address"))),
            ("ip: [2001:4860:4860::8888]:443", Some((6, "IP address"))),
            ("ip: 2001:db8::7, ::1", None),
            ("version: 1.2.3.4.5", None),
            ("phone: +4915112345678", Some((8, "telephone number"))),
            (
                "phone: \"+49 151 1234 5678\"",
                Some((9, "telephone number")),
            ),
            ("zone: +0200", None),
            ("cwd: /home/jane/src", Some((6, "home directory"))),
            ("cwd: /Users/jane.doe/src", Some((6, "home directory"))),
            ("cwd: C:\\Users\\jane\\src", Some((8, "home directory"))),
            (
                "\"cwd\": \"C:\\\\Users\\\\jane\\\\src\"",
                Some((11, "home directory")),
            ),
            ("cwd: /home/runner/work", None),
            (
                "/home/runner/work /home/jane/src",
                Some((19, "home directory")),
            ),
            (
                "/Users/x /home/runner/ /Users/jo/",
                Some((24, "home directory")),
            ),
            ("uri: https://x.example/home/settings/all", None),
            (
                "etag: dBjftJeZ4CVP-mB92K27uhbUJU1p1r",
                Some((7, "random run")),
            ),
            (
                "sum: 6f1d2c3b4a5968776f1d2c3b4a596877",
                Some((6, "random run")),
            ),
            ("id: 6f0c1b0e-2d55-4a0a-9a55-2f9c0c6f2f10", None),
            ("grant: urn:ietf:params:oauth:grant-type:device_code", None),
            ("type: application/x-www-form-urlencoded", None),
            ("at: 2026-11-23T10:02:11Z", None),
            ("state: REDACTED-state-1--first-12-of-43", None),
        ] {
            let hits = audit_recording(line);
            let hit = hits.first().map(|hit| (hit.column, hit.kind.as_str()));
            assert_eq!(hit, expected, "{line}");
        }
    }

    #[test]
    fn every_hit_of_a_line_has_its_column() {
        let (mail, home) = ("e-mail address", "home directory");
        let line = "é /home/jo/x j@corp.example ü /home/al/ a@corp.example /home/cy/";
        let hits = audit_recording(line);
        let hits: Vec<_> = hits
            .iter()
            .map(|hit| (hit.column, hit.kind.as_str()))
            .collect();
        let expected = [(3, home), (14, mail), (31, home), (41, mail), (56, home)];
        assert_eq!(hits, expected);
    }

    #[test]
    fn what_exports_have_of_themselves_is_no_secret() {
        for (line, is_found) in [
            ("\"_id\": \"6f1d2c3b4a5968776f1d2c3b4a596877\"", false),
            ("\"_id\": \"dBjftJeZ4CVP-mB92K27uhbUJU1p1r\"", true),
            (
                "- Basic OGtxZjNtejJ4NzpSRURBQ1RFRC1jbGllbnRfc2VjcmV0LTE=",
                false,
            ),
        ] {
            assert_eq!(!audit_recording(line).is_empty(), is_found, "{line}");
        }
    }

    #[test]
    fn recordings_are_told_from_other_texts() {
        for (text, expected) in [
            ("http_interactions:\n- request:\n    method: post\n", true),
            (
                "interactions:\n- request:\n    body: x\n  response:\n    body: y\nversion: 1\n",
                true,
            ),
            ("{\"http_interactions\":[{\"request\":{}}]}", true),
            (
                "{\"data\":{\"pairs\":[{\"request\":{},\"response\":{}}]}}",
                true,
            ),
            (
                "{\"Entries\":[{\"RequestUri\":\"https://as.example\"}]}",
                true,
            ),
            (
                "[{\"scope\":\"https://as.example\",\"rawHeaders\":[]}]",
                true,
            ),
            ("when:\n  path: /token\nthen:\n  status: 200\n", true),
            (
                "-\n    request:\n        url: x\n    response:\n        status: {code: 200}\n",
                true,
            ),
            (
                "{\"log\":{\"creator\":{\"name\":\"WebInspector\"},\"entries\":[{\"request\":{}}]}}",
                true,
            ),
            (
                "{\"log\":{\"creator\":{\"name\":\"authtape\"},\"entries\":[{\"request\":{}}]}}",
                false,
            ),
            (
                "{\"log\":{\"entries\":[{\"request\":{},\"comment\":{\"creator\":{\"name\":\"authtape\"}}}]}}",
                true,
            ),
            (
                "{\"x\":{\"creator\":{\"name\":\"authtape\"}},\"log\":{\"creator\":{\"name\":\"Polly.JS\"},\"entries\":[{\"request\":{}}]}}",
                true,
            ),
            ("services:\n  web:\n    image: nginx\n", false),
            ("a request and its response", false),
        ] {
            assert_eq!(is_recording(text), expected, "{text}");
        }
    }
}
