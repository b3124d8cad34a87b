//! `state-mismatch`: another state came back than was sent.

use crate::cassette::{Flow, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;
use crate::redact::{Label, Piece, Suffix, pieces};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "state-mismatch",
    severity: Severity::Error,
    tier: 4,
    summary: "another state came back than was sent",
    why: "A server must return the state exactly as it got it, and a client refuses a response with another one.",
    fix: "use a state of letters and digits (base64url or hex), and compare the decoded values",
    see: &["RFC 6749 section 4.1.2"],
    example: "sent `a+b=`, got `a b=`",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let (Some(sent), Some(response)) = (flow.asked().get(name::STATE), flow.response()) else {
            continue;
        };
        let back = flow.answered(name::STATE);
        let reached = flow.callback().and_then(|turn| turn.param(name::STATE));
        let (words, place) = if sent.is_empty() {
            continue;
        } else if let Some(words) = difference(sent, back) {
            (words, Evidence::answered(flow, name::STATE))
        } else if let Some(words) = reached.and_then(|reached| difference(sent, Some(reached))) {
            (words, reached_at(flow))
        } else {
            continue;
        };
        let finding = Finding::of(rule)
            .saying(words)
            .at(Evidence::asked(flow, name::STATE))
            .at(place)
            .linked(response.link);
        findings.raise_for(finding, flow.outcome());
    }
}

fn reached_at(flow: Flow<'_, '_>) -> Evidence {
    let callback = flow.callback().unwrap_or_else(|| flow.request());
    let state = callback.param(name::STATE).unwrap_or_default();
    Evidence::new(callback.id(), "callback", state)
}

/// How what came back differs, in words.
fn difference(sent: &str, back: Option<&str>) -> Option<String> {
    let Some(back) = back else {
        return Some("state was sent, and none came back".to_owned());
    };
    if sent == back {
        return None;
    }
    let labels = |text: &str| {
        let label = |piece| match piece {
            Piece::Label(label) => Some(label),
            Piece::Literal(_) => None,
        };
        pieces(text).into_iter().find_map(label)
    };
    let (sent, back) = (labels(sent), labels(back));
    let same = sent.as_ref().map(Label::core) == back.as_ref().map(Label::core);
    let suffix = back.filter(|_| same && sent.is_some());
    let suffix = suffix.map(|label| label.suffixes);
    let words = match suffix.as_deref() {
        None => "another state came back than was sent",
        Some([Suffix::PlusAsSpace, ..]) => "state came back with a space for each +",
        Some([Suffix::SpaceAsPlus, ..]) => "state came back with a + for each space",
        Some([Suffix::Pct | Suffix::Pct2, ..]) => "state came back percent-encoded once more",
        Some([Suffix::Unpct, ..]) => "state came back percent-decoded once too often",
        Some([Suffix::HtmlAmp, ..]) => "state came back escaped as HTML",
        Some([Suffix::FirstOf { .. }, ..]) => "state came back cut off",
        Some([Suffix::Upper | Suffix::Lower | Suffix::Mixed, ..]) => {
            "state came back in another case"
        }
        Some(_) => "state came back with something around it",
    };
    Some(words.to_owned())
}
