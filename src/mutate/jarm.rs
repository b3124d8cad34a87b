//! Kinds for an authorization response that is a JWT (JARM).

use crate::mutate::bench::{Bench, Trouble};
use crate::mutate::id_token::OTHER;
use crate::mutate::signed::Signed;
use crate::mutate::{Kind, Must};
use crate::oauth::name;
use crate::oauth::tokens::Token;

fn response(bench: &Bench) -> Result<Signed, Trouble> {
    Signed::of(
        bench,
        Token::Response,
        "authorization response that is a JWT",
    )
}

const fn refused(
    id: &'static str,
    what: &'static str,
    make: fn(&mut Bench) -> Result<usize, Trouble>,
) -> Kind {
    Kind {
        id,
        what,
        must: Must::Reject,
        client: "refuse the response, and send no token request",
        see: "JARM section 2.4",
        make,
    }
}

pub(super) const KINDS: &[Kind] = &[
    refused(
        "jarm-bad-signature",
        "the authorization response is signed with a key that is not the server's",
        |bench| response(bench)?.forge(bench),
    ),
    refused(
        "jarm-expired",
        "the authorization response has expired an hour ago",
        |bench| response(bench)?.expired().put(bench, None),
    ),
    refused(
        "jarm-wrong-aud",
        "the authorization response is for another client",
        |bench| {
            response(bench)?
                .with(name::AUD, OTHER.into())
                .put(bench, None)
        },
    ),
];
