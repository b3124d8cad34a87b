//! The recordings of Azure SDK's test proxy.

use serde_json::Value;

use crate::import::tape::Recording;
use crate::import::tape::tree::{Fault, base64, fields, parts, status, text};
use crate::model::{Headers, is_text_type};

pub(super) fn recording(one: &Value) -> Result<Recording, Fault> {
    let headers = fields(&one["RequestHeaders"]);
    let answer_headers = fields(&one["ResponseHeaders"]);
    Ok(Recording {
        method: text(&one["RequestMethod"]),
        url: text(&one["RequestUri"]).ok_or("it has no `RequestUri`")?,
        body: body(&one["RequestBody"], &headers)?,
        headers,
        made: None,
        status: status(&one["StatusCode"])?,
        answer: body(&one["ResponseBody"], &answer_headers)?,
        answer_headers,
    })
}

/// A text or its lines, JSON as a tree; base64 where the type is none of a text.
fn body(value: &Value, headers: &Headers) -> Result<Vec<u8>, Fault> {
    let is_text = headers.get("content-type").is_none_or(is_text_type);
    match value.as_str() {
        Some(body) if !is_text => base64(body),
        _ => parts(value),
    }
}
