//! `token-wrong-endpoint`: a token request goes to an endpoint that is none for it.

use crate::cassette::{Metadata, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Url;
use crate::oauth::{Step, name};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-wrong-endpoint",
    severity: Severity::Error,
    tier: 1,
    summary: "the token request went to another endpoint than the token endpoint",
    why: "Each endpoint answers what it is for. The authorization endpoint takes a token request for a login that lacks its parameters, and other paths know nothing of it.",
    fix: "take token_endpoint from the server's metadata",
    see: &["RFC 8414 section 2", "RFC 6749 section 3.2"],
    example: "POST https://as.example/authorize with grant_type=authorization_code",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for turn in session.turns() {
        let asks = turn.method() == "POST" && turn.body().has(name::GRANT_TYPE);
        let metadata = asks.then(|| session.metadata_of(turn)).flatten();
        let Some((metadata, right)) =
            metadata.and_then(|metadata| Some((metadata, metadata.get(name::TOKEN_ENDPOINT)?)))
        else {
            continue;
        };
        let Some(role) = turn.url().and_then(|url| wrong_role(turn, url, metadata)) else {
            continue;
        };
        let finding = Finding::of(rule)
            .saying(format!("this is {role}, not the token endpoint {right}"))
            .fixed_by(format!("send the token request to {right}"))
            .at(Evidence::new(
                metadata.id(),
                "metadata",
                format!("token_endpoint: {right}"),
            ))
            .at(Evidence::new(
                turn.id(),
                turn.place(),
                turn.interaction.request().url(),
            ));
        findings.raise(finding, turn);
    }
}

/// What stands where the token endpoint should be.
fn wrong_role(turn: &Turn<'_>, url: &Url, metadata: &Metadata) -> Option<&'static str> {
    let is_at = |name: &str| {
        let known = metadata.get(name).and_then(Url::parse);
        known.is_some_and(|known| known.endpoint() == url.endpoint())
    };
    let alias = metadata.mtls_alias(name::TOKEN_ENDPOINT);
    let is_alias = alias
        .and_then(Url::parse)
        .is_some_and(|alias| alias.endpoint() == url.endpoint());
    if is_at(name::TOKEN_ENDPOINT) || is_alias {
        return None;
    }
    let named = OTHERS.iter().find(|(name, _)| is_at(name));
    let unknown = turn.step() == Step::TokenRequest && matches!(turn.status(), Some(404 | 405));
    named
        .map(|(_, role)| *role)
        .or_else(|| unknown.then_some("a path that the server does not know"))
}

const OTHERS: &[(&str, &str)] = &[
    (name::AUTHORIZATION_ENDPOINT, "the authorization endpoint"),
    (name::USERINFO_ENDPOINT, "the UserInfo endpoint"),
    (name::JWKS_URI, "the server's key set"),
    (name::ISSUER, "the issuer"),
];
