//! `authtape show`

use std::path::PathBuf;

use authtape::diagnose;
use authtape::view::Scene;
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::importing::cassette_of;
use crate::cli::output::{file, result, wide_look};

/// Show a session: who said what to whom, and where each secret came from
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The cassette to show, or what another tool recorded
    cassette: PathBuf,
    #[command(flatten)]
    form: FormArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How it is shown.
#[derive(clap::Args)]
struct FormArgs {
    /// Draw a sequence diagram
    #[arg(long, conflicts_with_all = ["list", "json"])]
    diagram: bool,
    /// One line for each request
    #[arg(long, conflicts_with = "json")]
    list: bool,
    /// One self-contained page, as `share` makes it; to be looked at here, for nothing is searched
    #[arg(long, conflicts_with_all = ["json", "list", "diagram"])]
    html: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let (_, cassette) = cassette_of(&self.cassette)?;
        let scene = Scene::new(&cassette);
        if self.form.html {
            let name = self.cassette.display().to_string();
            file(&scene.page(&diagnose::diagnose(&cassette), &name))?;
            return Ok(Exit::Clean);
        }
        result(&if self.json {
            scene.json(&self.cassette.display().to_string())
        } else if self.form.diagram {
            scene.diagram(wide_look())
        } else if self.form.list {
            scene.list(wide_look())
        } else {
            scene.timeline(wide_look())
        })?;
        Ok(Exit::Clean)
    }
}

const EXAMPLES: &str = "\
Without an option it is a timeline: each request with what it carried (>), what came back (<)
or what went wrong (x), and what only the recorder could tell (!). A secret is its label,
<code-1>, with the message that it came from.

Examples:
  authtape show login.yaml            the timeline
  authtape show login.yaml --diagram  who talks to whom, as arrows
  authtape show login.yaml --list     a quick look: one line for each request
  authtape show login.yaml --html > login.html  a page for a browser";
