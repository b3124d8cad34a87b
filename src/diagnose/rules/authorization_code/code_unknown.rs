//! `code-unknown`: a code that never came back is redeemed.

use crate::cassette::{Link, Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Params;
use crate::oauth::name;
use crate::redact::{Label, Piece, RecordedResponse, pieces};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "code-unknown",
    severity: Severity::Warning,
    tier: 4,
    summary: "this code never came back in this recording",
    why: "The code that the server sent is another. One that is written into the program, or of another machine or an earlier run, is spent or unknown.",
    fix: "redeem the code that came back with this login",
    see: &["RFC 6749 section 4.1.3"],
    example: "a login brings one code, and the token request has another",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let code = token.param(name::CODE).map(labels).unwrap_or_default();
        // The only login is a weak link, whose code came back and is redeemed by nobody.
        let Some((flow, Link::Weak)) = session.flow_of(token) else {
            continue;
        };
        let is_redeemed = flow.token_requests().any(|(_, link)| link == Link::Strong);
        let is_unknown = !code.is_empty()
            && flow.answered(name::CODE).is_some()
            && !is_redeemed
            && !came_before(session, token, &code);
        if is_unknown && token.outcome() == Outcome::Failed {
            let finding = Finding::of(rule)
                .at(Evidence::answered(flow, name::CODE))
                .at(Evidence::sent(token, name::CODE));
            findings.raise(finding, token);
        }
    }
}

fn labels(text: &str) -> Vec<Label> {
    let label = |piece| match piece {
        Piece::Label(label) => Some(label.core()),
        Piece::Literal(_) => None,
    };
    pieces(text).into_iter().filter_map(label).collect()
}

/// Whether a message before the request, of whatever kind, has the code.
fn came_before(session: &Session<'_>, token: &Turn<'_>, code: &[Label]) -> bool {
    let has = |text: &str| labels(text).iter().any(|label| code.contains(label));
    let any = |params: &Params| params.iter().any(|param| has(&param.value));
    let before = session.turns().iter();
    let mut before = before.take_while(|turn| turn.id() != token.id());
    before.any(|turn| {
        let response = turn.interaction.response();
        let locations = response.map(RecordedResponse::locations);
        turn.step() != token.step()
            && (any(turn.query())
                || any(turn.body())
                || any(turn.answer())
                || locations.unwrap_or_default().iter().any(|to| has(to)))
    })
}
