//! What a request asks for by `scope`, and what a server says to that.

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::Evidence;
use crate::oauth::name;

/// A request with a scope: an authorization request, or a token request of a grant that names one.
pub(super) struct Asked<'s, 'a> {
    pub(super) scope: &'s str,
    /// Where it stands.
    pub(super) evidence: Evidence,
    /// The request.
    pub(super) turn: &'s Turn<'a>,
    /// What came of it.
    pub(super) outcome: Outcome,
    /// The error code that came back, and the interaction that brought it.
    pub(super) error: Option<(&'s str, u64)>,
}

/// The requests that name a scope.
pub(super) fn asked<'s, 'a>(session: &'s Session<'a>) -> Vec<Asked<'s, 'a>> {
    let flows = session.flows().filter_map(|flow| {
        let of_token = || {
            let mut refused = flow.token_requests().filter_map(|(token, _)| error(token));
            refused.next()
        };
        let of_response = flow.answered(name::ERROR).zip(flow.carrier());
        Some(Asked {
            scope: flow.asked().get(name::SCOPE)?,
            evidence: Evidence::asked(flow, name::SCOPE),
            turn: flow.request(),
            outcome: flow.outcome(),
            error: of_response
                .map(|(error, carrier)| (error, carrier.id()))
                .or_else(of_token),
        })
    });
    let tokens = session.token_requests().filter_map(|token| {
        Some(Asked {
            scope: token.param(name::SCOPE)?,
            evidence: Evidence::sent(token, name::SCOPE),
            turn: token,
            outcome: token.outcome(),
            error: error(token),
        })
    });
    flows.chain(tokens).collect()
}

fn error<'s>(token: &'s Turn<'_>) -> Option<(&'s str, u64)> {
    Some((token.answer().get(name::ERROR)?, token.id()))
}

/// What is wrong with how the scopes are written, if they are not separated by spaces.
pub(super) fn misspelt(scope: &str) -> Option<&'static str> {
    let is_list = scope.starts_with('[') && scope.ends_with(']');
    let marks = [
        (',', "separated by commas"),
        (';', "separated by semicolons"),
        ('|', "separated by bars"),
        ('+', "separated by plus signs"),
    ];
    let mark = || marks.iter().find(|(mark, _)| scope.contains(*mark));
    if is_list {
        Some("written as a list of JSON")
    } else if scope.contains("%20") {
        Some("encoded once more than a form encodes them")
    } else if scope.contains(' ') {
        None
    } else {
        mark().map(|(_, words)| *words)
    }
}

/// The scopes of a request or of an answer, whichever way they are separated.
pub(super) fn words(scope: &str) -> Vec<&str> {
    let separator = |c: char| c.is_whitespace() || "[],\"".contains(c);
    let words = scope.split(separator);
    words.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_that_are_not_separated_by_spaces_are_told() {
        for (scope, expected) in [
            ("", None),
            ("openid", None),
            ("read write", None),
            ("read,write", Some("separated by commas")),
            ("read+write", Some("separated by plus signs")),
            (
                "read%20write",
                Some("encoded once more than a form encodes them"),
            ),
            (r#"["read","write"]"#, Some("written as a list of JSON")),
            ("https://x.example/a,b https://x.example/c", None),
        ] {
            assert_eq!(misspelt(scope), expected, "{scope}");
        }
    }
}
