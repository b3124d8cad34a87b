//! Kinds for the token response.

use serde_json::Value;

use crate::mutate::bench::{Bench, Trouble};
use crate::mutate::endpoint::refuse;
use crate::mutate::{Kind, Must};
use crate::oauth::name::{self, grant};

fn refused(
    bench: &mut Bench,
    status: u16,
    error: &str,
    description: &str,
) -> Result<usize, Trouble> {
    let at = bench.grant()?;
    bench.change(at, |draft| refuse(draft, status, error, description))
}

fn without(bench: &mut Bench, member: &'static str) -> Result<usize, Trouble> {
    let at = bench.grant()?;
    if !bench.json(at)?.contains_key(member) {
        return Err(Trouble::Missing("such member in the token response"));
    }
    bench.change_json(at, |object| {
        object.shift_remove(member);
    })
}

fn with(bench: &mut Bench, member: &str, value: Value) -> Result<usize, Trouble> {
    let at = bench.grant()?;
    bench.change_json(at, |object| {
        object.insert(member.to_owned(), value);
    })
}

/// The scope without its last word.
fn narrowed(bench: &mut Bench) -> Result<usize, Trouble> {
    let at = bench.grant()?;
    let object = bench.json(at)?;
    let scope = object.get(name::SCOPE).and_then(Value::as_str);
    let (scope, _) = scope
        .and_then(|scope| scope.rsplit_once(' '))
        .ok_or(Trouble::Missing("scope of two words in the token response"))?;
    with(bench, name::SCOPE, scope.into())
}

fn swapped_case(bench: &mut Bench) -> Result<usize, Trouble> {
    let at = bench.grant()?;
    let object = bench.json(at)?;
    let kind = object.get(name::TOKEN_TYPE).and_then(Value::as_str);
    let kind = kind.ok_or(Trouble::Missing("token_type in the token response"))?;
    let is_upper = kind.chars().all(char::is_uppercase);
    let swapped = if is_upper {
        kind.to_lowercase()
    } else {
        kind.to_uppercase()
    };
    with(bench, name::TOKEN_TYPE, swapped.into())
}

const GRANT: &str = "invalid_grant";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        id: "invalid-grant",
        what: "`invalid_grant` takes the place of the token response",
        must: Must::Reject,
        client: "report the error, and not use the code again",
        see: "RFC 6749 section 5.2",
        make: |bench| refused(bench, 400, GRANT, "the grant is not valid"),
    },
    Kind {
        id: "expired-code",
        what: "the token request is refused because the code has expired",
        must: Must::Reject,
        client: "report the error; only a new authorization request helps",
        see: "RFC 6749 section 4.1.2",
        make: |bench| {
            let grant = grant::AUTHORIZATION_CODE;
            let at = bench.grant_of("token response for a code", grant)?;
            bench.change(at, |draft| {
                refuse(draft, 400, GRANT, "the code has expired");
            })
        },
    },
    Kind {
        id: "invalid-client",
        what: "`invalid_client` takes the place of the token response",
        must: Must::Reject,
        client: "report the error",
        see: "RFC 6749 section 5.2",
        make: |bench| refused(bench, 401, "invalid_client", "the client is not known"),
    },
    Kind {
        id: "ok-error",
        what: "an error response has the status 200",
        must: Must::Reject,
        client: "see that there is no access token",
        see: "RFC 6749 section 5.1",
        make: |bench| refused(bench, 200, GRANT, "the grant is not valid"),
    },
    Kind {
        id: "no-access-token",
        what: "the token response has no access_token",
        must: Must::Reject,
        client: "refuse the response",
        see: "RFC 6749 section 5.1",
        make: |bench| without(bench, name::ACCESS_TOKEN),
    },
    Kind {
        id: "no-token-type",
        what: "the token response has no token_type",
        must: Must::Reject,
        client: "refuse the response",
        see: "RFC 6749 section 5.1",
        make: |bench| without(bench, name::TOKEN_TYPE),
    },
    Kind {
        id: "token-type-wrong",
        what: "the token response has a token_type that nobody knows",
        must: Must::Reject,
        client: "use no token of a type that it does not know",
        see: "RFC 6749 section 7.1",
        make: |bench| with(bench, name::TOKEN_TYPE, "unknown".into()),
    },
    Kind {
        id: "token-type-case",
        what: "the token response has its token_type in other case",
        must: Must::Survive,
        client: "read token_type whatever its case",
        see: "RFC 6749 section 5.1",
        make: swapped_case,
    },
    Kind {
        id: "dpop-bearer",
        what: "the token that was asked for with a DPoP proof is of type Bearer",
        must: Must::Either,
        client: "discard the response, or use the token as the bearer token that it is",
        see: "RFC 9449 section 5",
        make: |bench| {
            let at = bench.bound()?;
            bench.change_json(at, |object| {
                object.insert(name::TOKEN_TYPE.to_owned(), "Bearer".into());
            })
        },
    },
    Kind {
        id: "unknown-members",
        what: "the token response has a member that no standard knows",
        must: Must::Survive,
        client: "ignore what it does not know",
        see: "RFC 6749 section 5.1",
        make: |bench| with(bench, "ext_expires_in", 3600.into()),
    },
    Kind {
        id: "expires-in-string",
        what: "expires_in is a string in the token response",
        must: Must::Either,
        client: "read the number in it, or refuse the response; not take the token for one without end",
        see: "RFC 6749 section 5.1",
        make: |bench| with(bench, name::EXPIRES_IN, "3600".into()),
    },
    Kind {
        id: "scope-narrowed",
        what: "the token response grants less than was asked for",
        must: Must::Survive,
        client: "go by the scope that it was given",
        see: "RFC 6749 section 3.3",
        make: narrowed,
    },
    Kind {
        id: "no-id-token",
        what: "the token response has no ID Token",
        must: Must::Reject,
        client: "refuse a login without an ID Token",
        see: "OpenID Connect Core 1.0 section 3.1.3.3",
        make: |bench| without(bench, name::ID_TOKEN),
    },
    Kind {
        id: "refresh-revoked",
        what: "the refresh token is refused with `invalid_grant`",
        must: Must::Reject,
        client: "drop the refresh token and ask the user to log in again",
        see: "RFC 6749 section 5.2",
        make: |bench| {
            let at = bench.grant_of("answer to a refresh token", grant::REFRESH_TOKEN)?;
            bench.change(at, |draft| {
                refuse(draft, 400, GRANT, "the token was revoked");
            })
        },
    },
    Kind {
        id: "device-slow-down",
        what: "the device is told to slow down",
        must: Must::Survive,
        client: "wait five seconds longer between two requests from then on",
        see: "RFC 8628 section 3.5",
        make: |bench| {
            let at = bench.grant_of("answer to a device code", grant::DEVICE_CODE)?;
            bench.insert(at, |draft| {
                refuse(draft, 400, "slow_down", "ask less often");
            })
        },
    },
    Kind {
        id: "device-denied",
        what: "the user denies the device",
        must: Must::Reject,
        client: "stop asking, and report it",
        see: "RFC 8628 section 3.5",
        make: |bench| {
            let at = bench.grant_of("answer to a device code", grant::DEVICE_CODE)?;
            bench.change(at, |draft| {
                refuse(draft, 400, "access_denied", "the user said no");
            })
        },
    },
    Kind {
        id: "device-expired",
        what: "the device code has expired",
        must: Must::Reject,
        client: "stop asking; only a new device authorization request helps",
        see: "RFC 8628 section 3.5",
        make: |bench| {
            let at = bench.grant_of("answer to a device code", grant::DEVICE_CODE)?;
            bench.change(at, |draft| {
                refuse(draft, 400, "expired_token", "it was too long");
            })
        },
    },
];
