//! Registration: the metadata that a client registers comes back as it sent it (RFC 7591 section
//! 3.2.1).

use serde_json::{Map, Value};

use crate::model::{Body, Said};
use crate::redact::{Content, Interaction};

/// The body of an answer, with what the client of this run sent in the place of what the recorded
/// server said again.
pub(super) fn registered(interaction: &Interaction, said: &Said, body: Body) -> Body {
    let object = |text: &[u8]| serde_json::from_slice::<Map<String, Value>>(text).ok();
    let json = |content| match content {
        Content::Json { text, .. } => object(text.as_bytes()),
        _ => None,
    };
    let answered = interaction.response();
    let recorded = json(interaction.request().content())
        .zip(answered.and_then(|response| json(response.content())));
    let Body::Full(bytes) = &body else {
        return body;
    };
    let (Some((asked, answered)), Some(sent), Some(members)) =
        (recorded, object(&said.body.bytes), object(bytes))
    else {
        return body;
    };
    let mut changed = members.clone();
    for (name, value) in sent {
        let is_echo = asked.contains_key(&name) && asked.get(&name) == answered.get(&name);
        if is_echo {
            changed.insert(name, value);
        }
    }
    if changed == members {
        body
    } else {
        Value::Object(changed).to_string().into()
    }
}
