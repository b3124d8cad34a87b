//! `token-rate-limited`: the server asks for a pause.

use std::time::Duration;

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-rate-limited",
    severity: Severity::Error,
    tier: 1,
    summary: "the server asks for a pause, and answers no token request until then",
    why: "Too many token requests came from this client or address. Each further one may lengthen the pause.",
    fix: "wait as long as Retry-After says, and keep an access token until it expires instead of asking for another",
    see: &["RFC 6585 section 4", "RFC 9110 section 10.2.3"],
    example: "429 with Retry-After: 30",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    let mut told: Option<(&str, Duration)> = None;
    for token in session.token_requests().filter(|token| is_limited(token)) {
        let now = token.interaction.at();
        if told.is_some_and(|(host, until)| host == token.host() && now < until) {
            continue;
        }
        let pause = token.answer_headers().get("retry-after");
        let seconds = pause.and_then(|pause| pause.trim().parse().ok());
        let until = now + Duration::from_secs(seconds.unwrap_or_default());
        told = Some((token.host(), until));
        let status = token.status().unwrap_or_default();
        let mut finding = Finding::of(rule).at(Evidence::new(
            token.id(),
            "response",
            match pause {
                Some(pause) => format!("{status}, Retry-After: {pause}"),
                None => status.to_string(),
            },
        ));
        let too_soon = |other: &&Turn<'_>| {
            let at = other.interaction.at();
            other.host() == token.host() && other.id() != token.id() && at >= now && at < until
        };
        let again: Vec<_> = session.token_requests().filter(too_soon).collect();
        if let (Some(first), Some(seconds)) = (again.first(), seconds) {
            finding = finding
                .saying(format!(
                    "the server asked for a pause of {seconds} s; token requests that came before it ended: {}",
                    again.len()
                ))
                .at(Evidence::new(first.id(), "token", "before the pause ended"));
        }
        findings.raise(finding, token);
    }
}

/// Whether the server asks for a pause; that of a device that asks too often is another.
pub(super) fn is_limited(token: &Turn<'_>) -> bool {
    let asked = token.answer_headers().has("retry-after");
    let polls = ["slow_down", "authorization_pending"].contains(&token.error());
    let limited = match token.status() {
        Some(429) => true,
        Some(400 | 503) => asked,
        _ => false,
    };
    limited && !polls
}
