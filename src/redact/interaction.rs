//! An interaction: one exchange after redaction, the only thing that is ever written or shown.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::{FailureKind, Framing, Headers, Params, Phase, Url};
use crate::oauth::facts::Facts;
use crate::oauth::fields::json_params;
use crate::oauth::{Step, name};
use crate::redact::content::{AbsentBody, Content, JsonWire, RecordedPart, content};
use crate::redact::entry::{Named, Seconds, table};
use crate::redact::form::RecordedForm;
use crate::redact::shape::Declaration;

/// One exchange after redaction, in the shape of the cassette file.
///
/// Only the `redact` module makes one from raw data; everybody else reads it, or reads it from a
/// cassette. Every text in it may hold labels (see [`crate::redact::Label`]).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interaction {
    pub(super) id: u64,
    pub(super) step: Step,
    /// Seconds since the recording began.
    pub(super) at: Seconds,
    pub(super) request: RecordedRequest,
    pub(super) response: Option<RecordedResponse>,
    pub(super) error: Option<RecordedError>,
    #[serde(default)]
    pub(super) facts: Facts,
    #[serde(default, deserialize_with = "table")]
    #[schemars(with = "BTreeMap<String, Declaration>")]
    pub(super) secrets: Vec<Named<Declaration>>,
}

impl Interaction {
    /// The order of the request's start, from 1.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The step of the protocol.
    pub fn step(&self) -> Step {
        self.step
    }

    /// When the request started, since the recording began.
    pub fn at(&self) -> Duration {
        self.at.0
    }

    /// What the client said.
    pub fn request(&self) -> &RecordedRequest {
        &self.request
    }

    /// What the server answered, where it did.
    pub fn response(&self) -> Option<&RecordedResponse> {
        self.response.as_ref()
    }

    /// What went wrong on the wire, if anything.
    pub fn error(&self) -> Option<&RecordedError> {
        self.error.as_ref()
    }

    /// How long an answer, or what came in its place, was waited for.
    pub fn took(&self) -> Duration {
        let answered = self.response.as_ref().map(|response| response.after.0);
        let failed = || self.error.as_ref().map(|error| error.after.0);
        answered.or_else(failed).unwrap_or_default()
    }

    /// What only the raw exchange could tell.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The secrets that were first seen in this interaction, by label without its `REDACTED-`.
    pub fn secrets(&self) -> &[Named<Declaration>] {
        &self.secrets
    }

    /// Whether something in it is not redacted.
    pub fn is_raw(&self) -> bool {
        let has_body = |body: &Option<AbsentBody>| match body {
            Some(AbsentBody::Dropped(dropped)) => {
                dropped.text.is_some() || dropped.base64.is_some()
            }
            _ => false,
        };
        has_body(&self.request.body)
            || self
                .response
                .as_ref()
                .is_some_and(|response| has_body(&response.body))
            || self
                .secrets
                .iter()
                .any(|secret| secret.value.value.is_some())
    }

    /// The same interaction with what came to be known of it later.
    #[must_use]
    pub fn with_facts(mut self, facts: Facts) -> Self {
        self.facts = facts;
        self
    }

    /// The same interaction under another number.
    #[must_use]
    pub fn renumbered(mut self, id: u64) -> Self {
        self.id = id;
        self
    }
}

/// The request of an interaction.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedRequest {
    pub(super) method: String,
    /// Without query and fragment.
    pub(super) url: String,
    pub(super) http: String,
    #[serde(default)]
    pub(super) query: Vec<Named<String>>,
    pub(super) raw_query: Option<String>,
    #[serde(default)]
    pub(super) headers: Vec<Named<String>>,
    /// The two halves of Basic credentials, decoded.
    pub(super) basic: Option<BasicCredentials>,
    pub(super) framing: Option<Framing>,
    #[serde(default)]
    pub(super) form: Vec<Named<String>>,
    pub(super) raw_form: Option<String>,
    pub(super) json: Option<String>,
    pub(super) wire: Option<JsonWire>,
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) multipart: Vec<RecordedPart>,
    pub(super) body: Option<AbsentBody>,
    /// The fields behind the body.
    #[serde(default)]
    pub(super) trailers: Vec<Named<String>>,
}

/// The response of an interaction.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedResponse {
    pub(super) status: u16,
    pub(super) reason: Option<String>,
    pub(super) http: Option<String>,
    /// Seconds from the request's start to the response's head.
    pub(super) after: Seconds,
    #[serde(default)]
    pub(super) headers: Vec<Named<String>>,
    pub(super) framing: Option<Framing>,
    #[serde(default)]
    pub(super) form: Vec<Named<String>>,
    pub(super) raw_form: Option<String>,
    pub(super) json: Option<String>,
    pub(super) wire: Option<JsonWire>,
    pub(super) text: Option<String>,
    pub(super) body: Option<AbsentBody>,
    /// The forms of a page whose body is dropped.
    #[serde(default)]
    pub(super) forms: Vec<RecordedForm>,
    /// The fields behind the body.
    #[serde(default)]
    pub(super) trailers: Vec<Named<String>>,
}

impl RecordedRequest {
    /// The method, as written.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL without query and fragment.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL in its parts; the query is not among them.
    pub fn parsed_url(&self) -> Option<Url> {
        Url::parse(&self.url)
    }

    /// `1.0`, `1.1` or `2`.
    pub fn http(&self) -> &str {
        &self.http
    }

    /// The query parameters, decoded once.
    pub fn query(&self) -> &[Named<String>] {
        &self.query
    }

    /// The query as it stood, where the parameters do not write back to the same bytes.
    pub fn raw_query(&self) -> Option<&str> {
        self.raw_query.as_deref()
    }

    /// The header fields.
    pub fn headers(&self) -> Headers {
        as_headers(&self.headers)
    }

    /// The header fields in the order of the file.
    pub fn header_fields(&self) -> &[Named<String>] {
        &self.headers
    }

    /// The fields behind the body, in the order of the file.
    pub fn trailer_fields(&self) -> &[Named<String>] {
        &self.trailers
    }

    /// The halves of Basic credentials, where they could be decoded.
    pub fn basic(&self) -> Option<&BasicCredentials> {
        self.basic.as_ref()
    }

    /// How the body's end was marked.
    pub fn framing(&self) -> Option<Framing> {
        self.framing
    }

    /// The body.
    pub fn content(&self) -> Content<'_> {
        let typed = content(
            &self.form,
            self.raw_form.as_deref(),
            self.json.as_deref(),
            self.wire,
        );
        match (typed, &self.text, &self.body) {
            (Some(content), _, _) => content,
            (None, Some(text), _) => Content::Text(text),
            (None, None, Some(absent)) => absent.content(),
            (None, None, None) if self.multipart.is_empty() => Content::None,
            (None, None, None) => Content::Multipart(&self.multipart),
        }
    }

    /// The parameters of the body, whatever it is: form pairs, multipart fields, or the string
    /// members of a JSON object.
    pub fn body_params(&self) -> Params {
        match self.content() {
            Content::Form { pairs, .. } => as_params(pairs),
            Content::Multipart(parts) => parts.iter().filter_map(RecordedPart::field).collect(),
            Content::Json { text, .. } => json_params(text),
            _ => Params::default(),
        }
    }

    /// The first value of a parameter, in the body or else in the query.
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        let in_body = match self.content() {
            Content::Form { pairs, .. } => first(pairs, name).map(Cow::Borrowed),
            _ => self
                .body_params()
                .get(name)
                .map(|value| Cow::Owned(value.to_owned())),
        };
        in_body.or_else(|| first(&self.query, name).map(Cow::Borrowed))
    }

    /// The parameters of the query.
    pub fn query_params(&self) -> Params {
        as_params(&self.query)
    }
}

impl RecordedResponse {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase, where it is not the usual one.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The version, where it is not the request's.
    pub fn http(&self) -> Option<&str> {
        self.http.as_deref()
    }

    /// From the request's start to the response's head.
    pub fn after(&self) -> Duration {
        self.after.0
    }

    /// The header fields in the order of the file.
    pub fn header_fields(&self) -> &[Named<String>] {
        &self.headers
    }

    /// The header fields.
    pub fn headers(&self) -> Headers {
        as_headers(&self.headers)
    }

    /// The fields behind the body, in the order of the file.
    pub fn trailer_fields(&self) -> &[Named<String>] {
        &self.trailers
    }

    /// How the body's end was marked.
    pub fn framing(&self) -> Option<Framing> {
        self.framing
    }

    /// The body.
    pub fn content(&self) -> Content<'_> {
        let typed = content(
            &self.form,
            self.raw_form.as_deref(),
            self.json.as_deref(),
            self.wire,
        );
        match (typed, &self.text, &self.body) {
            (Some(content), _, _) => content,
            (None, Some(text), _) => Content::Text(text),
            (None, None, Some(absent)) => absent.content(),
            (None, None, None) => Content::None,
        }
    }

    /// The forms of a page whose body was dropped.
    pub fn forms(&self) -> &[RecordedForm] {
        &self.forms
    }

    /// Where a browser is sent on to: by `Location`, or by a form that a script sends.
    pub fn locations(&self) -> Vec<String> {
        let moved = self.headers().get("location").map(str::to_owned);
        let sent = self.forms.iter().filter_map(RecordedForm::location);
        moved.into_iter().chain(sent).collect()
    }

    /// The members of a JSON object, or the pairs of a form, as parameters.
    pub fn body_params(&self) -> Params {
        match self.content() {
            Content::Form { pairs, .. } => as_params(pairs),
            Content::Json { text, .. } => json_params(text),
            _ => Params::default(),
        }
    }

    /// Whether it is an error response, whatever its status says.
    pub fn says_error(&self) -> bool {
        let may = match self.content() {
            Content::Json { text, .. } => text.contains(name::ERROR),
            Content::Form { .. } => true,
            _ => false,
        };
        may && self.body_params().has(name::ERROR)
    }
}

/// The `error:` of an interaction: a failure as an outcome.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedError {
    pub(super) kind: FailureKind,
    pub(super) phase: Phase,
    /// Seconds since the request started.
    pub(super) after: Seconds,
}

impl RecordedError {
    /// What happened.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// What was being done.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// When, since the request started.
    pub fn after(&self) -> Duration {
        self.after.0
    }
}

/// The halves of Basic credentials.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasicCredentials {
    /// What stands before the first colon.
    pub user: String,
    /// What stands behind it; `None` where there is no colon.
    pub password: Option<String>,
}

pub(super) fn as_headers(fields: &[Named<String>]) -> Headers {
    fields
        .iter()
        .map(|field| (field.name.clone(), field.value.clone()))
        .collect()
}

fn first<'a>(pairs: &'a [Named<String>], name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|pair| pair.name == name);
    found.map(|pair| pair.value.as_str())
}

fn as_params(pairs: &[Named<String>]) -> Params {
    pairs
        .iter()
        .map(|pair| (pair.name.clone(), pair.value.clone()))
        .collect()
}
