//! VCR's record modes, and the one that both plays and records.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use crate::cassette::Cassette;
use crate::deck::playback::{MissListener, Playback};
use crate::deck::recorder::Recorder;
use crate::deck::reel::Reel;
use crate::deck::{
    Error, RecordOptions, Recorded, Recording, Replaying, Running, Wired, keep, kept_out, mintable,
    wire_up,
};
use crate::library::{self, Overwrite, PartFile};
use crate::oauth::fields::Reading;
use crate::proxy::{self, Reach};
use crate::record::{Earlier, Tape};
use crate::redact::{Interaction, Profile};
use crate::replay::{self, PlayOptions, Repertoire, Report, Sessions};

/// VCR's record modes: what is played, and what is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordMode {
    /// Record everything anew, and play nothing.
    All,
    /// Play what is on tape, and record what is not.
    NewEpisodes,
    /// Play, and record nothing.
    None,
    /// Play a cassette that exists, and record one that does not.
    Once,
}

/// What a mode comes to for a cassette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Play it, and record behind it what is not there.
    Extend,
    /// Nothing: it is not there, and nothing is to be recorded.
    Missing,
    /// Play it.
    Play,
    /// Record it.
    Record,
}

impl RecordMode {
    /// What to do with a cassette. `ci` is the variable `CI`: where it is set, a cassette that is
    /// missing is a fault, and servers are not called for it.
    pub fn deed(self, cassette: &Path, ci: Option<&OsStr>) -> Deed {
        let exists = cassette.symlink_metadata().is_ok();
        let is_ci = ci.is_some_and(|ci| !["", "0", "false"].map(OsStr::new).contains(&ci));
        match self {
            Self::None => Deed::Play,
            Self::NewEpisodes if exists => Deed::Extend,
            Self::Once if exists => Deed::Play,
            Self::Once if is_ci => Deed::Missing,
            Self::All | Self::NewEpisodes | Self::Once => Deed::Record,
        }
    }
}

/// A cassette that is played and recorded on.
pub struct Extending {
    replaying: Replaying,
    recording: Recording,
}

/// Starts playing a cassette and recording behind it what it does not have, whether or not the
/// options let it be replaced. A server is called when nothing on tape answers, and never for a
/// session that began on tape.
///
/// # Errors
///
/// Where the cassette cannot be read, is of another profile than is to be recorded, or the proxy
/// cannot start.
pub async fn extend(
    record: RecordOptions,
    play: PlayOptions,
    on_miss: MissListener,
) -> Result<Running<Extending>, Error> {
    let path = record.cassette.clone();
    let (earlier, notes) = earlier(&path, record.keep.profile)?;
    let Wired {
        bound,
        upstream,
        authority,
        roots,
        password,
    } = wire_up(&record.wire).await?;
    let mut repertoire = Repertoire::new(&PlayOptions {
        records: true,
        ..play
    });
    repertoire.add(path.display().to_string(), earlier.cassette.clone());
    let sessions = Arc::new(Sessions::new(repertoire));
    let (last_id, before) = (last_id(&earlier.cassette), end(&earlier.cassette));
    let tape = Tape::resume(keep(&record), earlier);
    let ignored = kept_out(&record, Overwrite::Yes)?;
    let file = PartFile::create(&path, Overwrite::Yes, &tape.text())?;
    let hearing = Arc::clone(&sessions);
    let listener = move |answered: &Reading<'_>| hearing.hear(answered);
    let reel =
        Reel::new(tape, file, record.on_laid.clone()).behind(last_id, before, Box::new(listener));
    let reel = Arc::new(reel);
    let limits = record.wire.limits;
    let recorder = Recorder::new(upstream.clone(), Arc::clone(&reel), limits.body);
    let playback = Playback::new(sessions, on_miss, limits).before(recorder);
    let wire = crate::deck::wire(record.wire, bound, &authority);
    let started = proxy::serve(wire, Reach::OnDemand(upstream), playback.clone()).await;
    let recording = Recording::begun(reel, ignored);
    let serving = match started {
        Ok(serving) => serving,
        Err(error) => return Err(recording.undone(error)),
    };
    let deck = Extending {
        replaying: Replaying {
            playback,
            cassette: String::new(),
            notes,
        },
        recording,
    };
    Ok(Running {
        serving,
        authority,
        password,
        roots,
        deck,
    })
}

impl Running<Extending> {
    /// What is played otherwise than a client may need it.
    pub fn notes(&self) -> &[String] {
        &self.deck.replaying.notes
    }

    /// The `.gitignore` that was given a line, so that git leaves alone what is not redacted.
    pub fn ignored(&self) -> Option<&Path> {
        self.deck.recording.ignored.as_deref()
    }

    /// Ends the run: what is in flight ends within two seconds, then the cassette is finished. Where
    /// nothing was recorded, it is left as it was.
    ///
    /// # Errors
    ///
    /// As [`Running<Recording>::stop`].
    pub async fn stop(self) -> (Result<Recorded, Error>, Report) {
        self.serving.shutdown().await;
        let report = self.deck.replaying.playback.report();
        (self.deck.recording.end(), report)
    }

    /// Waits until there are more secrets than are remembered: from then on bodies are dropped.
    pub async fn ledger_full(&self) {
        self.deck.recording.reel.full().await;
    }
}

/// The cassette that is recorded on, of the profile that is recorded, and what of it is played
/// otherwise than a client may need it.
fn earlier(path: &Path, profile: Profile) -> Result<(Earlier, Vec<String>), Error> {
    let bytes = library::read(path)?;
    let cassette = library::playable(path, &bytes)?;
    if cassette.header.profile != profile {
        return Err(Error::Profile {
            path: path.to_owned(),
            profile: cassette.header.profile,
        });
    }
    let notes = mintable(path, replay::check(&cassette.interactions))?;
    let stamp = cassette.header.audit.as_ref();
    let is_of = |text: &str| stamp.is_some_and(|stamp| stamp.is_of(text));
    let is_stamped = std::str::from_utf8(&bytes).is_ok_and(is_of);
    let earlier = Earlier {
        cassette,
        is_stamped,
    };
    Ok((earlier, notes))
}

fn last_id(cassette: &Cassette) -> u64 {
    let ids = cassette.interactions.iter().map(Interaction::id);
    ids.max().unwrap_or_default()
}

/// How long ago the recording began, by the clocks of then and now; at least as long as it took.
fn end(cassette: &Cassette) -> Duration {
    let interactions = cassette.interactions.iter();
    let took = interactions.map(|interaction| interaction.at() + interaction.took());
    let began = cassette.header.began();
    let ago = began.and_then(|began| Duration::try_from(OffsetDateTime::now_utc() - began).ok());
    took.max().unwrap_or_default().max(ago.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_comes_to_what_vcr_means_by_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let (there, missing) = (directory.path().join("a"), directory.path().join("b"));
        std::fs::write(&there, "").expect("a file");
        for (mode, path, ci, expected) in [
            (RecordMode::All, &there, None, Deed::Record),
            (RecordMode::None, &missing, None, Deed::Play),
            (RecordMode::NewEpisodes, &there, None, Deed::Extend),
            (RecordMode::NewEpisodes, &missing, None, Deed::Record),
            (RecordMode::Once, &there, None, Deed::Play),
            (RecordMode::Once, &missing, None, Deed::Record),
            (RecordMode::Once, &missing, Some("true"), Deed::Missing),
            (RecordMode::Once, &missing, Some("false"), Deed::Record),
            (RecordMode::NewEpisodes, &there, Some("true"), Deed::Extend),
        ] {
            let deed = mode.deed(path, ci.map(OsStr::new));
            assert_eq!(deed, expected, "{mode:?} {ci:?}");
        }
    }
    #[test]
    fn a_recording_goes_on_when_the_last_interaction_was_over() {
        let outcome = |outcome: &str| {
            format!(
                "authtape: 1\nrecorded_by: other/1\nrecorded_at: \"2999-11-23T10:02:11Z\"\ninteractions:\n- id: 1\n  step: userinfo\n  at: 10.0\n  request:\n    method: GET\n    url: https://as.example/userinfo\n    http: \"1.1\"\n{outcome}"
            )
        };
        for (name, text, expected) in [
            (
                "answered",
                outcome("  response:\n    status: 200\n    after: 2.0\n"),
                12,
            ),
            (
                "failed",
                outcome(
                    "  error:\n    kind: read_timeout\n    phase: response_head\n    after: 30.0\n",
                ),
                40,
            ),
        ] {
            let cassette = crate::cassette::load(text.as_bytes()).expect(name);
            assert_eq!(end(&cassette), Duration::from_secs(expected), "{name}");
        }
    }
}
