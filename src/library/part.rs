//! The file of a recording that runs.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::library::Error;
use crate::library::save::{
    Overwrite, cannot_write, lock, named, refuse_taken, remove, sync_directory_of, synced,
    temporary,
};

/// The file of a recording that runs: `NAME.yaml.part`, for its owner only, and locked: the
/// system drops the lock with the process, however that ends.
#[derive(Debug)]
pub struct PartFile {
    cassette: PathBuf,
    overwrite: Overwrite,
    part: PathBuf,
    file: Arc<File>,
    /// Whether another file has taken its name since the directory was synced.
    is_renamed: bool,
}

impl PartFile {
    /// Starts a recording's file; nothing that exists is touched.
    ///
    /// # Errors
    ///
    /// Where the cassette exists and `overwrite` does not allow for it, where another recording
    /// runs, where an earlier one left its `.part`, or where the file cannot be made.
    pub fn create(cassette: &Path, overwrite: Overwrite, begin: &str) -> Result<Self, Error> {
        refuse_taken(cassette, overwrite)?;
        if let Some(directory) = cassette.parent() {
            std::fs::create_dir_all(directory).map_err(|source| Error::Write {
                path: directory.to_owned(),
                source,
            })?;
        }
        let part = part_path(cassette);
        let file = private()
            .append(true)
            .create_new(true)
            .open(&part)
            .map_err(|source| match source.kind() {
                io::ErrorKind::AlreadyExists => taken(&part),
                _ => Error::Write {
                    path: part.clone(),
                    source,
                },
            })?;
        let mut part = Self {
            cassette: cassette.to_owned(),
            overwrite,
            part,
            file: Arc::new(file),
            is_renamed: false,
        };
        let begun = lock(&part.file, &part.part).and_then(|()| part.append(begin));
        match begun {
            Ok(()) => Ok(part),
            // What holds nothing must not stand in the way of the next recording.
            Err(error) => part.discard().and(Err(error)),
        }
    }

    /// Appends a text with one write.
    ///
    /// # Errors
    ///
    /// Where the disk refuses it.
    pub fn append(&mut self, text: &str) -> Result<(), Error> {
        let path = &self.part;
        (&*self.file)
            .write_all(text.as_bytes())
            .map_err(|source| Error::Write {
                path: path.clone(),
                source,
            })
    }

    /// Puts a text in the place of all that was written, which holds what must not stay.
    ///
    /// # Errors
    ///
    /// Where the disk refuses it; as much as it takes of the text is then there, and nothing of
    /// what was written before.
    pub fn rewrite(&mut self, text: &str) -> Result<(), Error> {
        self.renew(text).or_else(|error| {
            self.overwrite(text)?;
            Err(error)
        })
    }

    /// Puts a new file with all that was written in the place of one that the disk has failed:
    /// after a refused write or sync nobody knows what of it will be there. What the disk keeps of
    /// it is for [`Written::sync`] to ask; those who wait here have an exchange to go on with.
    ///
    /// # Errors
    ///
    /// Where the disk refuses that too; the old file is then as it was.
    pub fn renew(&mut self, text: &str) -> Result<(), Error> {
        let file = temporary(&self.part, text.as_bytes())?;
        let file = file.persist(&self.part);
        let file = file.map_err(|refused| cannot_write(&self.part)(refused.error))?;
        self.file = Arc::new(file);
        self.is_renamed = true;
        Ok(())
    }

    /// Writes over the file where it is. A crash would leave less of it, never the text before.
    fn overwrite(&mut self, text: &str) -> Result<(), Error> {
        let mut file = &*self.file;
        let emptied = file.set_len(0).and_then(|()| file.rewind());
        let written = emptied.and_then(|()| file.write_all(text.as_bytes()));
        written.map_err(|source| Error::Write {
            path: self.part.clone(),
            source,
        })
    }

    /// What was written so far, to be synced while more is written.
    pub fn written(&mut self) -> Written {
        Written {
            path: self.part.clone(),
            file: Arc::clone(&self.file),
            is_renamed: std::mem::take(&mut self.is_renamed),
        }
    }

    /// Writes the finished cassette beside its `.part`, whole or not at all, and removes the
    /// `.part`.
    ///
    /// # Errors
    ///
    /// Where the disk refuses it, or where a file of the name came into being that may not be
    /// replaced; the `.part` is then still there.
    pub fn finish(self, text: &str) -> Result<PathBuf, Error> {
        named(
            synced(&self.cassette, text.as_bytes())?,
            &self.cassette,
            self.overwrite,
        )?;
        remove(&self.part)?;
        Ok(self.cassette)
    }

    /// Removes the file of a recording in which nothing was kept.
    ///
    /// # Errors
    ///
    /// Where the disk refuses it.
    pub fn discard(self) -> Result<(), Error> {
        remove(&self.part)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.part
    }
}

/// What was written of a recording that runs.
#[derive(Debug)]
pub struct Written {
    path: PathBuf,
    file: Arc<File>,
    is_renamed: bool,
}

impl Written {
    /// Asks the disk to keep it; meant to be called now and then.
    ///
    /// # Errors
    ///
    /// Where the disk refuses it.
    pub fn sync(self) -> Result<(), Error> {
        self.file.sync_data().map_err(cannot_write(&self.path))?;
        if self.is_renamed {
            sync_directory_of(&self.path)?;
        }
        Ok(())
    }
}

/// The file in which what is recorded for this cassette waits until it is whole.
pub fn part_path(cassette: &Path) -> PathBuf {
    let mut name = OsString::from(cassette);
    name.push(".part");
    PathBuf::from(name)
}

/// Whose a `.part` is that stands in the way.
fn taken(part: &Path) -> Error {
    match held(part) {
        Ok(_) => Error::Leftover {
            path: part.to_owned(),
        },
        Err(error) => error,
    }
}

/// A `.part` that nobody writes to, locked.
pub(super) fn held(part: &Path) -> Result<File, Error> {
    let read = |source| Error::Read {
        path: part.to_owned(),
        source,
    };
    let file = File::open(part).map_err(read)?;
    lock(&file, part)?;
    // A recording may have put another file in its place before the lock was ours.
    let (ours, now) = (file.metadata(), std::fs::metadata(part));
    let (ours, now) = (ours.map_err(read)?, now.map_err(read)?);
    if (ours.dev(), ours.ino()) == (now.dev(), now.ino()) {
        return Ok(file);
    }
    Err(Error::Busy {
        path: part.to_owned(),
    })
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::library::recover;

    pub(in crate::library) const BEGIN: &str = "authtape: 1\nrecorded_by: authtape/0.1.0\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n";
    pub(in crate::library) const ENTRY: &str = "\n- id: 1\n  step: token_request\n  at: 0.000\n  request:\n    method: POST\n    url: https://as.example/token\n    http: \"1.1\"\n    body: empty\n# end 1\n";

    pub(in crate::library) fn part(directory: &Path) -> PartFile {
        PartFile::create(&directory.join("x.yaml"), Overwrite::No, BEGIN).expect("a new file")
    }

    /// What is there when the process of a recording is not any more.
    pub(in crate::library) fn died(recording: PartFile) -> PathBuf {
        let part = recording.path().to_owned();
        drop(recording);
        part
    }

    #[test]
    fn nothing_that_exists_is_touched() {
        let directory = tempfile::tempdir().expect("a directory");
        let cassette = directory.path().join("x.yaml");
        std::fs::write(&cassette, "mine").expect("a file");
        let refused = PartFile::create(&cassette, Overwrite::No, BEGIN).expect_err("it exists");
        assert!(matches!(refused, Error::Exists { .. }), "{refused}");
        let part = PartFile::create(&cassette, Overwrite::Yes, BEGIN).expect("allowed");
        assert_eq!(std::fs::read_to_string(&cassette).expect("a file"), "mine");
        let second =
            PartFile::create(&cassette, Overwrite::Yes, BEGIN).expect_err("a recording runs");
        assert!(matches!(second, Error::Busy { .. }), "{second}");
        part.finish("whole").expect("finished");
        assert_eq!(std::fs::read_to_string(&cassette).expect("a file"), "whole");
        assert!(!directory.path().join("x.yaml.part").exists());
    }

    #[test]
    fn a_directory_or_a_device_is_never_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        for path in [directory.path(), Path::new("/dev/null")] {
            let refused = PartFile::create(path, Overwrite::Yes, BEGIN).expect_err("no file");
            assert!(matches!(refused, Error::NoFile { .. }), "{refused}");
            assert!(!part_path(path).exists());
        }
    }

    #[test]
    fn a_symbolic_link_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let link = directory.path().join("x.yaml");
        std::os::unix::fs::symlink(directory.path().join("elsewhere"), &link).expect("a link");
        let refused = PartFile::create(&link, Overwrite::Yes, BEGIN).expect_err("a link");
        assert!(matches!(refused, Error::Symlink { .. }), "{refused}");
    }

    #[test]
    fn what_must_not_stay_goes_even_where_no_other_file_can_be_made() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut recording = part(directory.path());
        for before in ["secret", "another"] {
            recording.append(before).expect("appended");
            let mut seen = File::open(recording.path()).expect("a file");
            let hidden = directory.path().with_extension("hidden");
            std::fs::rename(directory.path(), &hidden).expect("moved");
            let refused = recording.rewrite(BEGIN).expect_err("no directory");
            std::fs::rename(&hidden, directory.path()).expect("moved back");
            assert!(matches!(refused, Error::Write { .. }), "{refused}");
            let mut text = String::new();
            seen.read_to_string(&mut text).expect("text");
            assert_eq!(text, BEGIN, "{before}");
            recording.rewrite(BEGIN).expect("rewritten");
        }
    }

    #[test]
    fn a_recording_that_runs_is_told_from_one_that_did_not_end() {
        let directory = tempfile::tempdir().expect("a directory");
        let cassette = directory.path().join("x.yaml");
        let again = || PartFile::create(&cassette, Overwrite::Yes, BEGIN).expect_err("in the way");
        let mut recording = part(directory.path());
        let whole = format!("{BEGIN}{ENTRY}");
        for step in ["as it was made", "rewritten"] {
            let (second, saved) = (again(), recover(recording.path()).expect_err("it runs"));
            assert!(matches!(second, Error::Busy { .. }), "{step}: {second}");
            assert!(matches!(saved, Error::Busy { .. }), "{step}: {saved}");
            recording.rewrite(&whole).expect("rewritten");
        }
        let left = died(recording);
        assert_eq!(std::fs::read_to_string(&left).expect("a file"), whole);
        let second = again();
        assert!(matches!(second, Error::Leftover { .. }), "{second}");
        assert!(second.to_string().contains("authtape recover"), "{second}");
        recover(&left).expect("nobody has it");
        PartFile::create(&cassette, Overwrite::Yes, BEGIN).expect("nothing is in the way");
    }

    #[test]
    fn a_renewed_recording_is_another_file_or_the_old_one_as_it_was() {
        use std::os::unix::fs::MetadataExt as _;
        let directory = tempfile::tempdir().expect("a directory");
        let mut recording = part(directory.path());
        let inode = |path: &Path| path.metadata().expect("a file").ino();
        let before = inode(recording.path());
        recording.renew("renewed\n").expect("written");
        assert_ne!(inode(recording.path()), before);
        recording.append("more\n").expect("written");
        let text = || std::fs::read_to_string(recording.path()).expect("a file");
        assert_eq!(text(), "renewed\nmore\n");
        let mut missing = PartFile {
            overwrite: recording.overwrite,
            is_renamed: false,
            cassette: recording.cassette.clone(),
            part: directory.path().join("gone/demo.yaml.part"),
            file: Arc::clone(&recording.file),
        };
        missing.renew("nothing").expect_err("no such directory");
        assert_eq!(text(), "renewed\nmore\n");
    }

    #[test]
    fn a_rewritten_recording_goes_on_being_appended_to() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut recording = part(directory.path());
        recording.append("lost").expect("appended");
        recording.rewrite(BEGIN).expect("rewritten");
        recording.append(ENTRY).expect("appended");
        let text = std::fs::read_to_string(recording.path()).expect("a file");
        assert_eq!(text, format!("{BEGIN}{ENTRY}"));
    }
}
