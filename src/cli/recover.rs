//! `authtape recover`

use std::path::PathBuf;

use authtape::library;
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::output::{say, warning};
use crate::cli::told::{next, plural};

/// Finish what a recording left that was killed
///
/// Every interaction that was complete is kept. A cassette that exists is not touched.
#[derive(Parser)]
pub(crate) struct Args {
    /// What the recording left: NAME.yaml.part
    part: PathBuf,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let recovered = library::recover(&self.part)?;
        let cut = match recovered.cut {
            0 => String::new(),
            cut => format!(", {cut} bytes of an unfinished one left out"),
        };
        say(&format!(
            "authtape: {} {} in {}{cut}",
            recovered.interactions,
            plural(recovered.interactions, "interaction"),
            recovered.path.display()
        ));
        if recovered.is_raw {
            let path = recovered.path.display();
            warning(&format!("nothing in {path} is redacted"));
        }
        say(&next(&recovered.path));
        Ok(Exit::Clean)
    }
}
