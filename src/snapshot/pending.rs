//! What waits: found without Cargo, accepted or rejected.

use std::path::{Path, PathBuf};

use crate::snapshot::file::Content;
use crate::snapshot::update::NEW;
use crate::snapshot::{Error, remove_if_there, save};

/// A text that waits to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The file that waits.
    pub path: PathBuf,
    /// The snapshot whose place it would take.
    pub snapshot: PathBuf,
    new: Content,
    old: Option<Content>,
}

/// Finds what waits below these files and directories, in the order of the names. Hidden
/// directories, and those where tools keep what they made, are passed over. `mirror` is where
/// `INSTA_PENDING_DIR` keeps what waits of the current directory.
///
/// # Errors
///
/// Where one that was named cannot be read.
pub fn pending(paths: &[PathBuf], mirror: Option<&Path>) -> Result<Vec<Pending>, Error> {
    let mirror = mirror.filter(|mirror| mirror.is_dir());
    let is_mirrored = |file: &Path| {
        let real = |path: &Path| path.canonicalize().ok();
        mirror.is_some_and(|mirror| {
            let (file, mirror) = (real(file), real(mirror));
            file.zip(mirror)
                .is_some_and(|(file, mirror)| file.starts_with(mirror))
        })
    };
    let mut found = Vec::new();
    for path in paths {
        let is_directory = path.is_dir();
        if !is_directory {
            found.extend(Pending::of(path, None)?);
            continue;
        }
        for file in files(path)?.iter().filter(|file| !is_mirrored(file)) {
            // What is below a directory by chance and is none of ours is none of our business.
            found.extend(Pending::of(file, None).ok().flatten());
        }
    }
    if let Some(mirror) = mirror {
        for file in files(mirror)? {
            found.extend(Pending::of(&file, Some(mirror)).ok().flatten());
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup();
    Ok(found)
}

impl Pending {
    /// The one of this name, be it that of the snapshot or of what waits.
    fn of(path: &Path, mirror: Option<&Path>) -> Result<Option<Self>, Error> {
        let name = path.to_string_lossy().into_owned();
        let snapshot = name.strip_suffix(NEW).unwrap_or(&name);
        let path = PathBuf::from(format!("{snapshot}{NEW}"));
        if !snapshot.ends_with(SNAP) || path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let snapshot = PathBuf::from(snapshot);
        let snapshot = match mirror.map(|mirror| snapshot.strip_prefix(mirror)) {
            Some(Ok(mirrored)) => mirrored.to_owned(),
            _ => snapshot,
        };
        let new = Content::read(&path)?;
        let old = snapshot
            .exists()
            .then(|| Content::read(&snapshot))
            .transpose()?;
        Ok(Some(Self {
            path,
            snapshot,
            new,
            old,
        }))
    }

    /// The text that was looked at before, where there is one.
    pub fn old(&self) -> Option<&str> {
        self.old.as_ref().map(Content::body)
    }

    /// The text that waits.
    pub fn new_text(&self) -> &str {
        self.new.body()
    }

    /// Lets it take the snapshot's place.
    ///
    /// # Errors
    ///
    /// Where a file cannot be written.
    pub fn accept(&self) -> Result<(), Error> {
        save(&self.snapshot, &self.new.accepted().text())?;
        remove_if_there(&self.path)
    }

    /// Drops it.
    ///
    /// # Errors
    ///
    /// Where it cannot be removed.
    pub fn reject(&self) -> Result<(), Error> {
        remove_if_there(&self.path)
    }
}

/// The files below a directory whose names may be of what waits.
fn files(root: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Directory { path, source }
    };
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(source) if directory == root => return Err(failed(root)(source)),
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let is_passed_over = name.starts_with('.') || MADE.contains(&&*name);
            if kind.is_dir() && !is_passed_over {
                open.push(path);
            } else if kind.is_file() && name.ends_with(".snap.new") {
                found.push(path);
            }
        }
    }
    Ok(found)
}

const SNAP: &str = ".snap";
/// Directories of what tools made.
const MADE: &[&str] = &["__pycache__", "node_modules", "target", "vendor"];
