//! The bodies of an entry: text, base64, lists of parameters, or nothing but a size.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use crate::import::har::json::Members;
use crate::import::har::message::pairs;
use crate::model::Captured;

/// Takes out the body of a request.
pub(super) fn of_request(request: &mut Members) -> Captured {
    let size = request.amount("bodySize");
    let mut posted = request.object("postData");
    let media_type = posted.text("mimeType").unwrap_or_default();
    let params = posted.list("params");
    let captured = body(&mut posted, size);
    if captured.bytes.is_empty() && !params.is_empty() {
        let written = if media_type.to_ascii_lowercase().starts_with("multipart/") {
            multipart(params, &media_type)
        } else {
            pairs(&super::message::named(params)).into_bytes()
        };
        return Captured::of(&written, CAP);
    }
    captured
}

/// Takes out the body of a response.
pub(super) fn of_response(response: &mut Members) -> Captured {
    let mut content = response.object("content");
    let size = content.amount("size");
    body(&mut content, size)
}

fn body(content: &mut Members, size: Option<f64>) -> Captured {
    let encoding = content.text("encoding").unwrap_or_default();
    let is_binary = matches!(content.take("_isBinary"), Some(Value::Bool(true)));
    let text = content.text("text").unwrap_or_default();
    if text.is_empty() {
        return unseen(size);
    }
    match encoding.to_ascii_lowercase().as_str() {
        "base64" => {
            let compact: String = text.split_ascii_whitespace().collect();
            // What cannot be read was there all the same.
            ANY_PADDING.decode(compact).map_or_else(
                |_| Captured {
                    size: text.len() as u64,
                    ..Captured::default()
                },
                |bytes| Captured::of(&bytes, CAP),
            )
        }
        // Polly before version 6 writes the bytes as hexadecimal digits in lists.
        "" if !is_binary => Captured::of(text.as_bytes(), CAP),
        _ => Captured {
            is_coded: true,
            ..Captured::of(text.as_bytes(), CAP)
        },
    }
}

/// A body of which the file has the size only.
fn unseen(size: Option<f64>) -> Captured {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an amount is no less than nothing, and a cast saturates"
    )]
    let size = size.unwrap_or_default() as u64;
    Captured {
        size,
        ..Captured::default()
    }
}

/// The parts of a form, in the spelling of RFC 7578.
fn multipart(params: Vec<Value>, media_type: &str) -> Vec<u8> {
    let declared = media_type.split_once("boundary=").map(|(_, rest)| rest);
    let declared = declared.and_then(|rest| rest.split([';', '"']).find(|text| !text.is_empty()));
    let boundary = declared.unwrap_or("authtape");
    let part = |param| {
        let mut members = Members::of(param);
        let mut field = |name| members.text(name).unwrap_or_default();
        let (name, value) = (field("name"), field("value"));
        let (file, kind) = (field("fileName"), field("contentType"));
        let quoted = |text: &str| text.replace('"', "%22").replace(['\r', '\n'], " ");
        let file = match file.as_str() {
            "" => String::new(),
            file => format!("; filename=\"{}\"", quoted(file)),
        };
        let kind = match kind.as_str() {
            "" => String::new(),
            kind => format!("\r\nContent-Type: {}", quoted(kind)),
        };
        let name = quoted(&name);
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{file}{kind}\r\n\r\n{value}\r\n"
        )
    };
    let parts: String = params.into_iter().map(part).collect();
    format!("{parts}--{boundary}--\r\n").into_bytes()
}

const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// As much of a body as a recording keeps.
const CAP: usize = 1 << 20;
