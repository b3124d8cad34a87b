//! How a tape is made: which cassette, played how, and what may be recorded.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::deck::{self, Deed, RecordMode, RecordOptions, ReplayOptions, WireOptions};
use crate::harness::tape::Tape;
use crate::launch;
use crate::library::{Overwrite, file_name};
use crate::proxy::{Detour, Resolve, Reverse};
use crate::record;
use crate::redact::Profile;
use crate::replay::{Allow, Clock, Fault, Part, PlayOptions, TimeOptions};

/// Why there is no tape.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be played or recorded.
    #[error(transparent)]
    Deck(#[from] deck::Error),
    /// What a client needs cannot be written.
    #[error(transparent)]
    Launch(#[from] launch::Error),
    /// The thread of the tape cannot be started.
    #[error("cannot start the thread of the tape")]
    Thread(#[source] std::io::Error),
    /// The directory of the cassette cannot be made.
    #[error("cannot make {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is to be recorded, and nothing is where `CI` is set.
    #[error("{} does not exist, and where CI is set nothing is recorded; record it elsewhere and check it in", path.display())]
    Missing {
        /// The cassette.
        path: PathBuf,
    },
    /// The variable says nothing that is known.
    #[error("AUTHTAPE_RECORD_MODE is `{value}`; it is once, new_episodes, none or all")]
    Mode {
        /// What it says.
        value: String,
    },
}

/// What a tape is to be.
#[derive(Clone, Debug)]
pub struct Builder {
    pub(super) path: PathBuf,
    mode: Option<RecordMode>,
    play: PlayOptions,
    keep: record::Options,
    wire: WireOptions,
}

impl Builder {
    pub(super) fn new(path: PathBuf) -> Self {
        // What a test does is the same each time.
        let play = PlayOptions {
            seed: [1; 32],
            ..PlayOptions::default()
        };
        Self {
            path,
            mode: None,
            play,
            keep: record::Options::default(),
            wire: WireOptions::default(),
        }
    }

    /// What is played and what is recorded, whatever `AUTHTAPE_RECORD_MODE` says.
    #[must_use]
    pub fn record_mode(mut self, mode: RecordMode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Parts of a request that must be the recorded ones, besides what the protocol asks for.
    #[must_use]
    pub fn match_on(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.play.match_on = parts.into_iter().collect();
        self
    }

    /// What time it is for the recorded servers.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.play.time = TimeOptions {
            clock,
            ..self.play.time
        };
        self
    }

    /// What codes and tokens are made of; it is the same for every tape that says nothing.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.play.seed[..8].copy_from_slice(&seed.to_be_bytes());
        self
    }

    /// Recorded steps that nobody asks for are no fault.
    #[must_use]
    pub fn allow_unused(mut self, allowed: bool) -> Self {
        self.play.allow = Allow {
            unused: allowed,
            ..self.play.allow
        };
        self
    }

    /// A grant that is redeemed once more is answered as it was recorded.
    #[must_use]
    pub fn allow_playback_repeats(mut self, allowed: bool) -> Self {
        self.play.allow = Allow {
            repeats: allowed,
            ..self.play.allow
        };
        self
    }

    /// Something that the server does wrong on purpose; may be said again.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.play.faults.push(fault);
        self
    }

    /// Stand for a server at a local origin, for clients that cannot use a proxy; see
    /// [`Tape::origin`].
    #[must_use]
    pub fn reverse(mut self, reverse: Reverse) -> Self {
        self.wire.reverse.push(reverse);
        self
    }

    /// Keep the messages that are none of OAuth's, too, when recording.
    #[must_use]
    pub fn keep_all(mut self, all: bool) -> Self {
        self.keep.keep_all = all;
        self
    }

    /// Make labels of hosts, clients and requests, too, when recording.
    #[must_use]
    pub fn public(mut self, public: bool) -> Self {
        self.keep.profile = if public {
            Profile::Public
        } else {
            Profile::Support
        };
        self
    }

    /// Trust the roots in this PEM file, besides the system's, when recording.
    #[must_use]
    pub fn upstream_ca(mut self, pem: impl Into<PathBuf>) -> Self {
        self.wire.upstream_ca.push(pem.into());
        self
    }

    /// Call an address in the place of a name, when recording.
    #[must_use]
    pub fn resolve(mut self, resolve: Resolve) -> Self {
        self.wire.resolve.push(resolve);
        self
    }

    /// The tape; its proxy listens when this returns.
    ///
    /// # Errors
    ///
    /// [`Error`] says why it cannot be played or recorded.
    pub fn build(self) -> Result<Tape, Error> {
        let mode = match self.mode {
            Some(mode) => mode,
            None => mode_of(std::env::var_os("AUTHTAPE_RECORD_MODE"))?,
        };
        let deed = mode.deed(&self.path, std::env::var_os("CI").as_deref());
        let overwrite = match mode {
            RecordMode::All => Overwrite::Yes,
            _ => Overwrite::No,
        };
        if deed == Deed::Missing {
            return Err(Error::Missing { path: self.path });
        }
        if let (Deed::Record, Some(parent)) = (deed, self.path.parent()) {
            std::fs::create_dir_all(parent).map_err(|source| Error::Directory {
                path: parent.to_owned(),
                source,
            })?;
        }
        Tape::start(self, deed, overwrite)
    }

    pub(super) fn replay_options(&self) -> ReplayOptions {
        ReplayOptions {
            cassettes: vec![self.path.clone()],
            play: self.play.clone(),
            wire: self.wire.clone(),
            on_miss: Box::new(|_| {}),
            transcribe: true,
            on_laid: None,
        }
    }

    pub(super) fn record_options(&self, overwrite: Overwrite) -> RecordOptions {
        let inherited = |name: &str| std::env::var_os(name);
        RecordOptions {
            cassette: self.path.clone(),
            overwrite,
            keep: self.keep.clone(),
            wire: WireOptions {
                detour: Detour::none(),
                upstream_ca: launch::inherited_roots(&inherited)
                    .into_iter()
                    .chain(self.wire.upstream_ca.clone())
                    .collect(),
                ..self.wire.clone()
            },
            on_laid: None,
        }
    }

    pub(super) fn play_options(&self) -> PlayOptions {
        self.play.clone()
    }

    pub(super) fn roots(&self) -> &[PathBuf] {
        &self.wire.upstream_ca
    }
}

/// Where the cassette of a test is: `tests/cassettes/FILE/TEST.yaml` in its package.
pub fn path_of(package: &str, file: &str, test: &str) -> PathBuf {
    let stem = Path::new(file).file_stem().unwrap_or_default();
    let directory = Path::new(package).join("tests/cassettes");
    let (stem, test) = (file_name(&stem.to_string_lossy()), file_name(test));
    directory.join(stem).join(format!("{test}.yaml"))
}

fn mode_of(variable: Option<OsString>) -> Result<RecordMode, Error> {
    let value = variable.unwrap_or_default();
    match value.to_string_lossy().as_ref() {
        "" | "once" => Ok(RecordMode::Once),
        "new_episodes" => Ok(RecordMode::NewEpisodes),
        "none" => Ok(RecordMode::None),
        "all" => Ok(RecordMode::All),
        other => Err(Error::Mode {
            value: other.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_has_its_cassette() {
        for (file, test, expected) in [
            (
                "tests/login.rs",
                "wrong_redirect_uri",
                "/p/tests/cassettes/login/wrong_redirect_uri.yaml",
            ),
            (
                "src/oauth/mod.rs",
                "works",
                "/p/tests/cassettes/mod/works.yaml",
            ),
        ] {
            assert_eq!(path_of("/p", file, test), Path::new(expected));
        }
    }

    #[test]
    fn the_variable_has_the_words_of_vcr() {
        for (value, expected) in [
            (None, Some(RecordMode::Once)),
            (Some(""), Some(RecordMode::Once)),
            (Some("once"), Some(RecordMode::Once)),
            (Some("new_episodes"), Some(RecordMode::NewEpisodes)),
            (Some("none"), Some(RecordMode::None)),
            (Some("all"), Some(RecordMode::All)),
            (Some("any"), None),
        ] {
            assert_eq!(
                mode_of(value.map(OsString::from)).ok(),
                expected,
                "{value:?}"
            );
        }
    }
}
