//! The private directory of a run: it goes with the run, and what a killed one left is swept.

use std::fs::{DirEntry, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use tempfile::TempDir;

use crate::launch::Error;

/// A directory that only its owner can look into, and that goes when this is dropped. It is locked
/// for as long as the process lives, however that ends.
#[derive(Debug)]
pub struct Directory {
    directory: TempDir,
    _lock: File,
}

impl Directory {
    /// Makes one where temporary files are, and removes those of this user whose runs are dead.
    ///
    /// # Errors
    ///
    /// Where none can be made.
    pub fn make() -> Result<Self, Error> {
        Self::within(&std::env::temp_dir())
    }

    fn within(parent: &Path) -> Result<Self, Error> {
        sweep(parent);
        let failed = |error: io::Error| Error::Temporary {
            parent: parent.to_owned(),
            // The whole error names a file that nobody has asked for.
            source: error.kind().into(),
        };
        let mut builder = tempfile::Builder::new();
        builder
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o700));
        let directory = builder.tempdir_in(parent).map_err(failed)?;
        let lock = locked(directory.path()).map_err(failed)?;
        Ok(Self {
            directory,
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// A lock has its name only once it is held, so that a directory in the making is nobody's to
/// sweep.
fn locked(directory: &Path) -> io::Result<File> {
    let new = directory.join("lock.new");
    let lock = File::create_new(&new)?;
    // Where the file system knows no locks, what is left is left.
    if lock.try_lock().is_ok() {
        std::fs::rename(new, directory.join(LOCK))?;
    }
    Ok(lock)
}

fn sweep(parent: &Path) {
    // What cannot be looked at or removed stays, and is no reason not to run.
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if let Some(_ours_now) = dead(&entry) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The lock of a directory whose run is dead.
fn dead(entry: &DirEntry) -> Option<File> {
    let name = entry.file_name();
    if !name.to_string_lossy().starts_with(PREFIX) {
        return None;
    }
    // In one of somebody else's, a pipe might stand for the lock, and would not let us go on.
    let metadata = entry.metadata().ok()?;
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    if !(metadata.is_dir() && is_own) {
        return None;
    }
    let lock = File::open(entry.path().join(LOCK)).ok()?;
    lock.try_lock().ok()?;
    Some(lock)
}

const PREFIX: &str = "authtape-";
const LOCK: &str = "lock";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_run_left_is_swept_and_what_lives_is_not() {
        let parent = tempfile::tempdir().expect("a directory");
        let lives = Directory::within(parent.path()).expect("made");
        let Directory {
            directory,
            _lock: lock,
        } = Directory::within(parent.path()).expect("made");
        let left = directory.keep();
        std::fs::write(left.join("bundle.pem"), "").expect("written");
        let others = parent.path().join("authtape-of-another-kind");
        std::fs::create_dir(&others).expect("made");
        drop(lock);
        let next = Directory::within(parent.path()).expect("made");
        assert!(!left.exists());
        for there in [lives.path(), next.path(), &others] {
            assert!(there.exists(), "{}", there.display());
        }
    }

    #[test]
    fn only_its_owner_looks_into_it() {
        let made = Directory::make().expect("made");
        let metadata = std::fs::metadata(made.path()).expect("metadata");
        assert_eq!(metadata.mode() & 0o777, 0o700);
    }

    #[test]
    fn where_none_can_be_made_the_variable_is_named() {
        let refused = Directory::within(Path::new("/nonexistent/temporary")).expect_err("nowhere");
        let said = refused.to_string();
        assert!(
            said.contains("/nonexistent/temporary") && said.contains("TMPDIR"),
            "{said}"
        );
    }
}
