//! VCR for Ruby, and Betamax, which writes the same as JSON.

use serde_json::Value;

use crate::import::tape::tree::{self, Fault, base64, fields, status, text};
use crate::import::tape::{Recording, time_of};

pub(super) fn recording(one: &Value) -> Result<Recording, Fault> {
    let (request, response) = (&one["request"], &one["response"]);
    Ok(Recording {
        method: text(&request["method"]),
        url: text(&request["uri"]).ok_or("its request has no `uri`")?,
        headers: fields(&request["headers"]),
        body: body(&request["body"])?,
        made: text(&one["recorded_at"]).as_deref().and_then(time_of),
        status: status(&response["status"]["code"])?,
        answer_headers: fields(&response["headers"]),
        answer: body(&response["body"])?,
    })
}

/// Text, as old files have it, or a map of it.
fn body(value: &Value) -> Result<Vec<u8>, Fault> {
    match (value["base64_string"].as_str(), value.get("string")) {
        (Some(text), _) => base64(text),
        (None, Some(text)) => tree::body(text),
        (None, None) if value.get("encoding").is_some() => Ok(Vec::new()),
        (None, None) => tree::body(value),
    }
}
