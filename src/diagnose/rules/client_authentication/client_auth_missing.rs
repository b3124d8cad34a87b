//! `client-auth-missing`: the client does not show who it is.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::client_authentication::mtls_alias_not_used::shows_certificate;
use crate::diagnose::rules::token_request::misspelled;
use crate::oauth::name::{self, auth_method};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-auth-missing",
    severity: Severity::Error,
    tier: 3,
    summary: "the request carried no client authentication",
    why: "A client that was given a secret or a key must show it with every token request. Without it the server does not know whose request it is.",
    fix: "add what the client is registered with: Basic credentials, client_secret in the form, or an assertion",
    see: &["RFC 6749 section 3.2.1", "RFC 6749 section 2.3.1"],
    example: "grant_type=authorization_code&code=… and neither client_secret nor Authorization -> 401 invalid_client",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session.client_requests() {
        let sent = !request.body().is_empty() || !request.query().is_empty();
        if !request.refused_client() || !request.is_whole() || !sent {
            continue;
        }
        let answer = format!(
            "{} {}",
            request.status().unwrap_or_default(),
            request.error()
        );
        let names: Vec<_> = request.body().iter().map(|param| &*param.name).collect();
        let mut finding = Finding::of(rule)
            .at(Evidence::new(
                request.id(),
                request.place(),
                names.join(", "),
            ))
            .at(Evidence::new(request.id(), "response", answer.trim_end()));
        if shows_secret(request) && request.client_id().is_none() {
            finding = finding
                .saying("the request carried a secret and no client_id, so it is nobody's")
                .fixed_by("add client_id");
        } else if shows_secret(request)
            || shows_otherwise(request)
            || shows_certificate(session, request)
            || is_misspelled(request)
        {
            continue;
        } else if may_be_public(session, request) {
            finding = finding
                .graded(Severity::Warning)
                .saying("the request carried no client authentication, as of a public client; the server wants some")
                .fixed_by("register the client as a public one, or add what it is registered with");
        }
        findings.raise(finding, request);
    }
}

fn shows_secret(request: &Turn<'_>) -> bool {
    request.param(name::CLIENT_SECRET).is_some()
}

/// By a header field, or an assertion.
fn shows_otherwise(request: &Turn<'_>) -> bool {
    let headers = request.headers();
    let field = ["authorization", name::CLIENT_ID, name::CLIENT_SECRET]
        .iter()
        .any(|field| headers.has(field));
    field || request.param(name::CLIENT_ASSERTION).is_some()
}

/// Whether it is there under another name, which says all.
fn is_misspelled(request: &Turn<'_>) -> bool {
    let of_client = [name::CLIENT_SECRET, name::CLIENT_ASSERTION];
    misspelled(request)
        .iter()
        .any(|(_, meant)| of_client.contains(meant))
}

fn may_be_public(session: &Session<'_>, request: &Turn<'_>) -> bool {
    let metadata = session.metadata_of(request);
    let methods =
        metadata.and_then(|metadata| metadata.list(name::TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED));
    methods.is_some_and(|methods| methods.contains(&auth_method::NONE))
        || request.param(name::CODE_VERIFIER).is_some()
}
