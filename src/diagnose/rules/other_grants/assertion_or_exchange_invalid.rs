//! `assertion-or-exchange-invalid`: what an assertion grant or a token exchange needs is missing or
//! wrong.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name::{self, grant};
use crate::redact::Alphabet;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "assertion-or-exchange-invalid",
    severity: Severity::Error,
    tier: 4,
    summary: "what this grant needs is missing or wrong",
    why: "A token exchange names each token with its type, and an assertion says who issued it, for whom, and how long it is \
          good. A server refuses what lacks any of these.",
    fix: "send what the grant asks for, freshly made",
    see: &[
        "RFC 8693 section 2.1",
        "RFC 7521 section 4.1",
        "RFC 7523 section 3",
        "RFC 7522 section 2.1",
    ],
    example: "a token exchange with subject_token and no subject_token_type",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        if !token.is_whole() || token.body().is_empty() {
            continue;
        }
        let defect = match token.grant() {
            grant::TOKEN_EXCHANGE => exchange(token),
            grant::JWT_BEARER => assertion(token).or_else(|| jwt(session, token)),
            grant::SAML2_BEARER => assertion(token).or_else(|| saml(session, token)),
            _ => None,
        };
        if let Some((name, said, fix)) = defect {
            let finding = Finding::of(rule)
                .saying(said)
                .fixed_by(fix)
                .at(Evidence::sent(token, name));
            findings.raise(finding, token);
        }
    }
}

/// The parameter, what is wrong with it, and what to do.
type Defect = (&'static str, String, &'static str);

fn exchange(token: &Turn<'_>) -> Option<Defect> {
    let is_sent = |name: &str| token.param(name).is_some_and(|value| !value.is_empty());
    let required = [name::SUBJECT_TOKEN, name::SUBJECT_TOKEN_TYPE];
    if let Some(name) = required.into_iter().find(|name| !is_sent(name)) {
        let said = format!("{name} is missing, which a token exchange needs");
        return Some((name, said, "send subject_token and subject_token_type"));
    }
    let (actor, of_actor) = (name::ACTOR_TOKEN, name::ACTOR_TOKEN_TYPE);
    if is_sent(actor) != is_sent(of_actor) {
        let (name, other) = if is_sent(actor) {
            (of_actor, actor)
        } else {
            (actor, of_actor)
        };
        let said = format!("{other} is sent without {name}");
        return Some((name, said, "send both of them or none"));
    }
    let is_no_uri = |name: &&str| token.param(name).is_some_and(|it| !it.contains(':'));
    let name = [name::SUBJECT_TOKEN_TYPE, of_actor]
        .into_iter()
        .find(is_no_uri)?;
    let sent = token.param(name).unwrap_or_default();
    let said = format!("{name} is `{sent}`, which is no URI");
    let fix = "send a type such as urn:ietf:params:oauth:token-type:access_token";
    Some((name, said, fix))
}

fn assertion(token: &Turn<'_>) -> Option<Defect> {
    let is_sent = token
        .param(name::ASSERTION)
        .is_some_and(|it| !it.is_empty());
    let said = "there is no assertion, which this grant consists of".to_owned();
    (!is_sent).then_some((name::ASSERTION, said, "send the assertion as `assertion`"))
}

fn jwt(session: &Session<'_>, token: &Turn<'_>) -> Option<Defect> {
    let sent = token.param(name::ASSERTION)?;
    let wrong = |said, fix| Some((name::ASSERTION, said, fix));
    let Some(jwt) = session.jwt(sent) else {
        let (_, declared) = session.declared(sent)?;
        return (declared.jwt_header.is_none()).then(|| {
            let said = "the assertion is no JWT".to_owned();
            (name::ASSERTION, said, "send a signed JWT")
        });
    };
    let required = [name::ISS, name::SUB, name::AUD, name::EXP];
    if let Some(name) = required
        .into_iter()
        .find(|name| !jwt.claims.contains_key(*name))
    {
        let said = format!("the assertion has no {name}");
        return wrong(said, "put iss, sub, aud and exp into the assertion");
    }
    if let Some(late) = jwt.time(name::EXP).filter(|exp| *exp <= 0) {
        let said = format!("the assertion had expired {} s before", -late);
        return wrong(said, "make a fresh assertion for each request");
    }
    let early = jwt
        .time(name::NBF)
        .max(jwt.time(name::IAT))
        .filter(|at| *at > LEEWAY)?;
    let said = format!("the assertion is good only from {early} s later on");
    wrong(
        said,
        "set the client's clock, and make iat and nbf the present time",
    )
}

fn saml(session: &Session<'_>, token: &Turn<'_>) -> Option<Defect> {
    let (_, declared) = session.declared(token.param(name::ASSERTION)?)?;
    let is_other = [Alphabet::Any, Alphabet::Base64, Alphabet::Visible];
    let is_wrong = declared
        .alphabet
        .is_some_and(|alphabet| is_other.contains(&alphabet));
    let said = "the SAML assertion is not in base64url without padding".to_owned();
    is_wrong.then_some((name::ASSERTION, said, "encode the assertion as base64url"))
}

/// Seconds by which clocks may differ.
const LEEWAY: i64 = 60;
