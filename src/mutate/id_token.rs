//! Kinds for the ID Token.

use serde_json::{Map, Value, json};

use crate::mutate::bench::{Bench, Trouble, text};
use crate::mutate::{Kind, Must};
use crate::oauth::name;
use crate::oauth::tokens::{Hash, Signature};
use crate::redact::{Declaration, Draft, Interaction, Named};

/// What can be changed of an ID Token: its header and its claims.
struct Token {
    at: usize,
    /// The label, as `secrets:` names it.
    key: String,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Token {
    /// The first ID Token.
    fn of(bench: &Bench) -> Result<Self, Trouble> {
        let of = |(at, interaction): (usize, &Interaction)| {
            let mut secrets = interaction.secrets().iter();
            secrets.find_map(|secret| Self::declared(at, secret))
        };
        let mut tokens = bench.interactions().iter().enumerate().filter_map(of);
        let missing = "ID Token whose claims can be read";
        tokens.next().ok_or(Trouble::Missing(missing))
    }

    fn declared(at: usize, secret: &Named<Declaration>) -> Option<Self> {
        let (kind, _) = secret.name.rsplit_once('-')?;
        let parse = |part: &Option<String>| serde_json::from_str(part.as_deref()?).ok();
        Some(Self {
            at,
            key: (kind == name::ID_TOKEN).then(|| secret.name.clone())?,
            header: parse(&secret.value.jwt_header)?,
            claims: parse(&secret.value.jwt_claims)?,
        })
    }

    /// Declares the token as it stands by now.
    fn put(self, bench: &mut Bench, more: Option<Named<Declaration>>) -> Result<usize, Trouble> {
        let Self {
            at,
            key,
            header,
            claims,
        } = self;
        bench.change(at, |draft| {
            let declared = draft.secrets().iter_mut().find(|secret| secret.name == key);
            if let Some(declared) = declared {
                declared.value.jwt_header = Some(text(&header));
                declared.value.jwt_claims = Some(text(&claims));
            }
            draft.secrets().extend(more);
        })
    }
}

fn with(bench: &mut Bench, claim: &str, value: Value) -> Result<usize, Trouble> {
    let mut token = Token::of(bench)?;
    token.claims.insert(claim.to_owned(), value);
    token.put(bench, None)
}

fn without(bench: &mut Bench, claim: &str) -> Result<usize, Trouble> {
    let mut token = Token::of(bench)?;
    let removed = token.claims.shift_remove(claim);
    removed.ok_or(Trouble::Missing("such claim in the ID Token"))?;
    token.put(bench, None)
}

fn wrong_nonce(bench: &mut Bench) -> Result<usize, Trouble> {
    let mut token = Token::of(bench)?;
    let nonce = token.claims.get(name::NONCE).and_then(Value::as_str);
    let nonce = nonce.ok_or(Trouble::Missing("nonce in the ID Token"))?;
    let (label, declared) = bench.another(nonce)?;
    token.claims.insert(name::NONCE.to_owned(), label.into());
    token.put(bench, declared)
}

/// Another issuer, or audience, of which the first is a part.
fn wrong_issuer(bench: &mut Bench) -> Result<usize, Trouble> {
    let token = Token::of(bench)?;
    let issuer = token.claims.get(name::ISS).and_then(Value::as_str);
    let issuer = issuer.ok_or(Trouble::Missing("iss in the ID Token"))?;
    with(bench, name::ISS, format!("{issuer}/other").into())
}

/// Besides the client somebody else is meant, whom it does not know.
fn untrusted_audience(bench: &mut Bench) -> Result<usize, Trouble> {
    let mut token = Token::of(bench)?;
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
    let mut token = Token::of(bench)?;
    token.header.insert(member.to_owned(), value.into());
    token.put(bench, None)
}

fn unsigned(bench: &mut Bench) -> Result<usize, Trouble> {
    let mut token = Token::of(bench)?;
    token.header.shift_remove("kid");
    token.header.insert("alg".to_owned(), "none".into());
    token.put(bench, None)
}

/// A hash that is none of this access token.
fn wrong_hash(bench: &mut Bench) -> Result<usize, Trouble> {
    let mut token = Token::of(bench)?;
    let label = bench.fresh(name::AT_HASH).to_string();
    token.claims.entry(name::AT_HASH).or_insert(label.into());
    let at = token.put(bench, None)?;
    bench.change(at, |draft: &mut Draft| {
        draft.facts().at_hash = Some(Hash::Mismatch);
    })
}

fn bad_signature(bench: &mut Bench) -> Result<usize, Trouble> {
    let at = Token::of(bench)?.at;
    bench.change(at, |draft| {
        draft.facts().id_token_sig = Some(Signature::Bad);
    })
}

const OTHER: &str = "another";
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

pub(super) const KINDS: &[Kind] = &[
    refused(
        "bad-signature",
        "the ID Token is signed with a key that is not the server's",
        bad_signature,
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
        with(bench, name::IAT, "-7200".into())?;
        with(bench, name::EXP, "-3600".into())
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
    Kind {
        id: "wrong-at-hash",
        what: "at_hash in the ID Token is of another access token",
        must: Must::Either,
        client: "refuse the ID Token, or go on: with a code it is free to check it",
        see: "OpenID Connect Core 1.0 section 3.1.3.8",
        make: wrong_hash,
    },
];
