//! VCR for Python.

use serde_json::Value;

use crate::import::tape::Recording;
use crate::import::tape::tree::{Fault, body, fields, parts, status, text};

pub(super) fn recording(one: &Value) -> Result<Recording, Fault> {
    let (request, response) = (&one["request"], &one["response"]);
    Ok(Recording {
        method: text(&request["method"]),
        url: text(&request["uri"]).ok_or("its request has no `uri`")?,
        headers: fields(&request["headers"]),
        body: parts(&request["body"])?,
        made: None,
        status: status(&response["status"]["code"])?,
        answer_headers: fields(&response["headers"]),
        answer: body(&response["body"]["string"])?,
    })
}
