//! nock for Node: a list of definitions, as its recorder writes them with `output_objects`.

use serde_json::{Value, json};

use crate::export::message::{Message, Messages};
use crate::redact::inert;

/// The definitions.
pub(super) fn write(messages: &Messages) -> String {
    let all: Vec<_> = messages.all.iter().filter_map(definition).collect();
    inert(&format!("{:#}\n", Value::from(all))).into_owned()
}

fn definition(message: &Message) -> Option<Value> {
    let answer = message.answer.as_ref()?;
    let (origin, path) = message.parts();
    let behind = origin.find("://").map_or(0, |at| at + 3);
    let port = match origin {
        // nock names the port always.
        origin if origin[behind..].contains(':') => "",
        origin if origin.starts_with("https") => ":443",
        _ => ":80",
    };
    let headers = answer.headers.iter();
    let headers: Vec<_> = headers
        .flat_map(|field| [field.name.clone(), field.value.clone()])
        .collect();
    Some(json!({
        "scope": format!("{origin}{port}"),
        "method": message.method,
        "path": path,
        "body": message.body,
        "status": answer.status,
        "response": answer.body,
        "rawHeaders": headers,
        "responseIsBinary": false,
    }))
}
