//! `id-token-claims-invalid`: an ID Token that a client must refuse for what it says.

use std::borrow::Cow;

use serde_json::Value;

use crate::cassette::{IdToken, Link, Outcome, SeenJwt, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::percent_decode;
use crate::oauth::Step;
use crate::oauth::name::{self, grant};
use crate::redact::{cores, identity};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "id-token-claims-invalid",
    severity: Severity::Error,
    tier: 6,
    summary: "the ID Token does not say what the client must find in it",
    why: "A client refuses an ID Token of another issuer, for another client, that has expired or lacks a claim, since it may \
          be somebody else's. So a login fails although every request succeeded.",
    fix: "compare issuer and client_id at both sides, byte for byte",
    see: &[
        "OpenID Connect Core section 2",
        "OpenID Connect Core section 3.1.3.7",
        "OpenID Connect Core section 5.3.2",
    ],
    example: "aud is another client than the one that asked",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.id_tokens() {
        let Some(jwt) = session.jwt(token.text) else {
            continue;
        };
        let found = [
            missing(&jwt),
            issuer(session, &token, &jwt),
            audience(&token, &jwt),
            expired(&jwt),
            login_time(&token, &jwt),
            subject(session, &token, &jwt),
        ];
        let found: Vec<_> = found.into_iter().flatten().collect();
        if !found.is_empty() {
            let mut finding =
                Finding::of(rule).saying(format!("the ID Token is refused: {}", found.join("; ")));
            for said in found {
                finding = finding.at(Evidence::new(token.turn.id(), token.place, said));
            }
            findings.raise_ungraded(finding);
        }
    }
    for token in session
        .token_requests()
        .filter(|token| lacks_id_token(session, token))
    {
        let finding = Finding::of(rule)
            .saying("openid was asked for and no ID Token came")
            .fixed_by("enable OpenID Connect for this client where it is registered, or use the endpoints of the provider's OpenID Connect server")
            .at(Evidence::new(token.id(), "response", "(no id_token)"));
        findings.raise_ungraded(finding);
    }
}

fn text<'j>(jwt: &'j SeenJwt, name: &str) -> Option<&'j str> {
    jwt.claims.get(name).and_then(Value::as_str)
}

fn missing(jwt: &SeenJwt) -> Option<String> {
    let required = [name::ISS, name::SUB, name::AUD, name::EXP, name::IAT];
    let missing = required
        .into_iter()
        .filter(|name| !jwt.claims.contains_key(*name));
    let missing = missing.collect::<Vec<_>>().join(", ");
    (!missing.is_empty()).then(|| format!("it has no {missing}"))
}

fn issuer(session: &Session<'_>, token: &IdToken<'_, '_>, jwt: &SeenJwt) -> Option<String> {
    let metadata = session.metadata_of(token.turn)?;
    let expected = metadata
        .get(name::ISSUER)
        .filter(|issuer| !issuer.contains('{'))?;
    let iss = text(jwt, name::ISS)?;
    (iss != expected).then(|| format!("iss is {iss}, and the metadata says {expected}"))
}

fn audience(token: &IdToken<'_, '_>, jwt: &SeenJwt) -> Option<String> {
    let client = client_of(token)?;
    let aud = match jwt.claims.get(name::AUD)? {
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one.as_str()],
        _ => return None,
    };
    // What is a label in one place and none, or an address, in the other cannot be compared.
    let is_address = |text: &str| text.contains("://");
    let is_label = |text: &str| cores(text).next().is_some();
    let sort = |text: &str| (is_address(text), is_label(text));
    if aud.iter().any(|aud| sort(aud) != sort(&client)) {
        return None;
    }
    if !aud.iter().any(|aud| identity(aud) == identity(&client)) {
        return Some(format!(
            "aud is {}, and the client is {client}",
            aud.join(", ")
        ));
    }
    if aud.len() < 2 {
        return None;
    }
    match text(jwt, name::AZP) {
        None => Some("aud has several values, and there is no azp".to_owned()),
        Some(azp) => (identity(azp) != identity(&client))
            .then(|| format!("azp is {azp}, and the client is {client}")),
    }
}

/// The client that asked for the token.
fn client_of<'s>(token: &IdToken<'s, '_>) -> Option<Cow<'s, str>> {
    let asked = || Some(token.flow?.asked().get(name::CLIENT_ID)?.into());
    let basic = || token.turn.interaction.request().basic();
    let sent = token.turn.param(name::CLIENT_ID);
    sent.map(Cow::from)
        .or_else(asked)
        .or_else(|| Some(percent_decode(&basic()?.user.replace('+', " ")).into()))
}

fn expired(jwt: &SeenJwt) -> Option<String> {
    let exp = jwt.time(name::EXP).filter(|exp| *exp <= 0)?;
    Some(format!("it had expired {} s before it came", -exp))
}

fn login_time(token: &IdToken<'_, '_>, jwt: &SeenJwt) -> Option<String> {
    let asked = token
        .flow?
        .asked()
        .get(name::MAX_AGE)?
        .parse::<i64>()
        .ok()?;
    if !jwt.claims.contains_key(name::AUTH_TIME) {
        return Some("max_age was asked for, and there is no auth_time".to_owned());
    }
    let age = jwt.time(name::IAT)? - jwt.time(name::AUTH_TIME)?;
    (age > asked + LEEWAY)
        .then(|| format!("the login is {age} s old by auth_time, and max_age was {asked}"))
}

fn subject(session: &Session<'_>, token: &IdToken<'_, '_>, jwt: &SeenJwt) -> Option<String> {
    let sub = text(jwt, name::SUB)?;
    let access_token = token.turn.issued(name::ACCESS_TOKEN)?;
    session.of(Step::Userinfo).find_map(|userinfo| {
        let (_, sent) = userinfo.authorization()?;
        let other = userinfo.answer().get(name::SUB)?;
        let is_of = sent == access_token && other != sub;
        is_of.then(|| {
            format!(
                "sub is {sub}, and userinfo in interaction {} says {other}",
                userinfo.id()
            )
        })
    })
}

fn lacks_id_token(session: &Session<'_>, token: &Turn<'_>) -> bool {
    let has_openid = |scope: &str| scope.split([' ', ',']).any(|word| word == "openid");
    let flow = session
        .flow_of(token)
        .filter(|(_, link)| *link == Link::Strong);
    let asked = flow.and_then(|(flow, _)| flow.asked().get(name::SCOPE));
    token.outcome() == Outcome::Accepted
        && token.grant() == grant::AUTHORIZATION_CODE
        && token.answer_json().is_some()
        && !token.answer().has(name::ID_TOKEN)
        && asked.is_some_and(has_openid)
        && token.answer().get(name::SCOPE).is_none_or(has_openid)
}

/// Seconds by which clocks may differ.
const LEEWAY: i64 = 60;
