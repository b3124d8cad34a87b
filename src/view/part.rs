//! A message in its parts: what is named in it, where that stands, and its value.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::model::{Params, words};
use crate::oauth::name;
use crate::redact::{
    Content, Interaction, Named, RecordedForm, RecordedRequest, RecordedResponse, cores, minify,
};

words! {
    /// Where in a message a part stands.
    Place {
        /// In the query of the URL.
        Query = "query",
        /// In a header field.
        Header = "header",
        /// In the credentials behind `Basic`.
        Basic = "basic",
        /// In the body.
        Body = "body",
        /// In the query of the address that a browser is sent on to.
        Target = "target",
        /// Behind that address, where no server sees it.
        Fragment = "fragment",
        /// In a JWT.
        Jwt = "jwt",
        /// On a page.
        Page = "page",
        /// Behind the body.
        Trailer = "trailer",
    }
}

/// Which of its two messages a part of an interaction is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Side {
    Request,
    Answer,
}

/// One named part of a message; its texts may hold labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) place: Place,
    pub(super) name: Cow<'a, str>,
    pub(super) value: Cow<'a, str>,
}

/// The two messages of an interaction, taken apart.
pub(super) struct Parts<'a> {
    pub(super) interaction: &'a Interaction,
    pub(super) request: Vec<Part<'a>>,
    pub(super) answer: Vec<Part<'a>>,
    /// Where a browser is sent on to, without query and fragment.
    pub(super) target: Option<String>,
}

impl<'a> Part<'a> {
    fn new(place: Place, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        Self {
            place,
            name: name.into(),
            value: value.into(),
        }
    }

    /// What it is called, by people, too.
    pub(super) fn title(&self) -> &str {
        if self.name.is_empty() {
            "(no name)"
        } else {
            &self.name
        }
    }

    /// Whether it is the header field of that name.
    pub(super) fn is_header(&self, name: &str) -> bool {
        self.place == Place::Header && self.name.eq_ignore_ascii_case(name)
    }
}

impl<'a> Parts<'a> {
    pub(super) fn of(interaction: &'a Interaction) -> Self {
        let mut request = of_request(interaction.request());
        let (mut answer, target) = interaction.response().map(of_response).unwrap_or_default();
        for secret in interaction.secrets() {
            let declared = &secret.value;
            let sets = [
                (&declared.jwt_header, "header "),
                (&declared.jwt_claims, ""),
            ];
            let claims = sets.into_iter().filter_map(|(set, word)| {
                let set: Map<String, Value> = serde_json::from_str(set.as_deref()?).ok()?;
                Some((set, word))
            });
            let kind = secret.name.rsplit_once('-').map_or("", |(kind, _)| kind);
            let holds = |part: &Part<'_>| cores(&part.value).any(|core| core.key() == secret.name);
            for (set, word) in claims {
                let claims = set.into_iter().map(|(claim, value)| {
                    let name = format!("{kind} {word}{claim}");
                    Part::new(Place::Jwt, name, spelt(&value))
                });
                if request.iter().any(holds) {
                    request.extend(claims);
                } else {
                    answer.extend(claims);
                }
            }
        }
        Self {
            interaction,
            request,
            answer,
            target,
        }
    }

    pub(super) fn side(&self, side: Side) -> &[Part<'a>] {
        match side {
            Side::Request => &self.request,
            Side::Answer => &self.answer,
        }
    }

    /// The first value of a parameter of the request.
    pub(super) fn asked(&self, name: &str) -> Option<&str> {
        value(&self.request, name)
    }

    /// The first value of a parameter of the answer.
    pub(super) fn answered(&self, name: &str) -> Option<&str> {
        value(&self.answer, name)
    }

    /// The error code of the answer, or of what the browser is sent on with.
    pub(super) fn oauth_error(&self) -> Option<&str> {
        self.answered(name::ERROR)
    }

    /// Whether it came to nothing.
    pub(super) fn is_failed(&self) -> bool {
        let status = self.interaction.response().map(RecordedResponse::status);
        self.interaction.error().is_some()
            || status.is_some_and(|status| status >= 400)
            || self.oauth_error().is_some()
    }
}

fn value<'p>(parts: &'p [Part<'_>], name: &str) -> Option<&'p str> {
    const PARAMETERS: &[Place] = &[Place::Query, Place::Body, Place::Target, Place::Fragment];
    let mut all = parts.iter();
    let found = all.find(|part| PARAMETERS.contains(&part.place) && part.name == name);
    found.map(|part| part.value.as_ref())
}

/// What a body is, in a word.
pub(super) fn format_of(content: Content<'_>) -> Cow<'static, str> {
    match content {
        Content::None => "none".into(),
        Content::Empty => "empty".into(),
        Content::Form { .. } => "form".into(),
        Content::Json { .. } => "JSON".into(),
        Content::Text(_) => "text".into(),
        Content::Multipart(_) => "multipart".into(),
        Content::Dropped(dropped) => {
            let why = dropped.dropped.as_str().replace('_', " ");
            format!("not kept ({why})").into()
        }
    }
}

fn of_request(request: &RecordedRequest) -> Vec<Part<'_>> {
    let mut parts = pairs(Place::Query, request.query());
    let raw = request.raw_query();
    parts.extend(raw.map(|raw| Part::new(Place::Query, AS_WRITTEN, raw)));
    parts.extend(pairs(Place::Header, request.header_fields()));
    if let Some(basic) = request.basic() {
        parts.push(Part::new(Place::Basic, "user", basic.user.as_str()));
        let password = basic.password.as_deref();
        parts.extend(password.map(|password| Part::new(Place::Basic, name::PASSWORD, password)));
    }
    parts.extend(of_body(request.content()));
    parts.extend(pairs(Place::Trailer, request.trailer_fields()));
    parts
}

fn of_response(response: &RecordedResponse) -> (Vec<Part<'_>>, Option<String>) {
    let fields = response.header_fields().iter();
    let kept = fields.filter(|field| !field.name.eq_ignore_ascii_case("location"));
    let mut parts: Vec<_> = kept.map(|field| pair(Place::Header, field)).collect();
    let mut target = None;
    for location in response.locations() {
        let (rest, fragment) = split(&location, '#');
        let (address, query) = split(rest, '?');
        parts.extend(owned(Place::Target, query));
        parts.extend(owned(Place::Fragment, fragment));
        target.get_or_insert_with(|| address.to_owned());
    }
    parts.extend(of_body(response.content()));
    parts.extend(response.forms().iter().map(of_form));
    parts.extend(pairs(Place::Trailer, response.trailer_fields()));
    (parts, target)
}

fn of_body(content: Content<'_>) -> Vec<Part<'_>> {
    match content {
        Content::Form { pairs: all, raw } => {
            let raw = raw.map(|raw| Part::new(Place::Body, AS_WRITTEN, raw));
            pairs(Place::Body, all).into_iter().chain(raw).collect()
        }
        Content::Json { text, .. } => match serde_json::from_str::<Map<String, Value>>(text) {
            Ok(members) => {
                let part = |(name, value)| Part::new(Place::Body, name, spelt(&value));
                members.into_iter().map(part).collect()
            }
            Err(_) => vec![Part::new(Place::Body, "(JSON)", minify(text))],
        },
        Content::Text(text) => vec![Part::new(Place::Body, "(text)", text)],
        Content::Multipart(all) => {
            let field = |(name, value)| Part::new(Place::Body, name, value);
            let fields = all.iter().filter_map(|part| part.field().map(field));
            fields.collect()
        }
        Content::None | Content::Empty | Content::Dropped(_) => Vec::new(),
    }
}

fn of_form(form: &RecordedForm) -> Part<'_> {
    let fields: Vec<_> = form
        .fields()
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    let to = match form.action() {
        "" => String::new(),
        action => format!(" to {action}"),
    };
    Part::new(Place::Page, "form", format!("{}{to}", fields.join(", ")))
}

fn pair(place: Place, pair: &Named<String>) -> Part<'_> {
    Part::new(place, pair.name.as_str(), pair.value.as_str())
}

fn pairs(place: Place, all: &[Named<String>]) -> Vec<Part<'_>> {
    all.iter().map(|named| pair(place, named)).collect()
}

fn owned(place: Place, query: &str) -> Vec<Part<'static>> {
    let all = Params::parse(query);
    let part = |(name, value): (String, String)| Part::new(place, name, value);
    let both = all
        .iter()
        .map(|param| (param.name.clone(), param.value.clone()));
    both.map(part).collect()
}

fn split(text: &str, at: char) -> (&str, &str) {
    text.split_once(at).unwrap_or((text, ""))
}

/// A string as it is, anything else as JSON spells it.
fn spelt(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What a query or a body is called that cannot be written again from its pairs.
const AS_WRITTEN: &str = "(as written)";
