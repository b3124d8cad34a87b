//! What becomes of a snapshot that differs: insta's variables, in insta's meaning.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::snapshot::Error;

/// What is done with a text that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// It takes the snapshot's place.
    Always,
    /// The same, and what does not differ is written again, too.
    Force,
    /// It waits beside the snapshot.
    New,
    /// Nothing is written.
    No,
    /// A first one is written, another one waits.
    Unseen,
}

/// What the environment asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is done with a text that differs.
    pub update: Update,
    /// A difference is told, and is no failure.
    pub forces_pass: bool,
    /// Where what waits is kept, where it is not beside its snapshot.
    pub pending_dir: Option<PathBuf>,
}

impl Settings {
    /// Reads `INSTA_UPDATE`, `INSTA_FORCE_PASS`, `INSTA_PENDING_DIR`, and `SNAPSHOTS=overwrite`,
    /// which other tools have for `INSTA_UPDATE=always`. Where `CI` is set nothing is written,
    /// unless one of them says so.
    ///
    /// # Errors
    ///
    /// Where `INSTA_UPDATE` says what nobody knows.
    pub fn of(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let text = |name: &str| variable(name).map(|value| value.to_string_lossy().into_owned());
        let is_set = |name: &str| {
            text(name).is_some_and(|value| !["", "0", "false"].contains(&value.as_str()))
        };
        let update = match text("INSTA_UPDATE").as_deref() {
            Some("always") => Update::Always,
            Some("force") => Update::Force,
            Some("no") => Update::No,
            Some("unseen") => Update::Unseen,
            None | Some("" | "auto") if text("SNAPSHOTS").as_deref() == Some("overwrite") => {
                Update::Always
            }
            None | Some("" | "auto") if is_set("CI") || is_set("TF_BUILD") => Update::No,
            None | Some("" | "auto" | "new") => Update::New,
            Some(value) => {
                return Err(Error::Update {
                    value: value.to_owned(),
                });
            }
        };
        Ok(Self {
            update,
            forces_pass: is_set("INSTA_FORCE_PASS"),
            pending_dir: variable("INSTA_PENDING_DIR")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from),
        })
    }

    /// Where what differs from this snapshot waits.
    pub(super) fn place(&self, snapshot: &Path) -> PathBuf {
        let mut name = snapshot.as_os_str().to_owned();
        name.push(NEW);
        let beside = PathBuf::from(name);
        match &self.pending_dir {
            // A mirror of the tree: only what lies in the tree has a place in it.
            Some(directory) if beside.is_relative() && !beside.starts_with("..") => {
                directory.join(beside)
            }
            _ => beside,
        }
    }
}

/// How the name of one that waits ends.
pub(super) const NEW: &str = ".new";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_what_is_written() {
        let set = |pairs: &'static [(&str, &str)]| {
            let settings = Settings::of(move |name| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| OsString::from(value))
            });
            settings.map(|settings| settings.update).ok()
        };
        for (pairs, expected) in [
            (&[][..], Some(Update::New)),
            (&[("CI", "true")], Some(Update::No)),
            (&[("CI", "false")], Some(Update::New)),
            (&[("TF_BUILD", "True")], Some(Update::No)),
            (&[("CI", "1"), ("INSTA_UPDATE", "new")], Some(Update::New)),
            (&[("CI", "1"), ("INSTA_UPDATE", "auto")], Some(Update::No)),
            (&[("INSTA_UPDATE", "always")], Some(Update::Always)),
            (&[("INSTA_UPDATE", "unseen")], Some(Update::Unseen)),
            (&[("INSTA_UPDATE", "force")], Some(Update::Force)),
            (&[("SNAPSHOTS", "overwrite")], Some(Update::Always)),
            (
                &[("SNAPSHOTS", "overwrite"), ("INSTA_UPDATE", "no")],
                Some(Update::No),
            ),
            (&[("INSTA_UPDATE", "sometimes")], None),
        ] {
            assert_eq!(set(pairs), expected, "{pairs:?}");
        }
    }

    #[test]
    fn what_waits_has_its_place() {
        let settings = |directory: Option<&str>| Settings {
            update: Update::New,
            forces_pass: false,
            pending_dir: directory.map(PathBuf::from),
        };
        for (directory, snapshot, expected) in [
            (None, "a/b.snap", "a/b.snap.new"),
            (Some("/out"), "a/b.snap", "/out/a/b.snap.new"),
            (Some("/out"), "/a/b.snap", "/a/b.snap.new"),
            (Some("/out"), "../b.snap", "../b.snap.new"),
        ] {
            assert_eq!(
                settings(directory).place(Path::new(snapshot)),
                Path::new(expected)
            );
        }
    }
}
