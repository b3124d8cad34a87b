//! The recordings of Azure SDK's test proxy.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::export::message::{Message, Messages, one_or_many};
use crate::model::is_text_type;
use crate::redact::{Named, inert};

/// The recording.
pub(super) fn write(messages: &Messages) -> String {
    let entries: Vec<_> = messages.all.iter().filter_map(entry).collect();
    let file = json!({ "Entries": entries, "Variables": {} });
    inert(&format!("{file:#}\n")).into_owned()
}

fn entry(message: &Message) -> Option<Value> {
    let answer = message.answer.as_ref()?;
    Some(json!({
        "RequestUri": message.url,
        "RequestMethod": message.method,
        "RequestHeaders": one_or_many(&message.headers),
        "RequestBody": body(&message.body, &message.headers),
        "StatusCode": answer.status,
        "ResponseHeaders": one_or_many(&answer.headers),
        "ResponseBody": body(&answer.body, &answer.headers),
    }))
}

/// JSON stands in the file as it is, and what its type does not call a text in base64.
fn body(text: &str, headers: &[Named<String>]) -> Value {
    let is_kind = |field: &&Named<String>| field.name.eq_ignore_ascii_case("content-type");
    let kind = headers.iter().find(is_kind);
    let kind = kind.map(|field| field.value.to_ascii_lowercase());
    let is_json = kind.as_ref().is_some_and(|kind| kind.contains("json"));
    let tree = serde_json::from_str(text).ok();
    match tree.filter(|tree: &Value| is_json && (tree.is_object() || tree.is_number())) {
        Some(tree) => tree,
        None if text.is_empty() => Value::Null,
        None if kind.is_none_or(|kind| is_text_type(&kind)) => text.into(),
        None => STANDARD.encode(text).into(),
    }
}
