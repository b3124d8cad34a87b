//! `dpop-proof-invalid`: a proof of possession that the server refuses, and what is wrong with it.

use serde_json::Value;

use crate::cassette::{SeenJwt, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;
use crate::oauth::relation::{UrlPart, url_relation};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "dpop-proof-invalid",
    severity: Severity::Error,
    tier: 4,
    summary: "the DPoP proof is not one that the server accepts",
    why: "A proof is made for one request: for its method, its URL as the server sees it, the present time, the nonce that the \
          server gave last, and the token that it goes with. A proof that differs in any of these is refused.",
    fix: "make a fresh proof for each request, and once more with the nonce that the server returns",
    see: &[
        "RFC 9449 section 4.2",
        "RFC 9449 section 4.3",
        "RFC 9449 section 7.1",
        "RFC 9449 section 8",
    ],
    example: "htu http://as.example/token for a POST to https://as.example/token",
    check,
};

/// What is wrong, and what to do about it.
type Defect = (String, &'static str);

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for turn in session.turns().iter().filter(|turn| is_refused(turn)) {
        let proof = turn.headers().get("dpop");
        let Some((said, fix)) = defect(session, turn, proof) else {
            continue;
        };
        let finding = Finding::of(rule)
            .saying(format!("the DPoP proof was refused: {said}"))
            .fixed_by(fix)
            .at(Evidence::new(
                turn.id(),
                "dpop",
                proof.unwrap_or("(not sent)"),
            ));
        findings.raise(finding, turn);
    }
}

/// Whether the server refuses a request for its proof.
fn is_refused(turn: &Turn<'_>) -> bool {
    let challenge = turn.answer_headers().get("www-authenticate");
    let is_challenged = challenge.is_some_and(|it| it.to_ascii_lowercase().contains("dpop"));
    let error = turn.error();
    let is_told = ["invalid_dpop_proof", "use_dpop_nonce"].contains(&error);
    turn.status()
        .is_some_and(|status| [400, 401].contains(&status))
        && (is_told || is_challenged)
        && (turn.headers().has("dpop") || with_token(turn))
}

/// Whether the request goes with a token that is bound to a key.
fn with_token(turn: &Turn<'_>) -> bool {
    turn.has_scheme("dpop")
}

fn defect(session: &Session<'_>, turn: &Turn<'_>, proof: Option<&str>) -> Option<Defect> {
    let Some(proof) = proof else {
        let said = "there is none beside the token".to_owned();
        return Some((said, "send a proof in the header DPoP with each request"));
    };
    let count = turn.headers().all("dpop").count();
    if count > 1 {
        let said = format!("there are {count} of them");
        return Some((said, "send one header DPoP"));
    }
    let jwt = session.jwt(proof)?;
    malformed(&jwt)
        .or_else(|| of_other_request(turn, &jwt))
        .or_else(|| without_token(turn, &jwt))
        .or_else(|| sent_before(session, turn, proof, &jwt))
        .or_else(|| wrong_nonce(session, turn, &jwt))
        .or_else(|| of_other_key(session, turn, &jwt))
}

fn malformed(jwt: &SeenJwt) -> Option<Defect> {
    let text = |name: &str| jwt.header.get(name).and_then(Value::as_str);
    let typ = text(name::TYP).unwrap_or("(none)");
    if typ != "dpop+jwt" {
        return Some((
            format!("its typ is {typ}, not dpop+jwt"),
            "set typ to dpop+jwt",
        ));
    }
    let alg = text(name::ALG).unwrap_or("none");
    if alg == "none" || alg.starts_with("HS") {
        let said = format!("its alg is {alg}, which proves no key");
        return Some((said, "sign with an asymmetric key, such as ES256"));
    }
    let Some(jwk) = jwt.header.get(name::JWK) else {
        return Some((
            "its header has no jwk".to_owned(),
            "put the public key into the header",
        ));
    };
    jwk.get("d")?;
    let said = "its header has the private key in it".to_owned();
    Some((
        said,
        "put the public half alone into the header, and make another key",
    ))
}

fn of_other_request(turn: &Turn<'_>, jwt: &SeenJwt) -> Option<Defect> {
    let text = |name: &str| jwt.claims.get(name).and_then(Value::as_str);
    let method = turn.method();
    if let Some(htm) = text(name::HTM).filter(|htm| *htm != method) {
        let said = format!("its htm is {htm}, and the request is a {method}");
        return Some((said, "set htm to the method of the request"));
    }
    let url = turn.url()?.endpoint();
    if let Some(htu) = text(name::HTU) {
        let same = [UrlPart::HostCase, UrlPart::PortDefault, UrlPart::PctCase];
        let differ = url_relation(&url, htu)
            .iter()
            .any(|part| !same.contains(part));
        if differ {
            let said = format!("its htu is {htu}, and the request goes to {url}");
            let fix = "set htu to the URL as the server sees it, without query and fragment";
            return Some((said, fix));
        }
    }
    let iat = jwt.time(name::IAT)?;
    (iat.abs() > LEEWAY).then(|| {
        let word = if iat > 0 { "in the future" } else { "ago" };
        let said = format!("it was made {} s {word}", iat.abs());
        (
            said,
            "make a fresh proof for each request, and set the client's clock",
        )
    })
}

fn without_token(turn: &Turn<'_>, jwt: &SeenJwt) -> Option<Defect> {
    let fix = "set ath to the base64url of the SHA-256 of the access token that is sent";
    if with_token(turn) && !jwt.claims.contains_key(name::ATH) {
        return Some(("it has no ath, and goes with a token".to_owned(), fix));
    }
    let said = "its ath is of another token than the one it goes with".to_owned();
    turn.facts().dpop_ath.map(|_| (said, fix))
}

fn sent_before(
    session: &Session<'_>,
    turn: &Turn<'_>,
    proof: &str,
    jwt: &SeenJwt,
) -> Option<Defect> {
    let jti = jwt.claims.get(name::JTI);
    let before = session
        .turns()
        .iter()
        .take_while(|other| other.id() < turn.id());
    let mut sent = before.filter_map(|other| Some((other, other.headers().get("dpop")?)));
    let (other, _) = sent.find(|(_, other)| {
        let same_jti = || {
            session
                .jwt(other)
                .is_some_and(|it| it.claims.get(name::JTI) == jti)
        };
        *other == proof || (jti.is_some() && same_jti())
    })?;
    let said = format!("it was used before, in interaction {}", other.id());
    Some((said, "make a fresh proof with a fresh jti for each request"))
}

/// A first challenge is how a client learns the nonce; what is wrong is not to use it.
fn wrong_nonce(session: &Session<'_>, turn: &Turn<'_>, jwt: &SeenJwt) -> Option<Defect> {
    let before = session
        .turns()
        .iter()
        .take_while(|other| other.id() < turn.id());
    let given = before.filter(|other| other.host() == turn.host());
    let (giver, given) = given
        .filter_map(|other| Some((other, other.answer_headers().get("dpop-nonce")?)))
        .last()?;
    let fix = "keep the last DPoP-Nonce of each server, and put it into the next proof";
    match jwt.claims.get(name::NONCE).and_then(Value::as_str) {
        None => {
            let said = format!("it lacks the nonce that interaction {} brought", giver.id());
            Some((said, fix))
        }
        Some(sent) if sent != given => {
            let said = format!(
                "its nonce is not the one that interaction {} brought",
                giver.id()
            );
            Some((said, fix))
        }
        Some(_) => None,
    }
}

fn of_other_key(session: &Session<'_>, turn: &Turn<'_>, jwt: &SeenJwt) -> Option<Defect> {
    let (_, token) = turn.authorization()?;
    let (issued, _) = session.issuer_of(token)?;
    let bound = session.jwt(issued.headers().get("dpop")?)?;
    let key = |jwt: &SeenJwt| jwt.header.get(name::JWK).cloned();
    let is_other = key(&bound).is_some() && key(&bound) != key(jwt);
    let said = "it is signed with another key than the one the token is bound to".to_owned();
    is_other.then_some((said, "keep one key for a token's whole life"))
}

/// Seconds by which clocks may differ.
const LEEWAY: i64 = 60;
