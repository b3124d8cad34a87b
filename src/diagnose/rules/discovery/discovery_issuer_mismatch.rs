//! `discovery-issuer-mismatch`: the metadata is of another issuer than it was fetched for.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Url;
use crate::oauth::Step;
use crate::oauth::name;
use crate::oauth::relation::{UrlPart, url_relation};
use crate::oauth::sniff::Sniff;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "discovery-issuer-mismatch",
    severity: Severity::Error,
    tier: 6,
    summary: "the metadata is of another issuer than it was fetched for",
    why: "A client compares the issuer in the metadata with the one that it was configured with, byte for byte, and goes no \
          further where they differ.",
    fix: "configure the issuer exactly as it is published",
    see: &[
        "OpenID Connect Discovery section 4.3",
        "RFC 8414 section 3.1",
        "RFC 8414 section 3.3",
    ],
    example: "https://as.example configured, and https://as.example/ published",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for fetched in session.of(Step::Discovery) {
        let found = match fetched.answer().get(name::ISSUER) {
            Some(issuer) => other_issuer(session, fetched, issuer),
            None => no_metadata(session, fetched),
        };
        let Some((severity, said, fix)) = found else {
            continue;
        };
        let shown = fetched.answer().get(name::ISSUER).map(str::to_owned);
        let shown = shown.or_else(|| Some(fetched.status()?.to_string()));
        let finding = Finding::of(rule)
            .graded(severity)
            .saying(said)
            .fixed_by(fix)
            .at(Evidence::new(
                fetched.id(),
                "request",
                fetched.interaction.request().url(),
            ))
            .at(Evidence::new(
                fetched.id(),
                "response",
                shown.unwrap_or_default(),
            ));
        findings.raise_ungraded(finding);
    }
}

/// How bad it is, what is wrong, and what to do about it.
type Defect = (Severity, String, String);

fn other_issuer(session: &Session<'_>, fetched: &Turn<'_>, issuer: &str) -> Option<Defect> {
    let candidates = candidates(fetched.interaction.request().url())?;
    // A template is filled in with the tenant of each person.
    if issuer.contains('{') || candidates.iter().any(|candidate| candidate == issuer) {
        return None;
    }
    let goes_on = goes_on(session, fetched);
    let slashless = |text: &str| text.trim_end_matches('/').to_owned();
    let is_slash = |candidate: &String| slashless(candidate) == slashless(issuer);
    let fix = format!("configure the issuer exactly as it is published: {issuer}");
    // The URL is the same for an issuer with a final slash and one without, so only a client that
    // went no further may have had the other one.
    if candidates.iter().any(is_slash) {
        let said = format!("the issuer is {issuer}, which the client may have without its slash");
        let said = format!("probably: {said}");
        return (!goes_on).then_some((Severity::Warning, said, fix));
    }
    let severity = if goes_on {
        Severity::Note
    } else {
        Severity::Error
    };
    let parts = url_relation(&candidates[0], issuer);
    let parts: Vec<_> = parts.into_iter().map(UrlPart::as_str).collect();
    let said = format!(
        "the metadata says issuer {issuer}, and was fetched for {} ({})",
        candidates[0],
        parts.join(", ")
    );
    Some((severity, said, fix))
}

fn no_metadata(session: &Session<'_>, fetched: &Turn<'_>) -> Option<Defect> {
    let status = fetched.status()?;
    let is_none = status >= 400 || fetched.answer_sniff() == Some(Sniff::Html);
    // Clients try one place after the other.
    let is_found = !session.metadata().is_empty() || goes_on(session, fetched);
    let said = format!(
        "there is no metadata at {}: the answer is {status}",
        fetched.path()
    );
    let fix = "configure the issuer whose metadata the server publishes, path and all".to_owned();
    (is_none && !is_found).then_some((Severity::Error, said, fix))
}

/// The issuers whose metadata is at a URL, by either way to build it (RFC 8414 section 3.1, OpenID
/// Connect Discovery section 4.1).
fn candidates(url: &str) -> Option<Vec<String>> {
    let (before, behind) = url.split_once("/.well-known/")?;
    let inserted = behind
        .split_once('/')
        .map(|(_, path)| format!("{before}/{path}"));
    let origin = Url::parse(before)?.path.is_empty();
    let inserted = inserted.filter(|_| origin);
    Some(inserted.into_iter().chain([before.to_owned()]).collect())
}

/// Whether the client went on to use the server.
fn goes_on(session: &Session<'_>, fetched: &Turn<'_>) -> bool {
    let mut later = session
        .turns()
        .iter()
        .filter(|turn| turn.id() > fetched.id());
    later.any(|turn| USE.contains(&turn.step()))
}

const USE: &[Step] = &[
    Step::AuthorizationRequest,
    Step::BackchannelAuthenticationRequest,
    Step::DeviceAuthorizationRequest,
    Step::PushedAuthorizationRequest,
    Step::Registration,
    Step::TokenRequest,
];
