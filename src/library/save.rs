//! Files that others see whole or not at all.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::library::{Error, raw};

/// Writes a file for its owner only, whole or not at all.
///
/// # Errors
///
/// Where it exists and `overwrite` does not allow for it, or the disk refuses it.
pub fn save(path: &Path, text: &str, overwrite: Overwrite) -> Result<(), Error> {
    save_bytes(path, text.as_bytes(), overwrite)
}

/// As [`save`], of what may be no text.
///
/// # Errors
///
/// As [`save`].
pub fn save_bytes(path: &Path, bytes: &[u8], overwrite: Overwrite) -> Result<(), Error> {
    refuse_taken(path, overwrite)?;
    named(synced(path, bytes)?, path, overwrite)
}

/// Refuses a name that is a symbolic link, and one that exists where that is not allowed for.
///
/// # Errors
///
/// [`Error::Symlink`], [`Error::NoFile`] and [`Error::Exists`].
pub fn refuse_taken(path: &Path, overwrite: Overwrite) -> Result<(), Error> {
    let path = path.to_owned();
    match std::fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_symlink() => Err(Error::Symlink { path }),
        Ok(metadata) if !metadata.is_file() => Err(Error::NoFile { path }),
        Ok(_) if overwrite == Overwrite::No => Err(Error::Exists { path }),
        // Where it cannot be looked at, the attempt to write says why.
        _ => Ok(()),
    }
}

/// Whether a file that exists may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// It is an error.
    No,
    /// It is replaced once what takes its place is whole.
    Yes,
}

/// Writes a file that others see whole or not at all.
///
/// # Errors
///
/// Where the disk refuses it.
pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    let file = temporary(path, text.as_bytes())?;
    let named = file.persist(path);
    named.map_err(|refused| cannot_write(path)(refused.error))?;
    Ok(())
}

/// A file without its name yet, which the disk has taken.
pub(super) fn synced(path: &Path, bytes: &[u8]) -> Result<NamedTempFile, Error> {
    let file = temporary(path, bytes)?;
    file.as_file().sync_all().map_err(cannot_write(path))?;
    Ok(file)
}

/// Gives a file its name, and asks the disk to keep that.
pub(super) fn named(file: NamedTempFile, path: &Path, overwrite: Overwrite) -> Result<(), Error> {
    let named = match overwrite {
        Overwrite::Yes => file.persist(path),
        Overwrite::No => file.persist_noclobber(path),
    };
    named.map_err(|refused| match refused.error.kind() {
        io::ErrorKind::AlreadyExists => Error::Appeared {
            path: path.to_owned(),
        },
        _ => cannot_write(path)(refused.error),
    })?;
    sync_directory_of(path)
}

/// A file beside the one whose name it is to have, locked before it has it, and open at its end.
pub(super) fn temporary(path: &Path, bytes: &[u8]) -> Result<NamedTempFile, Error> {
    let failed = cannot_write(path);
    let parent = directory_of(path);
    // The error itself names a file that nobody has asked for.
    let cause = |error: io::Error| {
        let missing = std::fs::metadata(parent).err();
        failed(missing.unwrap_or_else(|| error.kind().into()))
    };
    let mut file = tempfile::Builder::new()
        .suffix(raw::ending_of(path))
        .tempfile_in(parent)
        .map_err(cause)?;
    lock(file.as_file(), path)?;
    file.write_all(bytes).map_err(failed)?;
    Ok(file)
}

pub(super) fn sync_directory_of(path: &Path) -> Result<(), Error> {
    File::open(directory_of(path))
        .and_then(|directory| directory.sync_all())
        .map_err(cannot_write(path))
}

pub(super) fn directory_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

pub(super) fn cannot_write(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Write {
        path: path.to_owned(),
        source,
    }
}

pub(super) fn remove(path: &Path) -> Result<(), Error> {
    std::fs::remove_file(path).map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

/// Locks a file for as long as it is open. Where the file system knows no locks, that the `.part`
/// exists must do.
pub(super) fn lock(file: &File, path: &Path) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        match file.try_lock() {
            // A program that was started while the file was open has it until it runs.
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN),
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(()),
        }
    }
    Err(Error::Busy {
        path: path.to_owned(),
    })
}

const ATTEMPTS: usize = 10;
const BETWEEN: Duration = Duration::from_millis(10);
