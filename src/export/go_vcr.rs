//! go-vcr, format 2, which its versions 3 and 4 read.

use serde_json::{Map, Value, json};

use crate::export::message::{Message, Messages, by_name};
use crate::export::yaml::yaml;
use crate::model::Params;

/// The cassette.
pub(super) fn write(messages: &Messages) -> String {
    let all = messages.all.iter().enumerate();
    let all = all.map(|(at, message)| interaction(at, message));
    yaml(&json!({ "version": 2 }), "interactions", all, &json!({}))
}

fn interaction(at: usize, message: &Message) -> Value {
    let (origin, _) = message.parts();
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let mut interaction = json!({
        "id": at,
        "request": {
            "proto": "HTTP/1.1",
            "proto_major": 1,
            "proto_minor": 1,
            "content_length": message.body.len(),
            "transfer_encoding": [],
            "trailer": {},
            "host": host,
            "remote_addr": "",
            "request_uri": "",
            "body": message.body,
            "form": form(message),
            "headers": canonical(by_name(&message.headers)),
            "url": message.url,
            "method": message.method,
        },
    });
    if let Some(answer) = &message.answer {
        interaction["response"] = json!({
            "proto": "HTTP/1.1",
            "proto_major": 1,
            "proto_minor": 1,
            "transfer_encoding": [],
            "trailer": {},
            "content_length": answer.body.len(),
            "uncompressed": false,
            "body": answer.body,
            "headers": canonical(by_name(&answer.headers)),
            "status": format!("{} {}", answer.status, answer.reason).trim_end(),
            "code": answer.status,
            "duration": format!("{:.6}s", message.took),
        });
    }
    interaction
}

/// The parameters of a body that is a form, which go-vcr has beside it.
fn form(message: &Message) -> Map<String, Value> {
    let kind = message.media_type();
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let mut form = Map::new();
    let params = if is_form {
        Params::parse(&message.body)
    } else {
        Params::default()
    };
    for param in &params {
        let values = form
            .entry(param.name.clone())
            .or_insert_with(|| Vec::<Value>::new().into());
        if let Some(values) = values.as_array_mut() {
            values.push(param.value.clone().into());
        }
    }
    form
}

/// Names as Go spells them: `Content-Type`.
fn canonical(headers: Map<String, Value>) -> Map<String, Value> {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first
            .into_iter()
            .chain(letters.map(|c| c.to_ascii_lowercase()))
            .collect::<String>()
    };
    let spelled = |name: &str| name.split('-').map(word).collect::<Vec<_>>().join("-");
    headers
        .into_iter()
        .map(|(name, values)| (spelled(&name), values))
        .collect()
}
