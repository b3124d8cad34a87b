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
        if let Some(who) = who(token) {
            let finding = Finding::of(rule)
                .saying(format!(
                    "{who} answered; the token endpoint never saw the request"
                ))
                .at(Evidence::new(
                    token.id(),
                    "response",
                    match token.status() {
                        Some(status) => format!("{status} by {who}"),
                        None => who,
                    },
                ));
            findings.raise(finding, token);
        }
    }
}

/// Who answered in the place of the server.
pub(super) fn who(token: &Turn<'_>) -> Option<String> {
    let failure = token.interaction.error().map(RecordedError::kind);
    if token.status() == Some(407) || failure == Some(FailureKind::ProxyFailure) {
        return Some("a proxy on the way".to_owned());
    }
    let (status, headers) = (token.status()?, token.answer_headers());
    if let Some(mark) = MARKS.iter().find(|mark| headers.has(mark)) {
        return (status >= 400 || status == 202).then(|| format!("a firewall ({mark})"));
    }
    let server = headers.get("server").unwrap_or_default();
    let named = |names: &[&str]| {
        let lower = server.to_ascii_lowercase();
        names.iter().any(|name| lower.starts_with(name))
    };
    let page = headers.media_type().as_deref() == Some("text/html");
    let refused = status == 403 && named(EDGES);
    let unreached = matches!(status, 502..=504) && (named(EDGES) || named(PROXIES));
    (page && (refused || unreached)).then(|| server.to_owned())
}

/// Fields that only a firewall sends.
const MARKS: &[&str] = &["x-amzn-waf-action", "cf-mitigated"];
/// What stands before other people's servers and never is one itself.
const EDGES: &[&str] = &["cloudflare", "cloudfront", "awselb", "akamaighost"];
/// What may be the server, but not where it says that it could not reach it.
const PROXIES: &[&str] = &["nginx", "envoy", "haproxy", "varnish"];
