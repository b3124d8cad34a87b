//! A program that talks to the deck without knowing it: its environment, its trust, its end.
//!
//! [`Browser`] starts one with a profile of its own, and [`Client`] knows what to do where a client
//! does not come through. `runtimes.yaml` says which variables each runtime reads; [`Environment`]
//! makes the values and, in a [`Directory`], the files they name; [`run`] starts the program and
//! gives back how it ended.

mod browser;
mod child;
mod client;
mod directory;
mod environment;
mod shell;

pub use browser::{Browser, Proxy};
pub use child::{Outcome, Signals, run};
pub use client::{Client, Tried};
pub use directory::Directory;
pub use environment::{Environment, inherited_roots};
pub use shell::shell_file;

/// Why a program cannot be prepared or started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that the program's runtime reads cannot be written.
    #[error("cannot prepare the program's environment")]
    Prepare(#[source] std::io::Error),
    /// There is no place for temporary files.
    #[error("cannot make a directory in {}, where temporary files are; TMPDIR can name another place", parent.display())]
    Temporary {
        /// Where it was to be.
        parent: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No browser was found.
    #[error("no Chromium and no Firefox is on the PATH; name one with --browser-program")]
    NoBrowser,
    /// What gives Firefox a root is missing.
    #[error(
        "Firefox is given our certificate by `certutil`, which is not there; on Debian it is in libnss3-tools"
    )]
    NoCertutil,
    /// There is no such program.
    #[error("there is no program `{program}` on the PATH")]
    Missing {
        /// What was asked for.
        program: String,
    },
    /// It cannot be started.
    #[error("cannot start `{program}`")]
    Start {
        /// What was asked for.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// How it ended cannot be told.
    #[error("cannot tell how `{program}` ended")]
    Wait {
        /// What was asked for.
        program: String,
        /// Why.
        source: std::io::Error,
    },
}
