//! `redirect-landed-elsewhere`: the response went to another address than was asked for.

use crate::cassette::{Flow, Session};
use crate::diagnose::finding::{Contrast, Evidence, Finding, Findings, parting};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Url;
use crate::oauth::name;
use crate::oauth::relation::url_relation;
use crate::redact::in_its_case;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "redirect-landed-elsewhere",
    severity: Severity::Warning,
    tier: 4,
    summary: "the authorization server redirected to another address than the one that was asked for",
    why: "The server rewrote the address, or took another that is registered. The token request must repeat what the server stored, and the session of the application may be of the other host.",
    fix: "register the address in the form that is used, the loopback IP address for a native application",
    see: &["RFC 6749 section 3.1.2.3", "RFC 8252 section 7.3"],
    example: "asked for http://127.0.0.1:53219/cb, sent to http://localhost:53219/cb",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let Some((asked, landed)) = addresses(flow) else {
            continue;
        };
        let parts = url_relation(&in_its_case(&asked), &in_its_case(&landed));
        if parts.is_empty() {
            continue;
        }
        let contrast = Contrast::between(&asked, &landed, parting(&parts));
        let carrier = flow.carrier().unwrap_or_else(|| flow.request());
        let finding = Finding::of(rule)
            .saying(format!(
                "the authorization server redirected to {landed}, not to {asked} as {} was asked; \
                 the token request must repeat what the server stored",
                flow.request().path()
            ))
            .at(Evidence::asked(flow, name::REDIRECT_URI))
            .at(Evidence::new(carrier.id(), "redirect", landed))
            .parting(contrast);
        findings.raise_for(finding, flow.outcome());
    }
}

/// Where the response was to go and where it went, without queries.
fn addresses(flow: Flow<'_, '_>) -> Option<(String, String)> {
    // Where there is no path, a browser's one is the same.
    let whole = |address: &str| match Url::parse(address) {
        Some(url) if url.path.is_empty() => format!("{address}/"),
        _ => address.to_owned(),
    };
    let asked = flow.asked().get(name::REDIRECT_URI)?;
    let asked = asked.split(['?', '#']).next().unwrap_or_default();
    Some((whole(asked), whole(&flow.response()?.to)))
}
