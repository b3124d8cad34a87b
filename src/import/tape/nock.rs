//! nock's definitions, as its recorder writes them with `output_objects`.

use serde::Deserialize;
use serde_json::Value;

use crate::import::tape::{Error, Fields, Recording};
use crate::model::Headers;

/// Reads them.
pub(super) fn read(text: &str) -> Result<Vec<Recording>, Error> {
    let all: Vec<Definition> = serde_json::from_str(text).map_err(|error| Error::Format {
        format: "nock",
        line: error.line() as u64,
        column: error.column() as u64,
    })?;
    Ok(all.into_iter().map(Recording::from).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    scope: String,
    #[serde(default)]
    method: String,
    path: String,
    #[serde(default)]
    body: Value,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    response: Value,
    raw_headers: Option<RawHeaders>,
    reqheaders: Option<Fields>,
}

/// A list of names and values by turns, or since version 15 a map.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawHeaders {
    List(Vec<String>),
    Map(Fields),
}

impl From<Definition> for Recording {
    fn from(one: Definition) -> Self {
        let answer_headers = match one.raw_headers {
            Some(RawHeaders::List(flat)) => {
                let pairs = flat.chunks_exact(2);
                pairs
                    .map(|pair| (pair[0].clone(), pair[1].clone()))
                    .collect()
            }
            Some(RawHeaders::Map(fields)) => fields.into(),
            None => Headers::new(),
        };
        // The port that goes without saying is said.
        let scope = match one.scope.split_once("://") {
            Some(("https", _)) => one.scope.trim_end_matches(":443"),
            Some(("http", _)) => one.scope.trim_end_matches(":80"),
            _ => &one.scope,
        };
        Self {
            method: if one.method.is_empty() {
                "GET".to_owned()
            } else {
                one.method
            },
            url: format!("{scope}{}", one.path),
            headers: one.reqheaders.unwrap_or_default().into(),
            body: text(one.body),
            made: None,
            status: one.status,
            answer_headers,
            answer: text(one.response),
        }
    }
}

/// A body that was JSON is a tree; an empty text is no body.
fn text(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        tree => tree.to_string(),
    }
}

fn ok() -> u16 {
    200
}
