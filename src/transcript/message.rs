//! A message of a transcript: what of it is the same whenever the same is said.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::model::Params;
use crate::oauth::Step;
use crate::redact::{
    Content, Interaction, Label, Named, Piece, RecordedPart, RecordedRequest, RecordedResponse,
    pieces,
};
use crate::replay::is_point_in_time;

/// A request, or a response.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Message {
    /// Method and URL without its query, or the status and where it leads to.
    pub line: String,
    /// Its parameters and those of its header fields that say something, by place and name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// A JSON body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// Any other body, in a word or two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// A parameter, or a header field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Where it stands: `query`, `header`, `basic`, `form`, `part`, `fragment`.
    pub place: &'static str,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What number each secret has that was told so far: labels are numbered by first appearance in the
/// text, whatever order they came in.
#[derive(Default)]
pub(super) struct Numbers {
    of: BTreeMap<(String, u32), u32>,
    last: BTreeMap<String, u32>,
}

impl Numbers {
    /// A text with its labels as people read them, without what differs between runs.
    pub(super) fn shown(&mut self, text: &str) -> String {
        let pieces = pieces(text).into_iter();
        let shown = pieces.map(|piece| match piece {
            Piece::Literal(text) => text,
            Piece::Label(label) => self.numbered(label).short(),
        });
        place_of_loopback(&shown.collect::<String>())
    }

    fn numbered(&mut self, label: Label) -> Label {
        let number = self.of.entry((label.kind.clone(), label.number));
        let number = *number.or_insert_with(|| {
            let last = self.last.entry(label.kind.clone()).or_default();
            *last += 1;
            *last
        });
        Label { number, ..label }
    }
}

impl Message {
    pub(super) fn of_request(interaction: &Interaction, numbers: &mut Numbers) -> Self {
        let request = interaction.request();
        let mut message = Self {
            line: format!("{} {}", request.method(), request.url()),
            ..Self::default()
        };
        message.pairs("query", request.query());
        message.headers(request.header_fields(), ASKED);
        message.basic(request);
        message.take_body(request.content(), interaction.step());
        if let Some(json) = &mut message.json {
            json.sort_all_objects();
        }
        message.shown(numbers)
    }

    pub(super) fn of_response(interaction: &Interaction, numbers: &mut Numbers) -> Option<Self> {
        let response = interaction.response()?;
        let mut message = Self {
            line: response.status().to_string(),
            ..Self::default()
        };
        message.headers(response.header_fields(), ANSWERED);
        message.lead(response);
        message.take_body(response.content(), interaction.step());
        Some(message.shown(numbers))
    }

    /// By name within each place: their order says nothing, and is another in each run where a
    /// language's maps have none.
    fn shown(mut self, numbers: &mut Numbers) -> Self {
        let place = |field: &Field| PLACES.iter().position(|place| *place == field.place);
        self.fields
            .sort_by(|one, other| (place(one), &one.name).cmp(&(place(other), &other.name)));
        self.line = numbers.shown(&self.line);
        for field in &mut self.fields {
            field.name = numbers.shown(&field.name);
            field.value = numbers.shown(&field.value);
        }
        self.json = self.json.map(|json| stable(json, numbers));
        self.body = self.body.map(|body| numbers.shown(&body));
        self
    }

    fn pairs(&mut self, place: &'static str, pairs: &[Named<String>]) {
        let pairs = pairs.iter();
        self.fields.extend(pairs.map(|pair| Field {
            place,
            name: pair.name.clone(),
            value: pair.value.clone(),
        }));
    }

    fn params(&mut self, place: &'static str, text: &str) {
        let params = Params::parse(text);
        self.fields.extend(params.iter().map(|param| Field {
            place,
            name: param.name.clone(),
            value: param.value.clone(),
        }));
    }

    fn headers(&mut self, fields: &[Named<String>], kept: &[&str]) {
        let is_kept = |field: &&Named<String>| {
            kept.iter()
                .any(|kept| field.name.eq_ignore_ascii_case(kept))
        };
        let kept: Vec<_> = fields.iter().filter(is_kept).collect();
        self.fields.extend(kept.into_iter().map(|field| Field {
            place: "header",
            // Its case is the library's that sent it.
            name: field.name.to_ascii_lowercase(),
            value: header_value(field),
        }));
    }

    fn basic(&mut self, request: &RecordedRequest) {
        let Some(basic) = request.basic() else { return };
        let halves = [
            ("user", Some(&basic.user)),
            ("password", basic.password.as_ref()),
        ];
        let halves = halves
            .into_iter()
            .filter_map(|(half, value)| Some((half, value?)));
        self.fields.extend(halves.map(|(half, value)| Field {
            place: "basic",
            name: half.to_owned(),
            value: value.clone(),
        }));
    }

    /// Where a browser is sent on to.
    fn lead(&mut self, response: &RecordedResponse) {
        let Some(location) = response.locations().into_iter().next() else {
            return;
        };
        let (rest, fragment) = location.split_once('#').unwrap_or((&location, ""));
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        self.line = format!("{} {address}", self.line);
        self.params("query", query);
        self.params("fragment", fragment);
    }

    fn take_body(&mut self, content: Content<'_>, step: Step) {
        match content {
            Content::None => {}
            Content::Empty => self.body = Some("empty".to_owned()),
            Content::Form { pairs, raw } => {
                self.pairs("form", pairs);
                self.body = raw.map(str::to_owned);
            }
            // What a server says of itself is long, and is the cassette's.
            Content::Json { .. } if is_metadata(step) => self.body = Some("metadata".to_owned()),
            Content::Json { text, .. } => match serde_json::from_str(text) {
                Ok(value) => self.json = Some(value),
                Err(_) => self.body = Some(text.to_owned()),
            },
            Content::Text(text) => self.body = Some(text.to_owned()),
            Content::Multipart(parts) => {
                let fields = parts.iter().filter_map(RecordedPart::field);
                self.fields.extend(fields.map(|(name, value)| Field {
                    place: "part",
                    name,
                    value,
                }));
            }
            Content::Dropped(dropped) => {
                self.body = Some(format!(
                    "not kept ({})",
                    dropped.dropped.as_str().replace('_', " ")
                ));
            }
        }
    }
}

fn is_metadata(step: Step) -> bool {
    matches!(
        step,
        Step::Discovery | Step::Jwks | Step::ProtectedResourceMetadata
    )
}

/// A header field's value; of a body's type without its boundary, which is another each time.
fn header_value(field: &Named<String>) -> String {
    let kind = field.value.split_once("; boundary=");
    kind.map_or(field.value.as_str(), |(kind, _)| kind)
        .to_owned()
}

/// A text with `<port>` for the ports of this machine, which are others in each run.
pub(super) fn place_of_loopback(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, host)) = next_loopback(rest) {
        let (before, behind) = rest.split_at(at + host);
        out.push_str(before);
        let port = behind.strip_prefix(':').map_or("", |port| {
            let end = port
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(port.len());
            &port[..end]
        });
        if port.is_empty() {
            rest = behind;
        } else {
            out.push_str(":<port>");
            rest = &behind[port.len() + 1..];
        }
    }
    out + rest
}

/// Where a loopback host begins, and how long it is.
fn next_loopback(text: &str) -> Option<(usize, usize)> {
    let found = LOOPBACK
        .iter()
        .filter_map(|host| Some((text.find(host)?, host.len())));
    found.min()
}

/// JSON without what differs between runs.
fn stable(value: Value, numbers: &mut Numbers) -> Value {
    match value {
        Value::String(text) if is_point_in_time(&text) => TIME.into(),
        Value::String(text) => numbers.shown(&text).into(),
        Value::Number(number) if is_point_in_time(&number.to_string()) => TIME.into(),
        Value::Array(items) => {
            let items = items.into_iter();
            items.map(|item| stable(item, numbers)).collect()
        }
        Value::Object(members) => {
            let members = members.into_iter();
            members
                .map(|(name, value)| (numbers.shown(&name), stable(value, numbers)))
                .collect()
        }
        other => other,
    }
}

/// Where fields stand, in the order in which they are told.
const PLACES: &[&str] = &["query", "fragment", "header", "basic", "form", "part"];
/// The header fields of a request that a client sets on purpose.
const ASKED: &[&str] = &["accept", "authorization", "content-type", "dpop"];
const ANSWERED: &[&str] = &["content-type", "retry-after", "www-authenticate"];
const LOOPBACK: &[&str] = &["127.0.0.1", "[::1]", "localhost"];
const TIME: &str = "<time>";
