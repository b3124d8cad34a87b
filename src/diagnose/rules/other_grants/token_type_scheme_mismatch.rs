//! `token-type-scheme-mismatch`: a token is presented as another kind than it was issued as.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-type-scheme-mismatch",
    severity: Severity::Error,
    tier: 5,
    summary: "a token is presented as another kind than it was issued as",
    why: "token_type says how a token is sent: Bearer, or DPoP with a proof. An ID Token says to the client who logged in, and \
          is not meant for any API.",
    fix: "send the access token in Authorization, with its token_type as the scheme",
    see: &[
        "RFC 6750 section 2.1",
        "RFC 9449 section 7.1",
        "RFC 9068 section 4",
    ],
    example: "token_type DPoP, sent with Authorization: Bearer",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    let mut raised: Vec<&str> = Vec::new();
    for turn in session.turns() {
        let Some((scheme, token)) = turn.authorization() else {
            continue;
        };
        let issued = session
            .issuer_of(token)
            .filter(|_| !raised.contains(&token));
        let Some((issued, kind)) = issued else {
            continue;
        };
        let Some((said, fix)) = mismatch(issued, kind, scheme) else {
            continue;
        };
        raised.push(token);
        let severity = match turn.status() {
            Some(400..) => Severity::Error,
            Some(200..300) => Severity::Note,
            _ => Severity::Warning,
        };
        let shown = issued
            .answer()
            .get(name::TOKEN_TYPE)
            .unwrap_or("(no token_type)");
        let finding = Finding::of(rule)
            .graded(severity)
            .saying(said)
            .fixed_by(fix)
            .at(Evidence::new(issued.id(), "response", shown))
            .at(Evidence::new(
                turn.id(),
                "request",
                format!("{scheme} {token}"),
            ));
        findings.raise_ungraded(finding);
    }
}

fn mismatch(issued: &Turn<'_>, kind: &str, scheme: &str) -> Option<(String, &'static str)> {
    if kind == name::ID_TOKEN {
        let said = "the ID Token is sent where an access token belongs".to_owned();
        return Some((said, "send the access_token of the same response"));
    }
    let token_type = issued.answer().get(name::TOKEN_TYPE)?;
    let kinds = ["bearer", "dpop"];
    let is = |word: &str, kind: &&str| word.eq_ignore_ascii_case(kind);
    let known = |word: &str| kinds.into_iter().find(|kind| is(word, kind));
    let (was, sent) = known(token_type).zip(known(scheme))?;
    let said = format!("a token of type {token_type} is presented as {scheme}");
    let fix = match was {
        "dpop" => "send it with Authorization: DPoP, and a proof beside it",
        _ => "send it with Authorization: Bearer",
    };
    (kind == name::ACCESS_TOKEN && was != sent).then_some((said, fix))
}
