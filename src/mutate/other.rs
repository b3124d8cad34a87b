//! Kinds for metadata, keys and the other endpoints.

use serde_json::{Value, json};

use crate::mutate::bench::{Bench, Trouble};
use crate::mutate::endpoint::refuse;
use crate::mutate::{Kind, Must};
use crate::oauth::{Step, name};
use crate::redact::{Declaration, Draft, Named};

/// Every answer to a step is changed, so that asking again does not help.
fn each(
    bench: &mut Bench,
    (what, step): (&'static str, Step),
    change: impl Fn(&mut Draft),
) -> Result<usize, Trouble> {
    let first = bench.success(what, step)?;
    for at in first..bench.interactions().len() {
        if bench.at(at).step() == step {
            bench.change(at, &change)?;
        }
    }
    Ok(first)
}

fn unavailable(draft: &mut Draft) {
    draft.answer(503);
    draft.set_empty();
}

/// The set of keys before the server changed them: the same under other names.
fn rotated(bench: &mut Bench) -> Result<usize, Trouble> {
    let at = bench.success(KEYS.0, KEYS.1)?;
    let mut set = bench.json(at)?;
    let keys = set.get_mut(name::KEYS).and_then(Value::as_array_mut);
    let keys = keys.ok_or(Trouble::Missing("list of keys"))?;
    for key in keys.iter_mut().filter_map(Value::as_object_mut) {
        let kid = key.get("kid").and_then(Value::as_str);
        let kid = kid.ok_or(Trouble::Missing("name of each key"))?;
        let before = format!("{kid}-before");
        key.insert("kid".to_owned(), before.into());
    }
    bench.insert(at, |draft| {
        draft.set_json(&crate::mutate::bench::text(&set));
    })
}

fn keyless(bench: &mut Bench) -> Result<usize, Trouble> {
    let empty = json!({ name::KEYS: [] }).to_string();
    each(bench, KEYS, |draft| draft.set_json(&empty))
}

fn another_issuer(bench: &mut Bench) -> Result<usize, Trouble> {
    let at = bench.success(METADATA.0, METADATA.1)?;
    let metadata = bench.json(at)?;
    let issuer = metadata.get(name::ISSUER).and_then(Value::as_str);
    let issuer = issuer.ok_or(Trouble::Missing("issuer in the metadata"))?;
    let issuer = format!("{issuer}/other");
    bench.change_json(at, |metadata| {
        metadata.insert(name::ISSUER.to_owned(), issuer.into());
    })
}

fn another_subject(bench: &mut Bench) -> Result<usize, Trouble> {
    let at = bench.success(USERINFO.0, USERINFO.1)?;
    if !bench.json(at)?.contains_key(name::SUB) {
        return Err(Trouble::Missing("sub in the userinfo response"));
    }
    let subject = bench.fresh(name::SUB);
    let declared = Declaration {
        r#type: Some("text".to_owned()),
        ..Declaration::default()
    };
    bench.change_json(at, |claims| {
        claims.insert(name::SUB.to_owned(), subject.to_string().into());
    })?;
    bench.change(at, |draft| {
        draft.secrets().push(Named::new(subject.key(), declared));
    })
}

const KEYS: (&str, Step) = ("set of keys (JWKS)", Step::Jwks);
const METADATA: (&str, Step) = ("discovery", Step::Discovery);
const USERINFO: (&str, Step) = ("userinfo response", Step::Userinfo);
const PUSHED: (&str, Step) = (
    "pushed authorization request",
    Step::PushedAuthorizationRequest,
);

pub(super) const KINDS: &[Kind] = &[
    Kind {
        id: "key-rotation",
        what: "the first set of keys lacks the key that signed, the next one has it",
        must: Must::Survive,
        client: "ask for the keys again where one that it knew is gone",
        see: "OpenID Connect Core 1.0 section 10.1.1",
        make: rotated,
    },
    Kind {
        id: "jwks-empty",
        what: "the set of keys is empty",
        must: Must::Reject,
        client: "refuse a signature that it cannot verify",
        see: "OpenID Connect Core 1.0 section 3.1.3.7",
        make: keyless,
    },
    Kind {
        id: "jwks-unavailable",
        what: "503 takes the place of the set of keys",
        must: Must::Reject,
        client: "refuse a signature that it cannot verify",
        see: "OpenID Connect Core 1.0 section 3.1.3.7",
        make: |bench| each(bench, KEYS, unavailable),
    },
    Kind {
        id: "issuer-wrong",
        what: "the metadata are of another issuer",
        must: Must::Reject,
        client: "refuse the metadata",
        see: "OpenID Connect Discovery 1.0 section 4.3",
        make: another_issuer,
    },
    Kind {
        id: "metadata-unavailable",
        what: "503 takes the place of the metadata",
        must: Must::Reject,
        client: "report the failure",
        see: "OpenID Connect Discovery 1.0 section 4.2",
        make: |bench| each(bench, METADATA, unavailable),
    },
    Kind {
        id: "userinfo-sub-wrong",
        what: "the userinfo response is about somebody else",
        must: Must::Reject,
        client: "refuse the claims: sub must be that of the ID Token",
        see: "OpenID Connect Core 1.0 section 5.3.2",
        make: another_subject,
    },
    Kind {
        id: "userinfo-unauthorized",
        what: "the access token is refused by the userinfo endpoint",
        must: Must::Reject,
        client: "report the failure",
        see: "RFC 6750 section 3.1",
        make: |bench| {
            each(bench, USERINFO, |draft| {
                draft.answer(401);
                draft.set_empty();
                draft.set_header("WWW-Authenticate", "Bearer error=\"invalid_token\"");
            })
        },
    },
    Kind {
        id: "par-rejected",
        what: "the pushed authorization request is refused",
        must: Must::Reject,
        client: "report the error, and send no authorization request",
        see: "RFC 9126 section 2.3",
        make: |bench| {
            each(bench, PUSHED, |draft| {
                refuse(draft, 400, "invalid_request", "it was refused");
            })
        },
    },
    Kind {
        id: "token-inactive",
        what: "introspection says that the token is not active",
        must: Must::Reject,
        client: "refuse the token",
        see: "RFC 7662 section 2.2",
        make: |bench| {
            let at = bench.success("introspection", Step::Introspection)?;
            bench.change_json(at, |answer| {
                answer.clear();
                answer.insert(name::ACTIVE.to_owned(), false.into());
            })
        },
    },
];
