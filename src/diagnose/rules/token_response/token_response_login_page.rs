//! `token-response-login-page`: the token endpoint answered with a web page.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Url;
use crate::oauth::sniff::Sniff;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-response-login-page",
    severity: Severity::Error,
    tier: 5,
    summary: "the token endpoint answered with a web page, not JSON",
    why: "A page comes from something that stands before the token endpoint: a path that the server does not know and \
          answers with its front page, a login that guards it, or a filter against forged forms.",
    fix: "take the URL from the server's metadata; a server of your own must not guard its token endpoint with a login or a form token",
    see: &["RFC 6749 section 5.1", "RFC 6749 section 5.2"],
    example: "POST /token -> 200 text/html with a login form",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let Some(status) = token.status() else {
            continue;
        };
        let is_page = status < 300 && token.answer_sniff() == Some(Sniff::Html);
        let what = if is_page && token.facts().page_asks_password {
            "a web page that asks for a password".to_owned()
        } else if is_page {
            "a web page".to_owned()
        } else if let Some(location) = login(token) {
            format!("a redirect to a login page, {location}")
        } else {
            continue;
        };
        let finding = Finding::of(rule)
            .saying(format!(
                "{} answered the token request with {what}, not with JSON",
                token.path()
            ))
            .at(Evidence::new(
                token.id(),
                "response",
                format!("{status}, {what}"),
            ));
        findings.raise_ungraded(finding);
    }
}

/// The login page that the token endpoint redirects to.
fn login(token: &Turn<'_>) -> Option<String> {
    let location = token.login_location()?;
    Some(Url::parse(location).map_or_else(|| location.to_owned(), |url| url.endpoint()))
}
