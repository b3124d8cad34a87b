//! How two values that should be equal differ: the words of the difference.

use std::collections::BTreeSet;

use crate::model::{Params, Url, percent_decode, words};

words! {
    /// One way in which two URLs differ.
    UrlPart {
        /// Another scheme.
        Scheme = "scheme",
        /// Other userinfo.
        Userinfo = "userinfo",
        /// Another host.
        Host = "host",
        /// The same host in another case.
        HostCase = "host-case",
        /// `localhost`, `127.0.0.1` and `[::1]` for each other.
        LoopbackAlias = "loopback-alias",
        /// Another port.
        Port = "port",
        /// The scheme's own port written on one side only.
        PortDefault = "port-default",
        /// Another path.
        Path = "path",
        /// The same path in another case.
        PathCase = "path-case",
        /// A final slash on one side only.
        TrailingSlash = "trailing-slash",
        /// The second has query parameters that the first has not.
        QueryAdded = "query-added",
        /// The second lacks query parameters, or has others.
        QueryMissing = "query-missing",
        /// The same query parameters in another order.
        QueryOrder = "query-order",
        /// The second carries parameters of the authorization response.
        ResponseParamsInQuery = "response-params-in-query",
        /// The same escapes in another case of their hex digits.
        PctCase = "pct-case",
        /// One side is percent-encoded once more.
        PctLevel = "pct-level",
        /// Another fragment, or one on one side only.
        Fragment = "fragment",
    }
}

/// The set of parts in which `b` differs from `a`; empty only where they are byte-identical.
///
/// Equality for OAuth is the comparison of raw strings (RFC 3986 section 6.2.1); this names the
/// difference.
pub fn url_relation(a: &str, b: &str) -> BTreeSet<UrlPart> {
    let mut parts = BTreeSet::new();
    if a == b {
        return parts;
    }
    if percent_decode(b) == a || percent_decode(a) == b {
        parts.insert(UrlPart::PctLevel);
        return parts;
    }
    let (Some(a), Some(b)) = (Url::parse(a), Url::parse(b)) else {
        parts.insert(UrlPart::Path);
        return parts;
    };
    differ(a.scheme != b.scheme, UrlPart::Scheme, &mut parts);
    differ(a.userinfo != b.userinfo, UrlPart::Userinfo, &mut parts);
    compare_host(&a, &b, &mut parts);
    compare_port(&a, &b, &mut parts);
    compare_path(&a.path, &b.path, &mut parts);
    compare_query(&a, &b, &mut parts);
    differ(a.fragment != b.fragment, UrlPart::Fragment, &mut parts);
    parts
}

fn differ(differs: bool, part: UrlPart, parts: &mut BTreeSet<UrlPart>) {
    if differs {
        parts.insert(part);
    }
}

fn compare_host(a: &Url, b: &Url, parts: &mut BTreeSet<UrlPart>) {
    if a.host == b.host {
        return;
    }
    parts.insert(if a.host.eq_ignore_ascii_case(&b.host) {
        UrlPart::HostCase
    } else if a.is_loopback() && b.is_loopback() {
        UrlPart::LoopbackAlias
    } else {
        UrlPart::Host
    });
}

fn compare_port(a: &Url, b: &Url, parts: &mut BTreeSet<UrlPart>) {
    if a.port == b.port {
        return;
    }
    let same = a.effective_port() == b.effective_port();
    // Another scheme has another port of its own: that is one difference, not two.
    if !same && a.scheme != b.scheme && a.port.is_none() && b.port.is_none() {
        return;
    }
    parts.insert(if same {
        UrlPart::PortDefault
    } else {
        UrlPart::Port
    });
}

fn compare_path(a: &str, b: &str, parts: &mut BTreeSet<UrlPart>) {
    if a == b {
        return;
    }
    let slashless = |path: &str| path.strip_suffix('/').unwrap_or(path).to_owned();
    parts.insert(if slashless(a) == slashless(b) {
        UrlPart::TrailingSlash
    } else if upper_escapes(a) == upper_escapes(b) {
        UrlPart::PctCase
    } else if percent_decode(a) == percent_decode(b) {
        UrlPart::PctLevel
    } else if a.eq_ignore_ascii_case(b) {
        UrlPart::PathCase
    } else {
        UrlPart::Path
    });
}

fn compare_query(a: &Url, b: &Url, parts: &mut BTreeSet<UrlPart>) {
    if a.query == b.query {
        return;
    }
    let (raw_a, raw_b) = (
        a.query.clone().unwrap_or_default(),
        b.query.clone().unwrap_or_default(),
    );
    if upper_escapes(&raw_a) == upper_escapes(&raw_b) {
        differ(raw_a != raw_b, UrlPart::PctCase, parts);
        differ(raw_a == raw_b, UrlPart::QueryAdded, parts);
        return;
    }
    if percent_decode(&raw_a) == percent_decode(&raw_b) {
        parts.insert(UrlPart::PctLevel);
        return;
    }
    let (params_a, params_b) = (Params::parse(&raw_a), Params::parse(&raw_b));
    let sorted = |params: &Params| {
        let mut raw: Vec<_> = params
            .iter()
            .map(|param| param.raw().into_owned())
            .collect();
        raw.sort();
        raw
    };
    let (in_a, in_b) = (sorted(&params_a), sorted(&params_b));
    if in_a == in_b {
        parts.insert(UrlPart::QueryOrder);
        return;
    }
    let answered = params_b
        .iter()
        .any(|param| RESPONSE_PARAMS.contains(&param.name.as_str()) && !params_a.has(&param.name));
    differ(answered, UrlPart::ResponseParamsInQuery, parts);
    let missing = in_a.iter().any(|raw| !in_b.contains(raw));
    differ(missing, UrlPart::QueryMissing, parts);
    differ(!missing && !answered, UrlPart::QueryAdded, parts);
}

fn upper_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut escape = 0;
    for c in text.chars() {
        out.push(if escape > 0 {
            c.to_ascii_uppercase()
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

/// What an authorization server adds to a redirect URI.
const RESPONSE_PARAMS: &[&str] = &["code", "state", "iss", "session_state", "scope", "error"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn each_difference_of_two_urls_has_its_name() {
        for (a, b, expected) in [
            ("https://x.example/cb", "https://x.example/cb", ""),
            ("https://x.example", "https://x.example/", "trailing-slash"),
            (
                "https://x.example/cb/",
                "https://x.example/cb",
                "trailing-slash",
            ),
            ("http://x.example/cb", "https://x.example/cb", "scheme"),
            (
                "http://127.0.0.1:51004/cb",
                "http://127.0.0.1:51007/cb",
                "port",
            ),
            (
                "https://x.example/cb",
                "https://x.example:443/cb",
                "port-default",
            ),
            (
                "http://localhost:5/cb",
                "http://127.0.0.1:5/cb",
                "loopback-alias",
            ),
            ("https://x.example/cb", "https://X.example/cb", "host-case"),
            (
                "https://x.example/Callback",
                "https://x.example/callback",
                "path-case",
            ),
            (
                "https://x.example/cb",
                "https%3A%2F%2Fx.example%2Fcb",
                "pct-level",
            ),
            (
                "https://x.example/cb?o=%2F",
                "https://x.example/cb?o=%2f",
                "pct-case",
            ),
            (
                "https://x.example/cb?o=a%20b",
                "https://x.example/cb?o=a b",
                "pct-level",
            ),
            (
                "https://x.example/cb",
                "https://x.example/cb?code=1&state=2",
                "response-params-in-query",
            ),
            (
                "https://x.example/cb?tenant=1",
                "https://x.example/cb",
                "query-missing",
            ),
            (
                "https://x.example/cb",
                "https://x.example/cb?tenant=1",
                "query-added",
            ),
            (
                "https://x.example/cb?a=1&b=2",
                "https://x.example/cb?b=2&a=1",
                "query-order",
            ),
            ("https://x.example/cb", "https://x.example/oauth/cb", "path"),
            (
                "https://x.example/cb",
                "https://y.example/other",
                "host path",
            ),
            (
                "https://x.example/cb",
                "https://x.example/cb#top",
                "fragment",
            ),
            (
                "https://x.example/cb",
                "https://x.example/cb?",
                "query-added",
            ),
        ] {
            let parts: Vec<_> = url_relation(a, b)
                .into_iter()
                .map(UrlPart::as_str)
                .collect();
            assert_eq!(parts.join(" "), expected, "{a} and {b}");
        }
    }
}
