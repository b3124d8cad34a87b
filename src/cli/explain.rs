//! `authtape explain`

use std::path::PathBuf;

use authtape::diagnose::{self, Severity, report};
use authtape::library;
use clap::{Parser, ValueEnum};

use crate::cli::exit::Exit;
use crate::cli::output::{look, result};

/// Say why a recorded session failed, with the fix
///
/// The most fundamental finding comes first; later ones may disappear once it is fixed. The
/// server's own error text is evidence of a failure, never of its cause.
#[derive(Parser)]
pub(crate) struct Args {
    /// The cassette to explain
    cassette: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Print JSON, as `--format json` does
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// End with status 1 from this severity on
    #[arg(long, value_enum, default_value = "error")]
    fail_on: FailOn,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let cassette = library::load(&self.cassette)?;
        let findings = diagnose::diagnose(&cassette);
        let name = self.cassette.display().to_string();
        let format = if self.json { Format::Json } else { self.format };
        result(&match format {
            Format::Text => report::text(&findings, &cassette, &name, look()),
            Format::Json => report::json(&findings, &name),
        })?;
        let limit = match self.fail_on {
            FailOn::Error => Severity::Error,
            FailOn::Warning => Severity::Warning,
        };
        let failed = findings.iter().any(|finding| finding.severity <= limit);
        Ok(if failed { Exit::Found } else { Exit::Clean })
    }
}
