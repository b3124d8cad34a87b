//! `refresh-token-not-issued`: no refresh token came, though one was asked for or is missed later.

use crate::cassette::{Link, Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Params;
use crate::oauth::name::{self, grant};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "refresh-token-not-issued",
    severity: Severity::Warning,
    tier: 5,
    summary: "no refresh token came with the access token",
    why: "Servers give a refresh token only where the client asks for one in their own way, and many only where the person \
          was shown the consent page. Without it the login ends when the access token does.",
    fix: "ask for offline access as the provider has it, have the consent page shown once, and keep the first refresh token",
    see: &["RFC 6749 section 1.5", "OpenID Connect Core section 11"],
    example: "access_type=offline without prompt=consent, and a second login of the same person",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let is_missing = token.outcome() == Outcome::Accepted
            && token.grant() == grant::AUTHORIZATION_CODE
            && token.answer_json().is_some()
            && !token.answer().has(name::REFRESH_TOKEN);
        let Some((flow, link)) = session.flow_of(token).filter(|_| is_missing) else {
            continue;
        };
        let asked = flow.asked();
        let (message, fix) = if let Some(switch) = switch(asked) {
            let message = format!("no refresh token came, although {switch} asks for one");
            (message, how_to_get(asked))
        } else if let Some(missed) = missed(session, token) {
            let message = format!(
                "no refresh token came, nothing in the authorization request asks for one, and interaction {} needs it",
                missed.id()
            );
            (message, HOW_TO_ASK)
        } else {
            continue;
        };
        let severity = match link {
            Link::Strong => Severity::Warning,
            Link::Weak => Severity::Note,
        };
        let finding = Finding::of(rule)
            .linked(link)
            .graded(severity)
            .saying(message)
            .fixed_by(fix)
            .at(Evidence::asked(flow, name::SCOPE))
            .at(Evidence::new(token.id(), "response", "(no refresh_token)"));
        findings.raise_ungraded(finding);
    }
}

/// What asks for a refresh token: a scope, or a vendor's parameter.
fn switch(asked: &Params) -> Option<String> {
    let mut scopes = asked.get(name::SCOPE).unwrap_or_default().split(' ');
    if let Some(scope) = scopes.find(|scope| OFFLINE_SCOPES.contains(scope)) {
        return Some(format!("the scope {scope}"));
    }
    let mut switches = SWITCHES.iter();
    let (name, value) = switches.find(|(name, value)| asked.get(name) == Some(*value))?;
    Some(format!("{name}={value}"))
}

fn how_to_get(asked: &Params) -> &'static str {
    let prompt = asked.get(name::PROMPT).unwrap_or_default();
    if prompt.split(' ').any(|word| word == "consent") {
        "allow the refresh token grant for this client where it is registered"
    } else {
        "send prompt=consent once, so that the consent page is shown, and keep the refresh token that then comes"
    }
}

/// The later refresh that has no token to send.
fn missed<'s, 'a>(session: &'s Session<'a>, token: &Turn<'_>) -> Option<&'s Turn<'a>> {
    let sent = |turn: &Turn<'_>| turn.param(name::REFRESH_TOKEN).map(str::to_ascii_lowercase);
    session.token_requests().find(|later| {
        later.id() > token.id()
            && later.grant() == grant::REFRESH_TOKEN
            && later.is_whole()
            && sent(later).is_none_or(|sent| NOTHING.contains(&sent.as_str()))
    })
}

const HOW_TO_ASK: &str = "ask for one: scope=offline_access with OpenID Connect, access_type=offline at Google, token_access_type=offline at Dropbox, duration=permanent at Reddit";
/// Of OpenID Connect, and of X.
const OFFLINE_SCOPES: &[&str] = &["offline_access", "offline.access"];
/// Of Google, Reddit and Dropbox.
const SWITCHES: &[(&str, &str)] = &[
    (name::ACCESS_TYPE, "offline"),
    (name::DURATION, "permanent"),
    (name::TOKEN_ACCESS_TYPE, "offline"),
];
const NOTHING: &[&str] = &["", "nan", "none", "null", "undefined"];
