//! Snapshots in insta's file format: a text that was looked at, and one that waits to be.
//!
//! `NAME.snap` holds what is right, `NAME.snap.new` beside it what came out instead and waits for
//! somebody to accept or reject it, with this program or with `cargo insta`. [`Snapshot::check`]
//! does what insta does for the same variables; [`pending()`] finds what waits.

mod file;
mod pending;
mod update;

pub use file::Content;
pub use pending::{Pending, pending};
pub use update::{Settings, Update};

use std::path::{Path, PathBuf};

use crate::library::{self, Overwrite};

/// Why a snapshot cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    Library(#[from] library::Error),
    /// It is no snapshot of insta's kind.
    #[error("{} is no snapshot; one begins with `---`, lines such as `source: …`, and `---`", path.display())]
    NoSnapshot {
        /// The file.
        path: PathBuf,
    },
    /// A directory cannot be made, or read.
    #[error("cannot use the directory {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The variable says nothing that is known.
    #[error("INSTA_UPDATE is `{value}`; it is auto, always, new, unseen, no or force")]
    Update {
        /// What it says.
        value: String,
    },
}

/// A snapshot on disk.
#[derive(Clone, Debug)]
pub struct Snapshot {
    path: PathBuf,
    old: Option<Content>,
}

/// What a comparison came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It is as it was.
    Same,
    /// It is another one, or a first one.
    Differs {
        /// What was looked at, where there is one.
        old: Option<String>,
        /// Where the new one waits.
        pending: Option<PathBuf>,
    },
    /// It was written as it is now.
    Written,
}

impl Snapshot {
    /// Reads it, where it exists.
    ///
    /// # Errors
    ///
    /// Where it cannot be read or is none.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let old = match path.symlink_metadata() {
            Ok(_) => Some(Content::read(path)?),
            Err(_) => None,
        };
        Ok(Self {
            path: path.to_owned(),
            old,
        })
    }

    /// Compares it with what came out, and does what is asked for where it differs.
    ///
    /// # Errors
    ///
    /// Where a file cannot be written.
    pub fn check(&self, new: &Content, settings: &Settings) -> Result<Checked, Error> {
        let old = self.old.as_ref();
        let is_same = old.is_some_and(|old| old.says_what(new));
        let waits = settings.place(&self.path);
        match (is_same, settings.update) {
            (true, Update::Force) => self.write(new),
            (true, _) => {
                // What waited has become what is.
                remove_if_there(&waits)?;
                Ok(Checked::Same)
            }
            (false, Update::Always | Update::Force) => {
                remove_if_there(&waits)?;
                self.write(new)
            }
            (false, Update::Unseen) if old.is_none() => self.write(new),
            (false, Update::No) => Ok(self.differs(None)),
            (false, Update::New | Update::Unseen) => {
                save(&waits, &new.text())?;
                Ok(self.differs(Some(waits)))
            }
        }
    }

    fn write(&self, new: &Content) -> Result<Checked, Error> {
        save(&self.path, &new.text())?;
        Ok(Checked::Written)
    }

    fn differs(&self, pending: Option<PathBuf>) -> Checked {
        Checked::Differs {
            old: self.old.as_ref().map(|old| old.body().to_owned()),
            pending,
        }
    }
}

fn save(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|source| Error::Directory {
            path: parent.to_owned(),
            source,
        })?;
    }
    library::refuse_taken(path, Overwrite::Yes)?;
    Ok(library::write(path, text)?)
}

fn remove_if_there(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::Directory {
            path: path.to_owned(),
            source: error,
        }),
        _ => Ok(()),
    }
}
