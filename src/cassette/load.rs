//! The reader: bounded, strict, and able to say where a text stops being a cassette.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::Utf8Error;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::cassette::{Cassette, Error, Header, Mutant, Stamp, VERSION, sound};
use crate::redact::{Interaction, Named, Profile};

/// How long a file may be unless more is asked for: 64 MiB.
pub const MAX_SIZE: usize = 64 << 20;

/// Reads a cassette of at most [`MAX_SIZE`] bytes.
///
/// # Errors
///
/// [`Error`] says the line and column of the first thing that is not as the format says.
pub fn load(bytes: &[u8]) -> Result<Cassette, Error> {
    load_sized(bytes, MAX_SIZE)
}

/// Reads a cassette of at most `limit` bytes.
///
/// # Errors
///
/// As [`load`].
pub fn load_sized(bytes: &[u8], limit: usize) -> Result<Cassette, Error> {
    if bytes.len() > limit {
        return Err(Error::TooLarge { limit });
    }
    let text = as_text(bytes)?;
    scan(text)?;
    check_version(text)?;
    let file: File = serde_yaml::from_str_with_options(text, options(text.len()))
        .map_err(|error| format_error(&error))?;
    let cassette = Cassette::from(file);
    sound::check_ids(&cassette, text)?;
    sound::check_raw(&cassette, text)?;
    sound::check(text, &cassette.interactions)?;
    Ok(cassette)
}

/// Reads one interaction as [`crate::cassette::entry`] writes it.
///
/// # Errors
///
/// As [`load`].
pub fn load_entry(text: &str) -> Result<Interaction, Error> {
    scan(text)?;
    let read = serde_yaml::from_str_with_options::<Vec<Interaction>>(text, options(text.len()));
    let mut entries = read.map_err(|error| format_error(&error))?;
    sound::check(text, &entries)?;
    entries.pop().ok_or(Error::NothingComplete)
}

/// The JSON Schema (2020-12) of the format, for editors and for other tools' tests.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(File);
    schema.insert("title".to_owned(), "authtape cassette".into());
    schema.to_value()
}

/// What a recording left that did not end.
#[derive(Debug)]
pub struct Part {
    /// What was recorded completely.
    pub cassette: Cassette,
    /// How many bytes behind the last complete interaction were cut off.
    pub cut: usize,
}

/// Reads the complete interactions of a `.part` file.
///
/// # Errors
///
/// As [`load`]; [`Error::NothingComplete`] where no interaction was finished.
pub fn load_part(bytes: &[u8]) -> Result<Part, Error> {
    let end = last_end(bytes).ok_or(Error::NothingComplete)?;
    let cassette = load_sized(&bytes[..end], usize::MAX)?;
    Ok(Part {
        cassette,
        cut: bytes.len() - end,
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "checked before, with a better message")]
    #[schemars(range(min = 1, max = 1))]
    authtape: u32,
    recorded_by: String,
    recorded_at: String,
    #[serde(default)]
    profile: Profile,
    server: Option<String>,
    #[serde(default)]
    insecure_upstream: Vec<String>,
    #[serde(default, deserialize_with = "crate::redact::table")]
    #[schemars(with = "BTreeMap<String, u32>")]
    redacted: Vec<Named<u32>>,
    ledger_full_at: Option<u64>,
    mutant: Option<Mutant>,
    audit: Option<Stamp>,
    #[serde(default)]
    interactions: Option<Vec<Interaction>>,
}

impl From<File> for Cassette {
    fn from(file: File) -> Self {
        let File {
            recorded_by,
            recorded_at,
            profile,
            server,
            insecure_upstream,
            redacted,
            ledger_full_at,
            mutant,
            audit,
            interactions,
            ..
        } = file;
        let header = Header {
            recorded_by,
            recorded_at,
            profile,
            server,
            insecure_upstream,
            redacted,
            ledger_full_at,
            mutant,
            audit,
        };
        Self {
            header,
            interactions: interactions.unwrap_or_default(),
        }
    }
}

fn options(size: usize) -> serde_yaml::Options {
    serde_yaml::options! {
        with_snippet: false,
        merge_keys: serde_yaml::options::MergeKeyPolicy::Error,
        budget: serde_yaml::budget! {
            max_reader_input_bytes: None,
            max_events: size + 1024,
            max_nodes: size / 2 + 1024,
            max_total_scalar_bytes: size + 1024,
            max_depth: 32,
            max_documents: 1,
            max_aliases: 0,
            max_anchors: 0,
        },
    }
}

/// The text of a cassette.
pub(crate) fn as_text(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|error| not_text(bytes, error))
}

/// The text of a cassette, without a copy.
#[cfg(feature = "proxy")]
pub(crate) fn into_text(bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|error| not_text(error.as_bytes(), error.utf8_error()))
}

fn not_text(bytes: &[u8], error: Utf8Error) -> Error {
    let before = bytes[..error.valid_up_to()].iter();
    Error::NotText {
        line: before.filter(|byte| **byte == b'\n').count() + 1,
    }
}

/// Refuses what the parser would let through: control characters, a byte order mark, and tags,
/// anchors and aliases outside quotes and blocks.
fn scan(text: &str) -> Result<(), Error> {
    let mut block_indent = None;
    for (at, line) in text.lines().enumerate() {
        let forbidden = |column: usize, what| {
            Err(Error::Forbidden {
                line: at + 1,
                column,
                what,
            })
        };
        if line.starts_with('\u{feff}') {
            return forbidden(
                1,
                "a byte order mark, which a cassette does not have; save the file as UTF-8 without one",
            );
        }
        let bad = |c: char| (c.is_control() && c != '\t') || c == '\u{feff}';
        if let Some(column) = line.chars().position(bad) {
            return forbidden(
                column + 1,
                "a control character, which a cassette writes escaped in double quotes",
            );
        }
        let indent = line.len() - line.trim_start().len();
        if block_indent.is_some_and(|block| indent > block || line.trim().is_empty()) {
            continue;
        }
        block_indent = line
            .trim_end()
            .ends_with(['|', '-'])
            .then_some(indent)
            .filter(|_| opens_block(line));
        if let Some(column) = marked(line) {
            return forbidden(
                column + 1,
                "a tag, an anchor or an alias, which a cassette never holds",
            );
        }
    }
    Ok(())
}

fn opens_block(line: &str) -> bool {
    line.trim_end().ends_with(": |") || line.trim_end().ends_with(": |-")
}

/// Where a value begins with `!`, `&` or `*`.
fn marked(line: &str) -> Option<usize> {
    let mut at = line.len() - line.trim_start().len();
    while let Some(rest) = line[at..].strip_prefix("- ") {
        at = line.len() - rest.trim_start().len();
    }
    if !line[at..].starts_with(['"', '\'']) {
        if line[at..].starts_with(['!', '&', '*']) {
            return Some(line[..at].chars().count());
        }
        if let Some(colon) = line[at..].find(": ") {
            at = line.len() - line[at + colon + 2..].trim_start().len();
        }
    }
    line[at..]
        .starts_with(['!', '&', '*'])
        .then(|| line[..at].chars().count())
}

fn check_version(text: &str) -> Result<(), Error> {
    let Some((number, line)) = version_line(text) else {
        return Err(Error::Format {
            line: 1,
            column: 1,
            message: "the file is empty; a cassette begins with `authtape: 1`".to_owned(),
        });
    };
    let found = line
        .strip_prefix("authtape:")
        .and_then(|version| version.trim().parse::<u64>().ok());
    match found {
        Some(version) if version == u64::from(VERSION) => Ok(()),
        Some(found) => Err(Error::Version {
            line: number,
            found,
        }),
        None => Err(Error::Format {
            line: number as u64,
            column: 1,
            message: "a cassette begins with `authtape: 1`; this file is something else, and what another tool recorded goes through `authtape import` first".to_owned(),
        }),
    }
}

/// The first line that says anything, without its comment, and its number: of a cassette, that of
/// its version.
pub(super) fn version_line(text: &str) -> Option<(usize, &str)> {
    let lines = text.lines();
    let said = lines.map(|line| line.split('#').next().unwrap_or_default().trim_end());
    let mut said = (1..).zip(said);
    said.find(|(_, line)| !line.is_empty() && *line != "---")
}

fn format_error(error: &serde_yaml::Error) -> Error {
    let (line, column) = error
        .location()
        .map_or((1, 1), |location| (location.line(), location.column()));
    let message = error.without_snippet().to_string();
    // The place is said once, in front.
    let message = message.lines().next().unwrap_or_default();
    let message = message.split(" at line ").next().unwrap_or(message);
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let plain: String = in_words(message)
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    Error::Format {
        line,
        column,
        message: plain,
    }
}

/// What the parser says, for those who know the format and not the parser.
fn in_words(message: &str) -> Cow<'_, str> {
    if let Some(field) = message.strip_prefix("missing field ") {
        return format!("what ends here lacks {field}").into();
    }
    if let Some(rest) = message.strip_prefix("duplicate mapping key: ") {
        let key = rest.split(',').next().unwrap_or(rest);
        return format!("`{key}` stands twice in the same entry; remove one of them").into();
    }
    let known = WORDS.iter().find(|(begin, _)| message.starts_with(begin));
    known.map_or(message, |(_, words)| *words).into()
}

/// How messages of the parser begin, and what they mean.
const WORDS: &[(&str, &str)] = &[
    (
        "expected mapping start",
        "keys with their values are expected here",
    ),
    (
        "expected sequence start",
        "a list is expected here, each of its entries behind `- `",
    ),
    (
        "invalid floating point",
        "a number is expected here; if there is one, the lines below it are indented too far",
    ),
    (
        "invalid u",
        "a whole number is expected here, and not too large a one",
    ),
    (
        "invalid trailing content",
        "there is text behind a closing quote; a quote is missing, or one is too many",
    ),
    (
        "mapping values are not allowed",
        "this line is indented otherwise than those it belongs to",
    ),
    (
        "simple key expected",
        "a colon is missing; it stands between a key and its value",
    ),
    ("tabs disallowed", "a tab; indent with blanks"),
];

/// Where the last line `# end N` ends.
fn last_end(bytes: &[u8]) -> Option<usize> {
    let found = memchr::memmem::rfind_iter(bytes, b"\n# end ");
    found.into_iter().find_map(|at| {
        let line = at + 1;
        let end = line + memchr::memchr(b'\n', &bytes[line..])? + 1;
        let number = &bytes[line + 6..end - 1];
        (!number.is_empty() && number.iter().all(u8::is_ascii_digit)).then_some(end)
    })
}
