//! Recorded and live values that belong together, and when they are the same.

use std::collections::BTreeSet;

use crate::model::{Said, Url};
use crate::oauth::facts::{basic_token, decode_basic};
use crate::oauth::fields::Fields;
use crate::oauth::name;
use crate::redact::{Interaction, Label, Piece, pieces};

/// Recorded and live values that belong together, by name; those of `Authorization` too.
pub(super) fn pairs(interaction: &Interaction, said: &Said) -> Vec<(String, String, String)> {
    let (request, live) = (interaction.request(), Fields::of(said));
    let mut out = Vec::new();
    for (recorded, live) in [
        (request.query_params(), &live.query),
        (request.body_params(), &live.body),
    ] {
        for param in &recorded {
            let value = live.get(&param.name);
            out.extend(
                value.map(|value| (param.name.clone(), param.value.clone(), value.to_owned())),
            );
        }
    }
    let headers = request.headers();
    if let (Some(recorded), Some(live)) = (
        headers.get("authorization"),
        said.headers.get("authorization"),
    ) {
        out.push((
            "Authorization".to_owned(),
            recorded.to_owned(),
            live.to_owned(),
        ));
    }
    let basic = basic_token(said).and_then(decode_basic);
    if let (Some(recorded), Some(live)) = (request.basic(), basic)
        && let (Some(recorded), Some((_, live))) = (&recorded.password, live.split_once(':'))
    {
        out.push((
            name::CLIENT_SECRET.to_owned(),
            recorded.clone(),
            live.to_owned(),
        ));
    }
    out
}

/// Values that must be those this run used or was given; the posture judges the code itself.
pub(super) fn is_bound_name(name: &str) -> bool {
    let judged = [
        name::CODE,
        name::CODE_VERIFIER,
        name::CODE_CHALLENGE,
        name::STATE,
        name::NONCE,
    ];
    !judged.contains(&name)
}

pub(super) fn has_label(text: &str) -> bool {
    pieces(text)
        .iter()
        .any(|piece| matches!(piece, Piece::Label(_)))
}

pub(super) fn label_of_key(key: &str) -> Option<Label> {
    let (kind, number) = key.rsplit_once('-')?;
    Some(Label::new(kind, number.parse().ok()?))
}

pub(super) fn same_parameter(name: &str, recorded: &str, live: &str) -> bool {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
    match name {
        name::SCOPE | name::RESPONSE_TYPE | name::PROMPT => words(recorded) == words(live),
        name::REDIRECT_URI => same_redirect_uri(recorded, live),
        _ => has_label(recorded) || recorded == live,
    }
}

/// A native client listens on another loopback port on every run (RFC 8252 section 7.3).
pub(super) fn same_redirect_uri(recorded: &str, live: &str) -> bool {
    let portless = |url: &Url| Url {
        port: None,
        ..url.clone()
    };
    match (Url::parse(recorded), Url::parse(live)) {
        (Some(a), Some(b)) if a.is_loopback() && b.is_loopback() => portless(&a) == portless(&b),
        _ => recorded == live || has_label(recorded),
    }
}
