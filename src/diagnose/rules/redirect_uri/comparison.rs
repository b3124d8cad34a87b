//! The ways in which `redirect_uri` at the token endpoint differs from the one at the
//! authorization endpoint: one comparison, one finding, the most specific.

use std::collections::BTreeSet;

use crate::cassette::{Flow, Link, Session, Turn};
use crate::diagnose::finding::{Contrast, Evidence, Finding, Findings, parting};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;
use crate::oauth::relation::{UrlPart, url_relation};
use crate::redact::in_its_case;

/// One kind of difference; what is said of it is the same for all.
const fn kind(id: &'static str, summary: &'static str, example: &'static str) -> Rule {
    Rule {
        id,
        severity: Severity::Error,
        tier: 4,
        summary,
        why: "The code was issued for one redirect URI, and the token request must name the same one, byte for byte. \
              Servers compare the strings; what a browser would take for the same address is not the same.",
        fix: "keep the string in one constant and send it unchanged in both calls",
        see: &[
            "RFC 6749 section 4.1.3",
            "RFC 3986 section 6.2.1",
            "RFC 9700 section 4.1.3",
        ],
        example,
        check: compare,
    }
}

pub(super) static TRAILING_SLASH: Rule = kind(
    "redirect-uri-trailing-slash",
    "redirect_uri at /token is not byte-identical to the one at /authorize: a final slash",
    "https://x.example/cb/ and https://x.example/cb",
);
pub(super) static SCHEME: Rule = kind(
    "redirect-uri-scheme",
    "redirect_uri at /token is not byte-identical to the one at /authorize: http and https",
    "https://x.example/cb and http://x.example/cb",
);
pub(super) static HOST_OR_PORT: Rule = kind(
    "redirect-uri-host-or-port",
    "redirect_uri at /token is not byte-identical to the one at /authorize: host or port",
    "http://127.0.0.1:51004/cb and http://127.0.0.1:51007/cb",
);
pub(super) static CASE: Rule = kind(
    "redirect-uri-case",
    "redirect_uri at /token is not byte-identical to the one at /authorize: upper and lower case",
    "https://x.example/Callback and https://x.example/callback",
);
pub(super) static ENCODING: Rule = kind(
    "redirect-uri-encoding",
    "redirect_uri at /token is not byte-identical to the one at /authorize: one is encoded once more",
    "https://x.example/cb and https%3A%2F%2Fx.example%2Fcb",
);
pub(super) static RESPONSE_PARAMS: Rule = kind(
    "redirect-uri-contains-response-params",
    "redirect_uri at /token carries parameters of the authorization response",
    "https://x.example/cb and https://x.example/cb?code=…",
);
pub(super) static MISSING: Rule = kind(
    "redirect-uri-missing-at-token",
    "redirect_uri was sent at /authorize, so it must be repeated at /token",
    "redirect_uri at /authorize, none at /token",
);
pub(super) static DIFFERS: Rule = kind(
    "redirect-uri-differs",
    "redirect_uri at /token is not byte-identical to the one at /authorize",
    "https://x.example/cb and https://x.example/oauth/cb",
);

fn compare(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let Some((flow, link)) = session.flow_of(token).filter(|_| token.is_whole()) else {
            continue;
        };
        let (a, t) = (
            flow.asked().get(name::REDIRECT_URI),
            token.param(name::REDIRECT_URI),
        );
        if let Some((found, contrast)) = difference(a, t, token)
            && found.id == rule.id
        {
            findings.raise(finding(rule, flow, token, contrast, link), token);
        }
    }
}

fn finding(
    rule: &'static Rule,
    flow: Flow<'_, '_>,
    token: &Turn<'_>,
    contrast: Option<Contrast>,
    link: Link,
) -> Finding {
    let message = match rule.id {
        "redirect-uri-missing-at-token" => rule.summary.to_owned(),
        _ => format!(
            "redirect_uri at {} is not byte-identical to the one at {}",
            token.path(),
            flow.request().path()
        ),
    };
    let mut finding = Finding::of(rule)
        .saying(message)
        .at(Evidence::asked(flow, name::REDIRECT_URI))
        .at(Evidence::sent(token, name::REDIRECT_URI))
        .linked(link);
    finding.contrast = contrast;
    match rule.id {
        "redirect-uri-contains-response-params" => finding.fixed_by("strip the query before sending it (location.origin + location.pathname)"),
        "redirect-uri-scheme" => finding.fixed_by("keep the string in one constant; behind a proxy that ends TLS, trust its forwarded headers or configure the public URL"),
        "redirect-uri-encoding" => finding.fixed_by("give the raw string to the form encoder, which encodes it once"),
        "redirect-uri-missing-at-token" => finding.fixed_by("send the same redirect_uri in the token request"),
        _ => finding,
    }
}

/// The most specific rule for a pair of values, and where they part.
fn difference(
    a: Option<&str>,
    t: Option<&str>,
    token: &Turn<'_>,
) -> Option<(&'static Rule, Option<Contrast>)> {
    let (a, t) = match (a, t) {
        (Some(a), Some(t)) => (a, t),
        // A body that no parser reads has no parameter at all, which other rules say.
        (Some(_), None) => return (!token.body().is_empty()).then_some((&MISSING, None)),
        (None, _) => return None,
    };
    let mut parts = url_relation(&in_its_case(a), &in_its_case(t));
    if parts.is_empty() {
        parts.extend(token.facts().redirect_uri_spelling);
    }
    if parts.is_empty() {
        return None;
    }
    let rule = most_specific(&parts);
    let contrast = Contrast::between(a, t, words(rule, a, t, &parts));
    Some((rule, Some(contrast)))
}

fn most_specific(parts: &BTreeSet<UrlPart>) -> &'static Rule {
    let any = |wanted: &[UrlPart]| wanted.iter().any(|part| parts.contains(part));
    let only = |wanted: &[UrlPart]| parts.iter().all(|part| wanted.contains(part));
    if any(&[UrlPart::ResponseParamsInQuery]) {
        &RESPONSE_PARAMS
    } else if only(&[UrlPart::TrailingSlash]) {
        &TRAILING_SLASH
    } else if only(&[UrlPart::PctLevel, UrlPart::PctCase]) {
        &ENCODING
    } else if only(&[UrlPart::PathCase, UrlPart::HostCase]) {
        &CASE
    } else if any(&[UrlPart::Scheme]) {
        &SCHEME
    } else if any(&[
        UrlPart::Host,
        UrlPart::Port,
        UrlPart::PortDefault,
        UrlPart::LoopbackAlias,
    ]) {
        &HOST_OR_PORT
    } else {
        &DIFFERS
    }
}

fn words(rule: &'static Rule, a: &str, t: &str, parts: &BTreeSet<UrlPart>) -> String {
    let scheme = |url: &str| {
        url.split_once("://")
            .map_or("?", |(scheme, _)| scheme)
            .to_owned()
    };
    match rule.id {
        "redirect-uri-trailing-slash" if a.len() > t.len() => {
            "the final slash is missing".to_owned()
        }
        "redirect-uri-trailing-slash" => "there is a final slash here and none before".to_owned(),
        "redirect-uri-scheme" => format!("{} there, {} here", scheme(a), scheme(t)),
        "redirect-uri-contains-response-params" => {
            "what follows was added by the server's answer".to_owned()
        }
        "redirect-uri-encoding" => "one of them is percent-encoded once more".to_owned(),
        "redirect-uri-case" => "another case from here on".to_owned(),
        _ => parting(parts),
    }
}
