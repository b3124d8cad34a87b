//! `token-cors-blocked`: the browser does not let a script read the token response.

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Url;
use crate::oauth::Step;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-cors-blocked",
    severity: Severity::Error,
    tier: 1,
    summary: "the browser blocked the token request of a script",
    why: "A script of one origin reads the answer of another only where that one allows it. An Authorization header or a JSON body makes the browser ask first, and many token endpoints do not allow it.",
    fix: "send a form without an Authorization header (a public client with PKCE), and register the origin with the provider; or make the token request from a server",
    see: &["RFC 6749 section 2.1", "RFC 9110 section 4.3.1"],
    example: "OPTIONS with Access-Control-Request-Headers: authorization -> 200 that does not allow it",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for turn in session.turns() {
        let reason = match turn.method() {
            "OPTIONS" if is_preflight(session, turn) => refused(turn),
            "POST" if turn.step() == Step::TokenRequest => unreadable(turn),
            _ => continue,
        };
        if let Some(reason) = reason {
            let origin = turn.headers().get("origin").unwrap_or_default();
            let finding = Finding::of(rule)
                .saying(format!("the browser blocked the token request: {reason}"))
                .at(Evidence::new(
                    turn.id(),
                    "header",
                    format!("Origin: {origin}"),
                ))
                .at(Evidence::new(turn.id(), "response", reason));
            findings.raise_ungraded(finding);
        }
    }
}

/// Whether a browser asks here if it may make a token request, and then makes none.
fn is_preflight(session: &Session<'_>, turn: &Turn<'_>) -> bool {
    let asks = turn.headers().get("access-control-request-method") == Some("POST");
    let url = turn.interaction.request().url();
    let is_made =
        |other: &&Turn<'_>| other.method() == "POST" && other.interaction.request().url() == url;
    let requests: Vec<_> = session.token_requests().filter(is_made).collect();
    let is_token = turn.step() == Step::TokenRequest || !requests.is_empty();
    asks && is_token && requests.iter().all(|other| other.id() < turn.id())
}

/// Why the answer to a preflight does not allow the request.
fn refused(turn: &Turn<'_>) -> Option<String> {
    let status = turn.status()?;
    if status >= 400 {
        return Some(format!("it asked first, and the server answered {status}"));
    }
    let list = |value: Option<&str>| {
        let items = value.unwrap_or_default().split(',');
        let lower = items.map(|item| item.trim().to_ascii_lowercase());
        lower.filter(|item| !item.is_empty()).collect::<Vec<_>>()
    };
    let allowed = list(turn.answer_headers().get("access-control-allow-headers"));
    let asked = list(turn.headers().get("access-control-request-headers"));
    // A star is no leave for credentials.
    let is_allowed = |field: &&String| {
        allowed.contains(field) || (*field != "authorization" && allowed.contains(&"*".to_owned()))
    };
    let missing = asked.iter().find(|field| !is_allowed(field));
    is_foreign(turn)
        .then(|| "the server does not allow this origin".to_owned())
        .or_else(|| {
            missing.map(|field| format!("the server does not allow the header field {field}"))
        })
}

/// Why a script cannot read the answer to a request that was made.
fn unreadable(turn: &Turn<'_>) -> Option<String> {
    let same = turn.headers().get("sec-fetch-site") == Some("same-origin");
    let answered = turn.outcome() == Outcome::Accepted;
    (turn.is_fetched_by_page() && !same && answered && is_foreign(turn))
        .then(|| "the server does not allow this origin to read the answer".to_owned())
}

/// Whether the request is of another origin, to which the answer does not open itself.
fn is_foreign(turn: &Turn<'_>) -> bool {
    let Some(origin) = turn.headers().get("origin") else {
        return false;
    };
    let own = Url::parse(origin).is_some_and(|origin| {
        let to = turn.url();
        to.is_some_and(|to| origin.scheme == to.scheme && origin.authority() == to.authority())
    });
    let allowed = turn.answer_headers().get("access-control-allow-origin");
    !own && allowed != Some("*") && allowed != Some(origin)
}
