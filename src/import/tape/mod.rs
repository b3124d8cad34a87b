//! The cassettes of other recorders: VCR, vcrpy, go-vcr and nock.

mod nock;
mod yaml;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use crate::import::{Imported, LeftOut, undo_coding};
use crate::model::{Captured, Exchange, Headers, Heard, Said, Url, Version};

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
        format: &'static str,
        /// Counted from 1.
        line: u64,
        /// Counted from 1.
        column: u64,
    },
    /// None of the recordings can be read.
    #[error("the file has no recording with a request to a server, so there is nothing to read")]
    Nothing,
}

/// Which recorder's file it seems to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    GoVcr,
    Nock,
    Vcr,
    Vcrpy,
}

impl Kind {
    /// By its first bytes and the keys at its top; no cassette of ours has these.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.trim_ascii_start().first() == Some(&b'[') {
            return Some(Self::Nock);
        }
        let lines = || bytes.split(|byte| *byte == b'\n');
        let has = |key: &str| lines().any(|line| line.starts_with(key.as_bytes()));
        if has("authtape:") || has("recorded_by:") {
            return None;
        }
        if has("http_interactions:") {
            return Some(Self::Vcr);
        }
        let is_go =
            has("version: 2") || lines().any(|line| line.trim_ascii().starts_with(b"proto_major:"));
        has("interactions:").then_some(if is_go { Self::GoVcr } else { Self::Vcrpy })
    }
}

/// Reads a file of this kind.
pub(super) fn read(bytes: &[u8], kind: Kind) -> Result<Imported, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| Error::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let recordings = match kind {
        Kind::Nock => nock::read(text)?,
        kind => yaml::read(text, kind)?,
    };
    imported(recordings)
}

/// A recording as any of them has it. It holds secrets: no `Debug`.
#[derive(Default)]
struct Recording {
    method: String,
    url: String,
    headers: Headers,
    body: String,
    /// When it was made, where the tool says.
    made: Option<OffsetDateTime>,
    status: u16,
    answer_headers: Headers,
    answer: String,
}

/// Header fields by name, each with one value or several.
#[derive(Deserialize, Default)]
#[serde(transparent)]
struct Fields(BTreeMap<String, OneOrMany>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<String>),
    One(String),
}

impl From<Fields> for Headers {
    fn from(fields: Fields) -> Self {
        let values = |values: OneOrMany| match values {
            OneOrMany::Many(values) => values,
            OneOrMany::One(value) => vec![value],
        };
        let fields = fields.0.into_iter();
        let each = fields.flat_map(|(name, all)| {
            values(all)
                .into_iter()
                .map(move |value| (name.clone(), value))
        });
        each.collect()
    }
}

fn imported(recordings: Vec<Recording>) -> Result<Imported, Error> {
    let (mut exchanges, mut left_out) = (Vec::new(), Vec::new());
    let made = recordings
        .iter()
        .filter_map(|recording| recording.made.or_else(|| date(&recording.answer_headers)));
    let begun = made.min().unwrap_or(OffsetDateTime::UNIX_EPOCH);
    for (entry, recording) in (1..).zip(recordings) {
        match recording.exchange(entry, begun) {
            Some(exchange) => exchanges.push(exchange),
            None => left_out.push(LeftOut {
                entry,
                why: "its URL names no server",
            }),
        }
    }
    if exchanges.is_empty() {
        return Err(Error::Nothing);
    }
    exchanges.sort_by_key(|exchange| exchange.at);
    for (id, exchange) in (1..).zip(&mut exchanges) {
        exchange.id = id;
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
    fn exchange(self, entry: usize, begun: OffsetDateTime) -> Option<Exchange> {
        let made = self
            .made
            .or_else(|| date(&self.answer_headers))
            .unwrap_or(begun);
        let since = Duration::try_from(made - begun).unwrap_or_default();
        // Those of the same second are in the order of the file.
        let order = Duration::from_millis(u64::try_from(entry).unwrap_or_default());
        let body = |text: &str, headers: &Headers| {
            let mut captured = Captured::of(text.as_bytes(), CAP);
            undo_coding(headers, &mut captured);
            captured
        };
        Some(Exchange {
            id: 0,
            at: since + order,
            clock: made.unix_timestamp(),
            request: Said {
                method: self.method.to_ascii_uppercase(),
                url: Url::parse(&self.url)?,
                version: Version::Http11,
                body: body(&self.body, &self.headers),
                headers: self.headers,
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

/// When the server says that it answered.
fn date(headers: &Headers) -> Option<OffsetDateTime> {
    time_of(headers.get("date")?)
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
