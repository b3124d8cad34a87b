//! `client-auth-wrong-scheme`: the client shows who it is in a way that no token endpoint knows.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-auth-wrong-scheme",
    severity: Severity::Error,
    tier: 3,
    summary: "the token endpoint takes no Bearer token, and no header fields of one's own",
    why: "A client shows who it is by Basic, by form fields, or by an assertion. An access token, often one that an interceptor adds to every request, says nothing to the token endpoint, or spoils the request.",
    fix: "send Basic credentials, form fields or an assertion; keep the interceptor away from the token URL",
    see: &["RFC 6749 section 2.3.1", "RFC 6749 section 3.2.1"],
    example: "Authorization: Bearer … on a refresh",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let scheme = SCHEMES.iter().find(|scheme| token.has_scheme(scheme));
        let own = [name::CLIENT_ID, name::CLIENT_SECRET]
            .iter()
            .find(|field| token.headers().has(field));
        let (message, line) = match (scheme, own) {
            (Some(scheme), _) => (
                format!("the token endpoint does not take `Authorization: {scheme}`"),
                format!("Authorization: {scheme}"),
            ),
            (None, Some(field)) => (
                format!("the token endpoint does not look for a header field `{field}`"),
                format!("{field}: …"),
            ),
            (None, None) => continue,
        };
        let finding =
            Finding::of(rule)
                .saying(message)
                .at(Evidence::new(token.id(), "header", line));
        findings.raise(finding, token);
    }
}

const SCHEMES: &[&str] = &["Bearer", "Token", "OAuth", "ApiKey"];
