//! `authtape scrub`

use anyhow::{Context as _, anyhow};
use authtape::cassette;
use authtape::export::har as export;
use authtape::import::har as import;
use authtape::record::{Options, Tape};
use authtape::redact::{audit, labels};
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::importing::{NO_CREDENTIALS, TakingArgs, inventory, left_out};
use crate::cli::output::say;

/// Take the secrets out of a HAR file, relations kept, so that it can be shared
///
/// Every entry is kept, OAuth's or not. What is not known to be public is replaced, the same secret
/// by the same label everywhere, or left out; the comments in the file say what. The result is
/// searched for every secret that was seen before a byte of it is written.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    taking: TakingArgs,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let options = self.taking.options()?;
        let (name, bytes) = self.taking.read()?;
        let har = import::read(&bytes).with_context(|| name.display().to_string())?;
        let options = Options {
            keep_all: true,
            labels: labels(&String::from_utf8_lossy(&bytes)),
            ..options
        };
        let scrubbed = Scrubbed::of(har, options)?;
        self.taking.write(&scrubbed.text)?;
        scrubbed.inventory.iter().for_each(|line| say(line));
        Ok(Exit::Clean)
    }
}

/// What may be written, and what is told of it.
struct Scrubbed {
    text: String,
    inventory: Vec<String>,
}

impl Scrubbed {
    fn of(har: import::Har, options: Options) -> anyhow::Result<Self> {
        let shows_credentials = har.shows_credentials();
        let mut tape = Tape::new(options, har.begun);
        for exchange in har.exchanges {
            tape.record(exchange);
        }
        let text = tape.finish()?;
        if let Some(withheld) = tape.withheld().first() {
            return Err(refused(&withheld.name(), &withheld.why));
        }
        let cassette = cassette::load_sized(text.as_bytes(), usize::MAX)?;
        let har_file = export::har(&cassette, &har.asides)?;
        for (number, entry) in (1_u64..).zip(har_file.audited()) {
            tape.audit(&entry)
                .map_err(|refusal| refused(&number.to_string(), &refusal.why))?;
            if let Some(hit) = audit(&entry).first() {
                return Err(refused(
                    &number.to_string(),
                    &format!("it holds what looks like a {}", hit.kind),
                ));
            }
        }
        let mut inventory = inventory(&cassette, cassette.interactions.len());
        if tape.is_full() {
            let told = "  there were more secrets than are remembered; the comments say which bodies were left out for that";
            inventory.push(told.to_owned());
        }
        inventory.extend(left_out(&har.left_out));
        if !shows_credentials {
            inventory.push(NO_CREDENTIALS.to_owned());
        }
        Ok(Self {
            text: har_file.text(),
            inventory,
        })
    }
}

fn refused(entry: &str, why: &str) -> anyhow::Error {
    anyhow!(
        "entry {entry}, by the requests' start: {why}, so nothing was written; take that entry out of the file, and report this"
    )
}

const EXAMPLES: &str = "\
Examples:
  authtape scrub session.har -o session.scrubbed.har
  authtape scrub session.har -o public.har --public
  authtape scrub session.har -o - | less
  authtape scrub session.har -o shared.har --secret-file passwords.txt
  curl -s https://intern.example/session.har | authtape scrub - -o shared.har --overwrite";
