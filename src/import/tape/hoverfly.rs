//! Hoverfly's simulations, version 5: pairs whose matchers say exactly what was asked.

use serde_json::Value;

use crate::import::tape::Recording;
use crate::import::tape::tree::{self, Fault, base64, fields, form, status, text, url};

pub(super) fn recording(one: &Value) -> Result<Recording, Fault> {
    let (request, response) = (&one["request"], &one["response"]);
    let part = |name| exact(&request[name]);
    let host = part("destination").ok_or("its request has no exact `destination`")?;
    let scheme = part("scheme").unwrap_or_else(|| "https".to_owned());
    let path = part("path").ok_or("its request has no exact `path`")?;
    let text_of_answer = text(&response["body"]).unwrap_or_default();
    Ok(Recording {
        method: part("method"),
        url: url(&scheme, &host, &path, asked_for(&request["query"])),
        headers: each(&request["headers"]).collect(),
        body: asked(&request["body"])?,
        made: None,
        status: status(&response["status"])?,
        answer_headers: fields(&response["headers"]),
        answer: if response["encodedBody"] == true {
            base64(&text_of_answer)?
        } else {
            text_of_answer.into_bytes()
        },
    })
}

/// The value of matchers that leave nothing open.
fn exact(matchers: &Value) -> Option<String> {
    let mut matchers = matchers.as_array()?.iter();
    let exact = matchers.find(|one| one["matcher"] == "exact")?;
    text(&exact["value"])
}

fn each(members: &Value) -> impl Iterator<Item = (String, String)> {
    let members = members.as_object().into_iter().flatten();
    members.filter_map(|(name, matchers)| Some((name.clone(), exact(matchers)?)))
}

/// The parameters of a query; several of one name are a list, or stand in one value behind each other.
fn asked_for(query: &Value) -> impl Iterator<Item = (String, String)> {
    let members = query.as_object().into_iter().flatten();
    members.flat_map(|(name, matchers)| {
        let list = matchers.as_array().into_iter().flatten();
        let mut list = list.filter(|one| one["matcher"] == "array");
        let list = list.find_map(|one| one["value"].as_array());
        let values: Vec<_> = match list {
            Some(values) => values.iter().filter_map(text).collect(),
            None => exact(matchers)
                .iter()
                .flat_map(|values| values.split(';'))
                .map(str::to_owned)
                .collect(),
        };
        values.into_iter().map(|value| (name.clone(), value))
    })
}

/// A body by an exact matcher, one of JSON or the fields of a form.
fn asked(matchers: &Value) -> Result<Vec<u8>, Fault> {
    let Some(one) = matchers.as_array().and_then(|matchers| matchers.first()) else {
        return Ok(Vec::new());
    };
    match one["matcher"].as_str() {
        Some("exact" | "json") => tree::body(&one["value"]),
        Some("form") => Ok(form(each(&one["value"])).into_bytes()),
        _ => Err("its request's body has a matcher that leaves open what was sent"),
    }
}
