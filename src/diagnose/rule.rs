//! A rule: what it is about, why it matters, how to mend it, and how to see it.

use crate::cassette::Session;
use crate::diagnose::Findings;

/// A rule is data with a function.
pub struct Rule {
    /// Its name, for ever.
    pub id: &'static str,
    /// How bad it is where the server refused the request.
    pub severity: Severity,
    /// How fundamental it is: 0 connection, 1 method and URL, 2 body, 3 client authentication,
    /// 4 what a grant is bound to, 5 reading the response, 6 ID Token, 7 good practice.
    pub tier: u8,
    /// What is wrong, in one sentence.
    pub summary: &'static str,
    /// Why that makes a login fail.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Where the standards say so.
    pub see: &'static [&'static str],
    /// What it looks like.
    pub example: &'static str,
    /// Looks for it.
    pub check: fn(&Session<'_>, &'static Self, &mut Findings),
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It makes the request fail.
    Error,
    /// It may make it fail, or is unsafe.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    /// One step less bad.
    #[must_use]
    pub fn lowered(self) -> Self {
        match self {
            Self::Error => Self::Warning,
            Self::Warning | Self::Note => Self::Note,
        }
    }
}
