//! A turn: a request and what came of it, each part taken apart when it is first asked for.

use std::cell::OnceCell;

use serde_json::{Map, Value};

use crate::model::{Headers, Params, Url};
use crate::oauth::facts::Facts;
use crate::oauth::sniff::{Sniff, sniff};
use crate::oauth::{Step, name};
use crate::redact::{Content, DropReason, Interaction, Piece, RecordedResponse, pieces};

/// A request and what came of it, taken apart when it is first asked for.
pub struct Turn<'a> {
    /// The interaction.
    pub interaction: &'a Interaction,
    url: OnceCell<Option<Url>>,
    query: OnceCell<Params>,
    body: OnceCell<Params>,
    headers: OnceCell<Headers>,
    answer: OnceCell<Params>,
    answer_json: OnceCell<Option<Map<String, Value>>>,
    answer_headers: OnceCell<Headers>,
}

impl<'a> Turn<'a> {
    pub(super) fn of(interaction: &'a Interaction) -> Self {
        Self {
            interaction,
            url: OnceCell::new(),
            query: OnceCell::new(),
            body: OnceCell::new(),
            headers: OnceCell::new(),
            answer: OnceCell::new(),
            answer_json: OnceCell::new(),
            answer_headers: OnceCell::new(),
        }
    }

    /// The interaction's number.
    pub fn id(&self) -> u64 {
        self.interaction.id()
    }

    /// What only the raw exchange could tell.
    pub fn facts(&self) -> &'a Facts {
        self.interaction.facts()
    }

    /// What it is for.
    pub fn step(&self) -> Step {
        self.interaction.step()
    }

    /// The parameters of the query.
    pub fn query(&self) -> &Params {
        self.query
            .get_or_init(|| self.interaction.request().query_params())
    }

    /// The parameters of the body, in whatever format it is.
    pub fn body(&self) -> &Params {
        self.body
            .get_or_init(|| self.interaction.request().body_params())
    }

    /// The header fields of the request.
    pub fn headers(&self) -> &Headers {
        self.headers
            .get_or_init(|| self.interaction.request().headers())
    }

    /// The members of the response's JSON object, or the pairs of its form.
    pub fn answer(&self) -> &Params {
        let response = self.interaction.response();
        let members = || response.map(RecordedResponse::body_params);
        self.answer.get_or_init(|| members().unwrap_or_default())
    }

    /// The members of the response's JSON object, as what they are.
    pub fn answer_json(&self) -> Option<&Map<String, Value>> {
        let read = || match self.interaction.response()?.content() {
            Content::Json { text, .. } => serde_json::from_str(text).ok(),
            _ => None,
        };
        self.answer_json.get_or_init(read).as_ref()
    }

    /// What the response's body is; `None` where it was not seen.
    pub fn answer_sniff(&self) -> Option<Sniff> {
        match self.interaction.response()?.content() {
            Content::None | Content::Empty => Some(Sniff::Empty),
            Content::Form { .. } => Some(Sniff::Form),
            Content::Json { .. } => Some(Sniff::Json),
            Content::Multipart(_) => Some(Sniff::Multipart),
            Content::Text(text) => Some(sniff(text.as_bytes())),
            Content::Dropped(dropped) => dropped.sniff,
        }
    }

    /// Whether the response was seen whole, so that something may be said to be missing from it.
    pub fn is_answer_whole(&self) -> bool {
        let response = self.interaction.response();
        let is_seen = response.is_some_and(|response| is_seen(response.content()));
        is_seen && self.interaction.error().is_none()
    }

    /// The header fields of the response.
    pub fn answer_headers(&self) -> &Headers {
        let response = self.interaction.response();
        let fields = || response.map(RecordedResponse::headers);
        self.answer_headers
            .get_or_init(|| fields().unwrap_or_default())
    }

    /// The response's status code.
    pub fn status(&self) -> Option<u16> {
        self.interaction.response().map(RecordedResponse::status)
    }

    /// The first value of a parameter, in the body or else in the query.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.body().get(name).or_else(|| self.query().get(name))
    }

    /// The method, as written.
    pub fn method(&self) -> &'a str {
        self.interaction.request().method()
    }

    /// The body.
    pub fn content(&self) -> Content<'a> {
        self.interaction.request().content()
    }

    /// The declared media type in lower case, or nothing.
    pub fn media_type(&self) -> String {
        self.headers().media_type().unwrap_or_default()
    }

    /// Whether a script in a page of a browser sent it. Programs without pages may send the mode,
    /// and never where the page is from.
    pub fn is_fetched_by_page(&self) -> bool {
        let headers = self.headers();
        headers.get("sec-fetch-mode") == Some("cors") && headers.has("sec-fetch-site")
    }

    /// The grant type.
    pub fn grant(&self) -> &str {
        self.param(name::GRANT_TYPE).unwrap_or_default()
    }

    /// The scheme and the credentials of `Authorization`.
    pub fn authorization(&self) -> Option<(&str, &str)> {
        self.headers().get("authorization")?.split_once(' ')
    }

    /// What came of it.
    pub fn outcome(&self) -> Outcome {
        let Some(status) = self.status() else {
            return Outcome::Unknown;
        };
        let fields = self.answer();
        let brings = match self.step() {
            Step::TokenRequest => fields.has(name::ACCESS_TOKEN) || fields.has(name::ID_TOKEN),
            step => step.authenticates_client(),
        };
        if status >= 400 || self.refusal().is_some() {
            Outcome::Failed
        } else if status < 300 && brings {
            Outcome::Accepted
        } else {
            Outcome::Unknown
        }
    }

    /// The error code of the answer, or nothing.
    pub fn error(&self) -> &str {
        self.answer().get(name::ERROR).unwrap_or_default()
    }

    /// What the server says of the error; its code, where it says no more.
    pub fn error_text(&self) -> &str {
        let said = self.answer().get(name::ERROR_DESCRIPTION);
        said.unwrap_or_else(|| self.error())
    }

    /// What the server says of the error, in lower case and without what stands for a secret.
    pub fn error_words(&self) -> String {
        let said = self.answer().get(name::ERROR_DESCRIPTION);
        let words = |piece| match piece {
            Piece::Literal(text) => text.to_ascii_lowercase(),
            Piece::Label(_) => String::new(),
        };
        pieces(said.unwrap_or_default())
            .into_iter()
            .map(words)
            .collect()
    }

    /// Whether the server gives this number of Microsoft's errors, in a list or in its text.
    pub fn says_aadsts(&self, number: &str) -> bool {
        let codes = self.answer().get(name::ERROR_CODES).unwrap_or_default();
        let listed = codes.split(|c: char| !c.is_ascii_digit());
        let words = self.error_words();
        let mut said = words.split("aadsts").skip(1);
        let is_it = |text: &str| {
            let rest = text.strip_prefix(number);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        listed.into_iter().any(|code| code == number) || said.any(is_it)
    }

    /// What findings call the request.
    pub fn place(&self) -> &'static str {
        match self.step() {
            Step::AuthorizationRequest => "authorize",
            Step::BackchannelAuthenticationRequest => "ciba",
            Step::DeviceAuthorizationRequest => "device",
            Step::PushedAuthorizationRequest => "pushed",
            Step::TokenRequest => "token",
            step => step.as_str(),
        }
    }

    /// Whether the request was seen whole, so that something may be said to be missing from it.
    pub fn is_whole(&self) -> bool {
        is_seen(self.content())
    }

    /// The URL, without its query.
    pub fn url(&self) -> Option<&Url> {
        self.url
            .get_or_init(|| self.interaction.request().parsed_url())
            .as_ref()
    }

    /// The host of the endpoint.
    pub fn host(&self) -> &str {
        self.url().map(|url| url.host.as_str()).unwrap_or_default()
    }

    /// The path of the endpoint.
    pub fn path(&self) -> &str {
        self.url().map(|url| url.path.as_str()).unwrap_or_default()
    }
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A token came back.
    Accepted,
    /// An error came back.
    Failed,
    /// Nothing came back that says either.
    Unknown,
}

fn is_seen(content: Content<'_>) -> bool {
    !matches!(content, Content::Dropped(dropped) if DROPPED_UNSEEN.contains(&dropped.dropped))
}

const DROPPED_UNSEEN: &[DropReason] = &[
    DropReason::TooLarge,
    DropReason::Cut,
    DropReason::Encoded,
    DropReason::Binary,
    DropReason::Audit,
    DropReason::LedgerFull,
];
