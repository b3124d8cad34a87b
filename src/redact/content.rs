//! A body as a cassette holds it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::model::{Headers, words};
use crate::oauth::sniff::Sniff;
use crate::redact::entry::Named;
use crate::redact::interaction::as_headers;
use crate::redact::profile::Unredacted;

/// A body; one variant per key of the file.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content<'a> {
    /// No body was sent, and none was to be expected.
    None,
    /// A body that was announced, or expected, and had no byte.
    Empty,
    /// `form:`; where the pairs do not write back to the same bytes, `raw` has the text.
    Form {
        /// The pairs, decoded once.
        pairs: &'a [Named<String>],
        /// The body as it stood.
        raw: Option<&'a str>,
    },
    /// `json:`
    Json {
        /// The text; pretty-printed where `wire` is compact.
        text: &'a str,
        /// How it stood on the wire.
        wire: JsonWire,
    },
    /// `text:`
    Text(&'a str),
    /// `multipart:`
    Multipart(&'a [RecordedPart]),
    /// The body was not kept.
    Dropped(&'a DroppedBody),
}

/// One part of a multipart body.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedPart {
    pub(super) headers: Vec<Named<String>>,
    pub(super) text: String,
}

impl RecordedPart {
    /// The header fields in the order of the file.
    pub fn header_fields(&self) -> &[Named<String>] {
        &self.headers
    }

    /// The header fields of the part.
    pub fn headers(&self) -> Headers {
        as_headers(&self.headers)
    }

    /// The text of the part.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The form field that the part is: its `name` and its text.
    pub fn field(&self) -> Option<(String, String)> {
        let headers = self.headers();
        let disposition = headers.get("content-disposition")?;
        let (_, rest) = disposition.split_once("name=\"")?;
        let (name, _) = rest.split_once('"')?;
        Some((name.to_owned(), self.text.clone()))
    }
}

/// A body that is not written out: `body: empty`, or `body: {dropped: …}`.
#[derive(Clone, Debug, PartialEq)]
pub enum AbsentBody {
    /// There was no byte.
    Empty,
    /// It was not kept.
    Dropped(DroppedBody),
}

impl AbsentBody {
    pub(super) fn content(&self) -> Content<'_> {
        match self {
            Self::Empty => Content::Empty,
            Self::Dropped(dropped) => Content::Dropped(dropped),
        }
    }
}

/// A body that was not kept, and why.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DroppedBody {
    /// Why it was not kept.
    pub dropped: DropReason,
    /// Its size in bytes, rounded up so that it tells no length of anything in it.
    pub size: u64,
    /// What its bytes were.
    pub sniff: Option<Sniff>,
    /// The body, where nothing is hidden and it is text.
    pub text: Option<Unredacted>,
    /// The body, where nothing is hidden and it is none.
    pub base64: Option<Unredacted>,
}

words! {
    /// Why a body was not kept.
    DropReason {
        /// A binary body.
        Binary = "binary",
        /// A content coding that cannot be undone here.
        Encoded = "encoded",
        /// The body is longer than the cap.
        TooLarge = "too_large",
        /// The body ended before its time.
        Cut = "cut",
        /// A page or a document that may hold anything.
        Page = "page",
        /// Text that no rule knows how to read.
        UnknownText = "unknown_text",
        /// The audit found a secret in what would have been written.
        Audit = "audit",
        /// There were more secrets than are remembered, so none could be found in it.
        LedgerFull = "ledger_full",
    }
}

words! {
    /// How a JSON body stood on the wire.
    JsonWire {
        /// Without insignificant white space; the cassette shows it pretty-printed.
        Compact = "compact",
        /// As the cassette shows it.
        Exact = "exact",
    }
}

impl JsonSchema for AbsentBody {
    fn schema_name() -> Cow<'static, str> {
        "AbsentBody".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let dropped = generator.subschema_for::<DroppedBody>();
        json_schema!({ "anyOf": [{ "const": "empty" }, dropped] })
    }
}

impl<'de> Deserialize<'de> for AbsentBody {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EmptyOrDropped;

        impl<'de> serde::de::Visitor<'de> for EmptyOrDropped {
            type Value = AbsentBody;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`empty`, or a map with `dropped` and `size`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                match text {
                    "empty" => Ok(AbsentBody::Empty),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<Self::Value, A::Error> {
                let dropped =
                    DroppedBody::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(AbsentBody::Dropped(dropped))
            }
        }

        deserializer.deserialize_any(EmptyOrDropped)
    }
}

/// What the keys come to of a body that is read as something.
pub(super) fn content<'a>(
    form: &'a [Named<String>],
    raw_form: Option<&'a str>,
    json: Option<&'a str>,
    wire: Option<JsonWire>,
) -> Option<Content<'a>> {
    if !form.is_empty() || raw_form.is_some() {
        return Some(Content::Form {
            pairs: form,
            raw: raw_form,
        });
    }
    json.map(|text| Content::Json {
        text,
        wire: wire.unwrap_or(JsonWire::Exact),
    })
}
