//! `authtape mutate`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use authtape::library::{self, Overwrite};
use authtape::mutate::{self, Good, Kind};
use clap::Parser;

use crate::cli::exit::{Exit, Usage};
use crate::cli::output::{plain, result, say};
use crate::cli::told::plural;

/// Make negative tests of a good cassette: what a server may do wrong, and clients must survive
///
/// A mutant is a cassette as any other, to be replayed to the client that was recorded. It says at
/// its top what was changed, and what a client has to do about it.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A cassette of a client that did right
    #[arg(required_unless_present = "list")]
    cassette: Option<PathBuf>,
    /// What to change, one of --list; `all` makes every mutant that fits
    #[arg(long = "as", value_name = "KIND", required_unless_present = "list")]
    kind: Option<String>,
    /// The file to write; with `--as all` the directory
    #[arg(short, long, value_name = "OUT", required_unless_present = "list")]
    output: Option<PathBuf>,
    /// Replace what exists
    #[arg(long)]
    overwrite: bool,
    /// List the kinds, with what a client has to do
    #[arg(long, conflicts_with_all = ["cassette", "kind", "output", "overwrite"])]
    list: bool,
    /// Print the list as JSON
    #[arg(long, requires = "list")]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let (Some(cassette), Some(kind), Some(output)) = (&self.cassette, &self.kind, &self.output)
        else {
            result(&if self.json { json() } else { list() })?;
            return Ok(Exit::Clean);
        };
        let overwrite = if self.overwrite {
            Overwrite::Yes
        } else {
            Overwrite::No
        };
        let chosen = mutate::kind(kind);
        if chosen.is_none() && kind != ALL {
            let why = format!(
                "there is no kind `{}`; `authtape mutate --list` has them",
                plain(kind)
            );
            return Err(Usage(why).into());
        }
        let good = read(cassette)?;
        match chosen {
            Some(kind) => one(&good, kind, output, overwrite)?,
            None => all(&good, cassette, output, overwrite)?,
        }
        Ok(Exit::Clean)
    }
}

fn read(path: &Path) -> anyhow::Result<Good> {
    Good::read(&library::read(path)?).with_context(|| path.display().to_string())
}

fn one(good: &Good, kind: &'static Kind, path: &Path, overwrite: Overwrite) -> anyhow::Result<()> {
    library::save(path, &good.mutant(kind)?, overwrite)?;
    say(&format!("authtape: {}: {}", path.display(), kind.what));
    say(&format!("  a client {} ({})", kind.told(), kind.see));
    Ok(())
}

fn all(good: &Good, cassette: &Path, directory: &Path, overwrite: Overwrite) -> anyhow::Result<()> {
    let stem = cassette.file_stem().unwrap_or_default().to_string_lossy();
    let path = |kind: &Kind| directory.join(format!("{stem}.{}.yaml", kind.id));
    let mut made = Vec::new();
    let mut unfit = BTreeMap::<_, Vec<_>>::new();
    for kind in mutate::kinds() {
        match good.mutant(kind) {
            Ok(text) => made.push((path(kind), text)),
            Err(mutate::Error::Unfit { kind, missing }) => {
                unfit.entry(missing).or_default().push(kind);
            }
            Err(why) => return Err(why.into()),
        }
    }
    if made.is_empty() {
        bail!("{}: no kind fits this cassette", cassette.display());
    }
    for (path, _) in &made {
        library::refuse_taken(path, overwrite)?;
    }
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    for (path, text) in &made {
        library::save(path, text, overwrite)?;
    }
    let count = made.len();
    let noun = plural(count, "mutant");
    say(&format!(
        "authtape: {count} {noun} in {}",
        directory.display()
    ));
    for (missing, kinds) in &unfit {
        let kinds = kinds.join(", ");
        say(&format!(
            "  there is no {missing} on this cassette for {kinds}"
        ));
    }
    Ok(())
}

fn list() -> String {
    let kind = |kind: &Kind| {
        format!(
            "{:<22} {}\n{:23}a client {} ({})\n",
            kind.id,
            kind.what,
            "",
            kind.told(),
            kind.see
        )
    };
    mutate::kinds().map(kind).collect()
}

fn json() -> String {
    let kind = |kind: &Kind| {
        serde_json::json!({
            "kind": kind.id,
            "what": kind.what,
            "must": kind.must.as_str(),
            "client": kind.told(),
            "see": kind.see,
        })
    };
    let kinds: Vec<_> = mutate::kinds().map(kind).collect();
    format!("{}\n", serde_json::json!({ "kinds": kinds }))
}

const ALL: &str = "all";
const EXAMPLES: &str = "\
Examples:
  authtape mutate --list
  authtape mutate login.yaml --as wrong-nonce -o wrong-nonce.yaml
  authtape mutate login.yaml --as all -o mutants
  authtape replay mutants/login.wrong-nonce.yaml -- pytest";
