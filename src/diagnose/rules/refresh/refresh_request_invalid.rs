//! `refresh-request-invalid`: a refresh that no server can accept.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name::{self, grant};
use crate::redact::{Piece, pieces};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "refresh-request-invalid",
    severity: Severity::Error,
    tier: 4,
    summary: "the refresh request is not one that the server can accept",
    why: "A refresh sends the refresh token as it came, to the server that issued it, with the same client authentication as \
          before, and asks for no more than was granted.",
    fix: "send the stored refresh token unchanged, authenticate as at the code exchange, and leave scope out",
    see: &["RFC 6749 section 6", "RFC 6749 section 3.2.1"],
    example: "grant_type=refresh_token with an access token as refresh_token",
    check,
};

/// What is wrong, and what to do about it.
type Defect = (String, &'static str);

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        // With a code in it, it is the grant type that is wrong.
        let has_code = token.param(name::CODE).is_some();
        if token.grant() != grant::REFRESH_TOKEN || has_code || !token.is_whole() {
            continue;
        }
        let sent = token.param(name::REFRESH_TOKEN);
        let issued = sent.and_then(|sent| session.issuer_of(sent));
        let mut defects = Vec::from_iter(wrong_value(sent, issued.map(|(_, name)| name)));
        if let Some((issued, name::REFRESH_TOKEN)) = issued {
            let found = [
                wrong_server(token, issued),
                no_authentication(token, issued),
                too_much(session, token, issued),
                too_old(token, issued),
            ];
            defects.extend(found.into_iter().flatten());
        }
        let Some((_, fix)) = defects.first() else {
            continue;
        };
        let said: Vec<_> = defects.iter().map(|(said, _)| said.as_str()).collect();
        let finding = Finding::of(rule)
            .saying(format!("this refresh cannot work: {}", said.join("; ")))
            .fixed_by(*fix)
            .at(Evidence::sent(token, name::REFRESH_TOKEN));
        findings.raise(finding, token);
    }
}

/// What is wrong with the value itself. What nobody filled in is another rule's.
fn wrong_value(sent: Option<&str>, issued_as: Option<&str>) -> Option<Defect> {
    let again = "send the refresh token exactly as it came";
    let Some(sent) = sent else {
        let missing = "there is no refresh_token in it".to_owned();
        return Some((
            missing,
            "send the refresh token that came with the last access token",
        ));
    };
    if sent.is_empty() {
        let fix = "store the refresh token of each response, and do not refresh without one";
        return Some(("refresh_token is empty".to_owned(), fix));
    }
    if sent.trim() != sent {
        let said = "there is white space around the refresh token".to_owned();
        return Some((said, again));
    }
    let pieces = pieces(sent);
    let label = pieces.iter().find_map(|piece| match piece {
        Piece::Label(label) => Some(label),
        Piece::Literal(_) => None,
    })?;
    let kind = issued_as.unwrap_or(&label.kind);
    if [name::ACCESS_TOKEN, name::ID_TOKEN].contains(&kind) {
        let fix = "send what came as refresh_token";
        return Some((format!("what it sends as refresh_token is the {kind}"), fix));
    }
    if pieces.len() > 1 {
        let said = "there is more in refresh_token than the token".to_owned();
        return Some((said, again));
    }
    let suffix = label.suffixes.first()?;
    Some((
        format!("the refresh token is not as it came ({suffix})"),
        again,
    ))
}

fn wrong_server(token: &Turn<'_>, issued: &Turn<'_>) -> Option<Defect> {
    let (sent_to, from) = (token.host(), issued.host());
    (!sent_to.eq_ignore_ascii_case(from)).then(|| {
        (
            format!("it goes to {sent_to}, and the token came from {from}"),
            "send it to the token endpoint that it came from",
        )
    })
}

fn no_authentication(token: &Turn<'_>, issued: &Turn<'_>) -> Option<Defect> {
    let is_missing = !issued.client_auth().is_empty()
        && token.client_auth().is_empty()
        && !token.refused_client();
    is_missing.then(|| {
        (
            format!(
                "the client authenticated in interaction {}, and does not here",
                issued.id()
            ),
            "authenticate the client as at the code exchange",
        )
    })
}

fn too_much(session: &Session<'_>, token: &Turn<'_>, issued: &Turn<'_>) -> Option<Defect> {
    let asked = token.param(name::SCOPE)?;
    let granted = issued.answer().get(name::SCOPE).or_else(|| {
        let (flow, _) = session.flow_of(issued)?;
        flow.asked().get(name::SCOPE)
    })?;
    let has = |scope: &str| granted.split([' ', ',']).any(|known| known == scope);
    let more: Vec<_> = asked
        .split(' ')
        .filter(|scope| !scope.is_empty() && !has(scope) && !NOT_ECHOED.contains(scope))
        .collect();
    (!more.is_empty()).then(|| {
        (
            format!("it asks for {}, which was not granted", more.join(" ")),
            "leave scope out, or ask for no more than was granted",
        )
    })
}

fn too_old(token: &Turn<'_>, issued: &Turn<'_>) -> Option<Defect> {
    let members = issued.answer_json()?;
    let lifetime = LIFETIMES
        .iter()
        .find_map(|name| members.get(*name)?.as_u64())
        .filter(|seconds| *seconds > 0)?;
    let age = token.interaction.at().checked_sub(issued.answered_at()?)?;
    (age.as_secs() > lifetime).then(|| {
        (
            format!(
                "the refresh token is {} s old, and lives {lifetime} s",
                age.as_secs()
            ),
            "log in again when the refresh token has expired",
        )
    })
}

/// Scopes of OpenID Connect that servers grant and leave out of what they say they granted.
const NOT_ECHOED: &[&str] = &["email", "offline_access", "openid", "profile"];
/// What vendors call the lifetime of a refresh token.
const LIFETIMES: &[&str] = &[
    "refresh_token_expires_in",
    "refresh_expires_in",
    "x_refresh_token_expires_in",
];
