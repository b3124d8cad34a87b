//! The ways in which a verifier and a challenge do not belong together, which were told from the
//! raw values while they were recorded: one comparison, one finding.

use crate::cassette::{Flow, Link, Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::authorization_code::stale;
use crate::oauth::name;
use crate::oauth::pkce::{ChallengeFault, PkceCheck};

/// One kind of difference; what is said of it is the same for all.
const fn kind(
    id: &'static str,
    summary: &'static str,
    fix: &'static str,
    see: &'static [&'static str],
    example: &'static str,
) -> Rule {
    Rule {
        id,
        severity: Severity::Error,
        tier: 4,
        summary,
        why: "The server computes the challenge from the verifier in the token request, and compares it with the one in the authorization request, byte for byte.",
        fix,
        see,
        example,
        check: compare,
    }
}

pub(super) static VERIFIER_MISSING: Rule = kind(
    "pkce-verifier-missing",
    "a code_challenge was sent, so the token request must carry code_verifier",
    "keep the verifier with the pending login (cookie, session, storage of the browser) and send it; a new client object in the callback has another or none",
    &["RFC 7636 section 4.5", "RFC 7636 section 4.6"],
    "code_challenge at /authorize, no code_verifier at /token",
);
pub(super) static WITHOUT_CHALLENGE: Rule = kind(
    "pkce-verifier-without-challenge",
    "a code_verifier was sent, and the authorization request had no code_challenge",
    "add code_challenge and code_challenge_method=S256 to the authorization request",
    &["RFC 9700 section 2.1.1", "RFC 9700 section 4.8.2"],
    "no code_challenge at /authorize, code_verifier at /token",
);
pub(super) static MISMATCH: Rule = kind(
    "pkce-mismatch",
    "the code_challenge does not equal BASE64URL(SHA256(code_verifier))",
    "derive the challenge from exactly the verifier that is sent later",
    &["RFC 7636 section 4.6"],
    "a challenge of one verifier, and another verifier",
);
pub(super) static HEX: Rule = kind(
    "pkce-challenge-hex",
    "the code_challenge encodes the hex text of the hash, not its 32 bytes",
    "hash to raw bytes before encoding: hash('sha256', $verifier, true) in PHP, .digest in Ruby, no toString() in CryptoJS",
    &["RFC 7636 section 4.2"],
    "a code_challenge of 64 or 86 characters",
);
pub(super) static NOT_BASE64URL: Rule = kind(
    "pkce-challenge-not-base64url",
    "the code_challenge is standard or padded base64; PKCE uses base64url without padding",
    "replace + by - and / by _, and strip =",
    &[
        "RFC 7636 section 3",
        "RFC 7636 appendix A",
        "RFC 4648 section 5",
    ],
    "a code_challenge with +, / or =",
);
pub(super) static METHOD_OMITTED: Rule = kind(
    "pkce-method-omitted-for-hash",
    "the code_challenge is hashed but code_challenge_method=S256 was not sent, so the server takes it for plain",
    "send code_challenge_method=S256",
    &["RFC 7636 section 4.3"],
    "a hashed code_challenge without code_challenge_method",
);
pub(super) static PLAIN_LABELLED_S256: Rule = kind(
    "pkce-plain-labelled-s256",
    "the code_challenge equals the verifier although code_challenge_method says S256",
    "hash the verifier for the challenge, or say plain where the server knows nothing else",
    &["RFC 7636 section 4.2"],
    "code_challenge_method=S256 and the verifier itself as code_challenge",
);
pub(super) static FROM_OTHER_FLOW: Rule = kind(
    "pkce-verifier-from-other-flow",
    "the code_verifier is of another login than the code",
    "keep the verifier under the state of its login, so that a second tab or a double click does not overwrite it",
    &["RFC 7636 section 4.1"],
    "two logins, and the code of one with the verifier of the other",
);

fn compare(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let found = token.facts().pkce_check.and_then(rule_of);
        if found.is_some_and(|found| found.id == rule.id) && is_seen(session, token, rule) {
            raise(session, token, rule, findings);
        }
    }
    for flow in session.flows() {
        let (turn, _) = flow.asker(name::CODE_CHALLENGE);
        let found = turn.facts().pkce_challenge.map(rule_of_text);
        // A verifier says more of it.
        let is_redeemed = flow.token_requests().next().is_some();
        if found.is_some_and(|found| found.id == rule.id) && !is_redeemed {
            let severity = severity(rule, flow.outcome());
            let finding = Finding::of(rule)
                .graded(severity)
                .at(Evidence::asked(flow, name::CODE_CHALLENGE));
            findings.raise_for(finding, flow.outcome());
        }
    }
}

fn raise(session: &Session<'_>, token: &Turn<'_>, rule: &'static Rule, findings: &mut Findings) {
    let mut finding = Finding::of(rule).graded(severity(rule, token.outcome()));
    if let Some((flow, link)) = session.flow_of(token) {
        finding = finding.at(asked(flow, rule)).linked(link);
    }
    if rule.id == MISMATCH.id && token.facts().pkce_check == Some(PkceCheck::Sha512) {
        finding = finding
            .saying("the code_challenge was made with SHA-512; S256 is SHA-256")
            .fixed_by("hash the verifier with SHA-256");
    }
    findings.raise(
        finding.at(Evidence::sent(token, name::CODE_VERIFIER)),
        token,
    );
}

fn asked(flow: Flow<'_, '_>, rule: &'static Rule) -> Evidence {
    let is_method = [&METHOD_OMITTED, &PLAIN_LABELLED_S256]
        .iter()
        .any(|known| known.id == rule.id);
    let name = if is_method {
        name::CODE_CHALLENGE_METHOD
    } else {
        name::CODE_CHALLENGE
    };
    Evidence::asked(flow, name)
}

/// Whether the messages that the comparison rests on were seen whole, and the code is the right
/// one.
fn is_seen(session: &Session<'_>, token: &Turn<'_>, rule: &'static Rule) -> bool {
    let flow = session.flow_of(token);
    if rule.id == VERIFIER_MISSING.id {
        return token.is_whole();
    }
    if rule.id == WITHOUT_CHALLENGE.id {
        return flow.is_some_and(|(flow, link)| {
            let is_asked = flow.asked().has(name::CODE_CHALLENGE);
            link == Link::Strong && flow.is_whole() && !is_asked
        });
    }
    rule.id != FROM_OTHER_FLOW.id || stale(session, token).is_none()
}

/// What servers may take is no error before one refuses it.
fn severity(rule: &'static Rule, outcome: Outcome) -> Severity {
    let may_pass = [WITHOUT_CHALLENGE.id, NOT_BASE64URL.id].contains(&rule.id);
    if may_pass && outcome != Outcome::Failed {
        Severity::Warning
    } else {
        Severity::Error
    }
}

fn rule_of(check: PkceCheck) -> Option<&'static Rule> {
    match check {
        PkceCheck::Ok => None,
        PkceCheck::PlainEqual => Some(&PLAIN_LABELLED_S256),
        PkceCheck::MethodOmitted => Some(&METHOD_OMITTED),
        PkceCheck::Hex | PkceCheck::B64OfHex => Some(&HEX),
        PkceCheck::StdB64 | PkceCheck::Padded | PkceCheck::PlusBecameSpace => Some(&NOT_BASE64URL),
        PkceCheck::Sha512 | PkceCheck::Mismatch => Some(&MISMATCH),
        PkceCheck::OfOtherFlow => Some(&FROM_OTHER_FLOW),
        PkceCheck::NoChallenge => Some(&WITHOUT_CHALLENGE),
        PkceCheck::NoVerifier => Some(&VERIFIER_MISSING),
    }
}

fn rule_of_text(fault: ChallengeFault) -> &'static Rule {
    match fault {
        ChallengeFault::Hex | ChallengeFault::B64OfHex => &HEX,
        ChallengeFault::StdB64 | ChallengeFault::Padded | ChallengeFault::PlusBecameSpace => {
            &NOT_BASE64URL
        }
    }
}
