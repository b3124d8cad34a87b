//! What works and is not safe: one look at each flow and each request for every finding.

use crate::cassette::{Flow, Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::{Params, Url};
use crate::oauth::name::{self, grant};

pub(super) static IMPLICIT_GRANT: Rule = Rule {
    id: "bcp-implicit-grant",
    severity: Severity::Warning,
    tier: 7,
    summary: "the access token comes through the browser",
    why: "A token in the fragment of a redirect is in the browser's history, in whatever script the page loads, and cannot be \
          bound to the client that asked for it.",
    fix: "use response_type=code with PKCE",
    see: &["RFC 9700 section 2.1.2"],
    example: "response_type=token",
    check: |session, rule, findings| {
        for flow in session.flows() {
            let mut types = words(flow.asked(), name::RESPONSE_TYPE);
            if types.any(|word| word == name::TOKEN) {
                let shown = Evidence::asked(flow, name::RESPONSE_TYPE);
                findings.raise_ungraded(Finding::of(rule).at(shown));
            }
        }
    },
};

pub(super) static TOKEN_IN_URL: Rule = Rule {
    id: "bcp-token-in-url",
    severity: Severity::Warning,
    tier: 7,
    summary: "a token stands in a URL",
    why: "URLs are kept in histories and logs, and sent on in Referer. Whoever reads a token there can use it.",
    fix: "send tokens in Authorization, and set Referrer-Policy: no-referrer on the page that the redirect leads to",
    see: &[
        "RFC 6750 section 2.3",
        "RFC 6750 section 5.3",
        "RFC 9700 section 4.2",
        "RFC 9700 section 4.3.2",
    ],
    example: "GET /me?access_token=…",
    check: tokens_in_urls,
};

pub(super) static HTTP_REDIRECT_URI: Rule = Rule {
    id: "bcp-http-redirect-uri",
    severity: Severity::Warning,
    tier: 7,
    summary: "the redirect URI is plain http",
    why: "The code travels to it unencrypted, where everybody on the way can read it.",
    fix: "use https; a native app uses http with a loopback address",
    see: &[
        "RFC 6749 section 3.1.2.1",
        "RFC 8252 section 7.3",
        "RFC 9700 section 2.6",
    ],
    example: "redirect_uri=http://shop.example/cb",
    check: |session, rule, findings| {
        for flow in session.flows() {
            let uri = flow.asked().get(name::REDIRECT_URI).and_then(Url::parse);
            let is_plain = |uri: &Url| uri.scheme.eq_ignore_ascii_case("http");
            if uri.is_some_and(|uri| is_plain(&uri) && !uri.is_loopback()) {
                let shown = Evidence::asked(flow, name::REDIRECT_URI);
                findings.raise_ungraded(Finding::of(rule).at(shown));
            }
        }
    },
};

pub(super) static PKCE: Rule = Rule {
    id: "bcp-pkce-missing-or-plain",
    severity: Severity::Warning,
    tier: 7,
    summary: "the code is not protected by PKCE with S256",
    why: "Whoever gets hold of the code can redeem it, or have it redeemed in another session. A client without a secret must \
          use PKCE, and one with a secret should.",
    fix: "send code_challenge with code_challenge_method=S256, and code_verifier in the token request",
    see: &["RFC 9700 section 2.1.1", "RFC 7636 section 7.2"],
    example: "response_type=code without code_challenge",
    check: |session, rule, findings| {
        for flow in session.flows() {
            let asked = flow.asked();
            let is_code = words(asked, name::RESPONSE_TYPE).any(|word| word == name::CODE);
            let method = asked.get(name::CODE_CHALLENGE_METHOD);
            let (said, shown) = match (asked.get(name::CODE_CHALLENGE), method) {
                (None, _) => ("there is no PKCE on this login", name::CODE_CHALLENGE),
                (Some(_), Some("plain") | None) if !is_hashed(flow) => (
                    "the code challenge is the verifier itself: its method is plain",
                    name::CODE_CHALLENGE_METHOD,
                ),
                _ => continue,
            };
            if is_code && flow.is_whole() {
                let finding = Finding::of(rule)
                    .graded(gravity(flow))
                    .saying(said)
                    .at(Evidence::asked(flow, shown));
                findings.raise_ungraded(finding);
            }
        }
    },
};

pub(super) static REFRESH: Rule = Rule {
    id: "bcp-refresh-not-constrained",
    severity: Severity::Note,
    tier: 7,
    summary: "the refresh token of a client without a secret is neither replaced nor bound to a key",
    why: "Whoever steals it can refresh for as long as the login lasts, and nobody notices.",
    fix: "have the server replace the refresh token with each use, or bind it with DPoP",
    see: &["RFC 9700 section 2.2.2", "RFC 9700 section 4.14.2"],
    example: "a refresh without a secret that brings the same refresh token back",
    check: |session, rule, findings| {
        for token in session.token_requests() {
            let is_bare =
                token.is_whole() && token.client_auth().is_empty() && !token.headers().has("dpop");
            let refreshes = token.grant() == grant::REFRESH_TOKEN
                && token.outcome() == Outcome::Accepted
                && token.issued(name::REFRESH_TOKEN).is_some()
                && token.issued(name::REFRESH_TOKEN) == token.sent(name::REFRESH_TOKEN);
            if is_bare && refreshes {
                let shown = token.answer().get(name::REFRESH_TOKEN).unwrap_or_default();
                let finding = Finding::of(rule)
                    .at(Evidence::sent(token, name::REFRESH_TOKEN))
                    .at(Evidence::new(token.id(), "response", shown));
                findings.raise_ungraded(finding);
            }
        }
    },
};

pub(super) static REUSED: Rule = Rule {
    id: "bcp-verifier-or-nonce-reused",
    severity: Severity::Warning,
    tier: 7,
    summary: "a value that must be fresh is the same in two logins",
    why: "A code challenge and a nonce tie what comes back to one login. One that is used again ties it to any of them.",
    fix: "make a fresh random verifier and nonce for each authorization request",
    see: &["RFC 7636 section 7.1", "OpenID Connect Core section 15.5.2"],
    example: "one code_challenge in two authorization requests",
    check: |session, rule, findings| {
        for name in [name::CODE_CHALLENGE, name::NONCE] {
            if let Some((first, second)) = reused(session, name) {
                let finding = Finding::of(rule)
                    .saying(format!("{name} is the same in two logins"))
                    .at(Evidence::asked(first, name))
                    .at(Evidence::asked(second, name));
                findings.raise_ungraded(finding);
            }
        }
    },
};

/// The words of a parameter.
fn words<'p>(params: &'p Params, name: &str) -> impl Iterator<Item = &'p str> {
    params.get(name).unwrap_or_default().split(' ')
}

/// A client that shows no secret must use PKCE; of one that is not seen to redeem its code nobody
/// knows.
fn gravity(flow: Flow<'_, '_>) -> Severity {
    let bare = |token: &Turn<'_>| token.is_whole() && token.client_auth().is_empty();
    let mut tokens = flow.token_requests().peekable();
    if tokens.peek().is_some() && tokens.all(|(token, _)| bare(token) && !token.body().is_empty()) {
        Severity::Warning
    } else {
        Severity::Note
    }
}

/// Whether the challenge is a hash whose method was left out, or does not fit at all.
fn is_hashed(flow: Flow<'_, '_>) -> bool {
    let mut tokens = flow.token_requests();
    tokens.any(|(token, _)| token.facts().pkce_check.is_some())
}

fn tokens_in_urls(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    let names = [name::ACCESS_TOKEN, name::ID_TOKEN, name::REFRESH_TOKEN];
    for turn in session.turns() {
        let in_query = names.into_iter().find(|name| turn.query().has(name));
        let referer = turn.headers().get("referer").and_then(Url::parse);
        let (said, shown) = if let Some(name) = in_query {
            (format!("{name} stands in the URL of a request"), name)
        } else if let Some(name) = referer.and_then(|referer| in_referer(turn, &referer)) {
            (
                format!("{name} stands in the Referer that another host gets"),
                name,
            )
        } else {
            continue;
        };
        let shown = Evidence::new(turn.id(), "url", format!("{shown}=…"));
        findings.raise_ungraded(Finding::of(rule).saying(said).at(shown));
    }
}

/// The token, or the code, that another host than its own is told.
fn in_referer(turn: &Turn<'_>, referer: &Url) -> Option<&'static str> {
    let told = Params::parse(referer.query.as_deref()?);
    let is_other = !referer.host.eq_ignore_ascii_case(turn.host());
    let names = [name::ACCESS_TOKEN, name::ID_TOKEN, name::REFRESH_TOKEN];
    let token = names.into_iter().find(|name| told.has(name));
    let code = || (told.has(name::CODE) && told.has(name::STATE)).then_some(name::CODE);
    token.or_else(code).filter(|_| is_other)
}

/// Two logins that were asked for with the same value.
fn reused<'s, 'a>(session: &'s Session<'a>, name: &str) -> Option<(Flow<'s, 'a>, Flow<'s, 'a>)> {
    let flows: Vec<_> = session.flows().collect();
    flows.iter().enumerate().find_map(|(at, second)| {
        let value = second.asked().get(name).filter(|value| !value.is_empty())?;
        // With the same state it is one request that was sent again, by going back or otherwise.
        let is_same = |first: &&Flow<'_, '_>| {
            let (first, second) = (first.asked(), second.asked());
            first.get(name) == Some(value) && first.get(name::STATE) != second.get(name::STATE)
        };
        let first = flows[..at].iter().find(is_same)?;
        Some((*first, *second))
    })
}
