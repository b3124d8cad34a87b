//! Other tools' files: how they are read, and what is told of what came of them.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, anyhow, bail};
use authtape::cassette::{self, Cassette};
use authtape::import::{self, Format, Imported, LeftOut};
use authtape::library::{self, Overwrite};
use authtape::oauth::credentials;
use authtape::record::{Options, Tape};
use authtape::redact::{Named, labels};
use clap::Args;
use zeroize::Zeroizing;

use crate::cli::output;
use crate::cli::secrets::HidingArgs;

/// What is read, what is written, and what is hidden.
#[derive(Args)]
pub(crate) struct TakingArgs {
    /// The file of the other tool, `-` for standard input
    #[arg(value_name = "IN")]
    file: PathBuf,
    /// The file to write, `-` for standard output
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Replace OUT if it exists
    #[arg(long)]
    overwrite: bool,
    /// Keep the values of this parameter; may be repeated
    #[arg(long, value_name = "NAME")]
    keep_value: Vec<String>,
    #[command(flatten)]
    hiding: HidingArgs,
    /// Read a file of up to this size: 128M, or just bytes
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size)]
    max_size: usize,
}

impl TakingArgs {
    /// What is kept; what is wrong with an option is said whatever the file is.
    pub(crate) fn options(&self) -> anyhow::Result<Options> {
        if !is_stream(&self.output) {
            library::refuse_taken(&self.output, self.overwrite())?;
        }
        Ok(Options {
            profile: self.hiding.profile(),
            secrets: self.hiding.secrets()?,
            keep_values: self.keep_value.clone(),
            ..Options::default()
        })
    }

    /// The file's name and bytes; a cassette is not another tool's, and a raw one is not handed on.
    pub(crate) fn read(&self) -> anyhow::Result<(&Path, Zeroizing<Vec<u8>>)> {
        let (path, bytes) = bytes_of(&self.file, self.max_size)?;
        if let Ok(cassette) = cassette::load_sized(&bytes, self.max_size) {
            let name = path.display();
            cassette.refuse_raw().with_context(|| name.to_string())?;
            bail!("{name} is a cassette already; authtape explain reads it as it is");
        }
        Ok((path, bytes))
    }

    pub(crate) fn write(&self, text: &str) -> anyhow::Result<()> {
        if is_stream(&self.output) {
            return output::file(text);
        }
        Ok(library::save(&self.output, text, self.overwrite())?)
    }

    fn overwrite(&self) -> Overwrite {
        if self.overwrite {
            Overwrite::Yes
        } else {
            Overwrite::No
        }
    }
}

/// A file's bytes and how it is named, `-` for standard input; they may hold secrets.
fn bytes_of(file: &Path, limit: usize) -> anyhow::Result<(&Path, Zeroizing<Vec<u8>>)> {
    let (name, bytes) = if is_stream(file) {
        let name = Path::new("standard input");
        (
            name,
            library::read_from(std::io::stdin().lock(), name, limit),
        )
    } else {
        (file, library::read_sized(file, limit))
    };
    match bytes {
        Err(library::Error::Cassette {
            source: cassette::Error::TooLarge { limit },
            ..
        }) => bail!(
            "{} has more than {limit} bytes; --max-size raises the limit",
            name.display()
        ),
        read => Ok((name, Zeroizing::new(read?))),
    }
}

/// The cassette of a file, be it one or what another tool recorded, and the text of what is one.
pub(crate) fn cassette_of(path: &Path) -> anyhow::Result<(Option<String>, Cassette)> {
    let bytes = Zeroizing::new(library::read(path)?);
    if Format::of(&bytes).is_some() {
        let taken = Taken::of(&bytes, path, None, Options::default())?;
        return Ok((None, taken.cassette));
    }
    let cassette = library::load_bytes(path, &bytes)?;
    Ok((Some(String::from_utf8_lossy(&bytes).into_owned()), cassette))
}

/// Another tool's file as a cassette: its text, and what is told of it.
pub(crate) struct Taken {
    pub(crate) text: String,
    pub(crate) cassette: Cassette,
    pub(crate) told: Vec<String>,
}

impl Taken {
    /// Reads a file, of this format or the one that it seems to be of, and takes its secrets out;
    /// labels that it holds already stay what they are.
    pub(crate) fn of(
        bytes: &[u8],
        file: &Path,
        format: Option<Format>,
        options: Options,
    ) -> anyhow::Result<Self> {
        let named = || file.display().to_string();
        let written = std::fs::metadata(file).and_then(|about| about.modified());
        let written = written.unwrap_or_else(|_not_a_file| SystemTime::now());
        let imported = import::read(bytes, format, written.into()).with_context(named)?;
        let mut known = labels(&String::from_utf8_lossy(bytes));
        for exchange in &imported.exchanges {
            let basic = credentials::basic_token(&exchange.request);
            let halves = basic
                .and_then(credentials::decode_basic)
                .map(Zeroizing::new);
            known.extend(halves.iter().flat_map(|halves| labels(halves)));
        }
        let options = Options {
            labels: known,
            ..options
        };
        Self::redacted(imported, options).with_context(named)
    }

    fn redacted(imported: Imported, options: Options) -> anyhow::Result<Self> {
        let count = imported.exchanges.len() + imported.left_out.len();
        let mut tape = Tape::new(options, imported.begun);
        for exchange in imported.exchanges {
            tape.record(exchange);
        }
        let text = tape.finish()?;
        if let Some(withheld) = tape.withheld().first() {
            let (name, why) = (withheld.name(), &withheld.why);
            return Err(anyhow!(
                "request {name}, by their start: {why}, so nothing was written; take it out of the file, and report this"
            ));
        }
        let cassette = cassette::load_sized(text.as_bytes(), usize::MAX)?;
        let mut told = inventory(&cassette, count);
        told.extend(left_out(&imported.left_out));
        if !imported.shows_credentials {
            told.push(NO_CREDENTIALS.to_owned());
        }
        Ok(Self {
            text,
            cassette,
            told,
        })
    }
}

pub(crate) const NO_CREDENTIALS: &str = "  no entry has Cookie, Set-Cookie or Authorization: browsers leave them out of what they export unless told otherwise";

/// Of a file with so many entries: what is kept, and what is replaced.
pub(crate) fn inventory(cassette: &Cassette, count: usize) -> Vec<String> {
    let oauth = |interaction: &&authtape::redact::Interaction| interaction.step().is_oauth();
    let oauth = cassette.interactions.iter().filter(oauth).count();
    let noun = if count == 1 { "entry" } else { "entries" };
    let mut told = vec![format!("authtape: {count} {noun}, {oauth} of OAuth")];
    let kinds = &cassette.header.redacted;
    if !kinds.is_empty() {
        told.push(format!("  replaced by labels: {}", counted(kinds)));
    }
    told
}

/// How many there are of each kind.
pub(crate) fn counted(kinds: &[Named<u32>]) -> String {
    let kinds = kinds.iter();
    let kinds: Vec<_> = kinds
        .map(|kind| format!("{} {}", kind.value, kind.name))
        .collect();
    kinds.join(", ")
}

pub(crate) fn left_out(entries: &[LeftOut]) -> impl Iterator<Item = String> {
    let shown = entries.iter().take(SHOWN);
    let shown = shown.map(|left| format!("  entry {} was left out: {}", left.entry, left.why));
    let more = entries.len().saturating_sub(SHOWN);
    let more = (more > 0).then(|| format!("  {more} more were left out"));
    shown.chain(more)
}

fn is_stream(path: &Path) -> bool {
    path == Path::new("-")
}

/// `64M`, `512K`, or just bytes.
fn size(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.strip_suffix(['K', 'M', 'G']) {
        Some(digits) if text.ends_with('K') => (digits, 1 << 10),
        Some(digits) if text.ends_with('M') => (digits, 1 << 20),
        Some(digits) => (digits, 1 << 30),
        None => (text, 1),
    };
    let bytes = digits.parse::<usize>().ok();
    let bytes = bytes.and_then(|count| count.checked_mul(unit));
    bytes.ok_or_else(|| "it is a number of bytes, or of K, M or G, as in 128M".to_owned())
}

/// How many entries that were left out are named.
const SHOWN: usize = 5;
