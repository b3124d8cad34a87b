//! `token-error-misleading`: the server's error text does not describe the request.

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::error_code;
use crate::oauth::name::{self, grant};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-error-misleading",
    severity: Severity::Note,
    tier: 5,
    summary: "the server's text does not describe this request",
    why: "Servers answer many different faults with one text. It says that something failed, not what.",
    fix: "follow the first finding instead of the text",
    see: &["RFC 6749 section 5.2"],
    example: "401 invalid_grant \"Unable to authenticate username and password\" for grant_type=authorization_code",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session
        .token_requests()
        .filter(|token| token.outcome() == Outcome::Failed)
    {
        let Some(response) = token.interaction.response() else {
            continue;
        };
        let answer = response.body_params();
        let (error, said) = (
            answer.get(name::ERROR).unwrap_or_default(),
            answer.get(name::ERROR_DESCRIPTION).unwrap_or_default(),
        );
        if let Some(why) = why_misleading(token, response.status(), error) {
            let text = if said.is_empty() { error } else { said };
            let finding = Finding::of(rule)
                .saying(format!(
                    "the server's text (\"{text}\") does not describe this request: {why}"
                ))
                .at(Evidence::new(
                    token.id(),
                    "response",
                    format!("{} {error}", response.status()),
                ));
            findings.raise_ungraded(finding);
        }
    }
}

fn why_misleading(token: &Turn<'_>, status: u16, error: &str) -> Option<String> {
    let lower = token.error_words();
    let grant = token.param(name::GRANT_TYPE);
    let speaks_of_user = ["username", "password", "user name"]
        .iter()
        .any(|word| lower.contains(word));
    if speaks_of_user && grant != Some(grant::PASSWORD) {
        return Some(match grant {
            Some(grant) => format!("a request with grant_type {grant} carries no username or password"),
            None => "the request carried no username or password, nor anything else that the server could read".to_owned(),
        });
    }
    let named = token
        .body()
        .iter()
        .find(|param| param.name.len() > 3 && lower.contains(&param.name));
    if let (Some(param), "invalid_request" | "unsupported_grant_type") = (named, error) {
        return Some(format!(
            "{} is in the request, so the server did not read the body",
            param.name
        ));
    }
    if error == "invalid_grant" && status == 401 {
        return Some(
            "401 is for clients that failed to authenticate, and invalid_grant is about the grant"
                .to_owned(),
        );
    }
    (!error.is_empty() && !error_code::is_registered(error))
        .then(|| format!("`{error}` is no error code of the standards"))
}
