//! The exit codes that people script against.

use std::process::ExitCode;

use authtape::launch::Outcome;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: nothing was found.
    Clean,
    /// 1: findings, misses, or what looks like a secret.
    Found,
    /// 2: it was asked for wrongly.
    Usage,
    /// 3: it could not be done.
    CouldNot,
    /// The wrapped program's own.
    Child(u8),
}

impl Exit {
    /// The program's own failure, or else ours.
    pub(crate) fn after(outcome: Option<Outcome>, ours: Self) -> Self {
        match outcome {
            Some(Outcome { code }) if code != 0 => Self::Child(code),
            _ => ours,
        }
    }
}

/// Options that do not go together, or a value that an option cannot have.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Clean => Self::SUCCESS,
            Exit::Found => Self::from(1),
            Exit::Usage => Self::from(2),
            Exit::CouldNot => Self::from(3),
            Exit::Child(code) => Self::from(code),
        }
    }
}
