//! Kinds for the ID Token.

use serde_json::{Value, json};

use crate::mutate::bench::{Bench, Trouble};
use crate::mutate::signed::Signed;
use crate::mutate::{Kind, Must};
use crate::oauth::facts::Facts;
use crate::oauth::name;
use crate::oauth::tokens::{Hash, Token};
use crate::redact::Draft;

/// The first ID Token.
fn token(bench: &Bench) -> Result<Signed, Trouble> {
    Signed::of(bench, Token::Id, "ID Token whose claims can be read")
}

fn with(bench: &mut Bench, claim: &str, value: Value) -> Result<usize, Trouble> {
    token(bench)?.with(claim, value).put(bench, None)
}

fn without(bench: &mut Bench, claim: &str) -> Result<usize, Trouble> {
    let mut token = token(bench)?;
    let removed = token.claims.shift_remove(claim);
    removed.ok_or(Trouble::Missing("such claim in the ID Token"))?;
    token.put(bench, None)
}

fn wrong_nonce(bench: &mut Bench) -> Result<usize, Trouble> {
    let mut token = token(bench)?;
    let nonce = token.claims.get(name::NONCE).and_then(Value::as_str);
    let nonce = nonce.ok_or(Trouble::Missing("nonce in the ID Token"))?;
    let (label, declared) = bench.another(nonce)?;
    token.claims.insert(name::NONCE.to_owned(), label.into());
    token.put(bench, declared)
}

/// Another issuer, or audience, of which the first is a part.
fn wrong_issuer(bench: &mut Bench) -> Result<usize, Trouble> {
    let token = token(bench)?;
    let issuer = token.claims.get(name::ISS).and_then(Value::as_str);
    let issuer = issuer.ok_or(Trouble::Missing("iss in the ID Token"))?;
    with(bench, name::ISS, format!("{issuer}/other").into())
}

/// Besides the client somebody else is meant, whom it does not know.
fn untrusted_audience(bench: &mut Bench) -> Result<usize, Trouble> {
    let mut token = token(bench)?;
    let audience = token.claims.get(name::AUD).cloned();
    let mut audience = match audience.ok_or(Trouble::Missing("aud in the ID Token"))? {
        Value::Array(audience) => audience,
        one => vec![one],
    };
    audience.push(OTHER.into());
    token.claims.insert(name::AUD.to_owned(), audience.into());
    token.claims.insert(name::AZP.to_owned(), OTHER.into());
    token.put(bench, None)
}

fn with_header(bench: &mut Bench, member: &str, value: &str) -> Result<usize, Trouble> {
    let mut token = token(bench)?;
    token.header.insert(member.to_owned(), value.into());
    token.put(bench, None)
}

fn unsigned(bench: &mut Bench) -> Result<usize, Trouble> {
    let mut token = token(bench)?;
    token.header.shift_remove("kid");
    token.header.insert("alg".to_owned(), "none".into());
    token.put(bench, None)
}

/// A hash that is of nothing in this flow.
fn wrong_hash(
    bench: &mut Bench,
    claim: &'static str,
    fact: impl FnOnce(&mut Facts) -> &mut Option<Hash>,
) -> Result<usize, Trouble> {
    let mut token = token(bench)?;
    let label = bench.fresh(claim).to_string();
    token.claims.entry(claim).or_insert(label.into());
    let at = token.put(bench, None)?;
    bench.change(at, |draft: &mut Draft| {
        *fact(draft.facts()) = Some(Hash::Mismatch);
    })
}

pub(super) const OTHER: &str = "another";
/// What a client does about nearly all of them.
const REFUSE: &str = "refuse the ID Token";
const VALIDATION: &str = "OpenID Connect Core 1.0 section 3.1.3.7";

const fn refused(
    id: &'static str,
    what: &'static str,
    make: fn(&mut Bench) -> Result<usize, Trouble>,
) -> Kind {
    Kind {
        id,
        what,
        must: Must::Reject,
        client: REFUSE,
        see: VALIDATION,
        make,
    }
}

/// What the token endpoint says of the hashes goes by TLS, without the browser.
const fn free_to_check(
    id: &'static str,
    what: &'static str,
    make: fn(&mut Bench) -> Result<usize, Trouble>,
) -> Kind {
    Kind {
        id,
        what,
        must: Must::Either,
        client: "refuse the ID Token, or go on: with a code it is free to check it",
        see: "OpenID Connect Core 1.0 section 3.1.3.8",
        make,
    }
}

pub(super) const KINDS: &[Kind] = &[
    refused(
        "bad-signature",
        "the ID Token is signed with a key that is not the server's",
        |bench| token(bench)?.forge(bench),
    ),
    refused("alg-none", "the ID Token is not signed", unsigned),
    refused(
        "unknown-kid",
        "the ID Token names a key that the server does not have",
        |bench| with_header(bench, "kid", "unknown"),
    ),
    refused(
        "wrong-iss",
        "the ID Token is of another issuer",
        wrong_issuer,
    ),
    refused("wrong-aud", "the ID Token is for another client", |bench| {
        with(bench, name::AUD, OTHER.into())
    }),
    refused(
        "untrusted-aud",
        "the ID Token is for somebody else, too, who asked for it",
        untrusted_audience,
    ),
    refused("wrong-nonce", "the ID Token has another nonce", wrong_nonce),
    refused("missing-nonce", "the ID Token has no nonce", |bench| {
        without(bench, name::NONCE)
    }),
    refused("expired", "the ID Token has expired an hour ago", |bench| {
        token(bench)?.expired().put(bench, None)
    }),
    Kind {
        id: "not-yet-valid",
        what: "the ID Token is valid in an hour",
        must: Must::Reject,
        client: REFUSE,
        see: "RFC 7519 section 4.1.5",
        make: |bench| with(bench, name::NBF, "+3600".into()),
    },
    refused(
        "missing-exp",
        "the ID Token does not say when it expires",
        |bench| without(bench, name::EXP),
    ),
    refused(
        "missing-iat",
        "the ID Token does not say when it was issued",
        |bench| without(bench, name::IAT),
    ),
    refused(
        "missing-sub",
        "the ID Token does not say whose it is",
        |bench| without(bench, name::SUB),
    ),
    refused(
        "malformed-aud",
        "the ID Token has a number as its audience",
        |bench| with(bench, name::AUD, json!(1)),
    ),
    free_to_check(
        "wrong-at-hash",
        "at_hash in the ID Token is of another access token",
        |bench| wrong_hash(bench, name::AT_HASH, |facts| &mut facts.at_hash),
    ),
    free_to_check(
        "wrong-c-hash",
        "c_hash in the ID Token is of another code",
        |bench| wrong_hash(bench, name::C_HASH, |facts| &mut facts.c_hash),
    ),
    free_to_check(
        "wrong-s-hash",
        "s_hash in the ID Token is of another state",
        |bench| wrong_hash(bench, name::S_HASH, |facts| &mut facts.s_hash),
    ),
];
