//! `authtape export`

use std::io::Write as _;
use std::path::{Path, PathBuf};

use authtape::export::{self, Format};
use authtape::library::{self, Overwrite};
use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::cli::exit::Exit;
use crate::cli::importing::counted;
use crate::cli::output::{plain, say};

/// Write a cassette as another tool's file
///
/// A label stands for each secret, as in the cassette. What the format has no place for is said.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The cassette
    cassette: PathBuf,
    /// The format
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    to: String,
    /// The file to write; without it, and for `-`, standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace FILE if it exists
    #[arg(long)]
    overwrite: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let cassette = library::load(&self.cassette)?;
        let format = Format::from_word(&self.to).unwrap_or(Format::Har);
        let exported = export::write(&cassette, format)?;
        if let Some(output) = self.output.filter(|output| output != Path::new("-")) {
            let overwrite = if self.overwrite {
                Overwrite::Yes
            } else {
                Overwrite::No
            };
            library::save_bytes(&output, &exported.bytes, overwrite)?;
        } else {
            let mut out = std::io::stdout().lock();
            let written = out.write_all(&exported.bytes).and_then(|()| out.flush());
            written.or_else(|error| match error.kind() {
                std::io::ErrorKind::BrokenPipe => Ok(()),
                _ => Err(error),
            })?;
        }
        for left_out in &exported.left_out {
            say(&format!(
                "authtape: {format} has no place for {}",
                plain(left_out)
            ));
        }
        let kinds = &cassette.header.redacted;
        if !kinds.is_empty() {
            say(&format!(
                "authtape: labels stand for what was secret: {}",
                counted(kinds)
            ));
        }
        Ok(Exit::Clean)
    }
}

fn formats() -> PossibleValuesParser {
    Format::ALL
        .iter()
        .map(|format| format.as_str())
        .collect::<Vec<_>>()
        .into()
}

const EXAMPLES: &str = "\
Examples:
  authtape export login.yaml --to har -o login.har
  authtape export login.yaml --to vcrpy -o tests/cassettes/login.yaml
  authtape export login.yaml --to curl > login.sh";
