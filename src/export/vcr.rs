//! VCR for Ruby: `http_interactions`, as version 6 writes them.

use serde_json::{Value, json};
use time::macros::format_description;

use crate::export::message::{Message, Messages, by_name};
use crate::export::yaml::yaml;

/// The cassette.
pub(super) fn write(messages: &Messages) -> String {
    let behind = json!({ "recorded_with": concat!("authtape ", env!("CARGO_PKG_VERSION")) });
    let all = messages.all.iter().map(interaction);
    yaml(&json!({}), "http_interactions", all, &behind)
}

fn interaction(message: &Message) -> Value {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let mut interaction = json!({
        "request": {
            "method": message.method.to_ascii_lowercase(),
            "uri": message.url,
            "body": body(&message.body),
            "headers": by_name(&message.headers),
        },
    });
    if let Some(answer) = &message.answer {
        interaction["response"] = json!({
            "status": { "code": answer.status, "message": answer.reason },
            "headers": by_name(&answer.headers),
            "body": body(&answer.body),
        });
    }
    interaction["recorded_at"] = message.at.format(format).unwrap_or_default().into();
    interaction
}

fn body(text: &str) -> Value {
    json!({ "encoding": "UTF-8", "string": text })
}
