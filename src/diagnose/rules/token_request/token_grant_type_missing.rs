//! `token-grant-type-missing`: the form has no `grant_type`.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::token_request::misspelled;
use crate::model::Params;
use crate::oauth::name::{self, grant};
use crate::oauth::providers::{Allowance, takes};
use crate::redact::Content;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-grant-type-missing",
    severity: Severity::Error,
    tier: 2,
    summary: "grant_type is missing",
    why: "grant_type says what the request is; without it a server cannot tell a code from a refresh token.",
    fix: "add the grant_type that fits the parameters",
    see: &["RFC 6749 section 4.1.3", "RFC 6749 section 6"],
    example: "code=…&client_id=… and no grant_type",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let form =
            matches!(token.content(), Content::Form { .. }) && token.facts().body_sniff.is_none();
        let told = token.facts().grant_type_not_needed;
        let exempt = told || takes(token.host(), Allowance::NoGrantType);
        let sent = token.param(name::GRANT_TYPE).is_some()
            || misspelled(token)
                .iter()
                .any(|(_, meant)| *meant == name::GRANT_TYPE);
        if !form || token.method() != "POST" || exempt || sent {
            continue;
        }
        let fits = [
            (name::CODE, grant::AUTHORIZATION_CODE),
            (name::REFRESH_TOKEN, grant::REFRESH_TOKEN),
            (name::DEVICE_CODE, grant::DEVICE_CODE),
            (name::USERNAME, grant::PASSWORD),
        ];
        let best = fits
            .iter()
            .find(|(param, _)| token.body().has(param))
            .map(|(_, grant)| *grant);
        let mut finding =
            Finding::of(rule).at(Evidence::new(token.id(), "body", names(token.body())));
        if let Some(best) = best {
            finding = finding.fixed_by(format!("add grant_type={best}, which fits the parameters"));
        }
        findings.raise(finding, token);
    }
}

fn names(params: &Params) -> String {
    params
        .iter()
        .map(|param| param.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}
