//! A body as HAR has it: text, or a list of parameters, or why it is not there.

use serde_json::{Value, json};

use crate::export::har::{form, pairs};
use crate::model::Headers;
use crate::redact::{
    BOUNDARY, Content, DropReason, DroppedBody, JsonWire, Named, RecordedPart, RecordedRequest,
    RecordedResponse, minify,
};

/// What is written of a body.
#[derive(Default)]
pub(super) struct Written {
    pub(super) media_type: String,
    pub(super) params: Vec<Value>,
    pub(super) text: Option<String>,
    /// Of what is written; -1 where that is nothing though there was something.
    pub(super) size: i64,
    pub(super) comment: Option<String>,
}

/// The body of a request.
pub(super) fn of_request(request: &RecordedRequest) -> Written {
    written(request.content(), &request.headers())
}

/// The body of a response.
pub(super) fn of_response(response: &RecordedResponse) -> Written {
    written(response.content(), &response.headers())
}

fn written(content: Content<'_>, headers: &Headers) -> Written {
    let declared = headers.get("content-type").map(str::to_owned);
    let (usual, mut body) = match content {
        Content::Form { pairs: all, raw } => {
            let body = Written {
                params: pairs(all),
                text: Some(raw.map_or_else(|| form(all), str::to_owned)),
                ..Written::default()
            };
            ("application/x-www-form-urlencoded", body)
        }
        Content::Json { text, wire } => {
            let text = match wire {
                JsonWire::Compact => minify(text),
                JsonWire::Exact => text.to_owned(),
            };
            ("application/json", of_text(text))
        }
        Content::Text(text) => ("text/plain", of_text(text.to_owned())),
        Content::Multipart(parts) => ("multipart/form-data", of_parts(parts)),
        Content::Dropped(dropped) => ("", of_dropped(dropped)),
        Content::None | Content::Empty => ("", Written::default()),
    };
    body.media_type = declared.unwrap_or_else(|| usual.to_owned());
    if let Some(text) = &body.text {
        body.size = i64::try_from(text.len()).unwrap_or(i64::MAX);
    }
    body
}

fn of_text(text: String) -> Written {
    Written {
        text: Some(text),
        ..Written::default()
    }
}

fn of_parts(parts: &[RecordedPart]) -> Written {
    let param = |part: &RecordedPart| {
        let name = part.field().map_or_else(String::new, |(name, _)| name);
        let mut param = json!({ "name": name, "value": part.text() });
        if let Some(kind) = part.headers().get("content-type") {
            param["contentType"] = kind.into();
        }
        param
    };
    Written {
        params: parts.iter().map(param).collect(),
        ..of_text(multipart(parts))
    }
}

/// The parts between the boundaries that cassettes show.
fn multipart(parts: &[RecordedPart]) -> String {
    let part = |part: &RecordedPart| {
        let field = |field: &Named<String>| format!("{}: {}\r\n", field.name, field.value);
        let head: String = part.header_fields().iter().map(field).collect();
        format!("--{BOUNDARY}\r\n{head}\r\n{}\r\n", part.text())
    };
    let parts: String = parts.iter().map(part).collect();
    format!("{parts}--{BOUNDARY}--\r\n")
}

/// The size is not said: of a body that holds little else than a secret it is the secret's length.
fn of_dropped(dropped: &DroppedBody) -> Written {
    let why = match dropped.dropped {
        DropReason::TooLarge if dropped.size <= KEPT => "the file that was read does not have it",
        reason => WHY
            .iter()
            .find(|(known, _)| *known == reason)
            .map_or("it could not be kept", |(_, why)| why),
    };
    Written {
        size: -1,
        comment: Some(format!("left out: {why}")),
        ..Written::default()
    }
}

/// As much of a body as a recording keeps.
const KEPT: u64 = 1 << 20;

const WHY: &[(DropReason, &str)] = &[
    (DropReason::Audit, "the audit found a secret in it"),
    (DropReason::Binary, "it is binary"),
    (DropReason::Cut, "it ended before its time"),
    (DropReason::Encoded, "its content coding cannot be undone"),
    (
        DropReason::LedgerFull,
        "there were more secrets than are remembered",
    ),
    (DropReason::Page, "a page or a document may hold anything"),
    (
        DropReason::TooLarge,
        "it is longer than what is kept of a body",
    ),
    (DropReason::UnknownText, "no rule knows how to read it"),
];
