//! `authtape import`

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use authtape::cassette;
use authtape::library::{self, Overwrite};
use authtape::record::Options;
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::importing::{Taken, bytes_of, is_stream, size};
use crate::cli::output::{result, say};
use crate::cli::secrets::HidingArgs;

/// Make a cassette of what another tool recorded: a HAR file, or a flow file of mitmproxy
///
/// What is read goes through the same redaction as what is recorded. Of a HAR file, browsers leave
/// out cookies and Authorization unless told otherwise, and bodies that they did not keep; no rule
/// claims that what is not there was not sent.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The file of the other tool, `-` for standard input
    #[arg(value_name = "IN")]
    file: PathBuf,
    /// The cassette to write, `-` for standard output
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Replace OUT if it exists
    #[arg(long)]
    overwrite: bool,
    /// Keep every message, OAuth's or not
    #[arg(long)]
    all: bool,
    /// Keep the values of this parameter; may be repeated
    #[arg(long, value_name = "NAME")]
    keep_value: Vec<String>,
    #[command(flatten)]
    hiding: HidingArgs,
    /// Read a file of up to this size: 128M, or just bytes
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size)]
    max_size: usize,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let to_stdout = is_stream(&self.output);
        let overwrite = if self.overwrite {
            Overwrite::Yes
        } else {
            Overwrite::No
        };
        if !to_stdout {
            library::refuse_taken(&self.output, overwrite)?;
        }
        let options = Options {
            keep_all: self.all,
            profile: self.hiding.profile(),
            secrets: self.hiding.secrets()?,
            keep_values: self.keep_value.clone(),
            ..Options::default()
        };
        let (name, bytes) = bytes_of(&self.file, self.max_size)?;
        if let Ok(cassette) = cassette::load_sized(&bytes, self.max_size) {
            let name = name.display();
            cassette.refuse_raw().with_context(|| name.to_string())?;
            bail!("{name} is a cassette already; authtape explain reads it as it is");
        }
        let taken = Taken::of(&bytes, name, options)?;
        if to_stdout {
            result(&taken.text)?;
        } else {
            library::save(&self.output, &taken.text, overwrite)?;
        }
        taken.told.iter().for_each(|line| say(line));
        Ok(if taken.cassette.interactions.is_empty() {
            say("  none of its messages is of OAuth; --all keeps every one");
            Exit::Found
        } else {
            Exit::Clean
        })
    }
}

const EXAMPLES: &str = "\
Examples:
  authtape import session.har -o login.yaml
  authtape import flows.mitm -o login.yaml --public
  authtape import session.har -o - | less";
