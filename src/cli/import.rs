//! `authtape import`

use authtape::import::Format;
use authtape::record::Options;
use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::cli::exit::Exit;
use crate::cli::importing::{Taken, TakingArgs};
use crate::cli::output::say;

/// Make a cassette of what another tool recorded: HAR, mitmproxy, VCR and others
///
/// What is read goes through the same redaction as what is recorded. Of a HAR file, browsers leave
/// out cookies and Authorization unless told otherwise, and bodies that they did not keep; no rule
/// claims that what is not there was not sent.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    taking: TakingArgs,
    /// What the file is, where its first lines do not say
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    from: Option<String>,
    /// Keep every message, OAuth's or not
    #[arg(long)]
    all: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let options = Options {
            keep_all: self.all,
            ..self.taking.options()?
        };
        let (name, bytes) = self.taking.read()?;
        let format = self.from.as_deref().and_then(Format::from_word);
        let taken = Taken::of(&bytes, name, format, options)?;
        let is_empty = taken.cassette.interactions.is_empty();
        if !is_empty {
            self.taking.write(&taken.text)?;
        }
        taken.told.iter().for_each(|line| say(line));
        Ok(if is_empty {
            say(
                "  none of its messages is of OAuth, so nothing was written; --all keeps every one",
            );
            Exit::Found
        } else {
            Exit::Clean
        })
    }
}

fn formats() -> PossibleValuesParser {
    let formats = Format::ALL.iter().map(|format| format.as_str());
    formats.collect::<Vec<_>>().into()
}

const EXAMPLES: &str = "\
Examples:
  authtape import session.har -o login.yaml
  authtape import flows.mitm -o login.yaml --public
  authtape import spec/cassettes/login.yml -o login.yaml
  authtape import session.har -o - | less";
