//! httpmock's recordings: what a request has to be, and what it is answered.

use serde_json::Value;

use crate::import::tape::Recording;
use crate::import::tape::tree::{self, Fault, base64, fields, form, status, text, url};

pub(super) fn recording(one: &Value) -> Result<Recording, Fault> {
    let (when, then) = (&one["when"], &one["then"]);
    let host = text(&when["host"])
        .ok_or("it does not say whose answer it is; add `host: NAME` to its `when`")?;
    let scheme = text(&when["scheme"]).unwrap_or_else(|| "https".to_owned());
    let port = match (scheme.as_str(), text(&when["port"]).as_deref()) {
        // The port that goes without saying is said.
        (_, None) | ("https", Some("443")) | ("http", Some("80")) => String::new(),
        (_, Some(port)) => format!(":{port}"),
    };
    let path = text(&when["path"]).ok_or("its `when` has no `path`")?;
    Ok(Recording {
        method: text(&when["method"]),
        url: url(
            &scheme,
            &format!("{host}{port}"),
            &path,
            pairs(&when["query_param"]),
        ),
        headers: fields(&when["header"]),
        body: match when.get("form_urlencoded_tuple") {
            Some(posted) => form(pairs(posted)).into_bytes(),
            None => body(when)?,
        },
        made: None,
        status: status(&then["status"])?,
        answer_headers: fields(&then["header"]),
        answer: body(then)?,
    })
}

fn pairs(list: &Value) -> impl Iterator<Item = (String, String)> {
    let pair = |one: &Value| Some((text(&one["name"])?, text(&one["value"]).unwrap_or_default()));
    list.as_array().into_iter().flatten().filter_map(pair)
}

fn body(side: &Value) -> Result<Vec<u8>, Fault> {
    if side.get("body_from_file").is_some() {
        return Err("its body is in another file");
    }
    match side["body_base64"].as_str() {
        Some(text) => base64(text),
        None if side["body"].is_null() => tree::body(&side["json_body"]),
        None => tree::body(&side["body"]),
    }
}
