//! go-vcr, formats 1 and 2.

use serde_json::Value;

use crate::import::tape::Recording;
use crate::import::tape::tree::{Fault, body, fields, status, text};

pub(super) fn recording(one: &Value) -> Result<Recording, Fault> {
    let (request, response) = (&one["request"], &one["response"]);
    Ok(Recording {
        method: text(&request["method"]),
        url: text(&request["url"]).ok_or("its request has no `url`")?,
        headers: fields(&request["headers"]),
        body: body(&request["body"])?,
        made: None,
        status: status(&response["code"])?,
        answer_headers: fields(&response["headers"]),
        answer: body(&response["body"])?,
    })
}
