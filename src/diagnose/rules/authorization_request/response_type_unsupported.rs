//! `response-type-unsupported`: the server does not take the response type, or not from this client.

use std::collections::BTreeSet;

use crate::cassette::{Flow, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::providers::{Allowance, takes};
use crate::oauth::{error_code, name};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "response-type-unsupported",
    severity: Severity::Error,
    tier: 4,
    summary: "the response type is not one that this server takes from this client",
    why: "response_type says what is to come back: code, or words such as id_token with a space between. A server refuses what it does not know and what the client is not registered for.",
    fix: "send response_type=code, and register the client for it",
    see: &["RFC 6749 section 3.1.1", "RFC 6749 section 8.4"],
    example: "response_type=Code",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        if let Some(finding) = unnamed(flow, rule).or_else(|| unknown(session, flow, rule)) {
            findings.raise_for(finding, flow.outcome());
        }
    }
}

/// A request without a client or a response type, which was refused.
fn unnamed(flow: Flow<'_, '_>, rule: &'static Rule) -> Option<Finding> {
    let lacks = |name| {
        let value: Option<&str> = flow.asked().get(name);
        flow.is_whole() && value.unwrap_or_default().is_empty()
    };
    // Some vendors know one response type and need no word for it, and refuse for other reasons.
    let is_refused = match flow.answered(name::ERROR) {
        Some(error) => OF_REQUEST.contains(&error),
        None => flow.is_refused() && !takes(flow.request().host(), Allowance::NoGrantType),
    };
    let name = [name::CLIENT_ID, name::RESPONSE_TYPE]
        .into_iter()
        .find(|name| lacks(name))
        .filter(|_| is_refused)?;
    let fix = match name {
        name::CLIENT_ID => "send the client_id that the provider issued",
        _ => "send response_type=code",
    };
    Some(
        Finding::of(rule)
            .saying(format!("the authorization request has no {name}"))
            .fixed_by(fix)
            .at(Evidence::asked(flow, name)),
    )
}

fn unknown(session: &Session<'_>, flow: Flow<'_, '_>, rule: &'static Rule) -> Option<Finding> {
    let response_type = flow.asked().get(name::RESPONSE_TYPE)?;
    let words = set(response_type);
    let misspelt = words
        .iter()
        .find(|word| KNOWN.iter().all(|known| known != *word))
        .filter(|word| KNOWN.iter().any(|known| is_meant(word, known)));
    let error = flow
        .answered(name::ERROR)
        .filter(|error| error_code::OF_PARAMETER.contains(error))
        .filter(|error| *error != error_code::INVALID_SCOPE);
    let metadata = session.metadata_of(flow.request());
    let offered = metadata.and_then(|metadata| metadata.list(name::RESPONSE_TYPES_SUPPORTED));
    let is_offered = offered
        .as_ref()
        .is_none_or(|offered| offered.iter().any(|offered| set(offered) == words));
    let message = if let Some(word) = misspelt {
        format!(
            "`{word}` is no response type; the words are code, token and id_token, in lower case"
        )
    } else if let (false, Some(offered)) = (is_offered || words.is_empty(), offered) {
        format!(
            "the server's metadata does not offer the response type `{response_type}`, but {}",
            offered.join(", ")
        )
    } else {
        format!(
            "the server refuses the response type `{response_type}` for this client ({})",
            error?
        )
    };
    let finding = Finding::of(rule)
        .saying(message)
        .at(Evidence::asked(flow, name::RESPONSE_TYPE));
    Some(match error {
        Some(_) => finding.at(Evidence::answered(flow, name::ERROR)),
        None => finding,
    })
}

fn set(words: &str) -> BTreeSet<&str> {
    words.split(' ').filter(|word| !word.is_empty()).collect()
}

/// Whether a word is a known one in another case, or has it among others that are joined to it.
fn is_meant(word: &str, known: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let joined = lower.split([',', '+', '|', ';']).any(|part| part == known);
    lower == known || joined
}

/// What is said of a request in which something is missing.
const OF_REQUEST: &[&str] = &[
    error_code::INVALID_REQUEST,
    error_code::UNSUPPORTED_RESPONSE_TYPE,
];
/// The words that the registry knows (OAuth 2.0 Multiple Response Types sections 3 to 5).
const KNOWN: &[&str] = &[name::CODE, name::TOKEN, name::ID_TOKEN, "none", "vp_token"];
