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
    let (_, path) = message.parts();
    // nock names the port always.
    let (scheme, host, port) = message.target();
    let headers = answer.headers.iter();
    let headers: Vec<_> = headers
        .flat_map(|field| [field.name.clone(), field.value.clone()])
        .collect();
    Some(json!({
        "scope": format!("{scheme}://{host}:{port}"),
        "method": message.method,
        "path": path,
        "body": message.body,
        "status": answer.status,
        "response": answer.body,
        "rawHeaders": headers,
        "responseIsBinary": false,
    }))
}
