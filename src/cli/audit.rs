//! `authtape audit`

use std::path::{Path, PathBuf};

use anyhow::bail;
use authtape::cassette::audit_bytes;
use authtape::library;
use authtape::redact::AuditHit;
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::output::{error, plain, result, say};

/// Search files for what looks like a secret
///
/// Any text will do: cassettes, HAR files, logs, packed by gzip or zstd or not. What is found is named
/// by line and column, and never shown. Of a cassette that was edited since its recording's own audit
/// you are told so, and of one that does not load; what stands in it decides. What is packed in
/// another way, or is no text, cannot be searched.
#[derive(Parser)]
pub(crate) struct Args {
    /// The files to search, and directories (of `.yaml` and `.yml` files)
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let mut audited = Audited::default();
        let mut unread = Vec::new();
        let files = library::cassettes_at(&self.files)?;
        for path in &files {
            if let Err(failed) = audited.take_in(path) {
                unread.push(failed);
            }
        }
        let text = if self.json {
            audited.json()
        } else {
            audited.notes().for_each(|note| say(&note));
            audited.text(files.len() - unread.len())
        };
        result(&text)?;
        unread.iter().for_each(error);
        Ok(if !unread.is_empty() {
            Exit::CouldNot
        } else if audited.found.is_empty() {
            Exit::Clean
        } else {
            Exit::Found
        })
    }
}

/// What there is to say of the files that could be read, by their names.
#[derive(Default)]
struct Audited {
    found: Vec<(String, AuditHit)>,
    edited: Vec<String>,
    unloaded: Vec<String>,
    /// Those with bytes that are no text.
    zeros: Vec<String>,
}

impl Audited {
    fn take_in(&mut self, path: &Path) -> anyhow::Result<()> {
        let bytes = library::read(path)?;
        let name = plain(&path.display().to_string());
        let Some(audit) = audit_bytes(&bytes) else {
            bail!(
                "{name} is no text, so it was not searched; unpack it if it is packed, or convert it to UTF-8"
            );
        };
        let hits = audit.hits.into_iter();
        self.found.extend(hits.map(|hit| (name.clone(), hit)));
        self.edited.extend(audit.is_edited.then(|| name.clone()));
        self.unloaded
            .extend(audit.is_unloaded.then(|| name.clone()));
        self.zeros.extend(audit.has_zeros.then_some(name));
        Ok(())
    }

    fn notes(&self) -> impl Iterator<Item = String> {
        let edited = self.edited.iter();
        let edited = edited.map(|name| format!("note: {name} was edited after its audit"));
        let unloaded = self.unloaded.iter();
        let unloaded = unloaded.map(|name| {
            format!(
                "note: {name} does not load as the cassette that it says it is, so it was searched as any other text, in which less is found; `authtape show` says why"
            )
        });
        let zeros = self.zeros.iter();
        let zeros = zeros.map(|name| {
            format!(
                "note: {name} has bytes that are no text; what stands between them was searched"
            )
        });
        edited.chain(unloaded).chain(zeros)
    }

    fn text(&self, files: usize) -> String {
        let line = |(name, hit): &(String, AuditHit)| {
            format!("{name}:{}:{}: {}\n", hit.line, hit.column, hit.kind)
        };
        let noun = if files == 1 { "file" } else { "files" };
        match self.found.len() {
            // That none could be read is said by itself.
            0 if files == 0 => String::new(),
            0 => format!("nothing that looks like a secret in {files} {noun}\n"),
            _ => self.found.iter().map(line).collect(),
        }
    }

    fn json(&self) -> String {
        let hit = |(name, hit): &(String, AuditHit)| serde_json::json!({ "file": name, "line": hit.line, "column": hit.column, "kind": hit.kind });
        let hits: Vec<_> = self.found.iter().map(hit).collect();
        let told = serde_json::json!({ "hits": hits, "edited": self.edited, "unloaded": self.unloaded, "zeros": self.zeros });
        format!("{told}\n")
    }
}
