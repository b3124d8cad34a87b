//! What is wrong with a run, in words that a test's output can hold.

use std::fmt;

use crate::deck;
use crate::replay::Report;
use crate::transcript::Transcript;

/// What is wrong with a run.
#[derive(Debug)]
pub struct Violations {
    pub(super) cassette: String,
    /// How it went; a request was not on tape, was refused, or a recorded step was never asked for.
    pub report: Box<Report>,
    pub(super) transcripts: Vec<Transcript>,
    /// Why it could not be ended as it should.
    pub error: Option<Box<deck::Error>>,
}

impl Violations {
    /// What was said all the same.
    pub fn transcript(&self) -> String {
        let texts: Vec<_> = self.transcripts.iter().map(ToString::to_string).collect();
        texts.join("\n")
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.error {
            return write!(f, "{}: {error}", self.cassette);
        }
        write!(f, "{}: {}", self.cassette, self.report.counts())?;
        for line in self.report.lines() {
            write!(f, "\n  {line}")?;
        }
        if self.report.is_untouched() {
            f.write_str("\n  nothing came through the proxy; does the client use it, and does it trust its authority?")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.error.as_deref()?;
        Some(source)
    }
}
