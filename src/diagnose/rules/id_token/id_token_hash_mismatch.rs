//! `id-token-hash-mismatch`: the ID Token is not of the token or the code that came with it.

use crate::cassette::{IdToken, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "id-token-hash-mismatch",
    severity: Severity::Error,
    tier: 6,
    summary: "a hash in the ID Token is not of the token or the code that came with it",
    why: "at_hash, c_hash and s_hash tie the access token, the code and the state to the ID Token. A client that finds another \
          hash must take it that somebody exchanged one of them.",
    fix: "the server hashes the value that it sends, with the hash of the ID Token's algorithm, and encodes the left half as base64url",
    see: &[
        "OpenID Connect Core section 3.1.3.6",
        "OpenID Connect Core section 3.2.2.9",
        "OpenID Connect Core section 3.3.2.11",
    ],
    example: "at_hash of another access token",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.id_tokens() {
        let wrong = [
            (name::AT_HASH, "access token"),
            (name::C_HASH, name::CODE),
            (name::S_HASH, name::STATE),
        ];
        let is_wrong = |(claim, _): &(&str, &str)| token.turn.facts().has_bad_hash(claim);
        let mut wrong = wrong.into_iter().filter(is_wrong);
        let (claim, said) = match (wrong.next(), missing(session, &token)) {
            (Some((claim, of)), _) => (
                claim,
                format!("{claim} in the ID Token is not of the {of} that came with it"),
            ),
            (None, Some((claim, of))) => (
                claim,
                format!("the ID Token came with the {of}, and has no {claim}"),
            ),
            (None, None) => continue,
        };
        let finding =
            Finding::of(rule)
                .saying(said)
                .at(Evidence::new(token.turn.id(), token.place, claim));
        findings.raise_ungraded(finding);
    }
}

/// What an authorization response that brings an ID Token brings beside it, without its hash.
fn missing(session: &Session<'_>, token: &IdToken<'_, '_>) -> Option<(&'static str, &'static str)> {
    let flow = token.flow.filter(|_| token.place == "redirect")?;
    let claims = session.jwt(token.text)?.claims;
    let required = [
        (name::ACCESS_TOKEN, name::AT_HASH, "access token"),
        (name::CODE, name::C_HASH, name::CODE),
    ];
    let mut required = required.into_iter();
    let is_missing = |(beside, claim, _): &(&str, &str, &str)| {
        flow.answered(beside).is_some() && !claims.contains_key(*claim)
    };
    let (_, claim, of) = required.find(is_missing)?;
    Some((claim, of))
}
