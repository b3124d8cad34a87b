//! `client-id-mismatch-authorize-token`: a code is redeemed by another client than it was issued to.

use crate::cassette::{Link, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::percent_decode;
use crate::oauth::name;
use crate::oauth::placeholder::is_placeholder_word;
use crate::redact::only_label;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-id-mismatch-authorize-token",
    severity: Severity::Error,
    tier: 4,
    summary: "the code was issued to one client and redeemed by another",
    why: "A code is bound to the client that asked for it. Whoever else brings it is refused, be it the same application in another environment.",
    fix: "use one registration for both requests; look at the configuration of development and production",
    see: &["RFC 6749 section 4.1.3", "RFC 6749 section 5.2"],
    example: "client_id=app-dev at /authorize, client_id=app-prod at /token",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let flow = session.flow_of(token);
        let Some((flow, Link::Strong)) = flow.filter(|_| !token.facts().basic_swapped) else {
            continue;
        };
        let (Some(asked), Some(sent)) = (flow.asked().get(name::CLIENT_ID), token.client_id())
        else {
            continue;
        };
        // In Basic credentials it is encoded, as in a form. What a label stands for is only known to
        // be another where both are labels.
        let plain = percent_decode(&sent.replace('+', " "));
        let (label, other) = (only_label(asked), only_label(sent));
        let is_known = label.is_some() == other.is_some() && (label.is_none() || label != other);
        // What was never filled in is a fault of its own.
        let is_filled_in = !is_placeholder_word(sent);
        if asked != sent && asked != plain && is_known && is_filled_in {
            let finding = Finding::of(rule)
                .saying(format!(
                    "the code was issued to {asked} and redeemed as {sent}"
                ))
                .at(Evidence::asked(flow, name::CLIENT_ID))
                .at(Evidence::new(token.id(), "token", sent));
            findings.raise(finding, token);
        }
    }
}
