//! PHP-VCR.

use serde_json::Value;

use crate::import::tape::Recording;
use crate::import::tape::tree::{self, Fault, base64, fields, form, status, text};
use crate::model::Headers;

pub(super) fn recording(one: &Value) -> Result<Recording, Fault> {
    let (request, response) = (&one["request"], &one["response"]);
    if request.get("post_files").is_some() {
        return Err("it sends files, which PHP-VCR does not keep");
    }
    let mut posted = Vec::new();
    post_fields(&mut posted, None, &request["post_fields"]);
    let answer_headers = fields(&response["headers"]);
    let (code, old) = (&response["status"]["code"], &response["status"]);
    Ok(Recording {
        method: text(&request["method"]),
        url: text(&request["url"]).ok_or("its request has no `url`")?,
        headers: fields(&request["headers"]),
        body: match request.get("body") {
            Some(body) => tree::body(body)?,
            None => form(posted.into_iter()).into_bytes(),
        },
        made: None,
        status: status(if code.is_null() { old } else { code })?,
        answer: match response["body"].as_str() {
            Some(body) if is_base64(&answer_headers) => base64(body)?,
            _ => tree::body(&response["body"])?,
        },
        answer_headers,
    })
}

/// As PHP names the members of what it posts: `a[b][0]`.
fn post_fields(posted: &mut Vec<(String, String)>, within: Option<&str>, value: &Value) {
    let mut member = |name: &str, value: &Value| {
        let name = within.map_or_else(|| name.to_owned(), |outer| format!("{outer}[{name}]"));
        post_fields(posted, Some(&name), value);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| member(name, value)),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(at, value)| member(&at.to_string(), value));
        }
        plain => {
            if let (Some(name), Some(value)) = (within, text(plain)) {
                posted.push((name.to_owned(), value));
            }
        }
    }
}

/// Nothing else in the file says so.
fn is_base64(headers: &Headers) -> bool {
    let says = |name, word| headers.get(name).is_some_and(|value| value.contains(word));
    says("content-type", "application/x-gzip") || says("content-transfer-encoding", "binary")
}
