//! YAML as trees, and what the tools' readers take from them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::{Map, Value, json};

use crate::import::Format;
use crate::import::tape::Error;
use crate::model::{Headers, percent_encode};

/// What is wrong with a recording, in words that hold nothing of it.
pub(super) type Fault = &'static str;

/// The documents of a YAML stream. A scalar is a text whatever it looks like, but for null; one in
/// base64 is an object of [`BYTES`].
///
/// # Errors
///
/// [`Error::Format`] with the place; [`Error::Beyond`] for what only the tool itself makes something of.
pub(super) fn documents(text: &str, format: Format) -> Result<Vec<Value>, Error> {
    let mut tree = Builder {
        open: Vec::new(),
        documents: Vec::new(),
        anchored: BTreeMap::new(),
        // A file that repeats itself by aliases comes to no more than a few times its size.
        left: text.len().saturating_mul(4).saturating_add(1 << 16),
    };
    for event in Parser::new_from_str(text) {
        let wrong = |(line, column): (usize, usize)| Error::Format {
            format,
            line: line as u64,
            column: column as u64 + 1,
        };
        let (event, span) =
            event.map_err(|error| wrong((error.marker().line(), error.marker().col())))?;
        tree.take(event, span)?
            .ok_or_else(|| wrong((span.start.line(), span.start.col())))?;
    }
    Ok(tree.documents)
}

struct Builder {
    /// What has begun and not ended: the anchor, and the value so far.
    open: Vec<(usize, Open)>,
    documents: Vec<Value>,
    anchored: BTreeMap<usize, Value>,
    /// How many bytes aliases may still repeat.
    left: usize,
}

enum Open {
    List(Vec<Value>),
    /// The key that waits for its value.
    Map(Map<String, Value>, Option<String>),
}

impl Builder {
    /// `None` where the tree is too deep or too large, or is none.
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<Option<()>, Error> {
        let known = |tag: Option<&Tag>| {
            let what = tag.map_or(Known::Plain, known);
            let line = span.start.line();
            match what {
                Known::Beyond(what) => Err(Error::Beyond { line, what }),
                known => Ok(known),
            }
        };
        Ok(match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_null = style == ScalarStyle::Plain
                    && ["", "~", "null", "Null", "NULL"].contains(&text.as_ref());
                let value = match known(tag.as_deref())? {
                    Known::Bytes => json!({ BYTES: text }),
                    _ if is_null => Value::Null,
                    _ => text.into(),
                };
                self.put(anchor, value)
            }
            Event::SequenceStart(_, anchor, tag) => {
                known(tag.as_deref())?;
                self.begin(anchor, Open::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                known(tag.as_deref())?;
                self.begin(anchor, Open::Map(Map::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some((anchor, open)) = self.open.pop() else {
                    return Ok(None);
                };
                let value = match open {
                    Open::List(items) => items.into(),
                    Open::Map(members, _) => members.into(),
                };
                self.put(anchor, value)
            }
            Event::Alias(anchor) => self.repeat(anchor),
            _ => Some(()),
        })
    }

    fn repeat(&mut self, anchor: usize) -> Option<()> {
        let value = self.anchored.get(&anchor)?;
        self.left = self.left.checked_sub(size(value))?;
        let value = value.clone();
        self.put(0, value)
    }

    fn begin(&mut self, anchor: usize, open: Open) -> Option<()> {
        self.open.push((anchor, open));
        (self.open.len() <= DEPTH_MAX).then_some(())
    }

    fn put(&mut self, anchor: usize, value: Value) -> Option<()> {
        if anchor > 0 {
            self.left = self.left.checked_sub(size(&value))?;
            self.anchored.insert(anchor, value.clone());
        }
        match self.open.last_mut() {
            None => self.documents.push(value),
            Some((_, Open::List(items))) => items.push(value),
            Some((_, Open::Map(members, waiting))) => match waiting.take() {
                Some(key) => match value {
                    // What the map itself has goes first.
                    Value::Object(more) if key == "<<" => {
                        for (name, value) in more {
                            members.entry(name).or_insert(value);
                        }
                    }
                    value => {
                        members.insert(key, value);
                    }
                },
                None => *waiting = Some(text(&value).unwrap_or_default()),
            },
        }
        Some(())
    }
}

enum Known {
    Plain,
    Bytes,
    Beyond(&'static str),
}

fn known(tag: &Tag) -> Known {
    let name = tag.to_string();
    let name = name.trim_start_matches('!');
    let name = name.strip_prefix("tag:yaml.org,2002:").unwrap_or(name);
    match name {
        "binary" => Known::Bytes,
        "python/tuple" | "python/str" | "python/unicode" => Known::Plain,
        name if name.starts_with("ruby/") => {
            Known::Beyond("an object of Ruby; record again with a VCR of today")
        }
        name if name.starts_with("python/") => {
            Known::Beyond("an object of Python; record again with a vcrpy of today")
        }
        _ => Known::Plain,
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 32,
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 32,
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| name.len() + size(value) + 32;
            members.iter().map(member).sum::<usize>() + 32
        }
        _ => 32,
    }
}

/// A text, or a number as it is spelled.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}

/// A status.
pub(super) fn status(value: &Value) -> Result<u16, Fault> {
    let status = text(value).and_then(|status| status.parse().ok());
    status
        .filter(|status| (100..=999).contains(status))
        .ok_or("its answer has no status")
}

/// Header fields: a value or several for each name, or a list of names and values.
pub(super) fn fields(value: &Value) -> Headers {
    let one = |name: &str, value: &Value| (name.to_owned(), text(value).unwrap_or_default());
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match value {
                Value::Array(values) => values.iter().map(|value| one(name, value)).collect(),
                value => vec![one(name, value)],
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .filter_map(|item| Some(one(item["name"].as_str()?, &item["value"])))
            .collect(),
        _ => Headers::new(),
    }
}

/// A body: a text, bytes in base64, or JSON as a tree.
pub(super) fn body(value: &Value) -> Result<Vec<u8>, Fault> {
    Ok(match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        Value::Object(members) if members.len() == 1 && members.contains_key(BYTES) => {
            base64(value[BYTES].as_str().unwrap_or_default())?
        }
        tree => tree.to_string().into_bytes(),
    })
}

/// A body, or the parts of one that follow each other.
pub(super) fn parts(value: &Value) -> Result<Vec<u8>, Fault> {
    let is_part = |part: &Value| part.is_string() || part.get(BYTES).is_some();
    match value.as_array() {
        Some(parts) if parts.iter().all(is_part) => {
            let parts: Result<Vec<_>, _> = parts.iter().map(body).collect();
            Ok(parts?.concat())
        }
        _ => body(value),
    }
}

/// The text of a form or a query.
pub(super) fn form(pairs: impl Iterator<Item = (String, String)>) -> String {
    let pair = |(name, value): (String, String)| {
        format!("{}={}", percent_encode(&name), percent_encode(&value))
    };
    pairs.map(pair).collect::<Vec<_>>().join("&")
}

/// A URL of what tools keep apart, the path and the query decoded.
pub(super) fn url(
    scheme: &str,
    authority: &str,
    path: &str,
    query: impl Iterator<Item = (String, String)>,
) -> String {
    let root = if path.starts_with('/') { "" } else { "/" };
    let spelled = |c: char| match c {
        c if c.is_ascii_alphanumeric() || PATH.contains(c) => c.to_string(),
        c => percent_encode(c.encode_utf8(&mut [0; 4])),
    };
    let path: String = path.chars().map(spelled).collect();
    let query = form(query);
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{scheme}://{authority}{root}{path}{mark}{query}")
}

/// What base64 in lines holds.
pub(super) fn base64(text: &str) -> Result<Vec<u8>, Fault> {
    let compact: String = text.split_ascii_whitespace().collect();
    STANDARD
        .decode(compact)
        .map_err(|_not_base64| "a body that should be in base64 is not")
}

/// What stands in a path besides letters and digits as it is (RFC 3986 section 3.3).
const PATH: &str = "/-._~!$&'()*+,;=:@";
/// The one key of an object that stands for bytes.
const BYTES: &str = "!binary";
/// No recorder nests deeper.
const DEPTH_MAX: usize = 64;
