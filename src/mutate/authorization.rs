//! Kinds for the authorization response.

use crate::model::{Params, percent_encode};
use crate::mutate::bench::{Bench, Trouble};
use crate::mutate::{Kind, Must};
use crate::oauth::name;
use crate::redact::{Draft, Interaction};

/// A parameter of the response, and its value; `None` takes it away.
type Edit<'a> = (&'a str, Option<&'a str>);

/// Where the response is: the interaction that sends the user agent on with a code.
fn response(bench: &Bench) -> Result<usize, Trouble> {
    bench.find("authorization response with a code", |interaction| {
        param(interaction, name::CODE).is_some()
    })
}

/// A parameter of the authorization response that an interaction brings.
fn param(interaction: &Interaction, name: &str) -> Option<String> {
    let locations = interaction.response()?.locations();
    let params = locations.iter().map(|location| params(location));
    let mut params = params.filter(|params| params.has(name::CODE));
    params.next()?.get(name).map(str::to_owned)
}

fn params(location: &str) -> Params {
    let query = location.split_once('?').map(|(_, query)| query);
    let query = query.and_then(|query| query.split('#').next());
    Params::parse(query.unwrap_or_default())
}

/// Changes the response, in a redirect or in the form that a script sends.
fn edit(bench: &mut Bench, edits: &[Edit<'_>]) -> Result<usize, Trouble> {
    let at = response(bench)?;
    bench.change(at, |draft| {
        let response = draft.interaction().response();
        let headers = response.map(crate::redact::RecordedResponse::headers);
        let location = headers.and_then(|headers| headers.get("location").map(str::to_owned));
        match location {
            Some(location) => draft.set_header("Location", &edited(&location, edits)),
            None => edits
                .iter()
                .for_each(|(name, value)| draft.set_field(name, *value)),
        }
    })
}

/// The redirect with other parameters: in their place, or behind the others.
fn edited(location: &str, edits: &[Edit<'_>]) -> String {
    let (address, rest) = location.split_once('?').unwrap_or((location, ""));
    let fragment = rest.split_once('#').map(|(_, fragment)| fragment);
    let params = params(location);
    let pair =
        |name: &str, value: &str| format!("{}={}", percent_encode(name), percent_encode(value));
    let mut pairs: Vec<String> = Vec::new();
    for param in &params {
        match edits.iter().find(|(name, _)| *name == param.name) {
            Some((name, value)) => pairs.extend(value.map(|value| pair(name, value))),
            None => pairs.push(param.raw().into_owned()),
        }
    }
    let added = edits.iter().filter(|(name, _)| !params.has(name));
    pairs.extend(added.filter_map(|(name, value)| Some(pair(name, (*value)?))));
    let query = if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    };
    let fragment = fragment.map(|fragment| format!("#{fragment}"));
    format!("{address}{query}{}", fragment.unwrap_or_default())
}

/// The value of a parameter that the response must have for a kind to make sense.
fn sent(bench: &Bench, name: &str, what: &'static str) -> Result<String, Trouble> {
    let at = response(bench)?;
    param(bench.at(at), name).ok_or(Trouble::Missing(what))
}

fn fail(bench: &mut Bench, error: &str, description: &str) -> Result<usize, Trouble> {
    edit(
        bench,
        &[
            (name::CODE, None),
            (name::SESSION_STATE, None),
            (name::ERROR, Some(error)),
            (name::ERROR_DESCRIPTION, Some(description)),
        ],
    )
}

/// Puts another value of the same kind in the place of one that is a label.
fn other(bench: &mut Bench, name: &str, what: &'static str) -> Result<usize, Trouble> {
    let (label, declared) = bench.another(&sent(bench, name, what)?)?;
    let at = edit(bench, &[(name, Some(&label))])?;
    bench.change(at, |draft| draft.secrets().extend(declared))
}

fn code_twice(bench: &mut Bench) -> Result<usize, Trouble> {
    let code = sent(bench, name::CODE, CODE)?;
    let (label, declared) = bench.another(&code)?;
    let at = response(bench)?;
    let headers = bench
        .at(at)
        .response()
        .map(crate::redact::RecordedResponse::headers);
    let location = headers.and_then(|headers| headers.get("location").map(str::to_owned));
    let location = location.ok_or(Trouble::Missing("authorization response by redirect"))?;
    let twice = location.replacen('?', &format!("?{}={label}&", name::CODE), 1);
    bench.change(at, |draft: &mut Draft| {
        draft.set_header("Location", &twice);
        draft.secrets().extend(declared);
    })
}

const CODE: &str = "code in the authorization response";
const ISSUER: &str = "iss in the authorization response";
const STATE: &str = "state in the authorization response";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        id: "state-wrong",
        what: "the authorization response has another state",
        must: Must::Reject,
        client: "refuse the response: it is none to its request",
        see: "RFC 6749 section 10.12",
        make: |bench| other(bench, name::STATE, STATE),
    },
    Kind {
        id: "state-missing",
        what: "the authorization response has no state",
        must: Must::Reject,
        client: "refuse the response: it is none to its request",
        see: "RFC 6749 section 4.1.2",
        make: |bench| {
            sent(bench, name::STATE, STATE)?;
            edit(bench, &[(name::STATE, None)])
        },
    },
    Kind {
        id: "missing-iss",
        what: "the authorization response has no iss, though the server says that it sends one",
        must: Must::Reject,
        client: "refuse the response: it may be of another server",
        see: "RFC 9207 section 2.4",
        make: |bench| {
            sent(bench, name::ISS, ISSUER)?;
            edit(bench, &[(name::ISS, None)])
        },
    },
    Kind {
        id: "wrong-iss-callback",
        what: "the authorization response has the iss of another server",
        must: Must::Reject,
        client: "refuse the response: it is of another server",
        see: "RFC 9207 section 2.4",
        make: |bench| {
            let issuer = format!("{}/other", sent(bench, name::ISS, ISSUER)?);
            edit(bench, &[(name::ISS, Some(&issuer))])
        },
    },
    Kind {
        id: "access-denied",
        what: "the user denies the request",
        must: Must::Reject,
        client: "report the error, and send no token request",
        see: "RFC 6749 section 4.1.2.1",
        make: |bench| fail(bench, "access_denied", "the user said no"),
    },
    Kind {
        id: "authorization-error",
        what: "the authorization response is `server_error`",
        must: Must::Reject,
        client: "report the error, and send no token request",
        see: "RFC 6749 section 4.1.2.1",
        make: |bench| fail(bench, "server_error", "it failed"),
    },
    Kind {
        id: "code-missing",
        what: "the authorization response has neither a code nor an error",
        must: Must::Reject,
        client: "refuse the response",
        see: "RFC 6749 section 4.1.2",
        make: |bench| edit(bench, &[(name::CODE, None)]),
    },
    Kind {
        id: "code-twice",
        what: "the authorization response has two codes",
        must: Must::Reject,
        client: "refuse a response with a parameter that is there twice",
        see: "RFC 6749 section 3.1",
        make: code_twice,
    },
];
