//! Many cassettes at once: those of a directory, read on all processors.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::cassette::{self, Cassette, Header, Split};
use crate::library::{Error, no_cassette, read};
use crate::redact::Interaction;

/// A cassette that was read.
pub enum Loaded<T> {
    /// With all that it says.
    Whole(Cassette),
    /// What stands before the interactions, the text, and of each interaction where it stands in
    /// that and what was made of it.
    Parts(Header, String, Vec<(Range<usize>, T)>),
}

/// The cassettes that these paths name: a directory stands for those below it, sorted by name.
///
/// # Errors
///
/// Where a directory cannot be read, or holds none.
pub fn cassettes_at(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let before = found.len();
        descend(path, &mut found)?;
        if found.len() == before {
            return Err(Error::NoCassettes { path: path.clone() });
        }
    }
    Ok(found)
}

fn descend(directory: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |source| Error::Read {
        path: directory.to_owned(),
        source,
    };
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(failed)?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_yaml = [".yaml", ".yml"].iter().any(|end| name.ends_with(end));
        // What begins with a dot is a tool's, and a link may lead round in a circle.
        if name.starts_with('.') || (path.is_symlink() && path.is_dir()) {
            continue;
        }
        if path.is_dir() {
            descend(&path, found)?;
        } else if is_yaml {
            found.push(path);
        }
    }
    Ok(())
}

/// Reads cassettes and hands them over in order. Of one that is as a recording left it, each
/// interaction is read to be sure of it, something is made of it, and it is forgotten; of any other,
/// all is kept.
///
/// # Errors
///
/// As [`playable`], of the first that is none, and what `take` refuses with.
pub fn load_all<T: Send, E: From<Error>>(
    paths: &[PathBuf],
    make: impl Fn(&Interaction) -> T + Sync,
    mut take: impl FnMut(&Path, Loaded<T>) -> Result<(), E>,
) -> Result<(), E> {
    for portion in portions(paths) {
        for (path, loaded) in portion.iter().zip(load_portion(portion, &make)?) {
            take(path, loaded?)?;
        }
    }
    Ok(())
}

/// Does the same with each of these files, on all processors, and hands over in order what came of
/// it; no more is in memory than of a portion of them.
///
/// # Errors
///
/// What `take` refuses with.
pub fn with_each<T: Send, E>(
    paths: &[PathBuf],
    work: impl Fn(&Path) -> T + Sync,
    mut take: impl FnMut(&Path, T) -> Result<(), E>,
) -> Result<(), E> {
    for portion in portions(paths) {
        for (path, made) in portion.iter().zip(in_parallel(portion, |path| work(path))) {
            take(path, made)?;
        }
    }
    Ok(())
}

/// The files that are read at once, in order: what is made of them is in memory beside what was
/// made of all before.
fn portions(mut left: &[PathBuf]) -> impl Iterator<Item = &[PathBuf]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let first = left.iter().take_while(|path| {
            let is_room = bytes < PORTION;
            bytes += path.metadata().map_or(0, |metadata| metadata.len());
            is_room
        });
        let (portion, behind) = left.split_at(first.count());
        left = behind;
        (!portion.is_empty()).then_some(portion)
    })
}

fn load_portion<T: Send>(
    paths: &[PathBuf],
    make: impl Fn(&Interaction) -> T + Sync,
) -> Result<impl Iterator<Item = Result<Loaded<T>, Error>>, Error> {
    let files = in_parallel(paths, |path| Unread::of(path));
    let files = files.into_iter().collect::<Result<Vec<_>, _>>()?;
    let jobs: Vec<_> = (0..).zip(&files).flat_map(Unread::blocks).collect();
    let made = in_parallel(&jobs, |(at, block)| files[*at].read(block, &make));
    let mut parts: Vec<Option<Vec<_>>> = Vec::new();
    parts.resize_with(files.len(), || Some(Vec::new()));
    for ((at, _), made) in jobs.iter().zip(made) {
        match (made, &mut parts[*at]) {
            (Ok(made), Some(part)) => part.extend(made),
            // Read whole, it says which line is wrong.
            (_, part) => *part = None,
        }
    }
    let files = files.into_iter().zip(parts).zip(paths);
    Ok(
        files.map(|((file, parts), path)| match (file.split, parts) {
            (Some(split), Some(parts)) => Ok(Loaded::Parts(split.header, file.text, parts)),
            _ => playable(path, file.text.as_bytes()).map(Loaded::Whole),
        }),
    )
}

/// A file whose interactions are not read yet.
struct Unread {
    text: String,
    split: Option<Split>,
}

impl Unread {
    fn of(path: &Path) -> Result<Self, Error> {
        let bytes = read(path)?;
        let text = cassette::into_text(bytes).map_err(no_cassette(path))?;
        let split = cassette::split(&text);
        Ok(Self { text, split })
    }

    fn entries(&self) -> &[Range<usize>] {
        let split = self.split.as_ref();
        split.map_or(&[], |split| &split.entries)
    }

    fn blocks((at, file): (usize, &Self)) -> Vec<(usize, Range<usize>)> {
        let entries = file.entries().len();
        let begins = (0..entries).step_by(BLOCK);
        begins
            .map(|begin| (at, begin..entries.min(begin + BLOCK)))
            .collect()
    }

    fn read<T>(
        &self,
        block: &Range<usize>,
        make: impl Fn(&Interaction) -> T,
    ) -> Result<Vec<(Range<usize>, T)>, cassette::Error> {
        let entries = self.entries()[block.clone()].iter();
        entries
            .map(|at| {
                let interaction = cassette::load_entry(&self.text[at.clone()])?;
                Ok((at.clone(), make(&interaction)))
            })
            .collect()
    }
}

/// Makes of what was read from a file the cassette that is to be played.
///
/// # Errors
///
/// As [`crate::library::load`], and where an edit has left what cannot be played, with the line.
pub fn playable(path: &Path, bytes: &[u8]) -> Result<Cassette, Error> {
    let checked = || {
        let cassette = cassette::load(bytes)?;
        cassette.check_playable(cassette::as_text(bytes)?)?;
        Ok(cassette)
    };
    checked().map_err(no_cassette(path))
}

/// Does the same with each, on all processors; the results are in the order of the jobs.
fn in_parallel<J: Sync, R: Send>(jobs: &[J], work: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let worker = || {
        while let Some((at, job)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            jobs.get(at).map(|job| (at, job))
        } {
            let result = work(job);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((at, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(jobs.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Interactions that are read at once: enough that nobody waits for another.
const BLOCK: usize = 128;

/// Bytes of files that are read at once, so that all processors have work.
const PORTION: u64 = 2 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &str =
        "authtape: 1\nrecorded_by: other/1\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n";

    #[test]
    fn a_directory_stands_for_the_cassettes_below_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        std::fs::create_dir_all(at("b/empty")).expect("a directory");
        for name in [
            "c.yaml",
            "a.yml",
            "b/z.yaml",
            ".hidden.yaml",
            "d.yaml.part",
            "README.md",
        ] {
            std::fs::write(at(name), NONE).expect("a file");
        }
        let found = cassettes_at(&[directory.path().to_owned()]).expect("some");
        assert_eq!(found, [at("a.yml"), at("b/z.yaml"), at("c.yaml")]);
        let none = cassettes_at(&[at("b/empty")]).expect_err("none");
        assert!(none.to_string().contains("b/empty"), "{none}");
        let named = cassettes_at(&[at("README.md")]).expect("what is named is taken");
        assert_eq!(named, [at("README.md")]);
    }

    #[test]
    fn the_first_file_that_is_no_cassette_is_named_with_its_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        for (name, text) in [
            ("a.yaml", NONE.to_owned()),
            ("b.yaml", NONE.replace("recorded_at", "recoded_at")),
            ("c.yaml", "no cassette".to_owned()),
        ] {
            std::fs::write(at(name), text).expect("a file");
        }
        let paths = ["a.yaml", "b.yaml", "c.yaml"].map(at);
        let refused = load_all(&paths, |_| (), |_, _| Ok::<_, Error>(())).expect_err("refused");
        let source = std::error::Error::source(&refused).map(ToString::to_string);
        assert!(refused.to_string().ends_with("b.yaml"), "{refused}");
        assert!(source.is_some_and(|source| source.starts_with("line 3")));
    }
}
