//! PHP-VCR: a list, which its reader takes apart at the lines that begin with a dash.

use serde_json::{Map, Value, json};

use crate::export::message::{Message, Messages, by_name, one_or_many, turns};
use crate::export::yaml;
use crate::redact::Named;

/// The cassette.
pub(super) fn write(messages: &Messages) -> String {
    let key = |message: &Message| {
        [&message.method, &message.url, &message.body]
            .map(String::as_str)
            .join(" ")
    };
    let keys: Vec<_> = messages.all.iter().map(key).collect();
    let all = messages.all.iter().zip(turns(&keys));
    yaml::items(all.map(|(message, (index, _))| interaction(message, index)))
}

fn interaction(message: &Message, index: usize) -> Value {
    let mut request = json!({
        "method": message.method,
        "url": message.url,
        "headers": joined(&message.headers),
    });
    if !message.body.is_empty() {
        request["body"] = message.body.clone().into();
    }
    let mut interaction = json!({ "request": request });
    if let Some(answer) = &message.answer {
        interaction["response"] = json!({
            "status": { "code": answer.status, "message": answer.reason },
            "headers": one_or_many(&answer.headers),
            "body": answer.body,
        });
    }
    interaction["index"] = index.into();
    interaction
}

/// Its requests have one value for each name.
fn joined(headers: &[Named<String>]) -> Map<String, Value> {
    let join = |(name, values): (String, Value)| {
        let values = values
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        (name, values.collect::<Vec<_>>().join(", ").into())
    };
    by_name(headers).into_iter().map(join).collect()
}
