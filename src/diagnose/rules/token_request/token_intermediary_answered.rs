//! `token-intermediary-answered`: somebody before the server answered for it.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::FailureKind;
use crate::redact::RecordedError;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-intermediary-answered",
    severity: Severity::Error,
    tier: 0,
    summary: "a proxy or a firewall answered; the token endpoint never saw the request",
    why: "What stands before the server refused the request, or did not reach the server. Its page says nothing about OAuth.",
    fix: "have the client's address allowed, send a User-Agent, and mend the credentials of a proxy that asks for some",
    see: &["RFC 9110 section 15.5.8", "RFC 9110 section 7.6"],
    example: "403 with Server: cloudflare and a page that begins with \"Just a moment\"",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        if let Some(Answered { by, how, fix }) = answered(token) {
            let status = token.status().map(|status| status.to_string());
            let status = status.unwrap_or_else(|| "no answer".to_owned());
            let finding = Finding::of(rule)
                .saying(format!("{by} {how}"))
                .fixed_by(fix)
                .at(Evidence::new(
                    token.id(),
                    "response",
                    format!("{status} by {by}"),
                ));
            findings.raise(finding, token);
        }
    }
}

/// Who answered in the place of the server, and what is to be done.
pub(super) struct Answered {
    by: String,
    how: &'static str,
    fix: &'static str,
}

pub(super) fn answered(token: &Turn<'_>) -> Option<Answered> {
    let failure = token.interaction.error().map(RecordedError::kind);
    if token.status() == Some(407) || failure == Some(FailureKind::ProxyFailure) {
        return Some(Answered {
            by: "a proxy on the way".to_owned(),
            how: "let nothing through; the token endpoint never saw the request",
            fix: "give the proxy the credentials that it asks for, or go around it",
        });
    }
    let (status, headers) = (token.status()?, token.answer_headers());
    let refused = |by: String| Answered {
        by,
        how: "answered; the token endpoint never saw the request",
        fix: "have the client's address allowed, and send a User-Agent",
    };
    if let Some(mark) = MARKS.iter().find(|mark| headers.has(mark)) {
        return (status >= 400 || status == 202).then(|| refused(format!("a firewall ({mark})")));
    }
    let server = headers.get("server").unwrap_or_default();
    let named = |names: &[&str]| {
        let lower = server.to_ascii_lowercase();
        names.iter().any(|name| lower.starts_with(name))
    };
    let is_edge = named(EDGES);
    if headers.media_type().as_deref() != Some("text/html") {
        None
    } else if status == 403 && is_edge {
        Some(refused(server.to_owned()))
    } else if matches!(status, 502..=504) && (is_edge || named(PROXIES)) {
        Some(Answered {
            by: server.to_owned(),
            how: "answered in the place of the server behind it, which it did not reach",
            fix: "try again after a while; if that does not help, tell the provider",
        })
    } else {
        None
    }
}

/// Fields that only a firewall sends.
const MARKS: &[&str] = &["x-amzn-waf-action", "cf-mitigated"];
/// What stands before other people's servers and never is one itself.
const EDGES: &[&str] = &["cloudflare", "cloudfront", "awselb", "akamaighost"];
/// What may be the server, but not where it says that it could not reach it.
const PROXIES: &[&str] = &["nginx", "envoy", "haproxy", "varnish"];
