//! `pkce-method-invalid`: the challenge method is none that the server knows.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;
use crate::oauth::pkce::{PLAIN, S256};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "pkce-method-invalid",
    severity: Severity::Error,
    tier: 4,
    summary: "the value of code_challenge_method is no PKCE method",
    why: "The methods are `S256` and `plain`, spelled so. A server that does not know the word refuses the request, or takes the challenge for plain and refuses the verifier.",
    fix: "send code_challenge_method=S256",
    see: &["RFC 7636 section 4.3", "RFC 8414 section 2"],
    example: "code_challenge_method=s256",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let Some(method) = flow.asked().get(name::CODE_CHALLENGE_METHOD) else {
            continue;
        };
        let metadata = session.metadata_of(flow.request());
        let offered = metadata
            .and_then(|metadata| metadata.list(name::CODE_CHALLENGE_METHODS_SUPPORTED))
            .filter(|offered| !offered.is_empty());
        let message = match offered {
            _ if ![S256, PLAIN].contains(&method) => {
                format!("`{method}` is no PKCE method; the value is case-sensitive: `S256`")
            }
            Some(offered) if !offered.contains(&method) => format!(
                "the server's metadata does not offer the PKCE method `{method}`, but {}",
                offered.join(", ")
            ),
            _ => continue,
        };
        let finding = Finding::of(rule)
            .saying(message)
            .at(Evidence::asked(flow, name::CODE_CHALLENGE_METHOD));
        findings.raise_for(finding, flow.outcome());
    }
}
