//! The parameters of a raw message, wherever and in whatever format they stand.

use serde_json::Value;

use crate::model::{Captured, Params, Said, multipart};
use crate::oauth::sniff::{Sniff, boundary, sniff};

/// The parameters of a raw request, by place.
pub struct Fields {
    /// What the body really is.
    pub sniff: Sniff,
    /// The query's parameters.
    pub query: Params,
    /// The body's parameters, be it a form, a JSON object or multipart.
    pub body: Params,
}

impl Fields {
    /// Reads a request.
    pub fn of(said: &Said) -> Self {
        Self {
            sniff: sniff(&said.body.bytes),
            query: Params::parse(said.url.query.as_deref().unwrap_or_default()),
            body: body_params(&said.body),
        }
    }

    /// The first value of a name, in the body or else in the query.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.body.get(name).or_else(|| self.query.get(name))
    }

    /// Whether the name stands anywhere.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// The parameters of a body: form pairs, members of a JSON object, or fields of a multipart form.
pub fn body_params(body: &Captured) -> Params {
    let Ok(text) = std::str::from_utf8(&body.bytes) else {
        return Params::default();
    };
    match sniff(&body.bytes) {
        Sniff::Form | Sniff::FormHtmlAmp => Params::parse(text.trim_end_matches(['\r', '\n'])),
        Sniff::Json => json_params(text),
        Sniff::Multipart => multipart_params(&body.bytes),
        _ => Params::default(),
    }
}

/// The JSON object of a body, where it is one.
pub fn json_object(body: &Captured) -> Option<serde_json::Map<String, Value>> {
    match serde_json::from_slice(&body.bytes).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// The members of a JSON object as parameters; what is no string keeps its spelling as JSON.
pub fn json_params(text: &str) -> Params {
    let Ok(Value::Object(members)) = serde_json::from_str(text) else {
        return Params::default();
    };
    let member = |(name, value): (String, Value)| match value {
        Value::String(text) => (name, text),
        other => (name, other.to_string()),
    };
    members.into_iter().map(member).collect()
}

fn multipart_params(bytes: &[u8]) -> Params {
    let parts = boundary(bytes).and_then(|boundary| multipart::parts(bytes, boundary));
    let field = |part: &multipart::Part<'_>| {
        let value = std::str::from_utf8(part.content).ok()?;
        Some((part.name()?.to_owned(), value.to_owned()))
    };
    parts.unwrap_or_default().iter().filter_map(field).collect()
}
