//! Other tools' files, read as exchanges that then go through redaction like live ones.
//!
//! A reader takes what it knows and nothing else: what it does not name never becomes part of an
//! [`crate::model::Exchange`], so it cannot reach a file that is written.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod failure;
pub mod flow;
mod format;
pub mod har;
pub mod tape;

pub use format::Format;
use time::OffsetDateTime;

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
    /// It seems to be no file of any tool whose files are read.
    #[error(
        "this is no file of {}; `authtape import --from` says which it is",
        Format::names()
    )]
    Unknown,
}

/// Reads another tool's file: of this format, or of the one that it seems to be of. `written` is
/// when the file was, for tools that say no time.
///
/// # Errors
///
/// As the reader of that format; [`Error::Unknown`] where it seems to be of none.
pub fn read(
    bytes: &[u8],
    format: Option<Format>,
    written: OffsetDateTime,
) -> Result<Imported, Error> {
    let format = format.or_else(|| Format::of(bytes));
    let format = format.ok_or(Error::Unknown)?;
    let kind = match format {
        Format::Har => {
            let har = har::read(bytes)?;
            return Ok(Imported {
                shows_credentials: har.shows_credentials(),
                begun: har.begun,
                exchanges: har.exchanges,
                left_out: har.left_out,
            });
        }
        Format::Mitmproxy => return Ok(flow::read(bytes)?),
        Format::AzureTestProxy => &tape::AZURE,
        Format::GoVcr => &tape::GO_VCR,
        Format::Hoverfly => &tape::HOVERFLY,
        Format::Httpmock => &tape::HTTPMOCK,
        Format::Nock => &tape::NOCK,
        Format::PhpVcr => &tape::PHP_VCR,
        Format::Vcr => &tape::VCR,
        Format::Vcrpy => &tape::VCRPY,
    };
    Ok(tape::read(bytes, kind, format, written)?)
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
