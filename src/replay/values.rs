//! Recorded and live values that belong together, and when they are the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{Said, Url};
use crate::oauth::credentials::{basic_token, decode_basic};
use crate::oauth::fields::Fields;
use crate::oauth::name;
use crate::redact::{Interaction, Piece, pieces};

/// A live request, read once.
pub(super) struct Live<'a> {
    pub(super) said: &'a Said,
    pub(super) fields: Arc<Fields>,
    /// The URL without its query.
    pub(super) endpoint: String,
    basic: Option<String>,
}

impl<'a> Live<'a> {
    /// Reads a request.
    pub(super) fn of(said: &'a Said) -> Self {
        Self {
            said,
            fields: Arc::new(Fields::of(said)),
            endpoint: said.url.endpoint(),
            basic: basic_token(said).and_then(decode_basic),
        }
    }

    /// The value of a parameter; who the client is may stand in `Authorization`.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let user = || {
            let basic = self.basic.as_deref().filter(|_| name == name::CLIENT_ID)?;
            basic.split(':').next()
        };
        self.fields.get(name).or_else(user)
    }

    /// Every value that may be one that this run made or bound.
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        let params = self.fields.query.iter().chain(self.fields.body.iter());
        let credentials = self.said.headers.get("authorization");
        let token = credentials.and_then(|value| value.split_once(' '));
        params
            .map(|param| param.value.as_str())
            .chain(token.map(|(_, token)| token.trim()))
    }
}

/// A value of a recorded request, in whose place a live one may stand.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) value: Vec<Piece>,
    /// Whether the live one must be what this run used or was given.
    pub(super) is_bound: bool,
    place: Place,
}

#[derive(Clone, Copy)]
enum Place {
    Query,
    Body,
    Authorization,
    /// The password of Basic credentials.
    Password,
}

impl Parameter {
    /// Those of a request; those of `Authorization` too.
    pub(super) fn of(interaction: &Interaction) -> Vec<Self> {
        let request = interaction.request();
        let mut out = Vec::new();
        for (params, place) in [
            (request.query_params(), Place::Query),
            (request.body_params(), Place::Body),
        ] {
            let params = params.iter();
            out.extend(params.map(|param| Self::new(&param.name, &param.value, place)));
        }
        let credentials = request.headers();
        let credentials = credentials.get(AUTHORIZATION);
        out.extend(credentials.map(|text| Self::new(AUTHORIZATION, text, Place::Authorization)));
        let password = client_password(interaction);
        out.extend(password.map(|text| Self::new(name::CLIENT_SECRET, text, Place::Password)));
        out
    }

    fn new(name: &str, value: &str, place: Place) -> Self {
        Self {
            is_bound: is_bound_name(name) && has_label(value),
            name: name.to_owned(),
            value: pieces(value),
            place,
        }
    }

    /// What stands in its place in a live request.
    pub(super) fn in_live<'l>(&self, live: &'l Live<'_>) -> Option<&'l str> {
        match self.place {
            Place::Query => live.fields.query.get(&self.name),
            Place::Body => live.fields.body.get(&self.name),
            Place::Authorization => live.said.headers.get(AUTHORIZATION),
            Place::Password => live.basic.as_deref()?.split_once(':').map(|(_, it)| it),
        }
    }
}

/// The password half of recorded Basic credentials.
pub(super) fn client_password(interaction: &Interaction) -> Option<&str> {
    interaction.request().basic()?.password.as_deref()
}

/// The user half of recorded Basic credentials as the client, where nothing else names it.
pub(super) fn user(
    interaction: &Interaction,
    said: &[(String, String)],
) -> Option<(String, String)> {
    let is_named = said.iter().any(|(name, _)| name == name::CLIENT_ID);
    let basic = interaction.request().basic().filter(|_| !is_named)?;
    let is_literal = !has_label(&basic.user);
    is_literal.then(|| (name::CLIENT_ID.to_owned(), basic.user.clone()))
}

/// Values that must be those this run used or was given. What the server issues is judged by what
/// it issued, the redirect URI by the posture; others are new on every run.
fn is_bound_name(name: &str) -> bool {
    let judged = [
        name::ACTOR_TOKEN,
        name::ASSERTION,
        name::AUTH_REQ_ID,
        name::CLIENT_ASSERTION,
        name::CODE,
        name::CODE_CHALLENGE,
        name::CODE_VERIFIER,
        name::DEVICE_CODE,
        name::ID_TOKEN_HINT,
        name::NONCE,
        name::REDIRECT_URI,
        name::REFRESH_TOKEN,
        name::REQUEST,
        name::REQUEST_URI,
        name::STATE,
        name::SUBJECT_TOKEN,
        name::TOKEN,
    ];
    !judged.contains(&name)
}

/// Whether values of this kind are one flow's: the next flow has others, and who brings one back
/// goes on in the flow that it came from.
pub(super) fn is_of_flow(kind: &str) -> bool {
    let kinds = [
        name::ACCESS_TOKEN,
        name::AUTH_REQ_ID,
        name::CODE,
        name::CODE_CHALLENGE,
        name::CODE_VERIFIER,
        name::DEVICE_CODE,
        name::ID_TOKEN,
        name::NONCE,
        name::REFRESH_TOKEN,
        name::REQUEST_URI,
        name::SESSION_STATE,
        name::STATE,
        name::TOKEN,
        name::USER_CODE,
    ];
    kinds.contains(&kind)
}

pub(super) fn has_label(text: &str) -> bool {
    pieces(text)
        .iter()
        .any(|piece| matches!(piece, Piece::Label(_)))
}

/// The value as it is compared: the order of words says nothing, nor does a native client's port.
pub(super) fn normal(name: &str, value: &str) -> String {
    match name {
        name::SCOPE | name::RESPONSE_TYPE | name::PROMPT => {
            let words: BTreeSet<_> = value.split(' ').collect();
            Vec::from_iter(words).join(" ")
        }
        name::REDIRECT_URI | name::POST_LOGOUT_REDIRECT_URI => {
            match Url::parse(value).filter(Url::is_loopback) {
                Some(url) => Url { port: None, ..url }.to_string(),
                None => value.to_owned(),
            }
        }
        _ => value.to_owned(),
    }
}

/// Whether both are the same, or the recorded one is a label. A native client listens on another
/// loopback port on every run (RFC 8252 section 7.3).
pub(super) fn same_parameter(name: &str, recorded: &str, live: &str) -> bool {
    let is_told = [name::SCOPE, name::RESPONSE_TYPE, name::PROMPT].contains(&name);
    recorded == live
        || normal(name, recorded) == normal(name, live)
        || (!is_told && has_label(recorded))
}

/// The header field under which credentials stand.
pub(super) const AUTHORIZATION: &str = "Authorization";
