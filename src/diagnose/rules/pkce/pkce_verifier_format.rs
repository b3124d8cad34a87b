//! `pkce-verifier-format`: the verifier is too short, too long, or of the wrong characters.

use crate::cassette::{Outcome, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;
use crate::oauth::pkce::VerifierFault;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "pkce-verifier-format",
    severity: Severity::Error,
    tier: 4,
    summary: "the code_verifier is not of 43 to 128 characters of A-Z a-z 0-9 - . _ ~",
    why: "Servers check the form of the verifier, and refuse one that could be guessed or that cannot be sent unchanged.",
    fix: "take 32 random bytes and write them as base64url without padding",
    see: &["RFC 7636 section 4.1"],
    example: "code_verifier=abc123",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let message = match token.facts().pkce_verifier {
            Some(VerifierFault::Short) => "the code_verifier has fewer than 43 characters",
            Some(VerifierFault::Long) => "the code_verifier has more than 128 characters",
            Some(VerifierFault::Alphabet) => {
                "the code_verifier has characters other than A-Z a-z 0-9 - . _ ~"
            }
            None => continue,
        };
        let severity = match token.outcome() {
            Outcome::Failed => Severity::Error,
            _ => Severity::Warning,
        };
        let finding = Finding::of(rule)
            .graded(severity)
            .saying(message)
            .at(Evidence::sent(token, name::CODE_VERIFIER));
        findings.raise(finding, token);
    }
}
