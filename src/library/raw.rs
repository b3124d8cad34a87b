//! Files that hold what was not redacted: named so that it shows, and kept out of git.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::cassette::MAX_SIZE;
use crate::library::save::{cannot_write, directory_of};
use crate::library::{Error, read_from};

/// Refuses a name that does not say that the file is not redacted.
///
/// # Errors
///
/// [`Error::RawName`], with a name that does.
pub fn refuse_hidden(path: &Path) -> Result<(), Error> {
    if says_raw(path) {
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name
        .strip_suffix(".yaml")
        .or_else(|| name.strip_suffix(".yml"));
    let stem = stem.unwrap_or(&name);
    // Who wrote `.raw.yml` meant it.
    let stem = stem
        .strip_suffix(MARK)
        .filter(|stem| !stem.is_empty())
        .unwrap_or(stem);
    Err(Error::RawName {
        path: path.to_owned(),
        better: path.with_file_name(format!("{stem}{EXTENSION}")),
    })
}

/// Sees to it that git ignores the file and what a recording leaves of it, where it is in a work tree. The
/// nearest `.gitignore` is given a line, unless one covers it; the file that was written is
/// returned.
///
/// # Errors
///
/// Where the `.gitignore` is a symbolic link, which git itself does not follow, or cannot be read or
/// written.
pub fn keep_out_of_git(path: &Path) -> Result<Option<PathBuf>, Error> {
    let read = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let directory = fs::canonicalize(directory_of(path)).map_err(read)?;
    let is_root = |directory: &&Path| directory.join(".git").exists();
    let Some(root) = directory.ancestors().find(is_root) else {
        return Ok(None);
    };
    let above = directory.ancestors();
    let inside = above.take_while(|above| above.starts_with(root));
    let nearest = inside.map(|directory| directory.join(IGNORE));
    // What is there but cannot be followed is there.
    let nearest = nearest
        .into_iter()
        .find(|file| file.symlink_metadata().is_ok());
    let file = nearest.unwrap_or_else(|| root.join(IGNORE));
    let text = ignored(&file)?;
    if let Some(name) = path.file_name().and_then(|name| name.to_str())
        && covers(&text, name)
    {
        return Ok(None);
    }
    append(&file, &text).map_err(cannot_write(&file))?;
    Ok(Some(file))
}

/// Whether the name says that the file is not redacted.
pub(super) fn says_raw(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.len() > EXTENSION.len() && name.ends_with(EXTENSION)
}

/// What a temporary file's name ends with, so that one that is left is ignored as well.
pub(super) fn ending_of(path: &Path) -> &'static str {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.contains(EXTENSION) {
        EXTENSION
    } else {
        ""
    }
}

fn ignored(file: &Path) -> Result<String, Error> {
    match file.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => Err(Error::Symlink {
            path: file.to_owned(),
        }),
        Ok(metadata) if !metadata.is_file() => Err(Error::NoFile {
            path: file.to_owned(),
        }),
        Ok(_) => {
            let opened = File::open(file).map_err(|source| Error::Read {
                path: file.to_owned(),
                source,
            })?;
            let bytes = read_from(&opened, file, MAX_SIZE)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
        // Where it cannot be looked at, the attempt to write says why.
        Err(_) => Ok(String::new()),
    }
}

fn append(file: &Path, text: &str) -> io::Result<()> {
    let mut ignore = OpenOptions::new().append(true).create(true).open(file)?;
    let before = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    ignore.write_all(format!("{before}{IGNORE_LINE}\n").as_bytes())
}

/// Whether some line ignores the cassette and its `.part`, and none behind it could take that back.
fn covers(text: &str, name: &str) -> bool {
    let lines = text.lines().map(str::trim_end);
    lines.fold(false, |covered, line| {
        let both = [name.to_owned(), format!("{name}.part")];
        let covers = || {
            both.iter()
                .all(|name| matches(line.as_bytes(), name.as_bytes()))
        };
        !line.starts_with('!') && (covered || !line.starts_with('#') && covers())
    })
}

/// Whether a pattern without slashes and brackets matches a name, as git takes it.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    // Where the last star stands, and how far the name was read there.
    let mut star = None;
    while read < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(c) if *c == b'?' || *c == name[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((starred, from)) = star else {
                    return false;
                };
                star = Some((starred, from + 1));
                (at, read) = (starred + 1, from + 1);
            }
        }
    }
    pattern[at..].iter().all(|c| *c == b'*')
}

/// What the name of a file that is not redacted has before its ending.
const MARK: &str = ".raw";
/// What it ends with.
const EXTENSION: &str = ".raw.yaml";
/// The line that makes git ignore a cassette that is not redacted, its `.part`, and what is recovered
/// from that.
pub const IGNORE_LINE: &str = "*.raw.yaml*";
const IGNORE: &str = ".gitignore";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_covers_a_cassette_only_together_with_its_part() {
        for (text, expected) in [
            ("", false),
            ("*.raw.yaml*\n", true),
            ("target/\n*.raw.yaml*  \n*.log", true),
            ("*.raw.yaml\n", false),
            ("*.raw.*\n", true),
            ("login.raw.yaml?part\nlogin*", true),
            ("*\n", true),
            ("#*.raw.yaml*\n", false),
            ("/login*\n", false),
            ("*.raw.yaml*\n!login*\n", false),
            ("!login*\n*.raw.yaml*\n", true),
            ("other.raw.yaml*\n", false),
        ] {
            assert_eq!(covers(text, "login.raw.yaml"), expected, "{text:?}");
        }
    }

    #[test]
    fn the_name_says_that_a_file_is_not_redacted() {
        for (name, better) in [
            ("a/login.raw.yaml", None),
            ("a/login.yaml", Some("a/login.raw.yaml")),
            ("login.yml", Some("login.raw.yaml")),
            ("login.raw.yml", Some("login.raw.yaml")),
            ("login.raw", Some("login.raw.yaml")),
            ("login", Some("login.raw.yaml")),
            ("raw.yaml", Some("raw.raw.yaml")),
            (".raw.yaml", Some(".raw.raw.yaml")),
            ("login.raw.yaml.gz", Some("login.raw.yaml.gz.raw.yaml")),
        ] {
            let told = refuse_hidden(Path::new(name))
                .err()
                .map(|error| match error {
                    Error::RawName { better, .. } => better,
                    other => panic!("{name}: {other}"),
                });
            assert_eq!(told, better.map(PathBuf::from), "{name}");
        }
    }

    #[test]
    fn the_nearest_file_is_given_one_line_once() {
        let tree = tempfile::tempdir().expect("a directory");
        let tree = tree.path().canonicalize().expect("a path");
        let inner = tree.join("a/b");
        fs::create_dir_all(&inner).expect("directories");
        let tape = inner.join("login.raw.yaml");
        assert_eq!(keep_out_of_git(&tape).expect("no work tree"), None);
        fs::write(tree.join(".git"), "gitdir: elsewhere").expect("a work tree");
        let text = |file: &Path| fs::read_to_string(file).expect("a file");
        let root = tree.join(IGNORE);
        assert_eq!(keep_out_of_git(&tape).expect("made"), Some(root.clone()));
        assert_eq!(text(&root), "*.raw.yaml*\n");
        assert_eq!(keep_out_of_git(&tape).expect("covered"), None);
        let near = tree.join("a").join(IGNORE);
        fs::write(&near, "*.log").expect("a file");
        assert_eq!(keep_out_of_git(&tape).expect("near"), Some(near.clone()));
        assert_eq!(text(&near), "*.log\n*.raw.yaml*\n");
        assert_eq!(keep_out_of_git(&tape).expect("covered"), None);
        assert_eq!(text(&root), "*.raw.yaml*\n");
        let link = inner.join(IGNORE);
        std::os::unix::fs::symlink(&root, &link).expect("a link");
        let refused = keep_out_of_git(&tape).expect_err("a link");
        assert!(matches!(refused, Error::Symlink { path } if path == link));
    }
}
