//! `id-token-signature-or-key`: an ID Token that cannot be verified.

use serde_json::Value;

use crate::cassette::{IdToken, SeenJwt, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::Step;
use crate::oauth::name;
use crate::oauth::sniff::Sniff;
use crate::oauth::tokens::{Signature, Token};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "id-token-signature-or-key",
    severity: Severity::Error,
    tier: 6,
    summary: "the ID Token cannot be verified with the keys that the server publishes",
    why: "A client looks up the key that the header names in the server's key set, and verifies the signature with it. A set \
          that is older than the key, an algorithm that was not agreed on, or a wrong signature ends the login.",
    fix: "fetch the key set again where the key is not in it, and register the algorithm that the server uses",
    see: &[
        "OpenID Connect Core section 3.1.3.7",
        "OpenID Connect Core section 10.1",
        "RFC 7515 section 4.1.4",
        "RFC 7517 section 4.5",
    ],
    example: "kid b in the header, and a key set with a alone",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.id_tokens() {
        let Some(jwt) = session.jwt(token.text) else {
            continue;
        };
        let found = unverified(session, &token, &jwt)
            .or_else(|| other_algorithm(session, &token, &jwt))
            .or_else(|| ambiguous(session, &token, &jwt));
        if let Some((said, fix)) = found {
            let finding = Finding::of(rule)
                .saying(said)
                .fixed_by(fix)
                .at(Evidence::new(token.turn.id(), token.place, header(&jwt)));
            findings.raise_ungraded(finding);
        }
    }
    for set in session.of(Step::Jwks) {
        if let Some(said) = no_keys(session, set) {
            let status = set.status().unwrap_or_default();
            let finding = Finding::of(rule)
                .saying(said)
                .fixed_by("take jwks_uri from the server's metadata, and look at what it answers")
                .at(Evidence::new(set.id(), "response", status.to_string()));
            findings.raise_ungraded(finding);
        }
    }
}

/// What is wrong, and what to do about it.
type Defect = (String, &'static str);

fn text<'j>(jwt: &'j SeenJwt, name: &str) -> Option<&'j str> {
    jwt.header.get(name).and_then(Value::as_str)
}

fn header(jwt: &SeenJwt) -> String {
    let parts = [name::ALG, name::KID].map(|name| Some(format!("{name} {}", text(jwt, name)?)));
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The keys of the last set that the host of a message answered with, or else the last of any.
fn keys<'s>(session: &'s Session<'_>, turn: &Turn<'_>) -> Option<(&'s Turn<'s>, &'s Vec<Value>)> {
    let sets = || {
        let all = session.of(Step::Jwks);
        all.filter_map(|set| Some((set, set.answer_json()?.get(name::KEYS)?.as_array()?)))
    };
    let own = sets().filter(|(set, _)| set.host() == turn.host()).last();
    own.or_else(|| sets().last())
}

fn unverified(session: &Session<'_>, token: &IdToken<'_, '_>, jwt: &SeenJwt) -> Option<Defect> {
    let alg = text(jwt, name::ALG).unwrap_or("none");
    let kid = text(jwt, name::KID);
    let by = match kid {
        Some(kid) => format!("with kid {kid} and alg {alg}"),
        None => format!("with alg {alg} and without a kid"),
    };
    match token.turn.facts().signature(Token::Id)? {
        Signature::Bad if alg.starts_with("HS") => Some((
            format!("the ID Token is signed {by}, and not with the client's secret"),
            "compare the client_secret of client and server, and the registered algorithm",
        )),
        Signature::Bad => Some((
            format!("the ID Token is signed {by}, and the key of that name did not sign it"),
            "the server signs with another key than it publishes; restart it or rotate its keys",
        )),
        Signature::NoKey => {
            let kids = |keys: &Vec<Value>| {
                let kids = keys.iter().filter_map(|key| key.get(name::KID)?.as_str());
                kids.collect::<Vec<_>>().join(", ")
            };
            let offered = keys(session, token.turn).map(|(set, keys)| {
                format!(
                    "; the key set in interaction {} has {}",
                    set.id(),
                    kids(keys)
                )
            });
            Some((
                format!(
                    "the ID Token is signed {by}, which no key set has{}",
                    offered.unwrap_or_default()
                ),
                "fetch the key set again when a kid is not in it",
            ))
        }
    }
}

fn other_algorithm(
    session: &Session<'_>,
    token: &IdToken<'_, '_>,
    jwt: &SeenJwt,
) -> Option<Defect> {
    let alg = text(jwt, name::ALG)?;
    let client = token
        .flow
        .and_then(|flow| flow.asked().get(name::CLIENT_ID));
    let mut registrations = session.of(Step::Registration);
    let registered = registrations.find_map(|registration| {
        let answer = registration.answer();
        let is_of = client.is_some() && answer.get(name::CLIENT_ID) == client;
        answer
            .get(name::ID_TOKEN_SIGNED_RESPONSE_ALG)
            .filter(|_| is_of)
    });
    if let Some(registered) = registered.filter(|registered| *registered != alg) {
        let said = format!(
            "the ID Token is signed with {alg}, and the client is registered for {registered}"
        );
        return Some((
            said,
            "register the algorithm that the server uses, or have it use the registered one",
        ));
    }
    let metadata = session.metadata_of(token.turn);
    let listed = metadata.and_then(|it| it.list(name::ID_TOKEN_SIGNING_ALG_VALUES_SUPPORTED));
    match listed {
        Some(listed) if !listed.contains(&alg) => {
            let said = format!(
                "the ID Token is signed with {alg}, and the metadata lists {}",
                listed.join(", ")
            );
            Some((
                said,
                "the server must list what it signs with; register one of the listed algorithms",
            ))
        }
        None if alg == "none" && registered.is_none() => {
            let said = "the ID Token is not signed: its alg is none".to_owned();
            Some((said, "register an algorithm such as RS256 for this client"))
        }
        _ => None,
    }
}

/// Without a kid there must be one key alone that fits.
fn ambiguous(session: &Session<'_>, token: &IdToken<'_, '_>, jwt: &SeenJwt) -> Option<Defect> {
    let kty = match text(jwt, name::ALG)?.get(..2)? {
        "RS" | "PS" => "RSA",
        "ES" => "EC",
        _ => return None,
    };
    let (set, keys) = keys(session, token.turn).filter(|_| text(jwt, name::KID).is_none())?;
    let is =
        |key: &Value, name: &str, word: &str| key.get(name).and_then(Value::as_str) == Some(word);
    let fits = keys
        .iter()
        .filter(|key| is(key, "kty", kty) && !is(key, "use", "enc"));
    let count = fits.count();
    let said = format!(
        "the ID Token names no kid, and {count} keys of the set in interaction {} fit",
        set.id()
    );
    (count > 1).then_some((
        said,
        "the server must name the key in the header of each token",
    ))
}

fn no_keys(session: &Session<'_>, set: &Turn<'_>) -> Option<String> {
    let status = set.status()?;
    if status >= 400 {
        return Some(format!("the key set is answered with {status}"));
    }
    let is_page = set.answer_sniff() == Some(Sniff::Html);
    if is_page {
        return Some("the key set is a web page, not JSON".to_owned());
    }
    let needs_key = |token: &IdToken<'_, '_>| {
        let jwt = session.jwt(token.text);
        jwt.is_some_and(|jwt| text(&jwt, name::ALG).is_some_and(|alg| !alg.starts_with("HS")))
    };
    let keys = set.answer_json()?.get(name::KEYS)?.as_array()?;
    if !session.id_tokens().iter().any(needs_key) {
        return None;
    }
    let is_other = |key: &Value| key.get("use").and_then(Value::as_str) == Some("enc");
    if keys.is_empty() {
        return Some("the key set is empty, and an ID Token is signed with a key".to_owned());
    }
    keys.iter()
        .all(is_other)
        .then(|| "no key of the set is for signatures".to_owned())
}
