//! `response-mode-wrong`: the response travelled in a way that the client cannot read.

use crate::cassette::{Flow, Mode, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::{Step, name};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "response-mode-wrong",
    severity: Severity::Error,
    tier: 4,
    summary: "the response travels in a way that the client cannot read",
    why: "What stands behind # never reaches a server, and a form is sent by POST. A client that waits for a query sees neither.",
    fix: "ask for response_mode=query or form_post, and handle what is asked for; or read the fragment in the page",
    see: &[
        "OAuth 2.0 Multiple Response Types section 2.1",
        "OAuth 2.0 Form Post Response Mode section 2",
    ],
    example: "a response in the fragment, and a callback without parameters at a server",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let found = token_in_query(flow)
            .or_else(|| refused_form(flow))
            .or_else(|| lost_fragment(session, flow));
        if let Some((message, evidence)) = found {
            let finding = Finding::of(rule).saying(message).at(evidence);
            findings.raise_for(finding, flow.outcome());
        }
    }
}

type Found = Option<(String, Evidence)>;

/// Tokens in a query, which servers must refuse.
fn token_in_query(flow: Flow<'_, '_>) -> Found {
    let response_type = flow.asked().get(name::RESPONSE_TYPE)?;
    let has_token = response_type
        .split(' ')
        .any(|word| [name::TOKEN, name::ID_TOKEN].contains(&word));
    let mode = flow.asked().get(name::RESPONSE_MODE);
    (has_token && mode == Some(QUERY)).then(|| {
        let message = format!(
            "response_mode=query is not allowed with response_type={response_type}: tokens would stand in URLs"
        );
        (message, Evidence::asked(flow, name::RESPONSE_MODE))
    })
}

/// A response in a form, at a redirection endpoint that takes none.
fn refused_form(flow: Flow<'_, '_>) -> Found {
    let callback = flow.callback()?;
    let status = callback.status()?;
    let is_form = callback.method() == POST && [404, 405].contains(&status);
    is_form.then(|| {
        let message = format!(
            "the response came by POST, and {} answered {status}: it handles GET alone",
            callback.path()
        );
        let evidence = Evidence::new(callback.id(), "callback", format!("POST, {status}"));
        (message, evidence)
    })
}

/// A code behind `#`, a page without one at a server, and nobody who redeems it.
fn lost_fragment(session: &Session<'_>, flow: Flow<'_, '_>) -> Found {
    let response = flow
        .response()
        .filter(|response| response.mode == Mode::Fragment)?;
    let carrier = flow.carrier()?;
    let behind = || {
        let turns = session.turns().iter();
        turns.filter(|turn| turn.id() > carrier.id())
    };
    let landing = behind().find(|turn| turn.interaction.request().url() == response.to)?;
    let is_used = behind().any(|turn| USES.contains(&turn.step()));
    // A page that reads the fragment itself is there.
    let is_page = landing.status().is_none_or(|status| status < 300);
    let is_lost = flow.answered(name::CODE).is_some() && landing.query().is_empty();
    (is_lost && !is_page && !is_used).then(|| {
        let message = "the response travelled in the fragment, and the server at the redirect URI never received it";
        let evidence = Evidence::new(landing.id(), "callback", landing.interaction.request().url());
        (message.to_owned(), evidence)
    })
}

/// What shows that the page itself read the fragment.
const USES: &[Step] = &[Step::TokenRequest, Step::Resource, Step::Userinfo];
const QUERY: &str = "query";
const POST: &str = "POST";
