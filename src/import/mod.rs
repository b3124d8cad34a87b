//! Other tools' files, read as exchanges that then go through redaction like live ones.
//!
//! A reader takes what it knows and nothing else: what it does not name never becomes part of an
//! [`crate::model::Exchange`], so it cannot reach a file that is written.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod failure;
pub mod flow;
pub mod har;
pub mod tape;

use crate::import::tape::Kind;
use crate::model::{Captured, Exchange, Headers, coding};

/// Another tool's file as exchanges, in the order of the requests' starts.
///
/// It holds secrets: no `Debug`, no `Serialize`.
pub struct Imported {
    /// When the first request started, in full seconds (RFC 3339, UTC).
    pub begun: String,
    /// The exchanges, numbered from 1.
    pub exchanges: Vec<Exchange>,
    /// What was not taken.
    pub left_out: Vec<LeftOut>,
    /// Whether any message has a field with credentials; some tools leave them out.
    pub shows_credentials: bool,
}

/// An entry that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Counted from 1.
    pub entry: usize,
    /// Why.
    pub why: &'static str,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is no HAR file.
    #[error(transparent)]
    Har(#[from] har::Error),
    /// It is no flow file.
    #[error(transparent)]
    Flow(#[from] flow::Error),
    /// It is no other recorder's cassette.
    #[error(transparent)]
    Tape(#[from] tape::Error),
}

/// Reads a HAR file, a flow file of mitmproxy, or a cassette of VCR, vcrpy, go-vcr or nock.
///
/// # Errors
///
/// As the reader of the format that the file seems to be of.
pub fn read(bytes: &[u8]) -> Result<Imported, Error> {
    if seems_flow(bytes) {
        return Ok(flow::read(bytes)?);
    }
    if let Some(kind) = Kind::of(bytes) {
        return Ok(tape::read(bytes, kind)?);
    }
    let har = har::read(bytes)?;
    Ok(Imported {
        shows_credentials: har.shows_credentials(),
        begun: har.begun,
        exchanges: har.exchanges,
        left_out: har.left_out,
    })
}

/// Whether a file is another tool's that is read here, by its first bytes: no cassette begins so.
pub fn is_foreign(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    text.trim_ascii_start().first() == Some(&b'{') || seems_flow(bytes) || Kind::of(bytes).is_some()
}

/// Undoes a content coding where the tool left it: browsers write what came out of it.
fn undo_coding(headers: &Headers, captured: &mut Captured) {
    if captured.is_coded {
        return;
    }
    coding::decode(headers, captured);
    captured.is_coded = false;
    captured.is_decoded = true;
}

/// Whether it begins with the length of a netstring.
fn seems_flow(bytes: &[u8]) -> bool {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    (1..=12).contains(&digits) && bytes.get(digits) == Some(&b':')
}
