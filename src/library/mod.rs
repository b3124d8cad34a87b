//! Cassettes on disk: loaded whole, appended to while recording, and finished atomically.
//!
//! `part.rs` has the file of a recording that runs, and `recover.rs` what is made of one that did not
//! end; `save.rs` writes what others see whole or not at all, and `shelf.rs` reads many at once. `names.rs` makes file names of what strangers chose. Those
//! that are not redacted have rules of their own in `raw.rs`.

mod names;
mod part;
mod raw;
mod recover;
mod save;
mod shelf;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

pub use names::file_name;
pub use part::{PartFile, Written, part_path};
pub use raw::{IGNORE_LINE, keep_out_of_git, refuse_hidden};
pub use recover::{Recovered, recover};
pub use save::{Overwrite, refuse_taken, save, save_bytes, write};
pub use shelf::{Loaded, cassettes_at, load_all, playable, with_each};

use crate::cassette::{self, Cassette, MAX_SIZE};

/// What went wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no cassette.
    #[error("{}", path.display())]
    Cassette {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: cassette::Error,
    },
    /// A cassette of that name is there.
    #[error("{} exists; give another name, or --overwrite to replace it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file of that name came into being while this was recorded.
    #[error("{} came into being during the recording, and is left as it is", path.display())]
    Appeared {
        /// The file.
        path: PathBuf,
    },
    /// The name is that of a directory, a device, or the like.
    #[error("{} is no file that could be replaced; give the name of one", path.display())]
    NoFile {
        /// What it names.
        path: PathBuf,
    },
    /// A recording of that name runs.
    #[error("{} belongs to a recording that still runs; wait for its end, or give another name", path.display())]
    Busy {
        /// The `.part` file.
        path: PathBuf,
    },
    /// An earlier recording of that name did not end.
    #[error("{} is left from a recording that did not end; finish it with `authtape recover {}`, or delete it", path.display(), path.display())]
    Leftover {
        /// The `.part` file.
        path: PathBuf,
    },
    /// The name is a symbolic link.
    #[error("{} is a symbolic link, and nothing is written through one; give the file it points to", path.display())]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// The name does not say that the file is not redacted.
    #[error("{} would not be redacted, and its name must end in .raw.yaml to say so; give {}", path.display(), better.display())]
    RawName {
        /// The file.
        path: PathBuf,
        /// A name that says so.
        better: PathBuf,
    },
    /// What is to be recovered holds something that looks like a secret.
    #[error("{}: line {line} looks like a {kind}, so nothing was written; look at it with `authtape audit {}`", path.display(), path.display())]
    Unclean {
        /// The `.part` file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What it looks like.
        kind: String,
    },
    /// A directory has no cassette.
    #[error("{} holds no cassette; those are its files, and those of the directories in it, that end in .yaml", path.display())]
    NoCassettes {
        /// The directory.
        path: PathBuf,
    },
    /// The name does not end in `.part`.
    #[error("{} is no .part file; recover takes what a recording left, NAME.yaml.part", path.display())]
    NoPart {
        /// The file.
        path: PathBuf,
    },
}

/// Reads a cassette.
///
/// # Errors
///
/// The error names the file, and for a file that is no cassette the line and column.
pub fn load(path: &Path) -> Result<Cassette, Error> {
    load_bytes(path, &read(path)?)
}

/// The cassette that was read from a file.
///
/// # Errors
///
/// As [`load`].
pub fn load_bytes(path: &Path, bytes: &[u8]) -> Result<Cassette, Error> {
    cassette::load(bytes).map_err(no_cassette(path))
}

/// Reads a file of at most [`MAX_SIZE`] bytes, whatever it is.
///
/// # Errors
///
/// Where it cannot be read, or is longer.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    read_sized(path, MAX_SIZE)
}

/// Reads a file of at most `limit` bytes, whatever it is.
///
/// # Errors
///
/// Where it cannot be read, or is longer.
pub fn read_sized(path: &Path, limit: usize) -> Result<Vec<u8>, Error> {
    let file = File::open(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    // One more, so that its end is seen without more room.
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let room = usize::try_from(length).map_or(limit, |length| limit.min(length) + 1);
    let mut bytes = Vec::with_capacity(room);
    read_into(&mut bytes, &file, path, limit)?;
    Ok(bytes)
}

/// Reads no more than the limit, since a device or a pipe does not say how long it is.
///
/// `path` is what an error calls it.
///
/// # Errors
///
/// Where it cannot be read, or is longer.
pub fn read_from(source: impl io::Read, path: &Path, limit: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    read_into(&mut bytes, source, path, limit)?;
    Ok(bytes)
}

fn read_into(
    bytes: &mut Vec<u8>,
    source: impl io::Read,
    path: &Path,
    limit: usize,
) -> Result<(), Error> {
    let mut limited = source.take(limit as u64 + 1);
    limited.read_to_end(bytes).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    if bytes.len() > limit {
        return Err(no_cassette(path)(cassette::Error::TooLarge { limit }));
    }
    Ok(())
}

fn no_cassette(path: &Path) -> impl Fn(cassette::Error) -> Error {
    move |source| Error::Cassette {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_limit_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let name = directory.path().join("x.yaml.part");
        let file = File::create(&name).expect("a file");
        for (more, is_read) in [(0, true), (1, false)] {
            file.set_len(MAX_SIZE as u64 + more).expect("a length");
            assert_eq!(read(&name).is_ok(), is_read, "{more}");
        }
        for refused in [read(Path::new("/dev/zero")).err(), recover(&name).err()] {
            let source = refused.as_ref().and_then(std::error::Error::source);
            let said = source.map(ToString::to_string).unwrap_or_default();
            assert!(said.contains("more than 67108864 bytes"), "{refused:?}");
        }
    }
}
