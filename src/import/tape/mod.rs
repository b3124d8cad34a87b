//! The cassettes of other recorders, one file for each of them.

mod azure;
mod go_vcr;
mod hoverfly;
mod httpmock;
mod nock;
mod php_vcr;
mod tree;
mod vcr;
mod vcrpy;

use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use crate::import::tape::tree::Fault;
use crate::import::{Format, Imported, LeftOut, undo_coding};
use crate::model::{Captured, Exchange, Headers, Heard, Said, Url, Version};
use crate::oauth::sniff::{Sniff, sniff};
use crate::oauth::{jwt, name};

/// Why a file is not read; what stands in it is never part of the message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is no text.
    #[error("this is no UTF-8 text, so it is no other tool's cassette")]
    NotText,
    /// It holds what only its own tool makes something of.
    #[error("line {line}: {what}")]
    Beyond {
        /// Counted from 1.
        line: usize,
        /// What it is, and what to do.
        what: &'static str,
    },
    /// It is not as the format has it.
    #[error("{format}: line {line}, column {column}: this is not as the format has it")]
    Format {
        /// The tool.
        format: Format,
        /// Counted from 1.
        line: u64,
        /// Counted from 1.
        column: u64,
    },
    /// None of the recordings is as the format has it, this one is the first.
    #[error("{format}: recording {entry}: {what}")]
    Recording {
        /// The tool.
        format: Format,
        /// Counted from 1.
        entry: usize,
        /// What is missing or wrong.
        what: &'static str,
    },
    /// It has no list of recordings.
    #[error("{format}: the file has no `{list}`, a list of recordings")]
    NoList {
        /// The tool.
        format: Format,
        /// Where it should be.
        list: &'static str,
    },
    /// It is no list of recordings.
    #[error("{format}: the file is no list of recordings")]
    IsNoList {
        /// The tool.
        format: Format,
    },
    /// None of the recordings is of a request to a server.
    #[error("the file has no recording with a request to a server, so there is nothing to read")]
    Nothing,
}

/// Reads a file of one of the recorders.
pub(super) fn read(
    bytes: &[u8],
    kind: &Kind,
    format: Format,
    written: OffsetDateTime,
) -> Result<Imported, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| Error::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let template = |line: &str| line.contains("<%=");
    if format == Format::Vcr
        && let Some(at) = text.lines().position(template)
    {
        let what = "a template of ERB; let VCR fill it in first";
        return Err(Error::Beyond { line: at + 1, what });
    }
    let documents = documents(text, format)?;
    let recordings = match (kind.list, documents.as_slice()) {
        (List::Documents, documents) => Some(documents),
        (List::File, [file]) => file.as_array().map(Vec::as_slice),
        (List::At(at), [file, ..]) => {
            let list = at.split('.').fold(file, |tree, name| &tree[name]);
            list.as_array().map(Vec::as_slice)
        }
        _ => None,
    };
    let recordings = recordings.ok_or(match kind.list {
        List::At(list) => Error::NoList { format, list },
        List::File | List::Documents => Error::IsNoList { format },
    })?;
    let recordings = recordings.iter().map(kind.reader);
    imported(recordings.collect(), format, written)
}

/// How a tool's files are read.
pub(super) struct Kind {
    /// Where its recordings stand.
    list: List,
    reader: Reader,
}

#[derive(Clone, Copy)]
enum List {
    /// Each document is one.
    Documents,
    /// The file is a list of them.
    File,
    /// Under these keys.
    At(&'static str),
}

impl Kind {
    const fn new(list: List, reader: Reader) -> Self {
        Self { list, reader }
    }
}

pub(super) const AZURE: Kind = Kind::new(List::At("Entries"), azure::recording);
pub(super) const GO_VCR: Kind = Kind::new(List::At("interactions"), go_vcr::recording);
pub(super) const HOVERFLY: Kind = Kind::new(List::At("data.pairs"), hoverfly::recording);
pub(super) const HTTPMOCK: Kind = Kind::new(List::Documents, httpmock::recording);
pub(super) const NOCK: Kind = Kind::new(List::File, nock::recording);
pub(super) const PHP_VCR: Kind = Kind::new(List::File, php_vcr::recording);
pub(super) const VCR: Kind = Kind::new(List::At("http_interactions"), vcr::recording);
pub(super) const VCRPY: Kind = Kind::new(List::At("interactions"), vcrpy::recording);

/// The trees of a file in JSON or YAML.
fn documents(text: &str, format: Format) -> Result<Vec<Value>, Error> {
    if !text.trim_start().starts_with(['{', '[']) {
        return tree::documents(text, format);
    }
    let file = serde_json::from_str(text).map_err(|error| Error::Format {
        format,
        line: error.line() as u64,
        column: error.column() as u64,
    })?;
    Ok(vec![file])
}

/// Reads one recording.
type Reader = fn(&Value) -> Result<Recording, Fault>;

/// A recording as any of them has it. It holds secrets: no `Debug`.
struct Recording {
    /// `GET` where the tool leaves it out.
    method: Option<String>,
    url: String,
    headers: Headers,
    body: Vec<u8>,
    /// When it was made, where the tool says.
    made: Option<OffsetDateTime>,
    status: u16,
    answer_headers: Headers,
    answer: Vec<u8>,
}

/// What can be read of the recordings; what cannot is named.
fn imported(
    recordings: Vec<Result<Recording, Fault>>,
    format: Format,
    written: OffsetDateTime,
) -> Result<Imported, Error> {
    let (mut exchanges, mut left_out) = (Vec::new(), Vec::new());
    let begun = recordings.iter().flatten().find_map(Recording::made);
    let begun = begun.unwrap_or(written).unix_timestamp();
    let begun = OffsetDateTime::from_unix_timestamp(begun).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut faulty = None;
    let mut now = begun;
    for (entry, recording) in (1..).zip(recordings) {
        let recording = match recording {
            Ok(recording) => recording,
            Err(why) => {
                left_out.push(LeftOut { entry, why });
                faulty = faulty.or(Some((entry, why)));
                continue;
            }
        };
        // Servers' clocks differ, and not every answer says its time: the file's order goes first.
        now = recording.made().map_or(now, |made| made.max(now));
        let id = exchanges.len() as u64 + 1;
        match recording.exchange(id, now, begun) {
            Some(exchange) => exchanges.push(exchange),
            None => left_out.push(LeftOut {
                entry,
                why: "its URL names no server",
            }),
        }
    }
    if exchanges.is_empty() {
        return Err(match faulty {
            Some((entry, what)) => Error::Recording {
                format,
                entry,
                what,
            },
            None => Error::Nothing,
        });
    }
    Ok(Imported {
        begun: begun.format(&Rfc3339).unwrap_or_default(),
        exchanges,
        left_out,
        // They write what they saw, unless they were told not to.
        shows_credentials: true,
    })
}

impl Recording {
    /// When it was made: as the tool says, or the server in its answer or its ID Token.
    fn made(&self) -> Option<OffsetDateTime> {
        let date = || time_of(self.answer_headers.get("date")?);
        let issued = || {
            let answer: Value = serde_json::from_slice(&self.answer).ok()?;
            let claims = jwt::parse(answer[name::ID_TOKEN].as_str()?)?.claims;
            let issued = claims.get(name::IAT)?.as_i64()?;
            OffsetDateTime::from_unix_timestamp(issued).ok()
        };
        self.made.or_else(date).or_else(issued)
    }

    fn exchange(self, id: u64, now: OffsetDateTime, begun: OffsetDateTime) -> Option<Exchange> {
        let since = Duration::try_from(now - begun).unwrap_or_default();
        let clock = self.made().unwrap_or(now).unix_timestamp();
        let headers = if self.headers.is_empty() {
            promised(&self.body)
        } else {
            self.headers
        };
        let body = |bytes: &[u8], headers: &Headers| {
            let mut captured = Captured::of(bytes, CAP);
            undo_coding(headers, &mut captured);
            captured
        };
        Some(Exchange {
            id,
            // Those of one second follow each other.
            at: since + Duration::from_millis(id),
            clock,
            request: Said {
                method: self
                    .method
                    .map_or_else(|| "GET".to_owned(), |method| method.to_ascii_uppercase()),
                url: Url::parse(&self.url)?,
                version: Version::Http11,
                body: body(&self.body, &headers),
                headers,
                alias: None,
            },
            response: Some(Heard {
                status: self.status,
                reason: None,
                version: Version::Http11,
                body: body(&self.answer, &self.answer_headers),
                headers: self.answer_headers,
                after: Duration::ZERO,
            }),
            failure: None,
        })
    }
}

/// The type of a request's body where the tool keeps no field of requests: what it seems to be, so
/// that nothing is said to be wrong with what is not known.
fn promised(body: &[u8]) -> Headers {
    let kind = match sniff(body) {
        Sniff::Json => "application/json",
        Sniff::Form => "application/x-www-form-urlencoded",
        _ => return Headers::new(),
    };
    [("Content-Type", kind)].into_iter().collect()
}

/// A time in one of the ways in which recorders write it.
fn time_of(text: &str) -> Option<OffsetDateTime> {
    let parsed = OffsetDateTime::parse(text, &Rfc2822);
    parsed
        .or_else(|_| OffsetDateTime::parse(text, &Rfc3339))
        .ok()
}

/// How much of a body is kept.
const CAP: usize = 1 << 20;
