//! `par-problem`: what was pushed and what is asked for do not fit together.

use crate::cassette::{Flow, Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::Step;
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "par-problem",
    severity: Severity::Error,
    tier: 4,
    summary: "a pushed authorization request is not used as it must be",
    why: "A request_uri stands for one request of one client, for a minute or so, and once. What else the authorization \
          request carries is ignored, and a server may ask for a push with every request.",
    fix: "push each request, and send its request_uri once, at once, with the same client_id",
    see: &[
        "RFC 9126 section 2.1",
        "RFC 9126 section 2.2",
        "RFC 9126 section 4",
        "RFC 9126 section 5",
    ],
    example: "an authorization request 95 s after a push that lives 90 s",
    check,
};

/// What is wrong, and what to do about it.
type Defect = (String, &'static str);

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for pushed in session.of(Step::PushedAuthorizationRequest) {
        if let Some((said, fix)) = refused(pushed) {
            let status = pushed.status().unwrap_or_default();
            let finding = Finding::of(rule)
                .saying(said)
                .fixed_by(fix)
                .at(Evidence::new(pushed.id(), "response", status.to_string()));
            findings.raise(finding, pushed);
        }
    }
    for flow in session.flows() {
        let (outcome, asked) = (outcome(flow), flow.request());
        let found = match asked.param(name::REQUEST_URI) {
            Some(uri) => misused(session, flow, uri),
            None => not_pushed(session, flow),
        };
        let Some((said, fix)) = found else {
            continue;
        };
        let finding = Finding::of(rule)
            .saying(said)
            .fixed_by(fix)
            .at(Evidence::new(
                asked.id(),
                "authorize",
                asked.param(name::REQUEST_URI).unwrap_or("(no request_uri)"),
            ));
        findings.raise_for(finding, outcome);
    }
}

/// A code shows that the server took the request.
fn outcome(flow: Flow<'_, '_>) -> Outcome {
    match flow.answered(name::CODE) {
        Some(_) => Outcome::Accepted,
        None => flow.outcome(),
    }
}

fn refused(pushed: &Turn<'_>) -> Option<Defect> {
    if pushed.param(name::REQUEST_URI).is_some() {
        let said = "the push has a request_uri in it, which only the push brings".to_owned();
        return Some((said, "push the parameters themselves"));
    }
    let error = pushed
        .refusal()
        .filter(|_| pushed.outcome() == Outcome::Failed && !pushed.refused_client())?;
    let said = format!("the push was refused with {error}, so there is nothing to refer to");
    Some((said, "act on that error before the browser is sent on"))
}

fn misused(session: &Session<'_>, flow: Flow<'_, '_>, uri: &str) -> Option<Defect> {
    let asked = flow.request();
    let is_it = |turn: &&Turn<'_>| turn.answer().get(name::REQUEST_URI) == Some(uri);
    let mut all = session.of(Step::PushedAuthorizationRequest);
    let pushed = all.find(is_it)?;
    let sent = asked.param(name::CLIENT_ID);
    let client = pushed.param(name::CLIENT_ID);
    match (sent, client) {
        (None, _) if asked.is_whole() => {
            let said = "the authorization request has a request_uri and no client_id".to_owned();
            return Some((said, "send client_id beside request_uri"));
        }
        (Some(sent), Some(client)) if sent != client => {
            let said = format!("client_id is {sent}, and {client} pushed the request");
            return Some((said, "send the client_id that pushed the request"));
        }
        _ => {}
    }
    let mut before = session
        .flows()
        .take_while(|other| other.request().id() < asked.id());
    if let Some(before) = before.find(|other| other.request().param(name::REQUEST_URI) == Some(uri))
    {
        let said = format!(
            "this request_uri was used before, in interaction {}",
            before.request().id()
        );
        return Some((said, "push the request again for each attempt"));
    }
    let lifetime = pushed.answer_json()?.get(name::EXPIRES_IN)?.as_u64()?;
    let age = asked.interaction.at().checked_sub(pushed.answered_at()?)?;
    let said = format!(
        "the request_uri is {} s old, and lives {lifetime} s",
        age.as_secs()
    );
    (age.as_secs() > lifetime).then_some((said, "push just before the browser is sent on"))
}

fn not_pushed(session: &Session<'_>, flow: Flow<'_, '_>) -> Option<Defect> {
    let asked = flow.request();
    let metadata = session.metadata_of(asked)?;
    let is_required = metadata.is_set(name::REQUIRE_PUSHED_AUTHORIZATION_REQUESTS);
    let said = "this server asks for a push with every request, and there was none".to_owned();
    let fix =
        "push the parameters to pushed_authorization_request_endpoint, and send the request_uri";
    (is_required && asked.is_whole()).then_some((said, fix))
}
