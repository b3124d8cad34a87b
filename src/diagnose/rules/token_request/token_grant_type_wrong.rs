//! `token-grant-type-wrong`: `grant_type` is not what the request needs.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Params;
use crate::oauth::name::{self, grant};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-grant-type-wrong",
    severity: Severity::Error,
    tier: 2,
    summary: "grant_type is not what this request needs",
    why: "The values of grant_type are exact and case-sensitive. One that no server knows, or that does not fit the other parameters, is refused whatever else is right.",
    fix: "send the exact value that fits the parameters",
    see: &[
        "RFC 6749 section 4.1.3",
        "RFC 6749 section 6",
        "RFC 8628 section 3.4",
    ],
    example: "grant_type=ClientCredentials",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let Some(sent) = token
            .param(name::GRANT_TYPE)
            .filter(|sent| !sent.is_empty())
        else {
            continue;
        };
        if let Some(best) = better(sent, token.body()) {
            let finding = Finding::of(rule)
                .saying(format!(
                    "grant_type `{sent}` is not what this request needs; expected `{best}`"
                ))
                .fixed_by(format!(
                    "send grant_type={best} (values are exact and case-sensitive)"
                ))
                .at(Evidence::new(
                    token.id(),
                    "token",
                    format!("grant_type={sent}"),
                ));
            findings.raise(finding, token);
        }
    }
}

/// The grant type that was meant; `None` where the one that was sent may be right.
fn better(sent: &str, body: &Params) -> Option<&'static str> {
    if KNOWN.contains(&sent)
        || sent.starts_with("urn:")
        || sent.starts_with("http")
        || VENDORS.contains(&sent)
    {
        let refreshes = body.has(name::REFRESH_TOKEN) && !body.has(name::CODE);
        let redeems = body.has(name::CODE) && !body.has(name::REFRESH_TOKEN);
        return match sent {
            grant::AUTHORIZATION_CODE if refreshes => Some(grant::REFRESH_TOKEN),
            grant::REFRESH_TOKEN if redeems => Some(grant::AUTHORIZATION_CODE),
            _ => None,
        };
    }
    let fits = [
        (name::CODE, grant::AUTHORIZATION_CODE),
        (name::REFRESH_TOKEN, grant::REFRESH_TOKEN),
        (name::DEVICE_CODE, grant::DEVICE_CODE),
        (name::USERNAME, grant::PASSWORD),
    ];
    let by_parameter = fits
        .iter()
        .find(|(param, _)| body.has(param))
        .map(|(_, grant)| *grant);
    Some(by_parameter.unwrap_or(grant::CLIENT_CREDENTIALS))
}

const KNOWN: &[&str] = &[
    grant::AUTHORIZATION_CODE,
    grant::REFRESH_TOKEN,
    grant::CLIENT_CREDENTIALS,
    grant::PASSWORD,
    grant::DEVICE_CODE,
];

/// Grant types of single vendors.
const VENDORS: &[&str] = &[
    "account_credentials",
    "fb_exchange_token",
    "ig_exchange_token",
    "ig_refresh_token",
];
