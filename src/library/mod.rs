//! Cassettes on disk: loaded whole, appended to while recording, and finished atomically.
//! Those that are not redacted have rules of their own in `raw.rs`.

mod raw;
mod shelf;

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

pub use raw::{IGNORE_LINE, keep_out_of_git, refuse_hidden};
pub use shelf::{Loaded, cassettes_at, load_all};

use crate::cassette::{self, Cassette, Header, MAX_SIZE};
use crate::redact::{Profile, audit};

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
    let bytes = read(path)?;
    cassette::load(&bytes).map_err(|source| Error::Cassette {
        path: path.to_owned(),
        source,
    })
}

/// Reads a cassette that is to be played.
///
/// # Errors
///
/// As [`load`], and where an edit has left what cannot be played, with the line.
pub fn load_playable(path: &Path) -> Result<Cassette, Error> {
    shelf::whole(path, &read(path)?)
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
    read_from(&file, path, limit)
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
    let mut limited = source.take(limit as u64 + 1);
    limited
        .read_to_end(&mut bytes)
        .map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
    if bytes.len() > limit {
        return Err(Error::Cassette {
            path: path.to_owned(),
            source: cassette::Error::TooLarge { limit },
        });
    }
    Ok(bytes)
}

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
        let file = temporary(&self.part, text)?;
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
            synced(&self.cassette, text)?,
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

/// Writes a file for its owner only, whole or not at all.
///
/// # Errors
///
/// Where it exists and `overwrite` does not allow for it, or the disk refuses it.
pub fn save(path: &Path, text: &str, overwrite: Overwrite) -> Result<(), Error> {
    refuse_taken(path, overwrite)?;
    named(synced(path, text)?, path, overwrite)
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

/// What was saved of a recording that did not end.
#[derive(Debug)]
pub struct Recovered {
    /// The cassette that was written.
    pub path: PathBuf,
    /// How many interactions it has.
    pub interactions: usize,
    /// How many bytes of an unfinished interaction were left out.
    pub cut: usize,
    /// Whether nothing in it is redacted.
    pub is_raw: bool,
}

/// Makes a cassette of the complete interactions of a `.part` file, which stays where it is if
/// anything goes wrong. A cassette that exists is not touched: the name becomes
/// `NAME.recovered.yaml`.
///
/// # Errors
///
/// Where the file is no `.part`, belongs to a recording that runs, holds no complete interaction,
/// or does not pass the audit.
pub fn recover(part: &Path) -> Result<Recovered, Error> {
    let target = part
        .to_str()
        .and_then(|name| name.strip_suffix(".part"))
        .map(PathBuf::from)
        .ok_or_else(|| Error::NoPart {
            path: part.to_owned(),
        })?;
    // Locked until the cassette stands.
    let file = held(part)?;
    let bytes = read_from(&file, part, MAX_SIZE)?;
    let read = cassette::load_part(&bytes).map_err(|source| Error::Cassette {
        path: part.to_owned(),
        source,
    })?;
    let mut interactions = read.cassette.interactions;
    interactions.sort_by_key(crate::redact::Interaction::id);
    let interactions: Vec<_> = (1..)
        .zip(interactions)
        .map(|(id, interaction)| interaction.renumbered(id))
        .collect();
    let header: Header = read.cassette.header.with_server(&interactions);
    let is_raw = header.profile == Profile::Raw;
    if is_raw {
        refuse_hidden(&target)?;
    }
    let count = interactions.len();
    let text = cassette::write(&Cassette {
        header,
        interactions,
    });
    let hits = if is_raw { Vec::new() } else { audit(&text) };
    if let Some(hit) = hits.first() {
        return Err(Error::Unclean {
            path: part.to_owned(),
            line: hit.line,
            kind: hit.kind.clone(),
        });
    }
    let path = under_a_free_name(target, &text)?;
    remove(part)?;
    Ok(Recovered {
        path,
        interactions: count,
        cut: read.cut,
        is_raw,
    })
}

/// Writes a file under the first of these names that nobody has.
fn under_a_free_name(target: PathBuf, text: &str) -> Result<PathBuf, Error> {
    let (base, raw) = if raw::says_raw(&target) {
        (target.with_extension("").with_extension(""), "raw.")
    } else {
        (target.with_extension(""), "")
    };
    let named = move |what: &str| {
        let name = base.file_name().unwrap_or_default().to_string_lossy();
        base.with_file_name(format!("{name}.{what}.{raw}yaml"))
    };
    let recovered = named("recovered");
    let numbered = (2..).map(move |n: u32| named(&format!("recovered-{n}")));
    let mut file = synced(&target, text)?;
    for path in [target.clone(), recovered].into_iter().chain(numbered) {
        match file.persist_noclobber(&path) {
            Ok(_) => {
                sync_directory_of(&path)?;
                return Ok(path);
            }
            Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => {
                file = refused.file;
            }
            Err(refused) => return Err(cannot_write(&path)(refused.error)),
        }
    }
    Err(Error::Exists { path: target })
}

fn part_path(cassette: &Path) -> PathBuf {
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
fn held(part: &Path) -> Result<File, Error> {
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

/// Locks a file for as long as it is open. Where the file system knows no locks, that the `.part`
/// exists must do.
fn lock(file: &File, path: &Path) -> Result<(), Error> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::Busy {
            path: path.to_owned(),
        }),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Writes a file that others see whole or not at all.
///
/// # Errors
///
/// Where the disk refuses it.
pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    let file = temporary(path, text)?;
    let named = file.persist(path);
    named.map_err(|refused| cannot_write(path)(refused.error))?;
    Ok(())
}

/// A file without its name yet, which the disk has taken.
fn synced(path: &Path, text: &str) -> Result<NamedTempFile, Error> {
    let file = temporary(path, text)?;
    file.as_file().sync_all().map_err(cannot_write(path))?;
    Ok(file)
}

/// Gives a file its name, and asks the disk to keep that.
fn named(file: NamedTempFile, path: &Path, overwrite: Overwrite) -> Result<(), Error> {
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
fn temporary(path: &Path, text: &str) -> Result<NamedTempFile, Error> {
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
    file.write_all(text.as_bytes()).map_err(failed)?;
    Ok(file)
}

fn sync_directory_of(path: &Path) -> Result<(), Error> {
    File::open(directory_of(path))
        .and_then(|directory| directory.sync_all())
        .map_err(cannot_write(path))
}

fn directory_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

fn cannot_write(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Write {
        path: path.to_owned(),
        source,
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    std::fs::remove_file(path).map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "authtape: 1\nrecorded_by: authtape/0.1.0\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n";
    const ENTRY: &str = "\n- id: 1\n  step: token_request\n  at: 0.000\n  request:\n    method: POST\n    url: https://as.example/token\n    http: \"1.1\"\n    body: empty\n# end 1\n";

    fn part(directory: &Path) -> PartFile {
        PartFile::create(&directory.join("x.yaml"), Overwrite::No, BEGIN).expect("a new file")
    }

    /// What is there when the process of a recording is not any more.
    fn died(recording: PartFile) -> PathBuf {
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
    fn what_came_into_being_meanwhile_is_left_and_so_is_the_recording() {
        let directory = tempfile::tempdir().expect("a directory");
        let cassette = directory.path().join("x.yaml");
        let mut recording = part(directory.path());
        recording.append(ENTRY).expect("appended");
        std::fs::write(&cassette, "mine").expect("a file");
        let left = recording.path().to_owned();
        let refused = recording.finish("whole").expect_err("it is not ours");
        assert!(matches!(refused, Error::Appeared { .. }), "{refused}");
        let recovered = recover(&left).expect("recovered");
        assert_eq!(recovered.path, directory.path().join("x.recovered.yaml"));
        assert_eq!(std::fs::read_to_string(&cassette).expect("a file"), "mine");
        let mut again = PartFile::create(&cassette, Overwrite::Yes, BEGIN).expect("allowed");
        again.append(ENTRY).expect("appended");
        let recovered = recover(&died(again)).expect("recovered");
        assert_eq!(recovered.path, directory.path().join("x.recovered-2.yaml"));
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
    fn a_recording_that_did_not_end_is_recovered_up_to_its_last_whole_interaction() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut recording = part(directory.path());
        recording.append(ENTRY).expect("appended");
        recording.append(&ENTRY[..40]).expect("appended");
        let recovered = recover(&died(recording)).expect("recovered");
        assert_eq!((recovered.interactions, recovered.cut), (1, 40));
        let cassette = load(&directory.path().join("x.yaml")).expect("a cassette");
        assert_eq!(cassette.header.server.as_deref(), Some("as.example"));
    }

    #[test]
    fn what_holds_no_whole_interaction_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let recording = died(part(directory.path()));
        let refused = recover(&recording).expect_err("nothing is complete");
        let incomplete = cassette::Error::NothingComplete;
        assert!(
            matches!(&refused, Error::Cassette { source, .. } if source.to_string() == incomplete.to_string()),
            "{refused}"
        );
        assert!(recording.exists());
    }

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
