//! Kinds for what any endpoint does to its clients: it is busy, slow, or breaks off.

use std::time::Duration;

use crate::model::{FailureKind, Phase};
use crate::mutate::bench::{Bench, Trouble};
use crate::mutate::{Kind, Must};
use crate::oauth::name;
use crate::redact::Draft;

/// Answers with a JSON object: an error response (RFC 6749 section 5.2).
pub(super) fn refuse(draft: &mut Draft, status: u16, error: &str, description: &str) {
    let body = serde_json::json!({ name::ERROR: error, name::ERROR_DESCRIPTION: description });
    draft.answer(status);
    draft.set_header("Content-Type", "application/json");
    draft.set_header("Cache-Control", "no-store");
    draft.set_json(&body.to_string());
}

/// Before the answer comes another that has the client wait.
fn wait(bench: &mut Bench, status: u16) -> Result<usize, Trouble> {
    let at = bench.grant()?;
    bench.insert(at, |draft| {
        refuse(draft, status, UNAVAILABLE, "try again later");
        draft.set_header("Retry-After", "1");
    })
}

fn fail(bench: &mut Bench, kind: FailureKind) -> Result<usize, Trouble> {
    let at = bench.grant()?;
    bench.change(at, |draft| draft.fail(kind, Phase::ResponseHead))
}

/// A body that is no JSON, whatever is said of it.
fn broken(bench: &mut Bench) -> Result<usize, Trouble> {
    let at = bench.grant()?;
    bench.change(at, |draft| {
        draft.answer(200);
        draft.set_header("Content-Type", "application/json");
        draft.set_text("{\"token_type\":\"Bearer\",");
    })
}

const UNAVAILABLE: &str = "temporarily_unavailable";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        id: "rate-limited",
        what: "429 with Retry-After comes before the token response",
        must: Must::Either,
        client: "give up with the error, or wait as long as Retry-After says and ask again",
        see: "RFC 6585 section 4",
        make: |bench| wait(bench, 429),
    },
    Kind {
        id: "unavailable",
        what: "503 with Retry-After comes before the token response",
        must: Must::Either,
        client: "give up with the error, or wait as long as Retry-After says and ask again",
        see: "RFC 9110 section 15.6.4",
        make: |bench| wait(bench, 503),
    },
    Kind {
        id: "server-error",
        what: "500 takes the place of the token response",
        must: Must::Reject,
        client: "report the failure",
        see: "RFC 6749 section 5.2",
        make: |bench| {
            let at = bench.grant()?;
            bench.change(at, |draft| refuse(draft, 500, "server_error", "it failed"))
        },
    },
    Kind {
        id: "slow",
        what: "the token response takes 3 seconds, with `replay --latency recorded`",
        must: Must::Survive,
        client: "wait for the answer, unless it has a shorter limit of its own",
        see: "RFC 9110 section 9.2.2",
        make: |bench| {
            let at = bench.grant()?;
            bench.change(at, |draft| draft.set_after(Duration::from_secs(3)))
        },
    },
    Kind {
        id: "stall",
        what: "no token response ever comes",
        must: Must::Reject,
        client: "give up after a while",
        see: "RFC 9110 section 9.2.2",
        make: |bench| fail(bench, FailureKind::ReadTimeout),
    },
    Kind {
        id: "reset",
        what: "the connection is reset in place of the token response",
        must: Must::Reject,
        client: "report the failure: the code may be spent",
        see: "RFC 9110 section 9.2.2",
        make: |bench| fail(bench, FailureKind::ConnectionReset),
    },
    Kind {
        id: "closed",
        what: "the connection is closed in place of the token response",
        must: Must::Reject,
        client: "report the failure: the code may be spent",
        see: "RFC 9110 section 9.2.2",
        make: |bench| fail(bench, FailureKind::ClosedEarly),
    },
    Kind {
        id: "truncated",
        what: "the connection is closed in the middle of the token response",
        must: Must::Reject,
        client: "take no part of an answer for the whole",
        see: "RFC 9112 section 8",
        make: |bench| {
            let at = broken(bench)?;
            bench.change(at, |draft| {
                draft.fail(FailureKind::ClosedEarly, Phase::ResponseBody);
            })
        },
    },
    Kind {
        id: "malformed-json",
        what: "the token response is whole, and no JSON",
        must: Must::Reject,
        client: "report that it cannot be read",
        see: "RFC 6749 section 5.1",
        make: broken,
    },
    Kind {
        id: "empty-body",
        what: "the token response has no body",
        must: Must::Reject,
        client: "report that it cannot be read",
        see: "RFC 6749 section 5.1",
        make: |bench| {
            let at = bench.grant()?;
            bench.change(at, Draft::set_empty)
        },
    },
    Kind {
        id: "html-error",
        what: "a login page with status 200 takes the place of the token response",
        must: Must::Reject,
        client: "report that it is no token response",
        see: "RFC 6749 section 5.1",
        make: |bench| {
            let at = bench.grant()?;
            bench.change(at, |draft| {
                draft.answer(200);
                draft.set_header("Content-Type", "text/html");
                draft.set_page();
            })
        },
    },
];
