//! `client-auth-method-not-registered`: the client is registered for another method.

use crate::cassette::{ClientAuth, Link, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::client_authentication::client_auth_method_unsupported::names;
use crate::oauth::Step;
use crate::oauth::name::{self, auth_method};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-auth-method-not-registered",
    severity: Severity::Error,
    tier: 3,
    summary: "the client is registered for another method of client authentication than it used",
    why: "What the registration says governs, and many servers refuse every other method for the client.",
    fix: "use the method that the client is registered for, or change the registration",
    see: &["RFC 7591 section 3.2.1", "RFC 6749 section 2.3"],
    example: "token_endpoint_auth_method: client_secret_post in the registration, Basic in the token request",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session.client_requests() {
        let Some(used) = request.only_client_auth() else {
            continue;
        };
        let names = names(session, request, used);
        let Some((registered, evidence)) = registered(session, request, used, &names) else {
            continue;
        };
        // Nothing but a code that Slack alone has says it.
        let guessed = request.error() == SLACK;
        let finding = Finding::of(rule)
            .linked(if guessed { Link::Weak } else { Link::Strong })
            .saying(format!(
                "this client is registered for {registered} and used {}",
                names.join(" or ")
            ))
            .fixed_by(format!("use {registered}"))
            .at(evidence)
            .at(Evidence::new(request.id(), request.place(), used.place()));
        findings.raise(finding, request);
    }
}

/// The method that the client should have used, and who says so.
fn registered(
    session: &Session<'_>,
    request: &Turn<'_>,
    used: ClientAuth,
    names: &[&str],
) -> Option<(String, Evidence)> {
    let registration = registration_of(session, request);
    let method = |turn: &Turn<'_>| {
        Some(
            turn.answer()
                .get(name::TOKEN_ENDPOINT_AUTH_METHOD)?
                .to_owned(),
        )
    };
    if let Some(turn) = registration
        && let Some(registered) = method(turn)
    {
        let evidence = Evidence::new(
            turn.id(),
            "registration",
            format!("{}: {registered}", name::TOKEN_ENDPOINT_AUTH_METHOD),
        );
        return (!names.contains(&registered.as_str())).then_some((registered, evidence));
    }
    if !request.refused_client() {
        return None;
    }
    let said = request.error_words();
    let named = || METHODS.iter().filter(|method| said.contains(**method));
    let own = named().any(|method| names.contains(method));
    let other = named().find(|method| !names.contains(method));
    let evidence = Evidence::new(request.id(), "response", request.error_text());
    match other.filter(|_| own) {
        Some(other) => Some(((*other).to_owned(), evidence)),
        // X names the header that it looks for.
        _ if used == ClientAuth::Post && said.contains("missing valid authorization header") => {
            Some((auth_method::CLIENT_SECRET_BASIC.to_owned(), evidence))
        }
        _ if used == ClientAuth::Basic && request.error() == SLACK => {
            Some((auth_method::CLIENT_SECRET_POST.to_owned(), evidence))
        }
        _ => None,
    }
}

/// The registration of the client of a request.
pub(super) fn registration_of<'s, 'a>(
    session: &'s Session<'a>,
    request: &Turn<'_>,
) -> Option<&'s Turn<'a>> {
    let client_id = request.client_id()?;
    let is_it = |turn: &&Turn<'_>| turn.answer().get(name::CLIENT_ID) == Some(client_id);
    session.of(Step::Registration).filter(is_it).last()
}

/// What Slack answers to a client whose header it did not look at.
const SLACK: &str = "bad_client_secret";

const METHODS: &[&str] = &[
    auth_method::CLIENT_SECRET_BASIC,
    auth_method::CLIENT_SECRET_JWT,
    auth_method::CLIENT_SECRET_POST,
    auth_method::PRIVATE_KEY_JWT,
    auth_method::SELF_SIGNED_TLS_CLIENT_AUTH,
    auth_method::TLS_CLIENT_AUTH,
];
