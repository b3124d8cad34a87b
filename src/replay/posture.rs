//! The posture of a request of parameters: what it does, right or wrong, in words that can be
//! compared.
//!
//! The same description is made of a live request and of a recorded one. A recorded failure is
//! played only to a request of the same posture; a recorded success only to one that is as good.

use std::collections::BTreeSet;

use crate::model::Params;
use crate::oauth::credentials::basic_token;
use crate::oauth::fields::Fields;
use crate::oauth::pkce::{self, PkceCheck};
use crate::oauth::registry::{self, Place};
use crate::oauth::relation::{UrlPart, url_relation};
use crate::oauth::sniff::Sniff;
use crate::oauth::{Step, name};
use crate::redact::{Content, Interaction, in_its_case};
use crate::replay::grants::{Call, Grants};
use crate::replay::values::Live;

/// What a request of parameters does, such as a token request.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Posture {
    pub(super) method: String,
    pub(super) sniff: Sniff,
    pub(super) media_type: String,
    /// The parameters that a server can read, with `?` before those of the query.
    pub(super) parameters: BTreeSet<String>,
    pub(super) grant_type: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_auth: BTreeSet<&'static str>,
    pub(super) redirect_uri: RedirectUri,
    pub(super) pkce: Option<PkceCheck>,
}

/// How `redirect_uri` relates to the one of the authorization request.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum RedirectUri {
    /// It differs in these parts; in none where it is the same.
    Differs(BTreeSet<UrlPart>),
    /// It was sent to the authorization endpoint and is missing here.
    Missing,
    /// It is here, and no authorization request was seen to compare it with.
    Alone,
    /// It is nowhere.
    Absent,
}

impl Posture {
    /// Of a live request, against what this run was asked and given so far.
    pub(super) fn live(live: &Live<'_>, call: &Call, grants: &Grants) -> Self {
        let (said, fields, step) = (live.said, &live.fields, call.step());
        let asked = grants
            .asked_for(fields.get(name::CODE))
            .filter(|_| call.is_of_code());
        let basic = basic_token(said).is_some();
        Self {
            method: said.method.clone(),
            sniff: fields.sniff,
            media_type: said.headers.media_type().unwrap_or_default(),
            parameters: parameters(step, &fields.query, &fields.body),
            grant_type: fields.get(name::GRANT_TYPE).map(str::to_owned),
            client_id: live.get(name::CLIENT_ID).map(str::to_owned),
            client_auth: client_auth(&fields.query, &fields.body, basic),
            redirect_uri: RedirectUri::of(asked, fields.get(name::REDIRECT_URI), step),
            pkce: asked.and_then(|asked| live_pkce(asked, fields, grants)),
        }
    }

    /// Of a recorded request, against the authorization request it belongs to.
    pub(super) fn recorded(interaction: &Interaction, asked: Option<&Params>) -> Self {
        let (step, request) = (interaction.step(), interaction.request());
        let (query, body) = (request.query_params(), request.body_params());
        let get = |name| body.get(name).or_else(|| query.get(name));
        let asked = asked.filter(|_| step == Step::TokenRequest);
        let challenged = asked.is_some_and(|asked| asked.has(name::CODE_CHALLENGE));
        let pair = challenged && get(name::CODE_VERIFIER).is_some();
        let headers = request.headers();
        let basic = headers
            .get("authorization")
            .is_some_and(|value| value.to_ascii_lowercase().starts_with("basic "));
        let user = request.basic().map(|basic| basic.user.clone());
        Self {
            method: request.method().to_owned(),
            sniff: recorded_sniff(interaction),
            media_type: headers.media_type().unwrap_or_default(),
            parameters: parameters(step, &query, &body),
            grant_type: get(name::GRANT_TYPE).map(str::to_owned),
            client_id: get(name::CLIENT_ID).map(str::to_owned).or(user),
            client_auth: client_auth(&query, &body, basic),
            redirect_uri: RedirectUri::of(asked, get(name::REDIRECT_URI), step)
                .spelled(interaction.facts().redirect_uri_spelling),
            pkce: interaction
                .facts()
                .pkce_check
                .or_else(|| pair.then_some(PkceCheck::Ok)),
        }
    }

    /// What differs, each in words: `before` is the recorded one.
    pub(super) fn differences(&self, before: &Self) -> Vec<String> {
        let mut words = Vec::new();
        let mut changed = |differs: bool, text: String| words.extend(differs.then_some(text));
        changed(
            self.method != before.method,
            format!(
                "the method is {} (recorded: {})",
                self.method, before.method
            ),
        );
        changed(
            self.sniff != before.sniff,
            format!("the body is {} (recorded: {})", self.sniff, before.sniff),
        );
        changed(
            self.media_type != before.media_type,
            format!(
                "Content-Type is {} (recorded: {})",
                or_none(&self.media_type),
                or_none(&before.media_type)
            ),
        );
        let both = self.grant_type.is_some() && before.grant_type.is_some();
        changed(
            both && self.grant_type != before.grant_type,
            format!("{} is another", name::GRANT_TYPE),
        );
        let sent = self.parameters.difference(&before.parameters);
        sent.for_each(|name| changed(true, format!("{} is sent", in_words(name))));
        let missing = before.parameters.difference(&self.parameters);
        missing.for_each(|name| changed(true, format!("{} is not sent", in_words(name))));
        words.extend(self.client_difference(before));
        let mut changed = |differs: bool, text: String| words.extend(differs.then_some(text));
        changed(
            self.client_auth != before.client_auth,
            format!(
                "client authentication is {} (recorded: {})",
                listed(&self.client_auth),
                listed(&before.client_auth)
            ),
        );
        changed(
            self.redirect_uri != before.redirect_uri,
            self.redirect_uri.in_words(),
        );
        changed(self.pkce != before.pkce, pkce_in_words(self.pkce));
        words
    }

    /// What differs in who the client says it is.
    pub(super) fn client_difference(&self, before: &Self) -> Option<String> {
        let both = self.client_id.as_ref().zip(before.client_id.as_ref());
        let differs = both.is_some_and(|(sent, recorded)| sent != recorded);
        differs.then(|| format!("{} is another than in the recording", name::CLIENT_ID))
    }

    /// Whether nothing is wrong that a recording can tell.
    pub(super) fn is_sound(&self) -> bool {
        let redirect_uri =
            !self.redirect_uri.differs() && self.redirect_uri != RedirectUri::Missing;
        let readable =
            self.sniff == Sniff::Form && self.media_type == "application/x-www-form-urlencoded";
        let pkce = matches!(self.pkce, None | Some(PkceCheck::Ok));
        self.method == "POST" && readable && redirect_uri && pkce
    }

    /// The error a server gives for the first thing that is wrong here and was not in a recorded
    /// success; `None` where nothing is.
    pub(super) fn refusal(&self, success: &Self) -> Option<(&'static str, String)> {
        let differences = self.differences(success);
        let first = differences.first()?.clone();
        let error = if self.method != success.method {
            "invalid_request"
        } else if self.sniff != success.sniff || self.grant_type != success.grant_type {
            "unsupported_grant_type"
        } else if self.client_id != success.client_id || self.client_auth != success.client_auth {
            "invalid_client"
        } else if self.redirect_uri != success.redirect_uri || self.pkce != success.pkce {
            "invalid_grant"
        } else {
            "invalid_request"
        };
        Some((error, first))
    }
}

impl RedirectUri {
    fn of(asked: Option<&Params>, sent: Option<&str>, step: Step) -> Self {
        if step != Step::TokenRequest {
            return Self::Absent;
        }
        let asked = asked.and_then(|asked| asked.get(name::REDIRECT_URI));
        match (asked, sent) {
            (Some(asked), Some(sent)) => {
                Self::Differs(url_relation(&in_its_case(asked), &in_its_case(sent)))
            }
            (Some(_), None) => Self::Missing,
            (None, Some(_)) => Self::Alone,
            (None, None) => Self::Absent,
        }
    }

    /// Whether it is another one.
    pub(super) fn differs(&self) -> bool {
        matches!(self, Self::Differs(parts) if !parts.is_empty())
    }

    /// With the difference that labels hide.
    fn spelled(mut self, spelling: Option<UrlPart>) -> Self {
        if let Self::Differs(parts) = &mut self
            && parts.is_empty()
        {
            parts.extend(spelling);
        }
        self
    }

    fn in_words(&self) -> String {
        let uri = name::REDIRECT_URI;
        match self {
            Self::Differs(parts) if parts.is_empty() => {
                format!("{uri} now equals the one sent to the authorization endpoint")
            }
            Self::Differs(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| part.as_str()).collect();
                format!(
                    "{uri} differs from the one sent to the authorization endpoint ({})",
                    parts.join(", ")
                )
            }
            Self::Missing => format!("{uri} was sent to the authorization endpoint and is missing"),
            Self::Alone => format!("{uri} has no authorization request to be compared with"),
            Self::Absent => format!("{uri} is not sent"),
        }
    }
}

fn live_pkce(asked: &Params, fields: &Fields, grants: &Grants) -> Option<PkceCheck> {
    let challenge = asked.get(name::CODE_CHALLENGE);
    let verifier = fields.get(name::CODE_VERIFIER);
    // Without a code there is nothing to check, as in the facts of a recorded request.
    if !fields.has(name::CODE) {
        return challenge.and(verifier).map(|_| PkceCheck::Ok);
    }
    let method = asked.get(name::CODE_CHALLENGE_METHOD);
    pkce::check_among(challenge, method, verifier, grants.challenges())
}

/// The names that say something at the endpoint, but for hints that a server need not read.
fn parameters(step: Step, query: &Params, body: &Params) -> BTreeSet<String> {
    let is_known = |name: &str| {
        name != name::TOKEN_TYPE_HINT && registry::class(Place::of_request(step), name).is_some()
    };
    let known = |params: &Params, mark: &'static str| {
        let names = params.iter().filter(|param| is_known(&param.name));
        names
            .map(|param| format!("{mark}{}", param.name))
            .collect::<Vec<_>>()
    };
    known(query, "?")
        .into_iter()
        .chain(known(body, ""))
        .collect()
}

fn client_auth(query: &Params, body: &Params, basic: bool) -> BTreeSet<&'static str> {
    let secret = body
        .get(name::CLIENT_SECRET)
        .or_else(|| query.get(name::CLIENT_SECRET));
    let methods = [
        basic.then_some("client_secret_basic"),
        secret.map(|secret| {
            if secret.is_empty() {
                "an empty secret"
            } else {
                "client_secret_post"
            }
        }),
        body.has(name::CLIENT_ASSERTION)
            .then_some("a client assertion"),
    ];
    methods.into_iter().flatten().collect()
}

fn recorded_sniff(interaction: &Interaction) -> Sniff {
    let told = interaction.facts().body_sniff;
    told.unwrap_or_else(|| match interaction.request().content() {
        Content::Form { .. } => Sniff::Form,
        Content::Json { .. } => Sniff::Json,
        Content::Multipart(_) => Sniff::Multipart,
        Content::Dropped(dropped) => dropped.sniff.unwrap_or(Sniff::Binary),
        Content::Text(_) => Sniff::Text,
        Content::None | Content::Empty => Sniff::Empty,
    })
}

fn in_words(name: &str) -> String {
    match name.strip_prefix('?') {
        Some(name) => format!("{name} (in the query)"),
        None => name.to_owned(),
    }
}

fn pkce_in_words(check: Option<PkceCheck>) -> String {
    let what = match check {
        None => "not sent",
        Some(PkceCheck::Ok) => "right",
        Some(PkceCheck::PlainEqual) => "the challenge itself",
        Some(PkceCheck::MethodOmitted) => "right for S256, which was not named",
        Some(PkceCheck::Mismatch) => "not the one of the challenge",
        Some(PkceCheck::NoChallenge) => "sent, where no challenge was",
        Some(PkceCheck::NoVerifier) => "not sent, where a challenge was",
        // The others say how the challenge was made of it.
        Some(other) => return format!("the challenge is the verifier's, but {}", other.as_str()),
    };
    format!("{} is {what}", name::CODE_VERIFIER)
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "missing" } else { text }
}

fn listed(words: &BTreeSet<&'static str>) -> String {
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.iter().copied().collect::<Vec<_>>().join(" and ")
    }
}
