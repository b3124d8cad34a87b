//! `authtape review`, `accept` and `reject`

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use authtape::snapshot::{Pending, pending};
use clap::Parser;

use crate::cli::difference::{difference, legend};
use crate::cli::exit::{Exit, Usage};
use crate::cli::output::{heading, plain, result, say};

/// Look at what waits beside its snapshot, one after the other, and accept or reject it
///
/// What waits was left by `authtape replay --snapshot` or by insta; Cargo is not needed.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    waiting: WaitingArgs,
    /// Print what waits as JSON, and ask nothing
    #[arg(long)]
    json: bool,
}

/// Let what waits take its snapshot's place, without being asked
#[derive(Parser)]
pub(crate) struct AcceptArgs {
    #[command(flatten)]
    waiting: WaitingArgs,
}

/// Drop what waits, without being asked
#[derive(Parser)]
pub(crate) struct RejectArgs {
    #[command(flatten)]
    waiting: WaitingArgs,
}

/// What is meant.
#[derive(clap::Args)]
struct WaitingArgs {
    /// Snapshots, or directories to look in; without one it is the current directory
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// What is done with one that waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Accept,
    Reject,
    Skip,
}

impl WaitingArgs {
    fn find(&self) -> anyhow::Result<Vec<Pending>> {
        let missing = self
            .paths
            .iter()
            .find(|path| !path.exists() && !waits(path));
        if let Some(missing) = missing {
            let why = format!("there is no {}", missing.display());
            return Err(Usage(why).into());
        }
        let here = [PathBuf::from(".")];
        let paths = if self.paths.is_empty() {
            &here[..]
        } else {
            &self.paths
        };
        let mirror = std::env::var_os("INSTA_PENDING_DIR").map(PathBuf::from);
        let mirror = mirror.filter(|_| self.paths.is_empty());
        Ok(pending(paths, mirror.as_deref())?)
    }

    fn all(&self, choice: Choice) -> anyhow::Result<Exit> {
        let found = self.find()?;
        if found.is_empty() {
            say("authtape: nothing waits");
        }
        found
            .iter()
            .try_for_each(|waiting| settle(waiting, choice))?;
        Ok(Exit::Clean)
    }
}

impl AcceptArgs {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        self.waiting.all(Choice::Accept)
    }
}

impl RejectArgs {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        self.waiting.all(Choice::Reject)
    }
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let found = self.waiting.find()?;
        if self.json {
            result(&json(&found))?;
            return Ok(if found.is_empty() {
                Exit::Clean
            } else {
                Exit::Found
            });
        }
        if found.is_empty() {
            say("authtape: nothing waits");
            return Ok(Exit::Clean);
        }
        if !std::io::stdin().is_terminal() {
            for waiting in &found {
                say(&format!("{} waits", name(&waiting.path)));
            }
            say(
                "authtape: review asks in a terminal; `authtape accept` and `authtape reject` do not ask",
            );
            return Ok(Exit::Found);
        }
        let mut rest = None;
        let mut skipped = 0;
        for (at, waiting) in found.iter().enumerate() {
            let choice = if let Some(choice) = rest {
                choice
            } else {
                show(waiting, (at + 1, found.len()))?;
                let (choice, is_for_all) = ask()?;
                rest = is_for_all.then_some(choice);
                choice
            };
            skipped += usize::from(choice == Choice::Skip);
            settle(waiting, choice)?;
        }
        Ok(if skipped > 0 {
            Exit::Found
        } else {
            Exit::Clean
        })
    }
}

fn show(waiting: &Pending, (at, of): (usize, usize)) -> anyhow::Result<()> {
    let old = waiting.old();
    let what = if old.is_some() { "changed" } else { "new" };
    let title = format!("{} ({what}, {at} of {of})", name(&waiting.snapshot));
    let legend = legend(old.is_none());
    let difference = difference(old.unwrap_or_default(), waiting.new_text());
    result(&format!("{}\n{legend}\n{difference}", heading(&title)))
}

/// What is to be done, and whether with all the rest, too.
fn ask() -> anyhow::Result<(Choice, bool)> {
    loop {
        anstream::eprint!("a accept, r reject, s skip, q quit; A, R all the rest; then Enter: ");
        std::io::stderr().flush()?;
        let mut line = String::new();
        let read = std::io::stdin()
            .read_line(&mut line)
            .context("cannot read the answer")?;
        let choice = match line.trim() {
            "a" => (Choice::Accept, false),
            "r" => (Choice::Reject, false),
            "s" => (Choice::Skip, false),
            "A" => (Choice::Accept, true),
            "R" => (Choice::Reject, true),
            "S" | "q" => (Choice::Skip, true),
            _ if read == 0 => (Choice::Skip, true),
            _ => {
                say("that is none of these");
                continue;
            }
        };
        return Ok(choice);
    }
}

fn settle(waiting: &Pending, choice: Choice) -> anyhow::Result<()> {
    let snapshot = name(&waiting.snapshot);
    match choice {
        Choice::Accept => {
            waiting.accept()?;
            say(&format!("accepted {snapshot}"));
        }
        Choice::Reject => {
            waiting.reject()?;
            say(&format!("rejected what waited for {snapshot}"));
        }
        Choice::Skip => say(&format!("skipped {snapshot}")),
    }
    Ok(())
}

fn json(found: &[Pending]) -> String {
    let waiting = |waiting: &Pending| {
        serde_json::json!({
            "path": waiting.path.display().to_string(),
            "snapshot": waiting.snapshot.display().to_string(),
            "old": waiting.old(),
            "new": waiting.new_text(),
        })
    };
    let found: Vec<_> = found.iter().map(waiting).collect();
    format!("{}\n", serde_json::json!({ "pending": found }))
}

fn name(path: &Path) -> String {
    let path = path.strip_prefix(".").unwrap_or(path);
    plain(&path.to_string_lossy())
}

/// Whether something waits for a snapshot that does not exist yet.
fn waits(snapshot: &Path) -> bool {
    let mut name = snapshot.as_os_str().to_owned();
    name.push(".new");
    Path::new(&name).exists()
}

const EXAMPLES: &str = "\
Examples:
  authtape review
  authtape review tests/snapshots/login.snap
  authtape accept tests/
  authtape reject

Exit codes: 0 nothing waits any more, 1 something does, 2 wrong usage, 3 a file could not be read or written.";
