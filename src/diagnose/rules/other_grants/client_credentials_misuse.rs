//! `client-credentials-misuse`: parameters that mean nothing where there is no user.

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name::{self, grant};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-credentials-misuse",
    severity: Severity::Warning,
    tier: 4,
    summary: "client_credentials has no user, so what is about a user means nothing in it",
    why: "With client_credentials the client acts for itself: there is no code, no redirect, no one who logs in, and no ID \
          Token. Some servers ignore such parameters, others refuse the request.",
    fix: "drop what is about a user, or use a grant with one",
    see: &["RFC 6749 section 4.4", "RFC 6749 section 4.4.2"],
    example: "grant_type=client_credentials with scope=openid",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        if token.grant() != grant::CLIENT_CREDENTIALS {
            continue;
        }
        let defect = meaningless(token)
            .or_else(|| user_scope(token))
            .or_else(|| entra_scope(token));
        if let Some((said, fix, name)) = defect {
            let is_refused_for_it = token.outcome() == Outcome::Failed
                && token.answer().get(name::ERROR) != Some("invalid_client");
            let severity = if is_refused_for_it {
                Severity::Error
            } else {
                Severity::Warning
            };
            let finding = Finding::of(rule)
                .graded(severity)
                .saying(said)
                .fixed_by(fix)
                .at(Evidence::sent(token, name));
            findings.raise(finding, token);
        } else if let Some(again) = fetched_again(session, token) {
            let age = again.interaction.at().abs_diff(token.interaction.at());
            let finding = Finding::of(rule)
                .graded(Severity::Note)
                .saying(format!(
                    "the same token is fetched again after {} s, long before it expires",
                    age.as_secs()
                ))
                .fixed_by("keep the token until shortly before it expires")
                .at(Evidence::sent(token, name::GRANT_TYPE))
                .at(Evidence::sent(again, name::GRANT_TYPE));
            findings.raise_ungraded(finding);
        }
    }
}

/// What is said, what to do, and the parameter that shows it.
type Defect = (String, &'static str, &'static str);

fn meaningless(token: &Turn<'_>) -> Option<Defect> {
    let names = [name::CODE, name::REDIRECT_URI, name::USERNAME];
    let name = names.into_iter().find(|name| token.param(name).is_some())?;
    let said = format!("client_credentials has no user: {name} means nothing in it");
    Some((said, "drop it, or use the grant that it belongs to", name))
}

fn user_scope(token: &Turn<'_>) -> Option<Defect> {
    let mut scopes = token.param(name::SCOPE)?.split(' ');
    let scope = scopes.find(|scope| ["offline_access", "openid"].contains(scope))?;
    let said = format!("client_credentials has no user: the scope {scope} means nothing in it");
    Some((said, "ask for the scopes of the API alone", name::SCOPE))
}

/// The token endpoint of Entra, by its path, knows no single permission in this grant.
fn entra_scope(token: &Turn<'_>) -> Option<Defect> {
    let is_entra = token.path().ends_with("/oauth2/v2.0/token");
    let scope = token.param(name::SCOPE).filter(|scope| !scope.is_empty())?;
    let is_refused = token.outcome() == Outcome::Failed && is_entra;
    (is_refused && !scope.ends_with("/.default")).then(|| {
        let said = format!("scope is `{scope}`; in this grant it is the resource and /.default");
        (said, "send scope=<resource>/.default", name::SCOPE)
    })
}

/// The next request for the same, before half of the token's life is over.
fn fetched_again<'s, 'a>(session: &'s Session<'a>, token: &Turn<'_>) -> Option<&'s Turn<'a>> {
    let lifetime = token.answer_json()?.get(name::EXPIRES_IN)?.as_u64()?;
    let is_same = |name: &&str| token.param(name).is_some();
    let names = [name::SCOPE, name::AUDIENCE, name::RESOURCE, name::CLIENT_ID];
    let names: Vec<_> = names.into_iter().filter(is_same).collect();
    session.token_requests().find(|again| {
        let age = again.interaction.at().checked_sub(token.interaction.at());
        again.id() > token.id()
            && again.grant() == grant::CLIENT_CREDENTIALS
            && again.interaction.request().url() == token.interaction.request().url()
            && again.interaction.request().basic() == token.interaction.request().basic()
            && again.body().len() == token.body().len()
            && names
                .iter()
                .all(|name| again.param(name) == token.param(name))
            && [token, *again]
                .iter()
                .all(|it| it.outcome() == Outcome::Accepted)
            && age.is_some_and(|age| age.as_secs() < lifetime / 2)
    })
}
