//! A program that talks to the deck without knowing it: its environment, its trust, its end.
//!
//! `runtimes.yaml` says which variables each runtime reads; [`Environment`] makes the files they
//! name and the values; [`run`] starts the program and gives back how it ended.

mod child;
mod environment;

pub use child::{Outcome, run};
pub use environment::Environment;

/// Why a program cannot be prepared or started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that the program's runtime reads cannot be written.
    #[error("cannot prepare the program's environment")]
    Prepare(#[source] std::io::Error),
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
}
