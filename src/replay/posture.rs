//! The posture of a token request: what it does, right or wrong, in words that can be compared.
//!
//! The same description is made of a live request and of a recorded one. A recorded failure is
//! played only to a request of the same posture; a recorded success only to one that is as good.

use std::collections::BTreeSet;

use crate::model::{Params, Said, percent_decode};
use crate::oauth::facts::{Facts, basic_token, decode_basic};
use crate::oauth::fields::Reading;
use crate::oauth::flows::Flows;
use crate::oauth::pkce::PkceCheck;
use crate::oauth::registry::{self, Place};
use crate::oauth::relation::{UrlPart, url_relation};
use crate::oauth::sniff::Sniff;
use crate::oauth::{Step, name};
use crate::redact::{Content, Interaction, Label, Piece, in_its_case, pieces};
use crate::replay::repertoire::Repertoire;

/// What a token request does.
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
    pub(super) code: &'static str,
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
    /// Of a live request, against what this run has said so far.
    pub(super) fn live(flows: &Flows, said: &Said, issued: &Issued) -> Self {
        let reading = Reading::of(said, None);
        let facts = Facts::of(flows, Step::TokenRequest, &reading, 0);
        let fields = reading.fields;
        let code = fields.get(name::CODE);
        let flow = flows.authorization(code);
        let pair =
            flow.is_some_and(|flow| flow.challenge.is_some()) && fields.has(name::CODE_VERIFIER);
        let basic = basic_token(said).and_then(decode_basic);
        let user = basic
            .as_deref()
            .and_then(|basic| basic.split(':').next())
            .map(str::to_owned);
        Self {
            method: said.method.clone(),
            sniff: fields.sniff,
            media_type: said.headers.media_type().unwrap_or_default(),
            parameters: parameters(&fields.query, &fields.body),
            grant_type: fields.get(name::GRANT_TYPE).map(str::to_owned),
            client_id: fields.get(name::CLIENT_ID).map(str::to_owned).or(user),
            client_auth: client_auth(&fields.query, &fields.body, basic_token(said).is_some()),
            redirect_uri: RedirectUri::of(
                flow.and_then(|flow| flow.redirect_uri.as_deref()),
                fields.get(name::REDIRECT_URI),
            ),
            code: code.map_or(ABSENT, |code| issued.relation(code)),
            pkce: facts.pkce_check.or_else(|| pair.then_some(PkceCheck::Ok)),
        }
    }

    /// Of a recorded request, against the authorization request it belongs to.
    pub(super) fn recorded(repertoire: &Repertoire, at: usize) -> Self {
        let interaction = repertoire.interaction(at);
        let relations = repertoire.relations(repertoire.cassette(at));
        let request = interaction.request();
        let (query, body) = (request.query_params(), request.body_params());
        let get = |name| body.get(name).or_else(|| query.get(name));
        let code = get(name::CODE);
        let authorization = relations.authorization(code.and_then(label).as_ref());
        let asked = authorization.map(|at| repertoire.interaction(at).request().query_params());
        let challenged = asked
            .as_ref()
            .is_some_and(|asked| asked.has(name::CODE_CHALLENGE));
        let pair = challenged && get(name::CODE_VERIFIER).is_some();
        let headers = request.headers();
        let basic = headers
            .get("authorization")
            .is_some_and(|value| value.to_ascii_lowercase().starts_with("basic "));
        let user = request.basic().map(|basic| basic.user.clone());
        let redirect = asked
            .as_ref()
            .and_then(|asked| asked.get(name::REDIRECT_URI));
        Self {
            method: request.method().to_owned(),
            sniff: recorded_sniff(interaction),
            media_type: headers.media_type().unwrap_or_default(),
            parameters: parameters(&query, &body),
            grant_type: get(name::GRANT_TYPE).map(str::to_owned),
            client_id: get(name::CLIENT_ID).map(str::to_owned).or(user),
            client_auth: client_auth(&query, &body, basic),
            redirect_uri: RedirectUri::of(redirect, get(name::REDIRECT_URI))
                .spelled(interaction.facts().redirect_uri_spelling),
            code: code.map_or(ABSENT, |code| recorded_code(code, repertoire, at)),
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
        let sent = self.parameters.difference(&before.parameters);
        sent.for_each(|name| changed(true, format!("{} is sent", in_words(name))));
        let missing = before.parameters.difference(&self.parameters);
        missing.for_each(|name| changed(true, format!("{} is not sent", in_words(name))));
        let both = self.grant_type.is_some() && before.grant_type.is_some();
        changed(
            both && self.grant_type != before.grant_type,
            format!("{} is another", name::GRANT_TYPE),
        );
        let both = self.client_id.is_some() && before.client_id.is_some();
        changed(
            both && self.client_id != before.client_id,
            format!("{} is another", name::CLIENT_ID),
        );
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
        changed(
            self.code != before.code,
            format!("{} is {}", name::CODE, self.code),
        );
        changed(self.pkce != before.pkce, pkce_in_words(self.pkce));
        words
    }

    /// Whether nothing is wrong that a recording can tell.
    pub(super) fn is_sound(&self) -> bool {
        let redirect_uri = match &self.redirect_uri {
            RedirectUri::Differs(parts) => parts.is_empty(),
            RedirectUri::Missing => false,
            RedirectUri::Alone | RedirectUri::Absent => true,
        };
        let readable =
            self.sniff == Sniff::Form && self.media_type == "application/x-www-form-urlencoded";
        let code = [ISSUED, UNSEEN, ABSENT].contains(&self.code);
        let pkce = matches!(self.pkce, None | Some(PkceCheck::Ok));
        self.method == "POST" && readable && redirect_uri && code && pkce
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
        } else if self.redirect_uri != success.redirect_uri
            || self.code != success.code
            || self.pkce != success.pkce
        {
            "invalid_grant"
        } else {
            "invalid_request"
        };
        Some((error, first))
    }
}

impl RedirectUri {
    fn of(asked: Option<&str>, sent: Option<&str>) -> Self {
        match (asked, sent) {
            (Some(asked), Some(sent)) => {
                Self::Differs(url_relation(&in_its_case(asked), &in_its_case(sent)))
            }
            (Some(_), None) => Self::Missing,
            (None, Some(_)) => Self::Alone,
            (None, None) => Self::Absent,
        }
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

/// The codes that this run's authorization responses carried. They are raw: no `Debug`.
#[derive(Default)]
pub(super) struct Issued {
    codes: Vec<String>,
    spent: BTreeSet<String>,
}

impl Issued {
    /// A code went out to the client.
    pub(super) fn issue(&mut self, code: String) {
        self.codes.push(code);
    }

    /// A code was redeemed.
    pub(super) fn spend(&mut self, code: &str) {
        if self.codes.iter().any(|issued| issued == code) {
            self.spent.insert(code.to_owned());
        }
    }

    fn relation(&self, sent: &str) -> &'static str {
        if self.spent.contains(sent) {
            return REUSED;
        }
        if self.codes.is_empty() {
            return UNSEEN;
        }
        let found = self.codes.iter().find_map(|issued| form_of(issued, sent));
        found.unwrap_or(FOREIGN)
    }
}

fn form_of(issued: &str, sent: &str) -> Option<&'static str> {
    if issued == sent {
        return Some(ISSUED);
    }
    let trimmed = sent.trim_matches(|c: char| c.is_ascii_whitespace());
    let altered = trimmed == issued
        || percent_decode(sent) == issued
        || percent_decode(&percent_decode(sent)) == issued
        || percent_decode(issued) == sent
        || issued.replace('+', " ") == sent
        || issued.eq_ignore_ascii_case(sent)
        || (sent.len() >= 8 && (issued.starts_with(sent) || sent.starts_with(issued)));
    altered.then_some(ALTERED)
}

fn recorded_code(code: &str, repertoire: &Repertoire, at: usize) -> &'static str {
    let Some(label) = labelled(code) else {
        return FOREIGN;
    };
    let relations = repertoire.relations(repertoire.cassette(at));
    let whole = label.suffixes.is_empty() && code == label.to_string();
    let core = label.core();
    let redeemed = |other: &usize| {
        *other < at
            && repertoire.step(*other) == Step::TokenRequest
            && repertoire.is_success(*other)
            && repertoire.code(*other).as_ref() == Some(&core)
    };
    if relations.senders(&core).iter().any(redeemed) {
        return REUSED;
    }
    match (relations.is_carried(&core), whole) {
        (true, true) => ISSUED,
        (true, false) => ALTERED,
        (false, _) if relations.has_authorization() => FOREIGN,
        (false, _) => UNSEEN,
    }
}

fn label(text: &str) -> Option<Label> {
    labelled(text).map(|label| label.core())
}

fn labelled(text: &str) -> Option<Label> {
    pieces(text).into_iter().find_map(|piece| match piece {
        Piece::Label(label) => Some(label),
        Piece::Literal(_) => None,
    })
}

fn parameters(query: &Params, body: &Params) -> BTreeSet<String> {
    let known = |params: &Params, mark: &'static str| {
        let names = params
            .iter()
            .filter(|param| registry::class(Place::TokenRequest, &param.name).is_some());
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

const ABSENT: &str = "not sent";
const ISSUED: &str = "the one that was issued";
const ALTERED: &str = "not the one that was issued, but an altered copy of it";
const REUSED: &str = "one that was redeemed before";
const FOREIGN: &str = "not one that was issued here";
const UNSEEN: &str = "one whose issue was not seen";
