//! nock's definitions, as its recorder writes them with `output_objects`.

use serde_json::Value;

use crate::import::tape::Recording;
use crate::import::tape::tree::{self, Fault, fields, status, text};
use crate::model::Headers;

pub(super) fn recording(one: &Value) -> Result<Recording, Fault> {
    let scope = text(&one["scope"]).ok_or("it has no `scope`")?;
    // The port that goes without saying is said.
    let scope = match scope.split_once("://") {
        Some(("https", _)) => scope.trim_end_matches(":443"),
        Some(("http", _)) => scope.trim_end_matches(":80"),
        _ => &scope,
    };
    let path = text(&one["path"]).ok_or("it has no `path`")?;
    let code = &one["status"];
    let answer_headers = raw_headers(&one["rawHeaders"]);
    Ok(Recording {
        method: text(&one["method"]).filter(|method| !method.is_empty()),
        url: format!("{scope}{path}"),
        headers: fields(&one["reqheaders"]),
        body: tree::body(&one["body"])?,
        made: None,
        status: if code.is_null() { 200 } else { status(code)? },
        answer: answer(one, &answer_headers)?,
        answer_headers,
    })
}

/// A list of names and values by turns, or since version 15 a map.
fn raw_headers(value: &Value) -> Headers {
    let Some(flat) = value.as_array() else {
        return fields(value);
    };
    let pairs = flat.chunks_exact(2);
    let pairs = pairs.filter_map(|pair| Some((text(&pair[0])?, text(&pair[1])?)));
    pairs.collect()
}

/// What is coded or no text is in the digits of its bytes, in one run or several.
fn answer(one: &Value, headers: &Headers) -> Result<Vec<u8>, Fault> {
    let is_binary = one["responseIsBinary"] == true;
    let is_coded = headers.get("content-encoding").is_some();
    let digits: Option<String> = match &one["response"] {
        Value::String(digits) => Some(digits.clone()),
        Value::Array(chunks) => chunks.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let digits = digits.filter(|_| is_binary || is_coded);
    match digits.as_deref().and_then(hex) {
        Some(bytes) => Ok(bytes),
        None if is_binary => Err("its answer should be in hexadecimal digits and is not"),
        None => tree::body(&one["response"]),
    }
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| match pair {
        [_, _] => u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok(),
        _ => None,
    };
    pairs.map(byte).collect()
}
