//! Polly.JS: HAR whose entries have the name by which Polly finds them.

use md5::{Digest as _, Md5};
use serde_json::{Value, json};

use crate::cassette::{self, Cassette};
use crate::export::har;
use crate::export::message::{Message, Messages, turns};
use crate::model::Asides;
use crate::redact::inert;

/// The recording. Polly knows a request by the hash of what it is told to match by; here by method,
/// URL without its query, and order, since all else is another with each run.
///
/// # Errors
///
/// [`cassette::Error::Raw`] where the cassette is not redacted.
pub(super) fn write(cassette: &Cassette, messages: &Messages) -> Result<String, cassette::Error> {
    let mut file: Value =
        serde_json::from_str(&har::har(cassette, &Asides::default())?.text()).unwrap_or_default();
    let log = &mut file["log"];
    log["_recordingName"] = "authtape".into();
    log["creator"] = json!({ "name": "Polly.JS", "version": "6.0.6", "comment": "authtape" });
    let ids: Vec<_> = messages.all.iter().map(id).collect();
    if let Some(entries) = log["entries"].as_array_mut() {
        // What has no answer cannot be played.
        entries.retain(|entry| entry["response"]["status"] != 0);
        for ((entry, id), (order, _)) in entries.iter_mut().zip(&ids).zip(turns(&ids)) {
            entry["_id"] = id.as_str().into();
            entry["_order"] = order.into();
            repeated(&mut entry["response"]["headers"]);
        }
    }
    Ok(inert(&format!("{file:#}\n")).into_owned())
}

/// The hash of a request as `matchRequestsBy` sees it.
fn id(message: &Message) -> String {
    let url = message.url.split(['?', '#']).next().unwrap_or_default();
    let seen = json!({ "method": message.method, "url": url }).to_string();
    let hash = Md5::digest(seen);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Marks the fields that come more than once: of others Polly keeps the last.
fn repeated(headers: &mut Value) {
    let Some(fields) = headers.as_array_mut() else {
        return;
    };
    let name = |field: &Value| {
        field["name"]
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let names: Vec<_> = fields.iter().map(name).collect();
    for (field, name) in fields.iter_mut().zip(&names) {
        if names.iter().filter(|other| *other == name).count() > 1 {
            field["_fromType"] = "array".into();
        }
    }
}
