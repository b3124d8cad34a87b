//! A recorded response taken apart once: each answer only fills it in.

use crate::redact::{Content, JsonWire, Named, Piece, RecordedResponse, minify, pieces};
use crate::replay::clock::Times;
use crate::replay::jwks::Ring;

/// What of a recorded response is the same in every answer.
pub(super) struct Template {
    /// The header fields that are sent.
    pub(super) fields: Vec<Field>,
    /// The JSON that is the body, where it is one.
    pub(super) json: Option<Json>,
}

/// A header field.
pub(super) struct Field {
    /// Its name as it was recorded.
    pub(super) recorded: String,
    pub(super) name: Vec<Piece>,
    pub(super) value: Vec<Piece>,
    /// Whether the value is a URL, or holds some.
    pub(super) is_url: bool,
}

/// A JSON text.
pub(super) enum Json {
    /// One that is the same at any time.
    Still(Vec<Piece>),
    /// One that says points in time.
    Moving(String),
}

impl Template {
    /// Takes a response apart, whose sets of keys are served with those of the ring.
    pub(super) fn of(recorded: &RecordedResponse, keys: &Ring, times: Times) -> Self {
        let has_page = !recorded.forms().is_empty();
        let is_sent = |field: &&Named<String>| {
            // The body is stored, and sent, without its content coding; and a policy for the
            // scripts of another page would forbid the one that sends a form of ours.
            let name = field.name.to_ascii_lowercase();
            name != "content-encoding" && !(has_page && name.starts_with("content-security-policy"))
        };
        let fields = recorded.header_fields().iter().filter(is_sent);
        let json = match recorded.content() {
            Content::Json { text, wire } => Some(json(text, wire, keys, times)),
            _ => None,
        };
        Self {
            fields: fields.map(Field::of).collect(),
            json,
        }
    }
}

impl Field {
    fn of(recorded: &Named<String>) -> Self {
        let name = recorded.name.to_ascii_lowercase();
        Self {
            recorded: recorded.name.clone(),
            name: pieces(&recorded.name),
            value: pieces(&recorded.value),
            is_url: ["location", "content-location", "link"].contains(&name.as_str()),
        }
    }
}

fn json(text: &str, wire: JsonWire, keys: &Ring, times: Times) -> Json {
    let text = match (keys.served(text, wire), wire) {
        (Some(set), _) => set,
        (None, JsonWire::Compact) => minify(text),
        (None, JsonWire::Exact) => text.to_owned(),
    };
    if times.moves(&text) {
        Json::Moving(text)
    } else {
        Json::Still(pieces(&text))
    }
}
