//! VCR for Python: `interactions`, serializer version 1.

use serde_json::{Value, json};

use crate::export::message::{Message, Messages, by_name};
use crate::export::yaml::yaml;

/// The cassette.
pub(super) fn write(messages: &Messages) -> String {
    let all = messages.all.iter().map(interaction);
    yaml(&json!({}), "interactions", all, &json!({ "version": 1 }))
}

fn interaction(message: &Message) -> Value {
    let body = match message.body.as_str() {
        "" => Value::Null,
        body => body.into(),
    };
    let mut interaction = json!({
        "request": {
            "body": body,
            "headers": by_name(&message.headers),
            "method": message.method,
            "uri": message.url,
        },
    });
    if let Some(answer) = &message.answer {
        interaction["response"] = json!({
            "body": { "string": answer.body },
            "headers": by_name(&answer.headers),
            "status": { "code": answer.status, "message": answer.reason },
        });
    }
    interaction
}
