//! `authtape schema`

use authtape::cassette;
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::output::result;

/// Print the JSON Schema of cassettes, for editors and other tools
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {}

/// Prints it.
pub(crate) fn run() -> anyhow::Result<Exit> {
    result(&format!("{:#}\n", cassette::schema()))?;
    Ok(Exit::Clean)
}

const EXAMPLES: &str = "\
An editor with a YAML language server checks a file that begins with
  # yaml-language-server: $schema=authtape.schema.json

Examples:
  authtape schema > authtape.schema.json";
