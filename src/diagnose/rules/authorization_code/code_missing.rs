//! `code-missing`: a token request for a code has none.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name::{self, grant};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "code-missing",
    severity: Severity::Error,
    tier: 4,
    summary: "no code was sent with grant_type authorization_code",
    why: "The code is what the request redeems; without it there is nothing to issue a token for.",
    fix: "read `code` from the query of the authorization response, and look for `error` there first",
    see: &["RFC 6749 section 4.1.3"],
    example: "grant_type=authorization_code&redirect_uri=…",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let redeems = token.param(name::GRANT_TYPE) == Some(grant::AUTHORIZATION_CODE);
        let code = token.param(name::CODE).unwrap_or_default();
        // What has the parameter of another grant has the wrong grant type.
        let is_other = OF_OTHERS.iter().any(|name| token.param(name).is_some());
        let is_read = token.is_whole() && token.facts().body_sniff.is_none();
        if !redeems || is_other || !code.is_empty() || !is_read {
            continue;
        }
        let mut finding = Finding::of(rule).at(Evidence::sent(token, name::CODE));
        let flow = session.flow_of(token).map(|(flow, _)| flow);
        let refused = flow.filter(|flow| flow.answered(name::ERROR).is_some());
        if let Some(flow) = refused {
            let error = flow.answered(name::ERROR).unwrap_or_default();
            finding = finding
                .saying(format!(
                    "no code was sent with grant_type authorization_code: none came back, but {error}"
                ))
                .at(Evidence::answered(flow, name::ERROR));
        }
        findings.raise(finding, token);
    }
}

const OF_OTHERS: &[&str] = &[
    name::ASSERTION,
    name::DEVICE_CODE,
    name::REFRESH_TOKEN,
    name::USERNAME,
];
