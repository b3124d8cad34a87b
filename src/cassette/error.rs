//! Why a text is no cassette.

/// Why a cassette cannot be read, with the place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is longer than the limit.
    #[error("the file has more than {limit} bytes, which is the limit")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The bytes are no UTF-8.
    #[error("line {line}: the file is no UTF-8 text, so it is no cassette")]
    NotText {
        /// Counted from 1.
        line: usize,
    },
    /// A character, tag, anchor or alias that cassettes never hold.
    #[error("line {line}, column {column}: {what}")]
    Forbidden {
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
        /// What it is, and what to do.
        what: &'static str,
    },
    /// The version is not one that this program reads.
    #[error(
        "line {line}: this cassette has version {found}, and this authtape reads version 1; use the authtape that recorded it, or record it again"
    )]
    Version {
        /// Counted from 1.
        line: usize,
        /// The version it says.
        found: u64,
    },
    /// The YAML, a key or a value is not what the format says.
    #[error("line {line}, column {column}: {message}")]
    Format {
        /// Counted from 1.
        line: u64,
        /// In characters, counted from 1.
        column: u64,
        /// What is wrong.
        message: String,
    },
    /// It holds secrets, and was to be handed on.
    #[error(
        "nothing in it is redacted (`profile: raw`), so it is for this machine alone, and nothing that can be handed on is made of it; record again without --unsafe-raw"
    )]
    Raw,
    /// Nothing was recorded completely.
    #[error(
        "no interaction in it is complete, so there is nothing to recover; the file can be deleted"
    )]
    NothingComplete,
}
