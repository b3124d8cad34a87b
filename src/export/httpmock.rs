//! httpmock's recordings: a document for each, by the proxy's rules.

use serde_json::{Value, json};

use crate::export::message::{Message, Messages};
use crate::export::yaml;
use crate::model::{Param, Params, percent_decode};
use crate::redact::Named;

/// The documents.
pub(super) fn write(messages: &Messages) -> String {
    let all = messages.all.iter().filter_map(document);
    all.map(|document| yaml::document(&document)).collect()
}

fn document(message: &Message) -> Option<Value> {
    let answer = message.answer.as_ref()?;
    let (_, path) = message.parts();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut when = json!({
        "method": message.method,
        "path": percent_decode(path),
    });
    let params = Params::parse(query);
    if !params.is_empty() {
        let param = |param: &Param| pair(&param.name, &param.value);
        when["query_param"] = params.iter().map(param).collect();
    }
    if !message.body.is_empty() {
        when["body"] = message.body.clone().into();
    }
    if let Some(kind) = message.media_type() {
        when["header"] = json!([pair("Content-Type", kind)]);
    }
    let (scheme, host, port) = message.target();
    when["scheme"] = scheme.into();
    when["host"] = host.into();
    when["port"] = port.into();
    let field = |field: &Named<String>| pair(&field.name, &field.value);
    let mut then = json!({
        "status": answer.status,
        "header": answer.headers.iter().map(field).collect::<Value>(),
    });
    if !answer.body.is_empty() {
        then["body"] = answer.body.clone().into();
    }
    Some(json!({ "when": when, "then": then }))
}

fn pair(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}
